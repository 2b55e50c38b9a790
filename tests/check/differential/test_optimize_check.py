"""``optimize`` writes nothing that differential execution found to differ."""

from dataclasses import replace

import pytest

from irsmith.apps import optimize as app
from irsmith.apps.optimize import Request, optimize
from irsmith.apps.source import Input, load
from irsmith.check import accept as accept_module
from irsmith.check.accept import CHECKS, ModuleJudge
from irsmith.records import Candidate, Verdict
from irsmith.search.portfolio import Portfolio

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
