"""Whatever the logits: an answer of the grammar parses, is canonical, and LLVM takes it."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsmith.infer.grammar import DEEPEST, Grammar
from irsmith.model.tokenizer import shipped_tokenizer
from irsmith.passlist import PassList
from irsmith.records import Candidate, IrsmithError
from irsmith.sandbox.worker import Limits, Worker
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.tasks.example import specials
from irsmith.tasks.form import LONGEST_LIST, canonical, list_parts
from irsmith.tasks.pack import Packer
from irsmith.tasks.tune import TuneAnswer, TunePrompt, parse_answer
from irsmith.tasks.vocabulary import BEFORE, END, LEVELS, PORTFOLIO, special_tokens
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.llvm import load

PROMPT = TunePrompt(None)
LISTS = load_portfolio(DEFAULT_TARGETS["X86"]).candidates


@pytest.fixture(scope="module")
def tokenizer():
    return shipped_tokenizer()


@pytest.fixture(scope="module")
def packer(tokenizer):
    return Packer(tokenizer)


@pytest.fixture(scope="module")
def parses(toolchain):
    """Whether LLVM's own parser takes a pipeline: on a module without functions, nothing runs."""

    def prepare(_):
        llvm = load(toolchain.checked_library("X86").path)

        def handle(text):
            with llvm.context() as context:
                module = context.parse(b'target triple = "x86_64-unknown-linux-gnu"')
                module.run_passes(text)
            return True

        return handle

    with Worker(prepare, Limits(cpu_seconds=20)) as worker:
        yield worker.call


def walk(grammar, weigh):
    """An answer by the largest weights."""
    place, ids = grammar.start, []
    while not place.over:
        allowed = grammar.allowed(place)
        assert len(set(allowed.tolist())) == len(allowed) > 0
        token = int(allowed[weigh(len(ids))[allowed].argmax()])
        ids.append(token)
        place = grammar.after(place, token)
    assert not len(grammar.allowed(place))
    return ids


def read(packer, ids, portfolio=LISTS):
    end = () if ids[-1] in packer.ids(specials([BEFORE, END])) else (packer.end,)
    answer = parse_answer(PROMPT, packer.parts([*ids, *end]), portfolio)
    assert isinstance(answer, TuneAnswer), answer
    return answer


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32),
    longest=st.sampled_from([1, 2, 3, 5, 17, 60, LONGEST_LIST]),
    stop=st.floats(-6, 6),
    nest=st.floats(-4, 4),
    sharp=st.sampled_from([0.0, 1.0, 30.0]),
)
def test_any_logits_give_a_list_that_parses(
    tokenizer, packer, parses, seed, longest, stop, nest, sharp
):
    grammar = Grammar(tokenizer, longest=longest, baseline=False)
    size = len(special_tokens())
    bias = np.array([nest * token.startswith("<|open:") for token in special_tokens()])
    bias[list(grammar.stops)] = stop
    # Gumbel noise: drawing; with a fixed part, so that some tokens come again and again.
    bias += np.random.default_rng(seed).gumbel(size=size) * sharp

    def weigh(at):
        return bias + np.random.default_rng((seed, at)).gumbel(size=size)

    ids = walk(grammar, weigh)
    assert len(ids) <= longest + 2
    candidate = read(packer, ids).candidate
    assert canonical(candidate) == candidate
    # One text for each list: nothing is lost and nothing is said twice.
    assert packer.ids(list_parts(candidate)) == ids[:-1]
    depth = max((len(path) for _, path in PassList.parse(candidate.passes).leaves()), default=0)
    assert depth <= DEEPEST
    outcome = parses(candidate.passes)
    assert outcome.failure != "refused", outcome.detail


def test_what_search_finds_can_be_said(tokenizer, packer):
    space, rng = default_space(), random.Random(3)
    candidates = [space.draw_with_codegen(rng) for _ in range(100)]
    for triple in DEFAULT_TARGETS.values():
        candidates += load_portfolio(triple).candidates
    candidates += [Candidate(""), Candidate("", ("-disable-lsr",)), Candidate("default<Oz>")]
    grammar = Grammar(tokenizer)
    for candidate in candidates:
        place = grammar.start
        for token in [*packer.ids(list_parts(candidate)), packer.end]:
            assert token in grammar.allowed(place), candidate
            place = grammar.after(place, token)
        assert place.over


def test_passes_that_search_may_not_use_cannot_be_said(tokenizer):
    grammar = Grammar(tokenizer)
    place = grammar.after(grammar.start, tokenizer.special("<|passes|>"))
    said = {tokenizer.decode([token]) for token in grammar.allowed(place).tolist()}
    assert "<|pass:ipsccp|>" in said and "<|open:function|>" in said
    assert not {"<|pass:inliner-wrapper|>", "<|pass:gvn-sink|>", "<|spell|>"} & said
    every = Grammar(tokenizer, tiers=("default", "vetted", "untested", "excluded"))
    inside = every.after(every.after(every.start, tokenizer.special("<|passes|>")),
                         tokenizer.special("<|open:function|>"))  # fmt: skip
    assert tokenizer.special("<|pass:gvn-sink|>") in every.allowed(inside)


def test_the_other_forms(tokenizer, packer):
    grammar = Grammar(tokenizer, slots=3, lists=False)
    first = {tokenizer.decode([token]) for token in grammar.allowed(grammar.start).tolist()}
    assert first == {*PORTFOLIO[:3], LEVELS["Oz"]}
    slot = tokenizer.special(PORTFOLIO[2])
    assert grammar.after(grammar.start, slot).over and grammar.slot(slot)
    assert read(packer, [slot]).slot == 2
    assert read(packer, [tokenizer.special(LEVELS["Oz"])]).candidate is None
    assert set(grammar.stops) == {tokenizer.special(BEFORE), tokenizer.special(END)}
    for bad in ({"lists": False, "baseline": False}, {"slots": 65}, {"longest": 513}):
        with pytest.raises(IrsmithError):
            Grammar(tokenizer, **bad)
