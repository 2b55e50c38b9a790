"""Labels made on a Ray cluster are those made here."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from irsmith.cli.main import main
from irsmith.corpus.rows import write_rows
from irsmith.labels.rows import read_labels
from irsmith.toolchain.clang import DEFAULT_TARGETS

COMMANDS = {
    "disassemble": ["--per-module", "3"],
    "emulate": ["--per-module", "3"],
    "tune": ["--budget", "36", "--nominated", "1", "--shared", "1", "--suite", "quick"],
}


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")
def test_a_cluster_makes_the_same_rows(corpus_rows, tmp_path):
    native = tmp_path / "corpus.parquet"
    write_rows(native, [row for row in corpus_rows if row.target == DEFAULT_TARGETS["X86"]])
    lines = [["label", kind, str(native), *words, "-o"] for kind, words in COMMANDS.items()]
    for line in lines:
        assert main([*line, str(tmp_path / "here" / line[1]), "-j", "1"]) == 0
    script = tmp_path / "lines.json"
    script.write_text(json.dumps([[*line, str(tmp_path / "ray" / line[1])] for line in lines]))
    # Paths of Ray's sockets must be short: pytest's own folders are too deep.
    temporary = tempfile.mkdtemp(prefix="ray")
    environment = os.environ | {"RAY_TMPDIR": temporary, "RAY_USAGE_STATS_ENABLED": "0"}
    environment.pop("RAY_ADDRESS", None)
    try:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("labels_on_ray.py"), script],
            env=environment, capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    assert done.returncode == 0, done.stderr[-3000:]
    for kind in COMMANDS:
        files = sorted((tmp_path / "here" / kind).glob("*.parquet"))
        assert len(files) == 2
        for path in files:
            other = tmp_path / "ray" / kind / path.name
            if kind != "tune":
                assert path.read_bytes() == other.read_bytes()
            assert list(map(timeless, read_labels(path))) == list(map(timeless, read_labels(other)))


def timeless(row):
    """A row without how long it took."""
    label = row.label
    return replace(row, label=replace(label, seconds=0.0)) if hasattr(label, "seconds") else row
