"""Runs in processes of their own: a full disk, golden losses, two processes as one."""

import json
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from packed import tiny

from irsmith.train import checkpoint
from irsmith.train.journal import read_metrics

torch = pytest.importorskip("torch")

from irsmith.train.loop import train  # noqa: E402

HERE = Path(__file__).parent
GOLDEN = HERE / "golden_losses.json"


def run_tiny(data, out, *words, processes=1, timeout=300):
    command = [sys.executable]
    if processes > 1:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        command += [f"--master-port={port}", "--master-addr=127.0.0.1"]
    command += [str(HERE / "run_tiny.py"), str(data), str(out), *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def losses(out):
    return [row["loss"] for row in read_metrics(out) if "loss" in row]


def test_the_old_checkpoint_survives_a_full_disk(data, tmp_path):
    two, four = (tiny(steps=steps, decay=0.0) for steps in (2, 4))
    train(two, data, tmp_path, say=str)
    full = run_tiny(data, tmp_path, "steps=4", "decay=0", "resume", "file-limit=200000")
    assert full.returncode == 1
    (line,) = [line for line in full.stderr.splitlines() if line.startswith("irsmith:")]
    assert "File too large" in line and "the one of step 2 is whole" in line
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-0000002"]
    train(four, data, tmp_path, resume=True, say=str)
    assert checkpoint.steps_kept(tmp_path) == [2, 4]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="recorded on x86-64")
@pytest.mark.parametrize("optimizer", ["muon", pytest.param("adamw", marks=pytest.mark.slow)])
def test_ten_steps_give_the_golden_losses(data, tmp_path, optimizer):
    """Recorded by ``IRSMITH_WRITE_GOLDEN=1 pytest tests/train/test_processes.py -k golden``."""
    done = run_tiny(data, tmp_path, "golden", "steps=10", f"optimizer={optimizer}")
    assert done.returncode == 0, done.stderr
    version = torch.__version__.partition("+")[0]
    if os.environ.get("IRSMITH_WRITE_GOLDEN"):
        known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        known |= {optimizer: {"torch": version, "losses": losses(tmp_path)}}
        GOLDEN.write_text(json.dumps(known, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())[optimizer]
    if golden["torch"] == version:
        assert losses(tmp_path) == golden["losses"]
    else:  # another torch may round otherwise
        assert losses(tmp_path) == pytest.approx(golden["losses"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_two_processes_give_the_losses_of_one(data, tmp_path, optimizer):
    one, two = tmp_path / "one", tmp_path / "two"
    setting = f"optimizer={optimizer}"
    assert run_tiny(data, one, setting).returncode == 0
    both = run_tiny(data, two, setting, processes=2)
    assert both.returncode == 0, both.stderr[-3000:]
    assert losses(two) == pytest.approx(losses(one), rel=2e-3)
    # A checkpoint that two wrote goes on in one.
    longer = run_tiny(data, two, setting, "steps=8", "decay=0.255", "resume")
    assert longer.returncode == 0, longer.stderr
    assert "resumed from step 4" in longer.stdout
    assert len(losses(two)) == 8
