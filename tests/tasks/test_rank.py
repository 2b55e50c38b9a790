"""Ranking: what the slots' probabilities should be, and the documents that teach them."""

import pytest

from irsmith.records import Candidate, IrsmithError, Size
from irsmith.tasks.example import Special, Tried, TuneLabel
from irsmith.tasks.rank import example, order, soft_targets, weights_of
from irsmith.tasks.vocabulary import ANSWER, END, PORTFOLIO

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


def test_the_document_has_probabilities_in_place_of_an_answer():
    made = example("X86", (Special(ANSWER),), (0.25, 0.75))
    assert (made.task, made.answer, made.slots) == ("rank", (Special(END),), (0.25, 0.75))


def test_slots_come_in_the_order_of_their_probability():
    said = {PORTFOLIO[1]: -0.5, PORTFOLIO[2]: -3.0, PORTFOLIO[9]: 0.0}
    assert order(said, LISTS) == [1, 2, 0, 3]
