"""A person's own tests: units that break them are found, fall back, and are remembered."""

import json
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsmith.apps.optimize import Optimized, Request, optimize
from irsmith.apps.own_tests import keep_regression, known_bad, regressions_dir, settle
from irsmith.apps.source import Input, load
from irsmith.cli import optimize as command
from irsmith.records import Candidate, IrsmithError, Module, Size, Verdict

SHRINKS = """
unsigned hash(const unsigned char *p, unsigned n, unsigned *out) {
    unsigned h = 5381, k = 0;
    for (unsigned i = 0; i < n; i++) {
        if (p[i] == '/') { i++; continue; }
        if (p[i] >= 'A' && p[i] <= 'Z') h = h * 33 + p[i] + 32; else h = h * 33 + p[i];
        if ((h & 63) == 0) out[k++] = i;
        switch (p[i] & 7) { case 0: h ^= k; break; case 1: h += i; break; case 2: h -= k; break;
                            case 5: out[k] = h; break; }
    }
    return h ^ k;
}
"""
CANDIDATE = Candidate("default<O1>")
SIZE = Size(10, 0, 0, 0)


def unit(number, won=True):
    return Optimized(
        Module(b"module %d" % number, "x86_64", f"u{number}.c"), "size", SIZE, SIZE, CANDIDATE,
        "portfolio" if won else "baseline", Verdict("passed", "passed"), 1, 2, 0, 0.1,
        b"good %d" % number if won else b"oz %d" % number, b"oz %d" % number, Candidate("oz"),
    )  # fmt: skip


class Command:
    """Fails if any of some units is optimised."""

    def __init__(self, guilty, always=False):
        self.guilty, self.always, self.runs = guilty, always, 0
        self.files = {}

    def write(self, place, data):
        self.files[place] = data

    def passes(self):
        self.runs += 1
        bad = any(self.files[place].startswith(b"good") for place in self.guilty)
        return not (bad or self.always)


@settings(max_examples=60)
@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_exactly_the_guilty_fall_back(case):
    count, guilty = case
    tests = Command(guilty)
    made = [unit(number) for number in range(count)]
    settled = settle(made, tests.write, tests.passes)
    assert settled.blamed == tuple(sorted(guilty)) and settled.state == "passed"
    assert settled.runs == tests.runs <= 2 + len(guilty) * (count.bit_length() + 1)
    for place, one in enumerate(settled.results):
        assert tests.files[place] == one.output == (made[place].fallback if place in guilty
                                                    else made[place].output)  # fmt: skip
        assert one.verdict.tests == "passed"
        assert (one.source == "baseline") == (place in guilty)
        assert (one.result, one.refused) == (one.baseline, int(place in guilty))


def test_tests_that_fail_anyway_blame_nobody():
    tests = Command((), always=True)
    settled = settle([unit(0), unit(1)], tests.write, tests.passes)
    assert settled.state == "unknown" and not settled.blamed and settled.runs == 2
    assert tests.files == {0: b"good 0", 1: b"good 1"}
    assert {one.verdict.tests for one in settled.results} == {"unknown"}


def test_tests_that_fail_now_and_then_blame_nobody():
    tests = Command(())
    said = iter([False, True, False, False])  # all, -Oz, then each run without the blamed

    settled = settle([unit(0), unit(1)], tests.write, lambda: next(said, False))
    assert settled.state == "unknown" and not settled.blamed
    assert tests.files == {0: b"good 0", 1: b"good 1"}


def test_what_is_interrupted_leaves_oz():
    tests = Command({0})

    def interrupted():
        if tests.runs == 2:
            raise KeyboardInterrupt
        return tests.passes()

    with pytest.raises(KeyboardInterrupt):
        settle([unit(0), unit(1), unit(2, won=False)], tests.write, interrupted)
    assert set(tests.files.values()) == {b"oz 0", b"oz 1", b"oz 2"}


def test_a_regression_is_kept_and_never_written_again(toolchain, tmp_path):
    module = load(toolchain, Input("-", SHRINKS.encode(), "c"), None)[0]
    made = optimize(toolchain, module, Request(check="list"))
    assert made.source == "portfolio", "the test needs a function that gets smaller"
    assert known_bad(module, tmp_path) == frozenset()
    path = keep_regression(made, "make check", tmp_path)
    assert json.loads(path.read_text())["command"] == "make check"
    assert path.with_suffix(".bc").read_bytes() == module.bitcode
    assert known_bad(module, tmp_path) == {made.candidate}
    assert known_bad(replace(module, bitcode=b"x"), tmp_path) == frozenset()
    again = optimize(toolchain, module, Request(check="list", never=known_bad(module, tmp_path)))
    assert again.candidate != made.candidate and again.refused >= 1
    path.write_text("{")
    with pytest.raises(IrsmithError, match="damaged regression case"):
        known_bad(module, tmp_path)


def test_the_command_bisects(toolchain, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("irsmith.apps.own_tests.cache_dir", lambda: tmp_path / "cache")
    for name in "abc":
        (tmp_path / f"{name}.c").write_text(SHRINKS.replace("hash", name))
    words = ["a.c", "b.c", "c.c", "--check", "list", "--json", "--model", "none", "--test"]
    assert command.main([*words, "test -s b.o"]) == 0
    first = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["verdict"]["tests"] for one in first] == ["passed"] * 3
    assert all(one["source"] == "portfolio" for one in first)
    size = (tmp_path / "b.o").stat().st_size
    judge = f"import os, sys; sys.exit(os.path.getsize('b.o') == {size})"
    (tmp_path / "t.py").write_text(judge)
    assert command.main([*words, f"{sys.executable} t.py"]) == 0
    out, err = capsys.readouterr()
    second = [json.loads(line) for line in out.splitlines()]
    assert [one["source"] for one in second] == ["portfolio", "baseline", "portfolio"]
    assert "b.c: the tests fail with" in err and list(regressions_dir().glob("*.json"))
    assert command.main([*words, "false"]) == 0
    assert "clang's own -Oz too" in capsys.readouterr().err
    with pytest.raises(IrsmithError, match="name one with -o"):
        command.main(["a.c", "-o", "-", "--test", "true"])
