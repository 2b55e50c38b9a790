"""What ships is chosen from labels: a portfolio is judged, a forest grown that orders it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from irsmith.records import Candidate
from irsmith.search.forest import FEATURES, Forest, digest_of
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain.clang import DEFAULT_TARGETS

pytest.importorskip("sklearn")
ROOT = Path(__file__).parents[2]


def run(recipe, *words):
    command = [sys.executable, str(ROOT / "recipes" / recipe), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ})


def test_a_forest_is_grown_and_measured(labels, tmp_path):
    place = tmp_path / "forest.bin"
    words = ["--labels", str(labels), "--corpus", str(ROOT / "examples/corpus")]
    done = run(
        "forest.py", *words, "--trees", "4", "--leaf", "2", "--folds", "2", "--output", str(place)
    )
    assert done.returncode == 0, done.stderr
    assert "each left out once (2 folds)" in done.stdout and "portfolio" in done.stdout
    forest = Forest.from_bytes(place.read_bytes())
    lists = load_portfolio(DEFAULT_TARGETS["X86"]).candidates
    assert forest.portfolio == digest_of(lists) and len(forest.trees) == 4
    assert sorted(forest.order([1.0] * len(FEATURES), 99)) == list(range(len(lists)))
    again = tmp_path / "again.bin"
    assert (
        run("forest.py", *words, "--trees", "4", "--leaf", "2", "--output", str(again)).returncode
        == 0
    )
    assert again.read_bytes() == place.read_bytes()


def test_labels_of_other_lists_are_no_use(tmp_path):
    (tmp_path / "none").mkdir()
    done = run(
        "forest.py", "--labels", str(ROOT / "recipes/seed-labels/tune"), "--corpus", str(tmp_path)
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_portfolio_is_chosen_from_labels(labels, tmp_path):
    place = tmp_path / "portfolio.json"
    words = ["--labels", labels, "--suite", "quick", "--output", place]
    done = run("portfolio_from_labels.py", *words, "--count", "2")
    assert done.returncode == 0, done.stderr
    assert "saved on train: 1: " in done.stdout and "chosen" in done.stdout
    made = json.loads(place.read_text())
    chosen = [Candidate.from_json(entry) for entry in made["candidates"]]
    known = load_portfolio(DEFAULT_TARGETS["X86"]).candidates
    assert len(chosen) == 2 and set(chosen) <= set(known)
    assert made["suite"].startswith("quick-") and made["provenance"]["split"] == "train"
    saving = made["provenance"]["saving_on_train"]
    assert 0 < saving[0] < saving[1]


def test_labels_of_another_target_are_no_use(tmp_path):
    words = ["--target", "AArch64", "--output", tmp_path / "none.json"]
    done = run("portfolio_from_labels.py", "--labels", ROOT / "recipes/seed-labels/tune", *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no label of the train split" in done.stderr and not list(tmp_path.iterdir())
