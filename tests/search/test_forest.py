"""The forest: lists that save modules like this one go first, and go well together."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsmith.corpus.split import never_train, split_of
from irsmith.records import IrsmithError, Size
from irsmith.search.forest import (
    FEATURES,
    LEAF,
    Forest,
    Tree,
    digest_of,
    features,
    load_forest,
)
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain.census import NAMES
from irsmith.toolchain.clang import DEFAULT_TARGETS


def stump(feature, threshold, yes, no):
    """One question: modules ``yes`` and ``no`` behind it."""
    return Tree(
        (feature, LEAF, LEAF),
        (threshold, 0.0, 0.0),
        (2, 0, len(yes)),
        (*yes, *no),
        (0, len(yes), len(yes) + len(no)),
    )


def numbers(**given):
    return tuple(float(given.get(name.replace(" ", "_"), 0)) for name in FEATURES)


SAVED = (
    (500, 480, 100, 0),  # two lists of the same kind, and a third
    (500, 490, 0, 0),
    (0, 0, 300, 0),
    (0, 0, 0, 900),  # another kind of module
)
FOREST = Forest(
    (stump(FEATURES.index("phi"), 3.0, (0, 1, 2), (3,)),), SAVED, "p", {"made by": "a test"}
)


def test_modules_alike_decide():
    assert FOREST.alike(numbers(phi=9)) == {3: 1 << 16}
    assert FOREST.order(numbers(phi=9), 1) == [3]
    assert set(FOREST.alike(numbers(phi=3))) == {0, 1, 2}


def test_lists_are_chosen_to_go_well_together():
    # The second best list saves no module more than the best does: it comes last.
    assert FOREST.order(numbers(), 2) == [0, 2]
    assert FOREST.order(numbers(), 4) == [0, 2, 1, 3]
    assert FOREST.order(numbers(phi=4), 9) == [3, 0, 1, 2]


@given(
    saved=st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=12),
    count=st.integers(1, 8),
)
def test_counting_fewer_gains_chooses_the_same(saved, count):
    forest = Forest((stump(0, 1e9, tuple(range(len(saved))), ()),), tuple(saved), "p", {})
    best, chosen = [0] * len(saved), []
    while len(chosen) < min(count, 6):  # every gain of every step, the first of the largest
        left = [one for one in range(6) if one not in chosen]
        gains = [
            sum(max(0, row[one] - b) for row, b in zip(saved, best, strict=True)) for one in left
        ]
        chosen.append(left[gains.index(max(gains))])
        best = [max(b, row[chosen[-1]]) for row, b in zip(saved, best, strict=True)]
    assert forest.order(numbers(), count) == chosen


@pytest.mark.parametrize("target", DEFAULT_TARGETS.values())
@given(census=st.lists(st.integers(0, 5000), min_size=len(NAMES), max_size=len(NAMES)))
@settings(deadline=None, max_examples=30)
def test_what_ships_orders_anything(target, census):
    forest = load_forest(target)
    lists = len(load_portfolio(target).candidates)
    size = Size(text=sum(census[:3]), rodata=census[0], data=census[1], unwind=24, instructions=9)
    found = forest.order(features(tuple(census), size), lists)
    assert sorted(found) == list(range(lists))
    assert found[:5] == forest.order(features(tuple(census), size), 5)


def test_it_is_read_as_it_was_written():
    again = Forest.from_bytes(FOREST.to_bytes())
    assert again.to_bytes() == FOREST.to_bytes() and again.provenance == FOREST.provenance
    assert again.order(numbers(), 4) == FOREST.order(numbers(), 4)


def test_what_is_no_forest_is_refused():
    whole = FOREST.to_bytes()
    rng = random.Random(1)
    for data in (b"", b"x", whole[:-9], rng.randbytes(300)):
        with pytest.raises(IrsmithError, match="not a forest"):
            Forest.from_bytes(data)


@pytest.mark.parametrize("target", DEFAULT_TARGETS.values())
def test_what_ships_belongs_to_the_portfolio_and_to_train_packages(target):
    forest, portfolio = load_forest(target), load_portfolio(target)
    assert forest.portfolio == digest_of(portfolio.candidates), (
        "the portfolio has changed: run recipes/forest.py"
    )
    assert forest.provenance["toolchain"] == portfolio.toolchain
    packages = forest.provenance["packages"]
    assert len(packages) > 50
    assert not [p for p in packages if split_of(p) != "train" or never_train(p)]
