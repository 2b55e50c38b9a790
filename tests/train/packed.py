"""Small packed folders for the tests of training."""

import numpy as np

from irsmith.train.config import Source, TrainConfig
from irsmith.train.data import PackedWriter

VOCABULARY, END = 101, 0


def write_packed(folder, documents=60, seed=0, *, task="pretrain", answer=False, shard=700):
    """Documents of a language that can be learned: each token follows from the one before."""
    random = np.random.default_rng(seed)
    with PackedWriter(
        folder, vocabulary=VOCABULARY, end=END, tokenizer="t" * 64, shard_tokens=shard
    ) as writer:
        for number in range(documents):
            length = int(random.integers(3, 40))
            ids = [int(random.integers(1, VOCABULARY))]
            while len(ids) < length:
                ids.append((ids[-1] * 7 + int(random.integers(0, 3))) % (VOCABULARY - 1) + 1)
            writer.add(
                ids,
                task=task,
                target=("x86_64", "aarch64")[number % 2],
                answer=length // 2 if answer else 0,
                bytes_=4 * length,
            )
    return folder


def write_stage(data, name, documents=60, **how):
    """A stage's training and validation folders."""
    write_packed(data / name / "train", documents, seed=1, task=name, **how)
    write_packed(data / name / "validation", 12, seed=2, task=name, **how)


def tiny(**changes):
    """A run of a second or two."""
    values = {
        "stage": "pretrain",
        "size": "tiny",
        "sources": (Source("pretrain"),),
        "context": 64,
        "batch": 4,
        "micro": 2,
        "steps": 6,
        "warmup": 2,
        "decay": 0.34,
        "rate": 0.01,
        "precision": "fp32",
        "compile": "no",
        "loss_chunk": 50,
        "validate_every": 3,
        "checkpoint_every": 2,
        "keep": 9,
    }
    return TrainConfig(**{**values, **changes})
