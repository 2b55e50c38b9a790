"""The check takes the module that was compiled: what is written is what is judged."""

import pytest

from irsmith.check.differential.module import ModuleCheck
from irsmith.records import Candidate
from irsmith.search.evaluate import Evaluator
from irsmith.toolchain.clang import to_bitcode
from irsmith.toolchain.compile import Job

TRIPLE = "x86_64-unknown-linux-gnu"
SOURCE = b"""
static const int table[4] = {3, 11, 7, 29};
__attribute__((noinline)) static int pick(int x) { return table[x & 3] * 5; }
int twice(int x) { return pick(x) + pick(x + 1); }
int other(const char *s) { int n = 0; while (*s) n = n * 31 + *s++; return n; }
"""
LOCAL = b"""
_Thread_local int last = 5;
int next(int x) { int old = last; last = x ^ 9; return old + x; }
"""
OZ = Candidate("default<Oz>")


@pytest.fixture(scope="module")
def evaluator(toolchain):
    with Evaluator(toolchain, TRIPLE) as made:
        yield made


def by_function(verdict):
    return {each.name: (each.verdict, each.inputs, each.coverage) for each in verdict.functions}


@pytest.mark.parametrize("source", [SOURCE, LOCAL])
def test_it_says_what_it_says_of_the_pass_list(toolchain, evaluator, source):
    bitcode = to_bitcode(toolchain, source, "c", TRIPLE)
    (evaluation,) = evaluator.measure(bitcode, [OZ], "object")
    assert evaluation.optimised
    with ModuleCheck(toolchain, bitcode, TRIPLE) as check:
        by_list = check.judge(OZ)
        by_module = check.judge(OZ, optimised=evaluation.optimised)
    assert by_list.state == by_module.state == "passed"
    assert by_function(by_list) == by_function(by_module)


FAULTS = {
    "in a function that others see": ("31", "33"),
    "in what it calls": (", 5\n", ", 6\n"),
    "in its data": ("i32 11", "i32 12"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_only_the_written_module_has(toolchain, evaluator, fault):
    """Whoever runs the passes again does not see it: it is in what they gave this time."""
    bitcode = to_bitcode(toolchain, SOURCE, "c", TRIPLE)
    text = evaluator.compile(Job(bitcode, TRIPLE, OZ, output="ir")).output.decode()
    before, after = FAULTS[fault]
    assert before in text, text
    with ModuleCheck(toolchain, bitcode, TRIPLE) as check:
        assert check.judge(OZ, optimised=text.encode()).state == "passed"
        wrong = check.judge(OZ, optimised=text.replace(before, after).encode())
    assert wrong.state == "failed"
    name = "other" if fault == "in a function that others see" else "twice"
    assert {each.name for each in wrong.functions if each.verdict == "failed"} == {name}
