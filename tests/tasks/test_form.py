"""Sizes, headers and lists read back; what is out of place is an error with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.corpus.header import Header
from irsmith.records import Candidate, IrsmithError, Size
from irsmith.tasks.example import NoAnswer, Special, Text, specials
from irsmith.tasks.form import (
    AnswerError,
    Reader,
    canonical,
    ir_parts,
    list_parts,
    parse,
    size_parts,
)
from irsmith.tasks.text import IRText
from irsmith.tasks.vocabulary import AFTER, BEFORE, END, IR, PASSES, SIZE_FIELDS

HEADER = Header("x86_64-unknown-linux-gnu", "Oz", "uwtable", ("PIC Level=2@8",))
numbers = st.integers(0, 1 << 40)


@given(st.builds(Size, numbers, numbers, numbers, numbers, st.none() | numbers))
def test_sizes_read_back(size):
    reader = Reader((*size_parts(BEFORE, size), Special(END)))
    assert reader.size(BEFORE) == size
    reader.end()


def test_a_size_is_whole_and_in_order_or_an_error():
    whole = size_parts(AFTER, Size(120, 0, 7, 64, 31))
    for length in (0, 1, 2, 5, 6, 7, 8, 9, 10):  # up to where unwind has its first digit
        with pytest.raises(IrsmithError):
            Reader((*whole[:length], Special(END))).size(AFTER)
    assert Reader((*whole[:-3], Special(END))).size(AFTER) == Size(120, 0, 7, 64)
    turned = (whole[0], *whole[5:7], *whole[1:5])
    with pytest.raises(AnswerError, match="expected"):
        Reader(turned).size(AFTER)
    digits = specials([AFTER, SIZE_FIELDS["text"], *["<|9|>"] * 5000])
    with pytest.raises(IrsmithError):
        Reader(digits).size(AFTER)
    digits = specials([AFTER, SIZE_FIELDS["text"], *["<|9|>"] * 18])
    with pytest.raises(AnswerError, match="no number of text that can be"):
        Reader(digits).size(AFTER)


def test_the_header_is_said_where_it_is_not_known():
    ir = IRText(HEADER, "define void @f() {\nret void\n}\n")
    assert ir_parts(ir, HEADER) == (Special(IR), Text(ir.text))
    assert Reader(ir_parts(ir, HEADER)).ir(HEADER) == ir
    other = Header(HEADER.triple)
    assert Reader(ir_parts(ir, other)).ir(other) == ir == Reader(ir_parts(ir)).ir()
    with pytest.raises(AnswerError, match="header"):
        Reader(ir_parts(ir, HEADER)).ir()
    foreign = IRText(Header("aarch64-unknown-linux-gnu"), "")
    with pytest.raises(AnswerError, match="another target"):
        Reader(ir_parts(foreign)).ir(HEADER)


def test_a_header_cannot_bring_in_what_a_text_may_not():
    bad = Header(HEADER.triple, flags=('x"} module asm ".incbin=1@1',))
    with pytest.raises(IrsmithError, match="reads files"):
        Reader(ir_parts(IRText(bad, ""))).ir()


def test_lists_are_canonical_and_llvm_knows_them():
    plain = Candidate("gvn,instcombine", ("-disable-lsr",))
    whole = canonical(plain)
    assert whole.passes == "function(gvn,instcombine<no-verify-fixpoint>)"
    read = Reader((*list_parts(plain), Special(END))).candidate(frozenset((END,)))
    assert read == whole == canonical(whole)
    for bad in (
        Candidate("no-such-pass"),
        Candidate("function(gvn(dce))"),
        Candidate("loop(globalopt)"),
        Candidate("dce", ("-help",)),
        Candidate("function<no>(dce)"),
    ):
        parts = (*list_parts(bad), Special(END))
        answer = parse(lambda reader: reader.candidate(frozenset((END,))), parts)
        assert isinstance(answer, NoAnswer) and answer.reason, bad
    with pytest.raises(AnswerError, match="too long"):
        Reader(list_parts(Candidate(",".join(["dce"] * 600)))).candidate(frozenset((END,)))
    nested = specials([PASSES, *["<|open:function|>"] * 5000])
    with pytest.raises(IrsmithError):
        Reader(nested).candidate(frozenset((END,)))


def test_special_tokens_come_from_the_vocabulary():
    with pytest.raises(IrsmithError, match="no special token"):
        Special("<|no such|>")
    with pytest.raises(IrsmithError):
        Reader([Text("a")] * 70_000)


def test_behind_the_end_there_is_nothing():
    with pytest.raises(AnswerError, match="behind the end"):
        Reader((Special(END), Text("more"))).end()
    with pytest.raises(AnswerError, match="cut off"):
        Reader(()).end()
