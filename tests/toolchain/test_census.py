"""What a module is made of, counted."""

import pytest

from irsmith.search.evaluate import Evaluator
from irsmith.toolchain.census import NAMES
from irsmith.toolchain.clang import DEFAULT_TARGETS

TARGET = DEFAULT_TARGETS["X86"]
TEXT = """
@g = global i32 0
declare void @out(i32)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define i32 @f(ptr %p, i32 %n, ptr %h) {
entry:
  call void @llvm.memset.p0.i64(ptr %p, i8 0, i64 64, i1 false)
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  call void @out(i32 %i)
  call void @out(i32 7)
  call void %h(i32 %i)
  %next = add i32 %i, 1
  %more = icmp slt i32 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i32 %next
}
define internal void @k() {
  call void @out(i32 1)
  ret void
}
define void @use() {
  call void @k()
  ret void
}
"""


@pytest.fixture(scope="module")
def count(toolchain):
    with Evaluator(toolchain, TARGET) as evaluator:
        yield lambda text: evaluator.baseline(text.encode(), census=True).census


def test_everything_is_counted(count):
    found = dict(zip(NAMES, count(TEXT), strict=True))
    wanted = {
        "phi": 1, "call": 6, "br": 2, "ret": 3, "add": 1, "icmp": 1, "instructions": 14,
        "functions": 3, "internal functions": 1, "parameters": 3, "blocks": 5,
        "conditional branches": 1, "back edges": 1, "callees": 2, "indirect calls": 1,
        "intrinsic calls": 1, "memset": 1, "declarations": 2, "globals": 1,
    }  # fmt: skip
    assert {name: number for name, number in found.items() if number} == wanted


def test_names_of_values_change_nothing(count):
    assert count(TEXT) == count(TEXT.replace("%next", "%renamed").replace("@k", "@other"))


def test_a_module_without_functions_has_none(count):
    assert not any(count(""))


def test_nothing_is_counted_unasked(toolchain):
    with Evaluator(toolchain, TARGET) as evaluator:
        assert evaluator.baseline(TEXT.encode()).census == ()
