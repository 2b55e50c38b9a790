"""A tuning prompt read once: ranked, searched, drawn; long modules function by function."""

import json
import shutil

import pytest

from irsmith.infer.load import open_model
from irsmith.infer.sample import Settings
from irsmith.infer.tuning import Choice, Tuner
from irsmith.infer.window import merge, propose
from irsmith.model.config import ModelConfig
from irsmith.model.slots import portfolio_name
from irsmith.records import Candidate, IrsmithError, Module
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.form import canonical
from irsmith.tasks.render import RenderWorker, Request
from irsmith.tasks.tune import TunePrompt
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

TRIPLE = DEFAULT_TARGETS["X86"]
PORTFOLIO = load_portfolio(TRIPLE).candidates[:8]
BODY = """int f{0}(int *a, int n) {{
    int s = 0;
    for (int i = 0; i < n; i++) s += a[i] * {0};
    {1}
    return s;
}}
"""
LONG = "if (s > 9) s -= g(s * 3 + a[1]); else s ^= g(a[s & 3] + 1);"


def unit(toolchain, *lengths):
    """A unit of functions of some lengths."""
    source = "int g(int);\n" + "\n".join(
        BODY.format(i + 2, LONG * length) for i, length in enumerate(lengths)
    )
    return Module(to_bitcode(toolchain, source.encode(), "c", TRIPLE), TRIPLE, "unit.c")


@pytest.fixture(scope="module")
def prompt(toolchain):
    with RenderWorker(toolchain, TRIPLE) as worker:
        made = worker.render(Request(unit(toolchain, 0).bitcode, ir=True))
    return TunePrompt(made.ir)


@pytest.fixture(scope="module")
def tuner(model, prompt):
    return Tuner(model, prompt, PORTFOLIO)


def test_ranking_needs_nothing_but_the_prompt(tuner):
    ranked = tuner.rank()
    assert [choice.candidate for choice in ranked] == [PORTFOLIO[c.slot] for c in ranked]
    assert sorted(choice.slot for choice in ranked) == list(range(8))
    values = [choice.log_probability for choice in ranked]
    assert values == sorted(values, reverse=True) and values[0] < 0


def test_the_best_answers_are_candidates_in_order(tuner):
    best = tuner.best(20, steps=200)
    assert len(best) == 20 == len({choice.candidate for choice in best})
    values = [choice.log_probability for choice in best]
    assert values == sorted(values, reverse=True)
    assert best == tuner.best(20, steps=200)
    # Slots come in the order of the ranking.
    slots = [choice.slot for choice in best if choice.slot is not None]
    ranked = [choice.slot for choice in tuner.rank()]
    assert slots == [slot for slot in ranked if slot in slots]
    assert all(c.candidate is None or canonical(c.candidate) == c.candidate for c in best)
    assert {c.slot is None for c in tuner.best(9, lists=False)} == {True, False}


def test_drawn_answers_parse(tuner):
    drawn = tuner.draw(8, Settings(seed=4))
    assert len(drawn) == 8
    assert all(a.candidate is None or canonical(a.candidate) == a.candidate for _, a in drawn)
    assert len(tuner.draw(8, Settings(seed=4), stop=lambda answer: True)) == 1


def test_a_prompt_that_fills_the_window_is_refused(release, toolchain, model):
    with RenderWorker(toolchain, TRIPLE) as worker:
        made = worker.render(Request(unit(toolchain, *range(9, 22)).bitcode, ir=True))
    with pytest.raises(IrsmithError, match=r"tokens does not fit the model's window of 1024"):
        Tuner(model, TunePrompt(made.ir), PORTFOLIO)


def test_a_unit_that_fits_is_asked_about_as_it_is(model, toolchain):
    module = unit(toolchain, 0, 1)
    proposal = propose(model, toolchain, module, 5, PORTFOLIO, lists=False)
    assert len(proposal.pieces) == 1 and proposal.asked == 1
    assert proposal.pieces[0].name == "unit.c" and len(proposal.choices) == 5


def test_the_releases_own_portfolio(release, toolchain, tmp_path):
    module = unit(toolchain, 0)
    copy = tmp_path / "copy"
    shutil.copytree(release, copy)
    entries = [candidate.to_json() for candidate in PORTFOLIO[:3]]
    (copy / portfolio_name(TRIPLE)).write_text(json.dumps({"candidates": entries}))
    model = open_model(copy, "onnxruntime", threads=1)
    proposal = propose(model, toolchain, module, 9, lists=False)
    assert {choice.candidate for choice in proposal.choices} == set(PORTFOLIO[:3])


def test_a_long_unit_is_asked_about_function_by_function(model, toolchain):
    module = unit(toolchain, 60, 1, 3, *[2] * 12)
    proposal = propose(model, toolchain, module, 5, PORTFOLIO, lists=False, most_functions=9)
    pieces = {piece.name: piece for piece in proposal.pieces}
    assert len(pieces) == 15 and next(iter(pieces)) == "f2"
    assert "tokens do not fit the window of 1024" in pieces["f2"].left_out
    asked = [piece for piece in proposal.pieces if not piece.left_out]
    assert len(asked) == 9 and asked[0].name == "f4"
    assert pieces["f3"].left_out == "smaller than the 9 that were asked about"
    assert 0 < proposal.asked < 1
    # The order is that of the weighted sum, taken here from the functions one by one.
    from irsmith.corpus.functions import cut_functions

    expected = dict.fromkeys(range(8), 0.0)
    with RenderWorker(toolchain, TRIPLE) as worker:
        for cut in cut_functions(toolchain, module, [piece.name for piece in asked]):
            made = worker.render(Request(cut.bitcode, ir=True))
            size = pieces[cut.name.rpartition(":")[2]].size
            for choice in Tuner(model, TunePrompt(made.ir), PORTFOLIO).rank():
                expected[choice.slot] += size * choice.log_probability
    order = sorted(range(8), key=lambda slot: -expected[slot])
    assert [choice.slot for choice in proposal.choices] == order[:5]


def test_a_unit_of_which_nothing_fits(release, toolchain, monkeypatch, tmp_path):
    model = open_model(release, "numpy")
    shape = ModelConfig(**(model.engine.shape.to_json() | {"context": 300}))
    monkeypatch.setattr(model.engine, "_shape", shape)
    proposal = propose(model, toolchain, unit(toolchain, 30, 40), 5, PORTFOLIO, lists=False)
    assert proposal.choices == () and proposal.asked == 0
    assert all("window of 300" in piece.left_out for piece in proposal.pieces)


def test_lists_of_functions_are_merged():
    one, two, three = (Candidate(name) for name in ("a", "b", "c"))
    first = [Choice(one, -0.5), Choice(two, -1.0), Choice(None, -3.0)]
    second = [Choice(three, -0.1), Choice(two, -0.2, proven=False)]
    merged = merge([(100, first), (300, second), (50, [])])
    assert len(merged) == 4
    values = {c.candidate: c.log_probability for c in merged}
    assert values[one] == pytest.approx((100 * -0.5 + 300 * -0.2) / 400)
    assert values[two] == pytest.approx((100 * -1.0 + 300 * -0.2) / 400)
    assert values[three] == pytest.approx((100 * -3.0 + 300 * -0.1) / 400)
    assert values[None] == pytest.approx((100 * -3.0 + 300 * -0.2) / 400)
    assert [c.candidate for c in merged] == sorted(values, key=lambda c: -values[c])
    assert not any(choice.proven for choice in merged)
    assert merge([]) == []
