"""``optimize`` writes nothing that differential execution found to differ."""

from dataclasses import replace

import pytest

from irsmith.apps import optimize as app
from irsmith.apps.optimize import Request, optimize
from irsmith.apps.source import Input, load
from irsmith.check import accept as accept_module
from irsmith.check.accept import CHECKS, ModuleJudge
from irsmith.check.differential.verdict import SAME
from irsmith.records import Candidate, Verdict
from irsmith.search.evaluate import Evaluator
from irsmith.search.portfolio import Portfolio
from irsmith.toolchain.compile import Job

# structurizecfg deletes code when a switch is present: smaller, and wrong.
SWITCHES = b"""
int sink(int);
int run(const unsigned char *p, int n) {
    int a = 0, b = 1;
    for (int i = 0; i < n; i++)
        switch (p[i]) {
        case 0: a += sink(b); break;
        case 1: b ^= a; if (b < 0) return sink(a); break;
        case 7: a = sink(a & 3); continue;
        case 9: b = sink(b) & 15; break;
        case 12: if (sink(i)) goto out; break;
        default: a ^= sink(p[i]);
        }
out:
    return a ^ b;
}
"""
WRONG = Candidate("function(structurizecfg),default<Oz>")


@pytest.fixture
def module(toolchain):
    return load(toolchain, Input("-", SWITCHES, "c"), None)[0]


def only(monkeypatch, toolchain, *candidates):
    """A portfolio whose candidates PassListEval is said to have passed."""
    portfolio = Portfolio(tuple(candidates), toolchain.fingerprint, "full-test", {})
    monkeypatch.setattr(app, "load_portfolio", lambda _: portfolio)


def test_a_wrong_module_is_refused_where_the_list_was_accepted(toolchain, module, monkeypatch):
    only(monkeypatch, toolchain, WRONG)
    by_list = optimize(toolchain, module, Request(effort="fast", check="list"))
    assert by_list.candidate == WRONG, "the fault must look like a gain"
    assert by_list.verdict.module == "not run"
    checked = optimize(toolchain, module, Request(effort="fast"))
    assert checked.source == "baseline"
    assert checked.refused == 1
    assert checked.check_seconds > 0
    assert checked.remarks[0].startswith("refused by the checker: run: input ")


def test_the_next_best_is_taken(toolchain, module, monkeypatch):
    good = Candidate("default<Oz>,function(instcombine<no-verify-fixpoint>)", ("-disable-lsr",))
    only(monkeypatch, toolchain, WRONG, good, Candidate("default<Os>,mergefunc,default<Oz>"))
    checked = optimize(toolchain, module, Request(effort="fast"))
    assert checked.candidate != WRONG
    assert checked.refused == 1
    if checked.source != "baseline":
        assert checked.verdict.module == "passed"


def test_what_was_found_is_told(toolchain, module):
    with ModuleJudge(toolchain, module) as judge:
        passed = judge.judge(Candidate("default<Oz>"), Verdict("passed", "passed"))
        failed = judge.judge(WRONG, Verdict("passed", "passed"))
    assert passed.module == "passed"
    assert passed.accepted
    assert failed.module == "failed"
    assert not failed.accepted
    assert failed.evidence[0].startswith("run: input ")
    assert judge.seconds > 0


def test_what_cannot_run_here_is_unknown(toolchain, module, monkeypatch):
    foreign = replace(module, target="aarch64-unknown-linux-gnu")
    with ModuleJudge(toolchain, foreign) as judge:
        verdict = judge.judge(Candidate(""), Verdict("passed", "passed"))
    assert verdict.module == "unknown"
    assert "cannot be run here" in verdict.evidence[0]
    monkeypatch.setattr(accept_module, "_LARGEST_MODULE", 10)
    with ModuleJudge(toolchain, module) as judge:
        verdict = judge.judge(Candidate(""), Verdict("passed", "passed"))
    assert verdict.module == "unknown"
    assert "too large" in verdict.evidence[0]


def test_nothing_is_checked_if_nobody_wants_it(toolchain, module, monkeypatch):
    assert CHECKS == ("list", "module", "none")
    only(monkeypatch, toolchain, WRONG)
    result = optimize(toolchain, module, Request(effort="fast", check="none"))
    assert result.candidate == WRONG
    assert result.verdict.to_json() == {
        "verifier": "passed",
        "pass_list": "not run",
        "module": "not run",
        "tests": "not run",
    }


TWO = (
    SWITCHES
    + b"""
int twice(int x) { return run((const unsigned char *)"\\7", x) + 1; }
int alone(int x) { return x * 3 + sink(x); }
"""
)
SAME_AS_OZ = Candidate("default<O2>", ("-disable-lsr",))


def shared_of(toolchain, module, candidate):
    """The module after a candidate, and what it shares with the one after -Oz."""
    with Evaluator(toolchain, module.target) as evaluator:
        plain, other = (
            evaluator.compile(Job(module.bitcode, module.target, each, output="bitcode")).output
            for each in (evaluator.baseline_candidate, candidate)
        )
        return other, evaluator.alike(plain, other)


@pytest.mark.parametrize("narrow", [False, True])
def test_what_is_the_same_as_with_oz_is_not_run(toolchain, narrow):
    module = load(toolchain, Input("-", TWO, "c"), None)[0]
    optimised, shared = shared_of(toolchain, module, SAME_AS_OZ)
    assert shared.whole
    with ModuleJudge(toolchain, module, narrow) as judge:
        verdict = judge.judge(SAME_AS_OZ, Verdict("passed", "passed"), optimised, shared)
        assert verdict.module == "passed"
        assert judge.seconds == 0
        assert "3 passed (3 the same IR as with -Oz)" in judge.last.summary
        # The next one differs in `run`, and so in what calls it; `alone` is as it was.
        optimised, shared = shared_of(toolchain, module, WRONG)
        assert shared.functions == {"alone"}
        verdict = judge.judge(WRONG, Verdict("passed", "passed"), optimised, shared)
        assert verdict.module == "failed"
        assert {f.name for f in judge.last.functions if f.verdict == "failed"} >= {"run"}
        assert {f.name for f in judge.last.functions if f.reason == SAME} == {"alone"}
        # What was left out is prepared for a candidate that needs it.
        verdict = judge.judge(WRONG, Verdict("passed", "passed"), optimised)
        assert verdict.module == "failed"
        (alone,) = [f for f in judge.last.functions if f.name == "alone"]
        assert alone.verdict == "passed" and alone.inputs > 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_winner_that_is_oz_but_for_its_code_generation(toolchain, monkeypatch, jobs):
    module = load(toolchain, Input("-", TWO, "c"), None)[0]
    framed = Candidate("default<O2>", ("-frame-pointer=smallest",))
    only(monkeypatch, toolchain, framed)
    for effort in ("fast", "balanced"):
        made = optimize(toolchain, module, Request(effort=effort), jobs=jobs)
        assert made.candidate == framed
        assert made.verdict.module == "passed"
        assert (
            made.checked == "3 functions: 3 passed (3 the same IR as with -Oz), 0 failed, 0 unknown"
        )
