"""The module check of tune labels: what a module refutes gives way to its next best list."""

import hashlib
from dataclasses import replace

import pytest
from label_packages import named

from irsmith.corpus.rows import Row
from irsmith.labels.gains import Tuner
from irsmith.labels.rows import row_of
from irsmith.labels.tune import Labeller, SearchPlan, measure_module
from irsmith.labels.tune_check import REFUTED, check_label
from irsmith.records import Candidate, Size, Verdict
from irsmith.tasks.example import Unchecked
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

# structurizecfg deletes code when a switch is present: smaller, and wrong.
SOURCE = b"""
int sink(int);
int run(const unsigned char *p, int n) {
    int a = 0, b = 1;
    for (int i = 0; i < n; i++)
        switch (p[i]) {
        case 0: a += sink(b); break;
        case 1: b ^= a; if (b < 0) return sink(a); break;
        case 7: a = sink(a & 3); continue;
        case 9: b = sink(b) & 15; break;
        default: a ^= sink(p[i]);
        }
    return a ^ b;
}
"""
WRONG = Candidate("function(structurizecfg),default<Oz>")
SAME = Candidate("default<Oz>", ("-disable-lsr",))
BETTER = Candidate("default<Oz>", ("-disable-cgp",))


@pytest.fixture(scope="module")
def labeller(toolchain):
    with Labeller(toolchain) as labeller:
        yield labeller


def module(toolchain, target):
    bitcode = to_bitcode(toolchain, SOURCE, "c", target)
    package = named("train")
    return Row(
        bitcode, "MIT", "stated", "", f"debian:{package}@1", "c", package, "1", "a.c:run", "",
        target, "22.1.8", "train", hashlib.sha256(bitcode).hexdigest(), 60, 1,
    )  # fmt: skip


def settled(labeller, row, sizes):
    """A label as if these lists had been measured with these sizes and accepted."""
    label = measure_module(labeller, row, list(sizes), SearchPlan().objective)
    tried = tuple(
        replace(one, size=Size(label.baseline.total - sizes[one.candidate], 0, 0, 0, 9))
        for one in label.tried
    )
    first = min(tried, key=lambda one: one.size.total)
    label = replace(
        label, tried=tried, best=first.candidate, after=first.size,
        verdict=Verdict("passed", "passed", evidence=("quick",)),
    )  # fmt: skip
    return row_of(label, row)


def accepted(target, *candidates):
    return {target: dict.fromkeys(candidates, "quick")}


def test_the_next_best_takes_the_place_of_a_refuted_list(toolchain, labeller):
    target = DEFAULT_TARGETS["X86"]
    row = module(toolchain, target)
    label = settled(labeller, row, {WRONG: 90, SAME: 5, BETTER: 9})
    checked = check_label(labeller, label, row, accepted(target, WRONG, SAME)).label
    assert checked.best == SAME and checked.after.total == checked.baseline.total - 5
    assert checked.verdict.accepted and checked.verdict.module == "passed"
    suite, why = checked.verdict.evidence
    assert suite == "quick" and why.startswith(REFUTED) and WRONG.key() in why
    assert checked.unchecked.candidate == WRONG and checked.unchecked.reason.startswith(REFUTED)
    # Nothing is left to take its place.
    none = check_label(labeller, label, row, accepted(target, WRONG)).label
    assert none.best is None and none.after == none.baseline and not none.verdict.accepted
    assert none.unchecked.candidate == WRONG and len(none.verdict.evidence) == 1
    tuner = Tuner()
    for one in (label.label, checked, none):
        tuner.add(replace(label, label=one))
    found = tuner.result({})
    assert found.module == {"not run": 1, "passed": 1} and found.refuted == {1: 2}


def test_what_passes_stays(toolchain, labeller):
    target = DEFAULT_TARGETS["X86"]
    row = module(toolchain, target)
    label = settled(labeller, row, {SAME: 5, BETTER: 9})
    over = Unchecked(WRONG, Size(1, 0, 0, 0, 9), "not judged")
    label = replace(label, label=replace(label.label, unchecked=over))
    checked = check_label(labeller, label, row, accepted(target, SAME, BETTER)).label
    said = Verdict("passed", "passed", "passed", evidence=("quick",))
    assert checked == replace(label.label, verdict=said)


def test_what_cannot_run_here_is_unknown_and_stays(toolchain, labeller):
    target = DEFAULT_TARGETS["AArch64"]
    row = module(toolchain, target)
    label = settled(labeller, row, {SAME: 5})
    checked = check_label(labeller, label, row, accepted(target, SAME)).label
    assert checked.best == SAME and checked.verdict.module == "unknown"
    assert "cannot be run here" in checked.verdict.evidence[1]
