"""The quick suite of a target that runs under an emulator: good lists pass, planted ones do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from irsmith.check import suites
from irsmith.check.debian import cross_needs
from irsmith.check.passlisteval import PassListEval
from irsmith.check.suite import LEVELS, Program
from irsmith.check.suites import FULL_COUNT, FULL_COUNT_EMULATED, get_suite, smallest_of
from irsmith.records import Candidate
from irsmith.toolchain.clang import DEFAULT_TARGETS

TARGET = DEFAULT_TARGETS["AArch64"]
PLANTED_LISTS = json.loads((Path(__file__).parent / "planted_lists.json").read_text())

missing = cross_needs(TARGET)
needs_cross = pytest.mark.skipif(
    bool(missing),
    reason="not on this machine: " + ", ".join(need.packages[0] for need in missing),
)


@pytest.fixture(scope="module")
def judge(toolchain) -> Iterator[PassListEval]:
    suite = get_suite("quick", toolchain, TARGET)
    with PassListEval(toolchain, suite, jobs=2, cached=False, stop_after=1) as judge:
        yield judge


@needs_cross
@pytest.mark.slow
def test_the_levels_pass_on_every_program(judge):
    # All of our own programs run there, atomics and 128-bit division among them.
    assert not judge.suite.dropped
    own = Path(suites.__file__).parent / "quick"
    assert len(judge.suite.programs) == len(list(own.glob("*.c*"))) >= 66
    for passes in ("", *LEVELS):
        verdict = judge.judge(Candidate(passes))
        assert verdict.state == "passed", verdict.failures


@needs_cross
@pytest.mark.slow
@pytest.mark.parametrize("passes", PLANTED_LISTS, ids=range(len(PLANTED_LISTS)))
def test_planted_bad_lists_are_caught(judge, passes):
    assert judge.judge(Candidate(passes)).state == "failed"


def test_the_full_suite_keeps_the_smallest_of_each_kind():
    programs = [
        Program(f"{kind}-{size}", bytes(size), 0)
        for kind in ("csmith", "torture")
        for size in range(1, 2001)
    ]
    for counts in (FULL_COUNT, FULL_COUNT_EMULATED):
        kept, rest = smallest_of(programs, counts)
        assert len(kept) == sum(counts.values()) >= 1500
        assert sorted(p.name for p in kept) == sorted(
            [f"csmith-{size}" for size in range(1, counts["csmith"] + 1)]
            + [f"torture-{size}" for size in range(1, counts[""] + 1)]
        )
        assert len(rest) == len(programs) - len(kept)
