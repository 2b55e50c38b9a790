"""Pretraining on machines of four sizes: complete runs, one function each.

    irsmith train recipes/pretrain.py:laptop --data DATA --out RUN
    irsmith train recipes/pretrain.py:h100 --dry-run
    torchrun --nproc-per-node 8 -m irsmith train recipes/pretrain.py:eight_h100 …

What each takes (``--dry-run`` says more) stands in docs/train.md.
"""

from dataclasses import replace

from irsmith.train.config import TrainConfig
from irsmith.train.recipes import pretrain


def laptop() -> TrainConfig:
    """The nano model on two cores: half a million tokens in some minutes."""
    return replace(
        pretrain(),
        size="nano",
        context=1024,
        batch=8,
        micro=4,
        steps=64,
        warmup=8,
        rate=4e-3,
        loss_chunk=2048,
        validate_every=32,
        validation_sequences=16,
        checkpoint_every=32,
    )


def h100() -> TrainConfig:
    """The small model on one H100: 2.1 billion tokens in about 40 minutes."""
    return replace(pretrain(), batch=64, micro=16, steps=8000, loss_chunk=16_384)


def eight_h100() -> TrainConfig:
    """The base model on eight H100: ten billion tokens in about an hour."""
    return replace(
        pretrain(), size="base", batch=256, micro=16, steps=9600, loss_chunk=16_384, rate=1.5e-3
    )


def cluster_13b() -> TrainConfig:
    """The 13b on 64 nodes of eight H100: as many tokens as the paper's first stage."""
    return replace(
        pretrain(),
        size="13b",
        context=16_384,
        batch=512,
        micro=1,
        steps=48_000,
        warmup=2000,
        rate=3e-4,
        recompute=True,
        loss_chunk=4096,
        checkpoint_every=500,
    )
