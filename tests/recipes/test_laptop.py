"""The whole way from the sample corpus to a report, in its short form, as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
RECIPE = Path(__file__).parents[2] / "recipes/laptop.py"


def run(folder, *words):
    command = [sys.executable, str(RECIPE), "--output", str(folder), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_sample_to_report(tmp_path):
    done = run(tmp_path, "--short")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "report.md").read_text()
    steps = json.loads((tmp_path / "steps.json").read_text())
    assert steps["functions"]["functions"] > 5000
    assert steps["tune labels"]["labels"]["train"] > 5
    for kind in ("emulate", "disassemble"):
        assert steps[f"{kind} labels"]["labels"]["train"] > 20
        assert steps[f"{kind}, measured"]["n"] > 0
    assert set(steps["packing"]["tokens"]) == {"pretrain", "emulate", "tune", "disassemble"}
    assert steps["mixed"]["tokens"] > 0 and "model, k = 1" in steps["tuning, measured"]
    for file in ("model.safetensors", "config.json", "tokenizer.json", "README.md"):
        assert (tmp_path / "mixed/release" / file).exists()
    # What is done is not done again; another size is another run.
    before = (tmp_path / "mixed/release/model.safetensors").stat().st_mtime_ns
    (tmp_path / "report.md").unlink()
    assert run(tmp_path, "--short").stdout == done.stdout
    assert (tmp_path / "mixed/release/model.safetensors").stat().st_mtime_ns == before
    other = run(tmp_path)
    assert other.returncode == 2 and "another size" in other.stderr
