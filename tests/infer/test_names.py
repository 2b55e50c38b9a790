"""Names in an answer are those of the assembly, whatever the model would like."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsmith.infer.names import Spelling, symbols_of, symbols_of_ir
from irsmith.model.tokenizer import shipped_tokenizer

ASSEMBLY = """copy_name:
pushq %rbx
movq %rdi, %rbx
movq table@GOTPCREL(%rip), %rax
movl $77, counter(%rip)
leaq .L0(%rip), %rsi
callq check_name
callq memcpy@PLT
jmp _ZN3any3$_1EvE
.section .rodata.str1.1,"aMS",@progbits,1
.L0:
.asciz "see @nobody"
"""
TRUTH = """%struct.s = type { i8 }
@.str.4 = private unnamed_addr constant [12 x i8] c"see @nobody\\00", align 1
@table = external local_unnamed_addr global ptr, align 8
@counter = internal unnamed_addr global i32 0, align 4
declare void @check_name(ptr) "no-infs-fp-math"="true"
declare void @"_ZN3any3$_1EvE"(ptr)
define hidden void @copy_name(ptr %0) {
call void @llvm.memcpy.p0.p0.i64(ptr %0, ptr @.str.4, i64 12, i1 false)
call void @check_name(ptr @table)
store i32 77, ptr @counter
tail call void @"_ZN3any3$_1EvE"(ptr %0)
ret void
}
"""


@pytest.fixture(scope="module")
def tokenizer():
    return shipped_tokenizer()


def follow(tokenizer, text, assembly=ASSEMBLY):
    """The first token of text that is refused, with what stands before it; None if all may be."""
    rules = Spelling(tokenizer, tokenizer.end, symbols_of(assembly))
    place, done = rules.start, []
    for token in [*tokenizer.encode(text), tokenizer.end]:
        behind = rules.after(place, token) if token in rules.allowed(place) else None
        if behind is None:
            return tokenizer.decode(done)
        place = behind
        done.append(token)
    assert place.over
    assert not len(rules.allowed(place))
    return None


def test_what_assembly_says():
    found = symbols_of(ASSEMBLY)
    assert found.own == "copy_name"
    assert found.needed == {"table", "counter", "check_name", "_ZN3any3$_1EvE"}
    arm = symbols_of("f:\nadrp x8, :got:table\nldr x8, [x8, :got_lo12:table]\nbl g\nb .L1\nret\n")
    assert arm.needed == {"table", "g"}


def test_what_ir_says():
    found = symbols_of_ir(TRUTH)
    assert found.own == "copy_name"
    assert {"table", "check_name", "_ZN3any3$_1EvE", ".str.4"} <= found.shown
    assert not found.needed
    assert symbols_of_ir("declare void @f()") is None
    assert symbols_of_ir(TRUTH + TRUTH) is None
    assert symbols_of_ir(TRUTH, "iroutliner,default<Oz>") is None


def test_the_truth_is_allowed(tokenizer):
    assert follow(tokenizer, TRUTH) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("void @copy_name", "void @copy_names"),
        ("void @copy_name", "void @copy"),
        ("void @copy_name", "void @check_name"),
        ("@check_name(ptr) ", "@check_same(ptr) "),
        ("call void @check_name", "call void @check_nam"),
        ("call void @check_name", "call void @memcpy"),
        ("call void @check_name", "call void @.str.7"),
        ("declare void @check_name", "declare void @table"),
        ("declare void @check_name", "declare void @llvm.memcpy"),
        ("declare void @check_name", "declare void @.str.9"),
        ("declare void @check_name", "declare void @movq"),
        ("@table = external", "@.str.5 = private constant i8 0\n@table = external"),
        ("@table = external", "@.str.4 = private constant i8 0\n@table = external"),
        ('declare void @"_ZN3any3$_1EvE"', 'declare void @"_ZN3any3$_2EvE"'),
        ('declare void @"_ZN3any3$_1EvE"(ptr)\n', ""),
        ("declare void @check_name", "declare void @check_name()\ndeclare void @check_name"),
        ("@counter = internal unnamed_addr global i32 0, align 4\n", ""),
    ],
)  # fmt: skip
def test_a_wrong_name_is_refused(tokenizer, old, new):
    assert old in TRUTH
    assert follow(tokenizer, TRUTH.replace(old, new)) is not None


def test_what_is_allowed_can_be_gone_on_with(tokenizer):
    """Whatever is drawn, some token has a place behind it, and names come out right."""
    rules = Spelling(tokenizer, tokenizer.end, symbols_of(ASSEMBLY))
    rng = np.random.default_rng(5)
    defining = tokenizer.encode("\ndefine void @")
    for _ in range(6):
        place, done = rules.start, []
        for token in tokenizer.encode("@table = global i32 0\ndeclare void @"):
            place = rules.after(place, token)
            done.append(token)
        for step in range(60):
            allowed = rules.allowed(place)
            assert len(allowed)
            wanted = defining[min(step % 7, len(defining) - 1)]
            token = int(wanted if wanted in allowed and step % 3 else rng.choice(allowed))
            if token == tokenizer.end:
                break
            behind = rules.after(place, token)
            if behind is not None:
                place = behind
                done.append(token)
        text = re.sub(r'"[^"\n]*("|\n|$)', "", tokenizer.decode(done))
        shown = symbols_of(ASSEMBLY).shown
        for name in re.findall(r"@([\w.$-]+)(?=[^\w.$-])", text, re.ASCII):
            assert name in shown or name.startswith((".", "str", "llvm.", "switch.", "__", "rel"))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='abz_.$@"\n (%0:', max_size=60))
def test_any_assembly_can_be_answered(tokenizer, noise):
    rules = Spelling(tokenizer, tokenizer.end, symbols_of("f:\n" + noise))
    place = rules.start
    assert len(rules.allowed(place))
    for token in tokenizer.encode("define void @"):
        place = rules.after(place, token)
    assert len(rules.allowed(place))
