"""Pass lists, headers and numbers as special tokens, and back."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.corpus.header import Header
from irsmith.passlist import PassList, PassListError
from irsmith.records import Candidate
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.tasks import vocabulary
from irsmith.tasks.vocabulary import (
    VocabularyError,
    decode_header,
    decode_number,
    decode_pipeline,
    encode_header,
    encode_number,
    encode_pipeline,
    special_tokens,
)
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.codegen import OPTIONS
from irsmith.toolchain.pipelines import clang_pipeline

SPELL = "<|spell|>"


def names_in_the_module():
    """Every special token that the module names."""
    for value in vars(vocabulary).values():
        group = value.values() if isinstance(value, dict) else value
        group = [group] if isinstance(group, str) else group
        if isinstance(group, (list, tuple, type({}.values()))):
            yield from (word for word in group if isinstance(word, str) and word[-2:] == "|>")


def test_tokens_are_distinct_and_hold_all_that_the_module_names():
    tokens = special_tokens()
    assert len(set(tokens)) == len(tokens) < 1000
    assert tokens[0] == vocabulary.END
    assert set(names_in_the_module()) <= set(tokens)
    assert sum(token.startswith("<|spare:") for token in tokens) >= 32
    assert all(token.startswith("<|") and token.endswith("|>") for token in tokens)


def test_whatever_search_draws_has_tokens_of_its_own():
    space, rng = default_space(), random.Random(5)
    drawn = [space.draw_with_codegen(rng) for _ in range(300)]
    for triple in DEFAULT_TARGETS.values():
        drawn += load_portfolio(triple).candidates
        drawn += [Candidate(clang_pipeline("22.1.8", triple, level)) for level in ("O2", "Oz")]
    drawn.append(Candidate("", tuple(option.text for option in OPTIONS)))
    for candidate in drawn:
        tokens = encode_pipeline(candidate.passes, candidate.codegen)
        assert SPELL not in tokens, candidate
        assert decode_pipeline(tokens) == candidate
        assert set(tokens) <= set(special_tokens())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "structurizecfg",
        "function(loop-unroll<O3;full-unroll-max=17>)",
        "module(coro-cond(cgscc(devirt<99>(inline<only-mandatory>))),lto<O3>)",
        "print<da><normalized-results>",
        "x<é𝄞>,sroa<>",
        "function<eager-inv>(a(b(c)),d)",
    ],
)
def test_what_has_no_token_is_spelled(text):
    candidate = Candidate(text, ("-disable-lsr", "-x=7", "-é"))
    assert decode_pipeline(encode_pipeline(text, candidate.codegen)) == candidate


def elements(depth):
    name = st.from_regex(r"[A-Za-z0-9_.+-]{1,12}", fullmatch=True)
    inside = st.text(
        st.characters(exclude_characters=",()<>", exclude_categories=("Z", "Cc", "Cs")), max_size=9
    )
    head = st.builds(
        lambda n, p: n + "".join(f"<{x}>" for x in p), name, st.lists(inside, max_size=2)
    )
    if not depth:
        return head
    nested = st.lists(elements(depth - 1), min_size=1, max_size=3).map(",".join)
    return st.one_of(head, st.builds("{}({})".format, head, nested))


@given(st.lists(elements(2), max_size=3).map(",".join))
def test_any_pass_list_comes_back(text):
    try:
        passes = PassList.parse(text)
    except PassListError:
        return
    assert decode_pipeline(encode_pipeline(passes)).passes == passes.text


@given(st.lists(st.sampled_from([*special_tokens(), "no token", "<|"]), max_size=12))
def test_any_tokens_mean_something_or_are_refused_in_one_line(tokens):
    for decode in (decode_pipeline, decode_header, decode_number):
        try:
            decode(tokens)
        except VocabularyError as error:
            assert str(error) and "\n" not in str(error)


def test_hostile_nesting_and_spelling():
    opened = "<|open:function|>"
    for tokens in (
        [opened] * 5000,
        [opened] * 5000 + ["<|pass:sroa|>"] + ["<|close|>"] * 5000,
        ["<|close|>"],
        [SPELL, "<|half:f|>", "<|half:f|>", "<|spelled:pass|>"],
        [SPELL, "<|half:2|>", "<|half:0|>", "<|spelled:pass|>"],
        [SPELL, "<|spelled:pass|>"],
        [SPELL, "<|half:6|>", "<|spelled:pass|>"],
        ["<|codegen:-disable-lsr|>", "<|pass:sroa|>"],
    ):
        with pytest.raises(VocabularyError):
            decode_pipeline(tokens)


@pytest.mark.parametrize(
    "header",
    [
        Header("x86_64-unknown-linux-gnu"),
        Header(
            "aarch64-unknown-linux-gnu", "Oz", "uwtable", ("PIC Level=2@8", "frame-pointer=4@7")
        ),
        Header("x86_64-pc-linux-gnux32", "Os", "uwtable(sync)", ("some thing=-3@1",)),
    ],
)
def test_headers_come_back(header):
    assert decode_header(encode_header(header)) == header


def test_numbers():
    for number in (0, 7, 10, 4096, 10**17):
        assert decode_number(encode_number(number)) == number
    assert len(encode_number(1234)) == 4
    for tokens in ([], encode_number(10**18), ["<|0|>", "<|1|>"], ["1"], ["<|text|>"]):
        with pytest.raises(VocabularyError):
            decode_number(tokens)
