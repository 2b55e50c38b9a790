"""What is undefined is no difference: its inputs are dropped before anything is compared."""
# ruff: noqa: E501

import pytest

from irsmith.check.differential.module import ModuleCheck
from irsmith.records import Candidate
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

TRIPLE = DEFAULT_TARGETS["X86"]
LEVELS = ["default<O2>", "default<Oz>"]

# What each does for defined inputs is the same at all levels, for others it is not.
UNDEFINED = {
    "signed overflow": "int f(int a) { return a + 1 > a; }",
    "signed overflow in a product": "int f(int a) { return a * 2 / 2; }",
    "shift": "int f(unsigned a, unsigned b) { return (a << b) >> b; }",
    "division": "int f(int a, int b) { int q = a / b; return b == 0 ? 1 : q; }",
    "uninitialised variable": "int f(int a) { int b; if (a > 3) b = 2; return b == 2; }",
    "uninitialised in part": "int f(int a) { char b[4]; b[0] = a; return b[0] + b[a & 3] * 0 + (b[a & 3] == 2); }",
    "outside of a variable": "int t[4] = {1, 2, 3, 4}; int f(int a) { return t[a]; }",
    "outside of a local": "int f(int a) { int t[4] = {1, 2, 3, 4}, u[4] = {0}; u[a & 7] = 9; return t[a & 3]; }",
    "null": "int f(int *p) { int v = *p; return p == 0 ? 7 : v; }",
    "types": "int f(int *a, float *b) { *a = 1; *b = 2; return *a; }",
    "restrict": "int f(int *restrict a, int *restrict b) { *a = 1; *b = 2; return *a; }",
    "unreachable": "int f(int a) { if (a == 3) __builtin_unreachable(); return a == 3; }",
    "assumption": "int f(int a) { __builtin_assume(a < 10); return a > 10; }",
    "bool": "int f(_Bool *b) { return *b ? 3 : 4; }",
    "order of pointers": "int a[2], b[2]; int f(int *p) { return p < b; }",
    "freed": "#include <stdlib.h>\nint f(int n) { int *p = malloc(4); if (!p) return 0; *p = n; free(p); return *p; }",
    "returned local": "int *g(int *p) { return p; } int f(int a) { int *q; { int b = a; q = g(&b); } return *q; }",
    "no result": "int f(int a) { if (a) return 1; }",
    "alignment": "int f(char *p) { return *(int *)(p + 1) == 5 && ((unsigned long)p & 3) == 0; }",
    "leading zeros": "int f(unsigned a) { return __builtin_clz(a) > 31; }",
    "float to int": "int f(double d) { return (int)d; }",
    "constant": "static const int c = 4; int f(int a) { *(int *)&c = a; return c; }",
    "no character": "extern int isdigit(int); int f(int a) { return isdigit(a) ? 5 : 6; }",
    "before null": "int f(char *p) { char *q = p - 1; return q < p ? 5 : 6; }",
    "behind null": "int f(char *p, unsigned n) { return p + n + 1 > p ? 5 : 6; }",
    "not a number, in a vector": 'typedef float v4 __attribute__((vector_size(16), aligned(4))); void f(v4 *a, int n) { v4 c = {1, 2, 3, 4}; if (n > 3) c *= __builtin_nanf("7"); *a = c + *a; }',
    "float to int, in a vector": "typedef double v2 __attribute__((vector_size(16))); typedef int w2 __attribute__((vector_size(8))); void f(v2 *a, w2 *b) { *b = __builtin_convertvector(*a * 1e9, w2); }",
    "shift, in a vector": "typedef unsigned v4 __attribute__((vector_size(16))); void f(v4 *a, v4 *b) { *a = *a << *b >> *b; }",
    "allocated twice": "extern int *g(long); __attribute__((malloc)) static int *new(long n) { return g(n); } int f(void) { int *p = new(4), *q = new(4); *p = 1; *q = 2; return *p; }",
    "allocated and kept": "struct s { int *old; }; __attribute__((malloc)) static int *new(struct s *s) { return s->old; } int f(struct s *s) { int *p = new(s); *p = 1; *s->old = 2; return *p; }",
    "restrict, by a comparison": "int f(int *restrict a, int **b) { *a = 1; **b = 2; int r = *a; return *b == a ? r : 5; }",
    "stack address": "extern void g(long); void f(void) { int a; g((long)&a & 0xffff); }",
}


