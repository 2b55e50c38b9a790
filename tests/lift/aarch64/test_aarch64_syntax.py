"""AArch64: assembly as data, and where it leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.lift.aarch64.flags import CONDITIONS, OPPOSITE, holds
from irsmith.lift.aarch64.rules import AArch64
from irsmith.lift.aarch64.syntax import parse
from irsmith.lift.code import Immediate, Instruction, Memory, Register, Shifted, Target, Word
from irsmith.lift.graph import graph, joined
from irsmith.lift.unliftable import UnliftableError


def only(line):
    (block,) = parse(f"f:\n{line}\n").blocks
    (one,) = block.body
    return one


@pytest.mark.parametrize(
    ("line", "operands"),
    [
        ("neg x1, w2", (Register("x1", 64), Register("x2", 32))),
        ("fneg d1, s2", (Register("q1", 64), Register("q2", 32))),
        ("mov x29, sp", (Register("x29", 64), Register("sp", 64))),
        ("cmp w24, #1, lsl #12", (Register("x24", 32), Immediate(4096))),
        (
            "movk x8, #5, lsl #32",
            (Register("x8", 64), Immediate(5), Immediate(32)),
        ),
        ("cmp x9, w8, sxtw #2", (Register("x9", 64), Shifted(Register("x8", 32), "sxtw", 2))),
        ("cmp x9, x8, lsl #3", (Register("x9", 64), Shifted(Register("x8", 64), "lsl", 3))),
        ("cset w0, eq", (Register("x0", 32), Word("eq"))),
        ("ldr x0, [x1]", (Register("x0", 64), Memory(base="x1"))),
        ("ldr x0, [x1, #-8]!", (Register("x0", 64), Memory(-8, base="x1", moves="before"))),
        ("ldr x0, [sp], #16", (Register("x0", 64), Memory(16, base="sp", moves="after"))),
        ("ldr x0, [x1, x2]", (Register("x0", 64), Memory(base="x1", index="x2"))),
        (
            "ldr x0, [x1, w2, uxtw #3]",
            (Register("x0", 64), Memory(base="x1", index="x2", scale=8, extend="uxtw")),
        ),
        (
            "ldr x0, [x1, :got_lo12:name]",
            (Register("x0", 64), Memory(symbol="name", modifier="got_lo12", base="x1")),
        ),
        ("adrp x0, :got:name", (Register("x0", 64), Immediate(0, "name", "got"))),
        ("adrp x0, name+8", (Register("x0", 64), Immediate(8, "name"))),
        (
            "add x0, x1, :lo12:name",
            (Register("x0", 64), Register("x1", 64), Immediate(0, "name", "lo12")),
        ),
        ("bl name", (Target("name"),)),
        ("blr x8", (Target(through=Register("x8", 64)),)),
        ("tbz w0, #3, .L5", (Register("x0", 32), Immediate(3), Target(".L5"))),
    ],
)
def test_operands(line, operands):
    assert only(line) == Instruction(line.split()[0], operands)


@pytest.mark.parametrize(
    "text",
    ["", "ret\n", "f:\nldr x0, [w1]\n", "f:\nbr 5\n", "f:\nb name+4\n", "f:\nret\ng:\nret\n"],
)
def test_what_is_not_known_is_refused_in_one_line(text):
    with pytest.raises(UnliftableError) as error:
        parse(text)
    assert str(error.value) and "\n" not in str(error.value)


def test_what_a_compiler_took_out_stands_where_it_was():
    code = parse(
        "f:\nbl OUTLINED_FUNCTION_0\nbl OUTLINED_FUNCTION_1\nb OUTLINED_FUNCTION_0\n"
        ".local OUTLINED_FUNCTION_0\nOUTLINED_FUNCTION_0:\nmov x0, x1\nret\n"
        ".local OUTLINED_FUNCTION_1\nOUTLINED_FUNCTION_1:\nmov x0, x2\nb g\n"
    )
    (block,) = code.blocks
    assert [one.name for one in block.body] == ["mov", "mov", "bl", "mov", "ret"]
    assert code.binding == "" and not code.outlined


def test_a_jump_through_a_table_is_a_switch():
    code = parse(
        "f:\ncmp w0, #1\nb.hi .L3\nmov w8, w0\nadrp x9, .L0\nadd x9, x9, :lo12:.L0\nadr x10, .L1\n"
        "ldrb w11, [x9, x8]\nadd x10, x10, x11, lsl #2\nbr x10\n.L1:\nmov w0, #5\nret\n.L2:\n"
        "mov w0, #7\nret\n.L3:\nmov w0, wzr\nret\n"
        '.section .rodata,"a",@progbits\n.L0:\n.byte (.L1-.L1)>>2\n.byte (.L2-.L1)>>2\n'
    )
    blocks = graph(code, AArch64())
    (switch,) = [block for block in blocks if block.ends == "switch"]
    assert switch.index == Register("x8", 64) and len(switch.next) == 3
    assert switch.other == switch.next[2] and [one.name for one in switch.body] == ["mov"]


def test_a_loop_gets_the_question_back_that_was_copied_to_its_end():
    text = "f:\ncbz x0, .L1\n.L0:\nsub x0, x0, #1\n{}\n.L1:\nret\n"
    blocks = graph(parse(text.format("cbnz x0, .L0")), AArch64())
    assert joined(blocks, AArch64())
    assert [block.ends for block in blocks] == ["jump", "jump", "return", "branch"]
    assert blocks[0].next == blocks[1].next == (3,) and set(blocks[3].next) == {1, 2}
    for other in ("cbnz x1, .L0", "cbz x0, .L0", "cbnz w0, .L0"):
        assert not joined(graph(parse(text.format(other)), AArch64()), AArch64())


@given(st.sampled_from(sorted(OPPOSITE)), st.integers(0, 15))
def test_conditions_and_their_opposites(name, bits):
    assert holds(name, bits) != holds(OPPOSITE[name], bits)
    assert set(OPPOSITE) | set(OPPOSITE.values()) == set(CONDITIONS.values())


@given(st.integers(-300, 300), st.integers(-300, 300))
def test_flags_of_a_comparison(left, right):
    result = left - right
    wide = 1 << 16
    carry = left % wide >= right % wide
    bits = 8 * (result < 0) | 4 * (result == 0) | 2 * carry
    said = {"eq": left == right, "lt": left < right, "gt": left > right, "hi": carry and result}
    assert all(holds(name, bits) == bool(true) for name, true in said.items())
