"""Slots of a release are taught another portfolio, and nothing else is touched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from irsmith.model.config import ModelConfig  # noqa: E402
from irsmith.model.network import build  # noqa: E402
from irsmith.model.release import hash_of, load_release, save_release  # noqa: E402
from irsmith.train.data import PackedWriter  # noqa: E402

ROOT = Path(__file__).parents[2]
SLOTS = tuple(range(100, 108))
USED, END = 5, 3


def run(*words):
    command = [sys.executable, str(ROOT / "recipes/rank_slots.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A release of no training, and prompts whose first token says which list is best."""
    folder = tmp_path_factory.mktemp("slots")
    (folder / "tokenizer.json").write_text('{"model": {"type": "BPE"}}')
    network = build(ModelConfig(128, 64, 2, 4, 2, 96, context=64), seed=1)
    save_release(
        folder / "release", network, end=END, tokenizer=folder / "tokenizer.json", half=True
    )
    random = np.random.default_rng(0)
    data = folder / "data"
    with PackedWriter(
        data / "tune/train",
        vocabulary=128,
        end=END,
        tokenizer=hash_of(folder / "tokenizer.json"),
        choices=SLOTS,
    ) as writer:
        for _ in range(120):
            best = int(random.integers(0, USED))
            soft = [0.9 if slot == best else 0.1 / (USED - 1) for slot in range(USED)]
            prompt = [10 + best] * int(random.integers(3, 9))
            writer.add(
                prompt, task="rank", target="X86", answer=len(prompt), bytes_=1, soft=tuple(soft)
            )
    candidates = [{"passes": f"default<O{n % 4}>", "codegen": []} for n in range(USED)]
    (data / "portfolio-x86_64.json").write_text(json.dumps({"candidates": candidates}))
    return folder


def test_slots_learn_and_the_rest_stays(place):
    done = run(place / "release", "--data", place / "data", "--output", place / "new")
    assert not done.returncode, done.stderr
    before, _ = load_release(place / "release")
    after, about = load_release(place / "new")
    assert about.tokenizer == hash_of(place / "tokenizer.json")
    for (name, old), new in zip(
        before.state_dict().items(), after.state_dict().values(), strict=True
    ):
        changed = (old != new).nonzero()
        if name.endswith("embed_tokens.weight"):
            assert set(changed[:, 0].tolist()) == set(SLOTS[:USED])
        else:
            assert not len(changed), name
    for best in range(USED):
        logits = after.logits(torch.tensor([[10 + best] * 5]))[0, -1]
        assert int(logits.argmax()) == SLOTS[best]
    assert (place / "new/engine.onnx").exists()
    assert (place / "new/portfolio-x86_64.json").exists()
    assert f"The {USED} lists" in (place / "new/README.md").read_text()


def test_what_does_not_fit_is_said(place, tmp_path):
    again = run(place / "release", "--data", place / "data", "--output", place / "release")
    assert again.returncode == 2 and "name another folder" in again.stderr
    gone = run(place / "release", "--data", tmp_path, "--output", tmp_path / "new")
    assert gone.returncode == 2 and gone.stderr.startswith("rank_slots: ")
    assert not (tmp_path / "new").exists()
