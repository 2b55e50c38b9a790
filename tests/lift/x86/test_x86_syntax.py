"""x86-64: assembly as data, and where it leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.lift.code import Immediate, Instruction, Memory, Register, Target
from irsmith.lift.graph import graph
from irsmith.lift.unliftable import UnliftableError
from irsmith.lift.x86.rules import X86
from irsmith.lift.x86.syntax import parse, register

WORDS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r11", "r15")


def only(line):
    (block,) = parse(f"f:\n{line}\n").blocks
    (one,) = block.body
    return one


@pytest.mark.parametrize(
    ("line", "operand"),
    [
        ("incq %rax", Register("rax", 64)),
        ("incl %r9d", Register("r9", 32)),
        ("incb %ah", Register("rax", 8, high=True)),
        ("incb %dil", Register("rdi", 8)),
        ("pushq $-5", Immediate(-5)),
        ("pushq $0x10", Immediate(16)),
        ("pushq $name+4", Immediate(4, "name")),
        ("incl 8(%rdi)", Memory(8, base="rdi")),
        ("incl (%rdi,%rsi)", Memory(base="rdi", index="rsi")),
        ("incl -4(%rdi,%rsi,8)", Memory(-4, base="rdi", index="rsi", scale=8)),
        ("incl (,%rsi,4)", Memory(index="rsi", scale=4)),
        ("incl name(%rip)", Memory(symbol="name", base="rip")),
        ("incl name-8(%rip)", Memory(-8, symbol="name", base="rip")),
        ("incq name@GOTPCREL(%rip)", Memory(symbol="name", modifier="GOTPCREL", base="rip")),
        ("incq %fs:40", Memory(40, segment="fs")),
        ('incl "a (b), c"(%rip)', Memory(symbol='"a (b), c"', base="rip")),
        ("callq name@PLT", Target("name", plt=True)),
        ("callq *%rax", Target(through=Register("rax", 64))),
        ("jmpq *16(%rax)", Target(through=Memory(16, base="rax"))),
    ],
)
def test_operands(line, operand):
    assert only(line).operands == (operand,)


@given(
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.sampled_from(WORDS),
    st.sampled_from(("", *WORDS[:7])),
    st.sampled_from((1, 2, 4, 8)),
)
def test_every_address_is_read_as_it_is_written(disp, base, index, scale):
    inner = f"%{base}" + (f",%{index},{scale}" if index else "")
    (operand,) = only(f"incl {disp}({inner})").operands
    assert operand == Memory(disp, base=base, index=index, scale=scale if index else 1)


def test_a_function_with_its_blocks_and_data():
    code = parse(
        ".p2align 1\n.local f\nf:\ntestl %edi, %edi\nje .L0\nretq\n.L0:\nud2\n"
        '.section .rodata.str1.1,"aMS",@progbits,1\n.L1:\n.asciz "a\\n\\"\\001"\n'
        '.section .rodata.cst8,"aM",@progbits,8\n.p2align 3\n.L2:\n.quad 0x3ff0000000000000\n'
    )
    assert (code.name, code.binding, code.align) == ("f", "local", 1)
    assert [block.label for block in code.blocks] == ["f", ".L0"]
    assert code.data[".L1"].data == b'a\n"\x01\0' and code.data[".L1"].string
    assert code.data[".L2"].data == (0x3FF0000000000000).to_bytes(8, "little")
    assert code.data[".L2"].align == 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "retq\n",
        "f:\nlock\nincl (%rdi)\n",
        "f:\nincl %zmm0\n",
        "f:\nretq\ng:\nretq\n",
        'f:\nretq\n.section .gcc_except_table,"a",@progbits\n',
        "f:\n.cfi_odd 4\n",
        "f:\nincl 4(%eax)\n",
    ],
)
def test_what_is_not_known_is_refused_in_one_line(text):
    with pytest.raises(UnliftableError) as error:
        parse(text)
    assert str(error.value) and "\n" not in str(error.value)


def test_blocks_end_where_code_leads_elsewhere():
    blocks = graph(
        parse("f:\ntestl %edi, %edi\nje .L0\ntestl %esi, %esi\njs g\n.L0:\nretq\nincl %eax\n"),
        X86(),
    )
    assert [block.ends for block in blocks] == ["branch", "branch", "return", "tail"]
    assert blocks[0].next == (2, 1) and blocks[1].next == (3, 2)
    assert blocks[3].target == Target("g") and blocks[1].jump.name == "js"
    assert blocks[0].body == [
        Instruction("testl", (Register("rdi", 32), Register("rdi", 32))),
    ]


def test_a_jump_out_of_the_function_has_to_have_a_name():
    with pytest.raises(UnliftableError, match=r"\.L7"):
        graph(parse("f:\njmp .L7\n"), X86())


def test_all_registers():
    assert register("sil") == Register("rsi", 8) and register("r12w") == Register("r12", 16)
    assert register("xmm13") == Register("xmm13", 128)
