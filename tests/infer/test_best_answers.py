"""Best-first search against trying everything; order, uniqueness, bounds."""

import itertools
import math

import numpy as np
import pytest

from irsmith.infer.engine import log_probabilities
from irsmith.infer.grammar import Grammar
from irsmith.infer.load import open_model
from irsmith.infer.search import best_answers
from irsmith.model.tokenizer import shipped_tokenizer

PROMPT = [6, 900, 901, 902, 903, 2]


@pytest.fixture(scope="module")
def grammar():
    return Grammar(shipped_tokenizer(), slots=5, longest=2)


@pytest.fixture(scope="module")
def everything(model, grammar):
    """Every answer of the grammar with its log-probability, most likely first."""
    engine, found = model.engine, {}

    def visit(state, place, ids, so_far):
        likely = log_probabilities(state.logits)
        stop, inner = [], []
        for token in grammar.allowed(place).tolist():
            value = so_far + float(likely[token])
            if token in grammar.stops:
                stop.append(value)
            elif grammar.after(place, token).over:
                found[(*ids, token)] = value
            else:
                inner.append((token, value))
        if stop:
            found[(*ids, grammar.stops[-1])] = np.logaddexp.reduce(stop)
        # Lists of two tokens have no inner nodes behind their first.
        for part in itertools.batched(inner, 64) if hasattr(itertools, "batched") else [inner]:
            rows = engine.step([state] * len(part), [token for token, _ in part])
            for row, (token, value) in zip(rows, part, strict=True):
                visit(row, grammar.after(place, token), (*ids, token), value)

    visit(engine.prefill(PROMPT), grammar.start, (), 0.0)
    return sorted(found.items(), key=lambda item: -item[1])


def test_it_finds_the_best_in_order(model, grammar, everything):
    assert len(everything) > 2900
    state = model.engine.prefill(PROMPT)
    found = best_answers(model.engine, state, grammar, 40, steps=10_000)
    assert len(found.found) == 40 and all(one.proven for one in found.found)
    assert [one.ids for one in found.found] == [ids for ids, _ in everything[:40]]
    for one, (_, value) in zip(found.found, everything, strict=False):
        assert one.log_probability == pytest.approx(value, abs=1e-3)
    assert found.steps < len(everything) and not found.exhausted


@pytest.mark.parametrize("width", [1, 3, 16])
def test_the_same_every_time_and_whatever_is_computed_together(model, grammar, width):
    def run(width):
        state = model.engine.prefill(PROMPT)
        found = best_answers(model.engine, state, grammar, 12, width=width)
        return [one.ids for one in found.found]

    assert run(width) == run(4)


def test_everything_there_is(model):
    few = Grammar(shipped_tokenizer(), slots=5, lists=False)
    state = model.engine.prefill(PROMPT)
    found = best_answers(model.engine, state, few, 40)
    assert found.exhausted and len(found.found) == 6 and found.steps == 0
    assert len({one.ids for one in found.found}) == 6


def test_answers_that_are_the_same_count_once(model, grammar):
    state = model.engine.prefill(PROMPT)
    found = best_answers(model.engine, state, grammar, 30, steps=5000, same=len)
    assert sorted(len(one.ids) for one in found.found) == [1, 2, 3, 4]
    assert found.exhausted


def test_work_is_bounded_and_what_is_not_proven_is_marked(model):
    long = Grammar(shipped_tokenizer(), baseline=False, longest=120)
    state = model.engine.prefill(PROMPT)
    found = best_answers(model.engine, state, long, 6, steps=20)
    values = [one.log_probability for one in found.found]
    assert len(values) == 6 and values == sorted(values, reverse=True)
    assert len({one.ids for one in found.found}) == 6
    proven = [one.proven for one in found.found]
    assert proven == sorted(proven, reverse=True) and not proven[-1]
    # Each answer is worth what the engine says of its text.
    for one in found.found:
        scores = model.engine.scores([*PROMPT, *one.ids])[len(PROMPT) - 1 :]
        other = model.engine.scores([*PROMPT, *one.ids[:-1], long.stops[0]])[-1]
        total = math.fsum(scores[:-1]) + np.logaddexp(scores[-1], other)
        assert one.log_probability == pytest.approx(total, abs=1e-2)


def test_numpy_finds_the_same(release, model, grammar):
    oracle = open_model(release, "numpy").engine
    one = best_answers(oracle, oracle.prefill(PROMPT), grammar, 10)
    two = best_answers(model.engine, model.engine.prefill(PROMPT), grammar, 10)
    assert [f.ids for f in one.found] == [f.ids for f in two.found]
