"""Ranking: what the slots' probabilities should be, and documents drawn from them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.records import Candidate, IrsmithError, Size
from irsmith.tasks.example import Special, Tried, TuneLabel
from irsmith.tasks.rank import RankTarget, examples, order, soft_targets, weights_of
from irsmith.tasks.vocabulary import END, PORTFOLIO

LISTS = [Candidate(f"function({name})") for name in ("dce", "gvn", "sroa", "adce")]


def test_soft_targets_follow_the_sizes():
    weights = soft_targets([990, 1000, None, 1010], 1000)
    assert sum(weights) == pytest.approx(1) and weights[2] == 0
    assert weights[0] / weights[1] == pytest.approx(2.718281828)
    assert weights[1] / weights[3] == pytest.approx(2.718281828)
    assert soft_targets([5, 5], 100) == (0.5, 0.5)
    assert soft_targets([10**12, 1], 2) == (0, 1)
    for bad in (([None], 100), ([], 100), ([1], 0)):
        with pytest.raises(IrsmithError):
            soft_targets(*bad)


def _label(sizes):
    tried = tuple(
        Tried(candidate, None if size is None else Size(size, 0, 0, 0))
        for candidate, size in zip(LISTS, sizes, strict=False)
    )
    base = Size(1000, 0, 0, 0)
    return TuneLabel("a" * 64, None, base, base, base, "llvm", tried=tried)


def test_a_label_says_what_the_portfolio_is_worth():
    assert weights_of(_label([1010, None, 1000]), LISTS) == soft_targets(
        [1010, None, 1000, None], 1000
    )
    assert weights_of(_label([None]), LISTS) is None
    with pytest.raises(IrsmithError, match="64 slots"):
        weights_of(_label([1]), LISTS * 20)


raw_weights = st.lists(st.integers(0, 9), min_size=1, max_size=64).filter(any)


@given(raw_weights, st.text(), st.integers(1, 40))
def test_draws_are_in_proportion(raw, seed, count):
    weights = tuple(weight / sum(raw) for weight in raw)
    made = list(examples(RankTarget("X86", (), weights), seed, count))
    assert made == list(examples(RankTarget("X86", (), weights), seed, count))
    assert all(example.answer[1:] == (Special(END),) for example in made)
    found = Counter(PORTFOLIO.index(example.answer[0].token) for example in made)
    assert sum(found.values()) == count
    for slot, weight in enumerate(weights):
        assert abs(found[slot] - count * weight) < 1 + 1e-6
        assert weight or not found[slot]


def test_slots_come_in_the_order_of_their_probability():
    said = {PORTFOLIO[1]: -0.5, PORTFOLIO[2]: -3.0, PORTFOLIO[9]: 0.0}
    assert order(said, LISTS) == [1, 2, 0, 3]
