"""The promises of ``optimize``: never worse, never unchecked, the same every time."""

import pytest

from irsmith.apps import optimize as app
from irsmith.apps.optimize import EFFORTS, Request, optimize
from irsmith.apps.source import Input, load
from irsmith.records import Candidate
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
        case 7: a = sink(a * 3); continue;
        case 9: b = sink(b) + a; break;
        case 12: if (sink(i)) goto out; a++; break;
        default: a -= sink(p[i]);
        }
out:
    return a * b;
}
"""


def portfolio_of(*candidates, toolchain="another compiler"):
    return Portfolio(tuple(candidates), toolchain, "full-test", {})


@pytest.fixture
def module(toolchain):
    return load(toolchain, Input("-", SWITCHES, "c"), None)[0]


def test_a_smaller_but_wrong_candidate_is_refused(toolchain, module, monkeypatch):
    wrong = Candidate("function(structurizecfg),default<Oz>")
    monkeypatch.setattr(app, "load_portfolio", lambda _: portfolio_of(wrong))
    result = optimize(toolchain, module, Request(effort="fast"), jobs=2)
    with app.Evaluator(toolchain, module.target) as evaluator:
        (tried,) = evaluator.measure(module.bitcode, [wrong])
        oz = evaluator.baseline(module.bitcode, "object")
    assert tried.size.total < oz.size.total, "the fault must look like a gain"
    assert result.refused >= 1
    assert result.source != "portfolio" or result.verdict.pass_list == "passed"
    assert result.candidate != wrong
    if result.source == "baseline":
        assert result.output == oz.output


def test_nothing_smaller_means_oz_itself(toolchain, module, monkeypatch):
    monkeypatch.setattr(app, "load_portfolio", lambda _: portfolio_of(Candidate("")))
    monkeypatch.setitem(EFFORTS, "fast", 1)
    result = optimize(toolchain, module, Request(effort="fast"))
    with app.Evaluator(toolchain, module.target) as evaluator:
        oz = evaluator.baseline(module.bitcode, "object")
    assert result.source == "baseline" and result.result == result.baseline
    assert result.output == oz.output
    assert not result.verdict.accepted


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_bytes_every_time(toolchain, module, jobs):
    results = [optimize(toolchain, module, Request(effort="balanced"), jobs) for _ in range(2)]
    assert results[0].output == results[1].output
    assert results[0].candidate == results[1].candidate
    reference = optimize(toolchain, module, Request(effort="balanced"), 1)
    assert reference.output == results[0].output


def test_an_unknown_verdict_is_not_passed(toolchain, module, monkeypatch):
    from irsmith.records import Verdict

    monkeypatch.setattr(app, "accept", lambda *_: Verdict(verifier="passed", pass_list="unknown"))
    result = optimize(toolchain, module, Request(effort="fast"))
    assert result.source == "baseline"
