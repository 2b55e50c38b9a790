"""The lent accelerator's run, rehearsed on the CPU: pieces, calls, parts, a release."""

import importlib.util
import json
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

pytest.importorskip("torch")

from irsmith.model.release import load_release
from irsmith.records import IrsmithError

RECIPE = Path(__file__).parents[2] / "recipes/accelerator.py"


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("accelerator", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(recipe, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["accelerator", *map(str, words)])
    return recipe.main()


def test_the_run_goes_on_from_call_to_call(recipe, data, tmp_path, monkeypatch, capsys):
    whole = tmp_path / "data.tar.xz"
    with tarfile.open(whole, "w:xz") as tar:
        for stage in ("pretrain", "tune"):
            tar.add(data / "pretrain", arcname=f"data/{stage}")
    recipe.split(whole, tmp_path / "up", "piece", 2_000)
    assert len(list((tmp_path / "up").glob("piece-*"))) > 1
    state, monkey = tmp_path / "state", monkeypatch
    monkeypatch.setattr(recipe, "CALIBRATION", 4)
    monkeypatch.setattr(recipe, "MIB", 1 << 17)
    words = ["run", "--pieces", tmp_path / "up", "--state", state, "--toy", "--total", "0.001"]
    assert call(recipe, monkey, "collect", "--state", state, "--output", tmp_path) == 2
    calls = 0
    while "done:" not in capsys.readouterr().out:
        assert call(recipe, monkey, *words, "--minutes", "0.00001" if calls < 3 else "5") == 0
        calls += 1
    assert calls == 4
    assert set(json.loads((state / "plan.json").read_text())["steps"]) == {"pretrain", "mixed"}
    outs = []
    for part in range(29):
        outs.append(tmp_path / f"out{part}")
        back = ["--state", state, "--output", outs[-1], "--piece", "1", "--count", "1"]
        assert call(recipe, monkey, "collect", *back, "--part", part) == 0
        if capsys.readouterr().out.startswith("0 of"):
            break
    assert call(recipe, monkey, "join", *outs[:1], "--output", tmp_path / "no") == 2
    assert "is missing" in capsys.readouterr().err
    assert call(recipe, monkey, "join", *outs, "--output", tmp_path / "end") == 0
    network, about = load_release(tmp_path / "end/release")
    assert about.trained["stage"] == "mixed" and network.config.context == 256
    assert (tmp_path / "end/pretrain-metrics.jsonl").exists()


def test_a_damaged_piece_is_named(recipe, tmp_path):
    whole = tmp_path / "x"
    whole.write_bytes(bytes(100))
    recipe.split(whole, tmp_path / "up", "piece", 30)
    (tmp_path / "up/piece-002").write_bytes(b"?")
    with pytest.raises(IrsmithError, match="piece-002 is damaged"):
        list(recipe.parts_of([tmp_path / "up"], "piece"))
    shutil.rmtree(tmp_path / "up")
    with pytest.raises(IrsmithError, match=r"no piece\.json there"):
        list(recipe.parts_of([tmp_path / "up"], "piece"))
