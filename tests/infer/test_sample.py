"""Samples: by seed and number alone, as likely as the model says, stopped early."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from irsmith.infer.engine import log_probabilities
from irsmith.infer.grammar import Grammar
from irsmith.infer.load import open_model
from irsmith.infer.sample import Settings, _loops, sample
from irsmith.records import IrsmithError
from irsmith.tasks.form import list_parts

PROMPT = [6, 900, 901, 902, 903, 2]
ENDS = range(0, 16_384, 9)


@pytest.fixture(scope="module")
def state(model):
    return model.engine.prefill(PROMPT)


def test_rows_do_not_depend_on_the_batch(model, state):
    how = Settings(longest=12, seed=7)
    runs = [sample(model.engine, state, 20, ENDS, how, batch=batch) for batch in (1, 3, 20, 64)]
    for run in runs[1:]:
        assert [(s.row, s.ids, s.ended) for s in run] == [(s.row, s.ids, s.ended) for s in runs[0]]
    assert [one.row for one in runs[0]] == list(range(20))
    assert {one.ended for one in runs[0]} == {True, False}
    assert all(len(one.ids) == 12 for one in runs[0] if not one.ended)
    other = sample(model.engine, state, 20, ENDS, Settings(longest=12, seed=8))
    assert [one.ids for one in other] != [one.ids for one in runs[0]]
    more = sample(model.engine, state, 30, ENDS, how)
    assert [one.ids for one in more[:20]] == [one.ids for one in runs[0]]


def test_log_probabilities_are_the_models(model, state):
    (one, two) = sample(model.engine, state, 2, (), Settings(1.7, 0.8, 9, 3))
    for made in (one, two):
        scores = model.engine.scores([*PROMPT, *made.ids])[len(PROMPT) - 1 :]
        assert made.log_probability == pytest.approx(scores.sum(), abs=1e-3)


def test_draws_are_in_proportion(model, state):
    drawn = sample(model.engine, state, 3000, range(16_384), Settings(longest=1), batch=3000)
    counts = Counter(one.ids[0] for one in drawn)
    likely = np.exp(log_probabilities(state.logits))
    for token in np.argsort(-likely)[:5]:
        expected = 3000 * likely[token]
        assert abs(counts[int(token)] - expected) < 5 * np.sqrt(expected) + 1


def test_top_p_and_temperature(model, state):
    likely = np.exp(log_probabilities(state.logits).astype(np.float64))
    ranked = np.argsort(-likely)
    kept = set(ranked[: int(np.searchsorted(likely[ranked].cumsum(), 0.3)) + 1].tolist())
    drawn = sample(model.engine, state, 300, range(16_384), Settings(1, 0.3, 1), batch=300)
    assert {one.ids[0] for one in drawn} <= kept and len(kept) > 1
    wide = sample(model.engine, state, 50, range(16_384), Settings(1, 0.999, 1), batch=50)
    assert len({one.ids[0] for one in wide}) > 5
    greedy = sample(model.engine, state, 2, (), Settings(0, longest=6))
    assert greedy[0].ids == greedy[1].ids
    assert greedy[0].ids[0] == ranked[0]
    for bad in ({"temperature": -1}, {"top_p": 0}, {"top_p": 1.1}, {"longest": 0}, {"loops": -1}):
        with pytest.raises(IrsmithError, match="sampling"):
            Settings(**bad)


def test_a_grammar_and_an_early_stop(model, state):
    grammar = Grammar(model.tokenizer, baseline=False, longest=30)
    how = Settings(longest=64, seed=1)
    drawn = sample(model.engine, state, 12, (), how, grammar=grammar)
    assert len(drawn) == 12 and all(one.ended for one in drawn)
    assert len({one.ids for one in drawn}) > 6
    asked = []

    def third(one):
        asked.append(one)
        return len(asked) == 3

    stopped = sample(model.engine, state, 12, (), how, grammar=grammar, stop=third)
    assert len(stopped) == 3 and set(stopped) == set(asked) <= set(drawn)


@dataclass(frozen=True)
class Steps:
    """Answers of four tokens below 8; what does not begin with the way has no way on."""

    way: tuple[int, ...]
    start: object

    @dataclass(frozen=True)
    class Place:
        ids: tuple[int, ...] = ()

        @property
        def over(self):
            return len(self.ids) == 4

    def allowed(self, place):
        return np.arange(8)

    def after(self, place, token):
        ids = (*(place.ids if isinstance(place, self.Place) else ()), token)
        wrong = len(ids) > 2 and ids[:2] != self.way[:2]  # seen only behind the second
        return None if wrong or (len(ids) > 2 and ids != self.way[: len(ids)]) else self.Place(ids)


def test_a_token_that_leads_nowhere_is_taken_back(model, state):
    """Whatever the model likes best, the one answer that there is comes out, at its own odds."""
    for way in ((7, 0, 3, 3), (0, 7, 1, 6), (4, 4, 4, 4)):
        rules = Steps(way, Steps.Place())
        for how in (Settings(0.0, longest=9), Settings(seed=4, longest=9)):
            (one,) = sample(model.engine, state, 1, (), how, grammar=rules)
            assert one.ids == way and one.ended and not one.stuck
            scores = model.engine.scores([*PROMPT, *one.ids])[len(PROMPT) - 1 :]
            assert one.log_probability == pytest.approx(scores.sum(), abs=1e-3)


def test_rules_without_a_way_on_end_in_a_word(model, state):
    rules = Steps((9, 9, 9, 9), Steps.Place())
    (one,) = sample(model.engine, state, 1, (), Settings(0.0), grammar=rules)
    assert one.stuck and not one.ended


def test_the_window_ends_answers(release):
    engine = open_model(release, "onnxruntime", threads=1).engine
    state = engine.prefill([5] * 1020)
    (one,) = sample(engine, state, 1, (), Settings(longest=99))
    assert len(one.ids) == 4 and not one.ended
    with pytest.raises(IrsmithError, match="no room"):
        sample(engine, engine.prefill([5] * 1024), 1, ())


def test_an_answer_that_goes_round_in_circles_is_given_up(model, state):
    whole = sample(model.engine, state, 1, (), Settings(0, longest=300))[0].ids
    cut = sample(model.engine, state, 1, (), Settings(0, longest=300, loops=64))[0].ids
    assert cut == whole[: len(cut)] and len(cut) < 300, "greedy answers of random weights circle"
    assert len(cut) % 16 == 0
    tail = list(cut[-64:])
    assert any(tail[n:] == tail[:-n] for n in range(1, 9))


def test_what_counts_as_a_circle():
    assert _loops([1, 2, 3, 4] * 16, 64) and _loops([9, 9, *[1] * 30], 16)
    assert not _loops([1, 2, 3, 4] * 16, 0) and not _loops([1, 2, 3, 4] * 15, 64)
    assert not _loops(list(range(64)), 64)
    assert not _loops(list(range(16)) * 4, 64), "a phrase of a quarter is no circle yet"


def test_rows_that_were_drawn_long_ago_stay_readable(model, state):
    """A list read back from a sample's ids is the list that was drawn."""
    from irsmith.tasks.vocabulary import decode_pipeline

    grammar = Grammar(model.tokenizer, baseline=False, longest=12)
    for one in sample(model.engine, state, 5, (), Settings(seed=2), grammar=grammar):
        parts = model.packer.parts(one.ids[1:-1])
        candidate = decode_pipeline([part.token for part in parts])
        assert model.packer.ids(list_parts(candidate)) == list(one.ids[:-1])
