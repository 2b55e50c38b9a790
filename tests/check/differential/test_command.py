"""``irsmith check-modules``."""

import json

import pytest

from irsmith.cli.main import main

GOOD = """int f(int a, int b) { return a > b ? a - b : b; }
static int g(int a) { return a & 3; }
int h(int a) { return g(a) + g(a / 2); }
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.c").write_text(GOOD)
    (tmp_path / "b.c").write_text(GOOD.replace("a > b", "a >= b"))
    return tmp_path


def run(capsys, *words):
    status = main(["check-modules", *map(str, words)])
    return status, capsys.readouterr()


def test_a_module_passes_against_itself(files, capsys):
    status, said = run(capsys, files / "a.c", "--passes", "default<Oz>", "--json")
    assert status == 0
    data = json.loads(said.out)
    assert data["verdict"] == "passed"
    by_name = {each["name"]: each for each in data["functions"]}
    assert set(by_name) == {"f", "g", "h"}
    assert all(each["verdict"] == "passed" for each in by_name.values())
    assert all(0 < each["coverage"] <= 1 and each["inputs"] >= 3 for each in by_name.values())


def test_a_difference_is_told_and_can_be_repeated(files, capsys):
    status, said = run(capsys, files / "a.c", files / "b.c", "--json", "--", "-DX=1")
    assert status == 1
    (failed,) = [f for f in json.loads(said.out)["functions"] if f["verdict"] == "failed"]
    assert failed["name"] == "f"
    again = failed["reproduce"].split()
    assert again[:2] == ["irsmith", "check-modules"]
    assert main(again[1:]) == 0
    told = capsys.readouterr().out
    assert "argument 0 = " in told
    assert "- returned" in told
    assert "+ returned" in told
    assert "@f(" in told


def test_people_read_a_summary(files, capsys):
    status, said = run(capsys, files / "a.c", files / "b.c")
    assert status == 1
    assert said.out.strip() == "failed"
    assert "different value returned" in said.err
    assert "irsmith check-modules" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.c"], "name a CANDIDATE"),
        (["a.c", "b.c", "--passes", "adce"], "name a CANDIDATE"),
        (["a.c", "b.c", "--input", "3"], "--input needs --function"),
        (["a.c", "missing.c"], "no such file"),
        (["a.c", "b.c", "--function", "zzz"], "no function 'zzz'"),
        (["a.c", "b.c", "--effort", "0"], "--effort"),
        (["a.c", "--passes", "no-such-pass"], "no-such-pass"),
        (["arm.ll", "--passes", "adce"], "cannot be run on this"),
    ],
)
def test_misuse_is_one_line(files, capsys, monkeypatch, words, message):
    monkeypatch.chdir(files)
    (files / "arm.ll").write_text('target triple = "aarch64-unknown-linux-gnu"\n')
    status, said = run(capsys, *words)
    assert status == 2
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1
