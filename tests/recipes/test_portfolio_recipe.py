"""A portfolio is chosen from labels, and judged."""

import json
import subprocess
import sys
from pathlib import Path

from irsmith.records import Candidate
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain.clang import DEFAULT_TARGETS

ROOT = Path(__file__).parents[2]


def run(*words):
    command = [sys.executable, str(ROOT / "recipes/portfolio_from_labels.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_portfolio_is_chosen_from_labels(labels, tmp_path):
    place = tmp_path / "portfolio.json"
    words = ["--labels", labels, "--suite", "quick", "--output", place]
    done = run(*words, "--count", "2")
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
    done = run("--labels", ROOT / "recipes/seed-labels/tune", *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no label of the train split" in done.stderr and not list(tmp_path.iterdir())
