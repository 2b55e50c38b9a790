"""Alive2's output is read; a stand-in that speaks it takes its place."""

import stat

from irsmith.check.differential.alive import find_alive, parse, refinements
from irsmith.cli.check_modules import main

CORRECT = """
----------------------------------------
define i32 @good(i32 %a) {
  ret i32 %a
}
=>
define i32 @good(i32 %a) {
  ret i32 %a
}
Transformation seems to be correct!

"""
WRONG = """
----------------------------------------
define i32 @bad(i32 %a) {
  ret i32 %a
}
=>
define i32 @bad(i32 %a) {
  ret i32 0
}
Transformation doesn't verify!

ERROR: Value mismatch

Example:
i32 %a = #x00000001 (1)
"""
SLOW = """
----------------------------------------
define i32 @slow(i32 %a) {
  ret i32 %a
}
ERROR: Timeout
"""


def stand_in(folder, said, then="exit 0"):
    path = folder / "alive-tv"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n{then}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def test_what_it_says_is_read():
    found = parse(CORRECT + WRONG + SLOW + "Summary:\n  1 correct transformations\n")
    assert {name: each.state for name, each in found.items()} == {
        "good": "passed",
        "bad": "failed",
        "slow": "unknown",
    }
    assert found["bad"].reason == "Value mismatch"


def test_a_time_out_is_unknown(tmp_path):
    path = stand_in(tmp_path, CORRECT + SLOW, "exec sleep 30")
    found = refinements(path, b"", b"", seconds=1)
    assert found["good"].state == "passed"
    assert found["slow"].state == "unknown"


def test_the_command_asks_it(tmp_path, monkeypatch, capsys):
    stand_in(tmp_path, WRONG.replace("@bad", "@f"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_alive() == tmp_path / "alive-tv"
    module = tmp_path / "a.ll"
    module.write_text("define i32 @f(i32 %a) {\n  ret i32 %a\n}\n")
    assert main([str(module), str(module)]) == 1
    said = capsys.readouterr()
    assert "alive-tv: failed Value mismatch" in said.err
    assert main([str(module), str(module), "--no-alive"]) == 0