@pytest.mark.parametrize("what", UNDEFINED)
def test_undefined_behaviour_is_no_difference(toolchain, what):
    bitcode = to_bitcode(toolchain, UNDEFINED[what].encode(), "c", TRIPLE, ("-w",))
    with ModuleCheck(toolchain, bitcode, TRIPLE, effort=2) as check:
        for level in LEVELS:
            verdict = check.judge(Candidate(level))
            failed = [each for each in verdict.functions if each.verdict == "failed"]
            assert not failed, failed


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("shift", "shift"),
        ("division", "division"),
        ("uninitialised variable", "uninitialised read"),
        ("outside of a variable", "access out of bounds"),
        ("null", "null pointer"),
        ("unreachable", "unreachable code"),
        ("freed", "use of freed memory"),
        ("leading zeros", "broken assumption"),
        ("not a number, in a vector", "not a number"),
        ("float to int, in a vector", "not a number"),
        ("shift, in a vector", "shift"),
        ("allocated and kept", "unrelated pointers"),
    ],
)
def test_the_reason_is_named(toolchain, what, reason):
    bitcode = to_bitcode(toolchain, UNDEFINED[what].encode(), "c", TRIPLE, ("-w",))
    with ModuleCheck(toolchain, bitcode, TRIPLE) as check:
        function = next(each for each in check.prepared.functions if each.name == "f")
    assert function.reasons.get(reason), function.reasons


def test_memory_that_nobody_can_see_any_more_may_be_left_alone(toolchain):
    source = b"""
    __attribute__((malloc)) extern int *own(long); extern int *get(long); extern void take(int *);
    __attribute__((malloc)) static int *inner(long n) { return get(n); }
    __attribute__((malloc)) static int *wrapped(long n) { return inner(n); }
    int *last;
    int lost(int a) { int *p = own(4), *q = wrapped(4); *p = a; *q = a; return a ^ 7; }
    int *returned(int a) { int *p = own(4); *p = a; return p; }
    void kept(int a) { int *p = wrapped(4); *p = a; last = p; }
    void given(int a) { int *p = own(4); take(p); *p = a; }
    """
    bitcode = to_bitcode(toolchain, source, "c", TRIPLE)
    with ModuleCheck(toolchain, bitcode, TRIPLE) as check:
        for level in LEVELS:
            verdicts = {each.name: each for each in check.judge(Candidate(level)).functions}
            assert verdicts["lost"].verdict == "passed", verdicts["lost"]
        # Where somebody can, it counts.
        for name, fault in {
            "returned": b"p = a; return",
            "kept": b"p = a; last",
            "given": b"p = a; }",
        }.items():
            other = to_bitcode(
                toolchain, source.replace(fault, fault.replace(b"= a", b"= a + 1")), "c", TRIPLE
            )
            failed = [f.name for f in check.judge_module(other).functions if f.verdict == "failed"]
            assert failed == [name]


def test_ubsan_drops_inputs_of_a_source(toolchain):
    # Wrapping is defined for unsigned numbers; UBSan can be told to trap on it all the same.
    source = b"unsigned f(unsigned a, unsigned b) { return a * 77777u + b; }"
    flags = ("-fsanitize=unsigned-integer-overflow", "-fsanitize-trap=all")
    bitcode = to_bitcode(toolchain, source, "c", TRIPLE)
    trapping = to_bitcode(toolchain, source, "c", TRIPLE, flags)
    with ModuleCheck(toolchain, bitcode, TRIPLE, sanitised=trapping) as check:
        function = check.prepared.functions[0]
    assert function.reasons.get("undefined behaviour found by UBSan")
    assert function.inputs
