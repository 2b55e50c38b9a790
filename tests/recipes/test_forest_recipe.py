"""The recipe of the forest, from the sample corpus to a file that orders lists."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from irsmith.search.forest import FEATURES, Forest, digest_of
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain.clang import DEFAULT_TARGETS

pytest.importorskip("sklearn")
ROOT = Path(__file__).parents[2]


def run(*words):
    command = [sys.executable, str(ROOT / "recipes/forest.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ})


def test_a_forest_is_grown_and_measured(labels, tmp_path):
    place = tmp_path / "forest.bin"
    words = ["--labels", str(labels), "--corpus", str(ROOT / "examples/corpus")]
    done = run(*words, "--trees", "4", "--leaf", "2", "--folds", "2", "--output", str(place))
    assert done.returncode == 0, done.stderr
    assert "each left out once (2 folds)" in done.stdout and "portfolio" in done.stdout
    forest = Forest.from_bytes(place.read_bytes())
    lists = load_portfolio(DEFAULT_TARGETS["X86"]).candidates
    assert forest.portfolio == digest_of(lists) and len(forest.trees) == 4
    assert sorted(forest.order([1.0] * len(FEATURES), 99)) == list(range(len(lists)))
    again = tmp_path / "again.bin"
    assert run(*words, "--trees", "4", "--leaf", "2", "--output", str(again)).returncode == 0
    assert again.read_bytes() == place.read_bytes()


def test_labels_of_other_lists_are_no_use(tmp_path):
    (tmp_path / "none").mkdir()
    done = run("--labels", str(ROOT / "recipes/seed-labels/tune"), "--corpus", str(tmp_path))
    assert done.returncode == 2 and "Traceback" not in done.stderr
