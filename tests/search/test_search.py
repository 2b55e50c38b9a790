"""Search: same seed, same result; never compiled twice; reduced lists cannot be reduced."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsmith.passlist import PassList
from irsmith.records import Candidate
from irsmith.search.autotune import Ledger, refine, tune
from irsmith.search.evaluate import LIMITS, Evaluator, limits_for
from irsmith.search.portfolio import choose, choose_vetted, load_portfolio
from irsmith.search.reduce import minimise
from irsmith.search.space import default_space, split
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.passes import load_passes

TRIPLE = DEFAULT_TARGETS["X86"]


@pytest.mark.parametrize("strategy", ["random", "portfolio"])
def test_same_seed_same_result_whatever_the_jobs(toolchain, bitcode, strategy):
    start = load_portfolio(TRIPLE).candidates[:6]
    found = []
    for jobs in (1, 2):
        with Evaluator(toolchain, TRIPLE, jobs) as evaluator:
            ledger = Ledger(evaluator, bitcode, "size")
            tuned = tune(ledger, default_space(), 40, 3, strategy, start)
            assert tuned.compilations == 40 == len(ledger)
            found.append((tuned.ranked, tuned.curve))
    assert found[0] == found[1]
    values = [point.value for point in found[0][1]]
    assert values == sorted(values, reverse=True)
    assert found[0][0][0].size.total == values[-1]


def test_refined_is_no_larger_and_cannot_be_reduced(toolchain, bitcode):
    with Evaluator(toolchain, TRIPLE) as evaluator:
        ledger = Ledger(evaluator, bitcode, "size")
        tuned = tune(ledger, default_space(), 30, 1, "portfolio", load_portfolio(TRIPLE).candidates)
        best = tuned.ranked[0]
        small = refine(ledger, default_space(), best.candidate, seed=1)
        value = ledger.value(small)
        assert value <= best.size.total
        passes = PassList.parse(small.passes)
        for index in range(len(passes)):
            shorter = Candidate(passes.drop(index).text, small.codegen)
            assert ledger.value(shorter) > value


def test_a_crashing_candidate_is_an_evaluation_not_an_error(toolchain, bitcode):
    candidates = [
        Candidate("default<Oz>"),
        Candidate("function(no-such)"),
        Candidate("default<Oz>", ("-disable-lsr",)),
    ]
    with Evaluator(toolchain, TRIPLE) as evaluator:
        got = list(evaluator.measure(bitcode, candidates))
    assert got[0].size and got[2].size and not got[1].size
    assert "no-such" in got[1].failure


def test_all_that_is_drawn_is_canonical_and_known(toolchain):
    space, rng = default_space(), random.Random(5)
    candidate = space.draw_with_codegen(rng)
    for step in range(150):
        other = space.draw_with_codegen(rng)
        made = [space.mutate, lambda r, c, o=other: space.cross(r, c, o)][step % 2](rng, candidate)
        text = PassList.parse(made.passes).canonical(load_passes()).text
        assert text == made.passes
        assert set(made.codegen) <= set(space.codegen)
        assert ",".join(split(made)) == made.passes
        candidate = made if made.passes else other


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12), st.data())
def test_minimise_finds_what_is_needed(names, data):
    needed = data.draw(st.sets(st.sampled_from(names)))
    options = ("-x", "-y")

    def keeps(candidate):
        present = {element.name for element, _ in PassList.parse(candidate.passes).leaves()}
        return needed <= present and "-y" in candidate.codegen

    small = minimise(Candidate(",".join(names), options), keeps)
    kept = [element.name for element, _ in PassList.parse(small.passes).leaves()]
    assert sorted(kept) == sorted(needed)
    assert small.codegen == ("-y",)


def test_choose_is_greedy_and_keeps_oz():
    base = [100, 100, 100]
    sizes = [[90, 100, 95, 200], [100, 80, 85, 200], [100, 100, None, 200]]
    chosen = choose(sizes, base, 4)
    assert [index for index, _ in chosen] == [1, 0]  # 2 wins as much as 1 at first; ties by index
    assert chosen[0][1] == pytest.approx(0.2 / 3)
    assert chosen[1][1] == pytest.approx(0.3 / 3)
    assert choose([], [], 3) == []
    assert choose([[None, 120]], [100], 2) == []


def test_modules_that_weigh_more_are_served_first():
    base = [100, 100]
    sizes = [[90, 100], [100, 95]]
    assert [index for index, _ in choose(sizes, base, 2)] == [0, 1]
    chosen = choose(sizes, base, 2, [1.0, 3.0])
    assert [index for index, _ in chosen] == [1, 0]
    assert chosen[1][1] == pytest.approx((0.1 + 3 * 0.05) / 4)


def test_what_the_judge_refuses_gives_way_and_is_asked_about_once():
    base = [100, 100]
    sizes = [[50, 60, 90], [100, 100, 70]]
    asked = []

    def judge(index):
        asked.append(index)
        return index != 0

    assert [index for index, _ in choose_vetted(judge, sizes, base, 2)] == [1, 2]
    assert sorted(asked) == [0, 1, 2]


def test_the_shipped_portfolios_say_where_they_come_from():
    for triple in DEFAULT_TARGETS.values():
        portfolio = load_portfolio(triple)
        assert len(portfolio.candidates) >= 3
        assert len(set(portfolio.candidates)) == len(portfolio.candidates)
        assert portfolio.suite.startswith("full-")
        assert portfolio.provenance["split"] == "train"
        from irsmith.corpus.split import never_train, split_of

        for package in portfolio.provenance["packages"]:
            assert split_of(package) == "train" and not never_train(package)
        for candidate in portfolio.candidates:
            parsed = PassList.parse(candidate.passes)
            assert parsed.canonical(load_passes()) == parsed


def test_a_large_module_gets_more_time():
    """SQLite in one file took longer than 30 s with a decision about frame pointers."""
    assert limits_for(b"x" * 10_000) == LIMITS
    longer = limits_for(b"x" * (5 << 19))  # 2.5 MB
    assert longer.cpu_seconds == 10 * LIMITS.cpu_seconds
    assert longer.wall_seconds == 10 * LIMITS.wall_seconds
    assert longer.memory_bytes == LIMITS.memory_bytes
