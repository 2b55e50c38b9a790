"""``irsmith train`` from data to a release, and what it says when it cannot."""

import json
import shutil

import pytest

from irsmith.cli.train import main
from irsmith.model.release import load_release
from irsmith.records import IrsmithError
from irsmith.train.journal import read_metrics

SMALL = ["--set", "size=tiny", "--set", "context=64", "--set", "batch=2", "--set", "micro=2"]
SMALL += ["--set", "warmup=1", "--set", "precision=fp32", "--set", "compile=no"]


def test_a_run_ends_in_a_release_and_a_picture(data, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["pretrain", "--data", str(data), "--out", str(out), *SMALL, "--json", "--steps"]
    assert main([*words, "3"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["step"] == 3 and "pretrain/x86_64" in result["validation"]
    network, about = load_release(out / "release")
    assert about.trained["steps"] == 3 and network.config.vocabulary == 128
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(IrsmithError, match="--resume goes on"):
        main([*words, "3"])
    assert main([*words, "6", "--resume"]) == 0
    assert json.loads(capsys.readouterr().out)["step"] == 6
    assert load_release(out / "release")[1].trained["steps"] == 6


def test_a_run_that_stops_on_time_goes_on_to_the_same_losses(data, tmp_path, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    words = ["pretrain", "--data", str(data), *SMALL, "--json", "--steps", "4", "--out"]
    assert main([*words, str(whole)]) == 0
    assert json.loads(capsys.readouterr().out)["release"]
    more: list[str] = []
    for step in range(1, 5):
        assert main([*words, str(parts), "--minutes", "0", *more]) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["step"] == step and bool(result["release"]) == (step == 4)
        more = ["--resume"]
    losses = [[row["loss"] for row in read_metrics(out) if "loss" in row] for out in (whole, parts)]
    assert losses[0] == losses[1]


def test_a_tokenizer_that_did_not_pack_the_data_is_refused(data, tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    (copy / "tokenizer.json").write_text("{}")
    words = ["pretrain", "--data", str(copy), "--out", str(tmp_path / "run"), "--steps", "1"]
    with pytest.raises(IrsmithError, match="not the tokenizer that packed the data"):
        main([*words, *SMALL])
    assert not (tmp_path / "run").exists()


def test_a_dry_run_starts_nothing(data, tmp_path, capsys):
    assert main(["pretrain", "--dry-run", "--set", "size=nano", "--set", "micro=1"]) == 0
    said = capsys.readouterr().out
    assert "15.7 M" in said and "assumes 40% of its peak" in said
    words = ["pretrain", "--dry-run", "--data", str(data), *SMALL, "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] < 200_000 and found["fits"]


def test_wrong_words_are_one_line():
    with pytest.raises(IrsmithError, match="did you mean 'tune'"):
        main(["tun"])
    with pytest.raises(IrsmithError, match="at least 1"):
        main(["tune", "--steps", "-2"])
    with pytest.raises(IrsmithError, match="no packed data there"):
        main(["tune", "--data", "nowhere", "--out", "nowhere-else"])
