"""What LLVM reads is allowed, and what it refuses is refused before it is written."""

import re

import numpy as np
import pytest

from irsmith.corpus.functions import cut_function
from irsmith.infer.intrinsics import _SHAPES, _WHOLE, begins_intrinsic, intrinsic
from irsmith.infer.names import symbols_of
from irsmith.infer.scope import Scope
from irsmith.infer.wellformed import WellFormed, written
from irsmith.model.tokenizer import shipped_tokenizer
from irsmith.records import Candidate, Module
from irsmith.search.evaluate import Evaluator
from irsmith.tasks.render import RenderWorker, Request
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.compile import Job
from irsmith.toolchain.llvm import LLVMError, load
from irsmith.toolchain.pipelines import clang_pipeline

SOURCE = r"""
struct pair { int a; double b; struct pair *next; char name[12]; };
extern int errors, seen[16];
int report(const char *, ...);
struct pair *find(struct pair *, int);
int twice(int x) { return x * 2 + errors; }
long total(const int *a, long n) { long s = 0; for (long i = 0; i < n;
    i++) s += a[i] > 3 ? a[i] : -1; return s; }
int choose(unsigned x) {
    switch (x) {
    case 0: return report("a %d\n", 7); case 1: return errors; case 9: return report("b", 12.5);
    case 30: errors = 3; default: return x & 1 ? seen[x & 15] : -5;
    }
}
double mix(float f, double d, unsigned char c) { return f * d + c - (d < 1.5 ? 0.1 : f); }
struct pair *last(struct pair *p) { while (p && p->next) p = p->next;
    return p ? find(p, p->a) : 0; }
void fill(struct pair *p, int v) { p->name[3] = (char)v; p->b = v; p->a += (short)v;
    seen[v & 7]++; }
int call(int (*f)(int, void *), void *p) { int r; do r = f(errors, p); while (r > 9); return r; }
unsigned rotate(unsigned x, int k) { return (x << (k & 31)) | (x >> (-k & 31)); }
int over(int a, int b, int *r) { return __builtin_add_overflow(a, b, r); }
__int128 wide(long a, long b) { return (__int128)a * b; }
struct two { long a, b; } swap(struct two t) { return (struct two){t.b, t.a}; }
int atomic(int *p) { return __atomic_fetch_add(p, 2, __ATOMIC_SEQ_CST) + __atomic_load_n(p,
    __ATOMIC_ACQUIRE); }
typedef int four __attribute__((vector_size(16)));
four lanes(four a, int x) { a[2] = x; return a * a + 1; }
int sum(int n, ...) { __builtin_va_list v; __builtin_va_start(v, n); int s = 0;
    while (n--) s += __builtin_va_arg(v, int); __builtin_va_end(v); return s; }
int nested(int a, int b, int c) { int s = 0; for (int i = 0; i < a;
    i++) { if (i == b) continue; for (int j = i; j < c; j++) { s ^= j; if (s > 99) return i;
    } } return s; }
"""
TRUTH = """@shown = external local_unnamed_addr global i32, align 4
declare i32 @ask(i32 noundef, ptr noundef) local_unnamed_addr
declare i32 @say(ptr noundef, ...) local_unnamed_addr
define i32 @f(i32 noundef %0, ptr noundef readonly captures(none) %1) local_unnamed_addr nounwind {
%3 = icmp sgt i32 %0, 0
br i1 %3, label %4, label %14
4:
%5 = phi i32 [ %9, %4 ], [ 0, %2 ]
%6 = sext i32 %5 to i64
%7 = getelementptr inbounds i32, ptr %1, i64 %6
%8 = load i32, ptr %7
%9 = add nsw i32 %5, %8
%10 = icmp slt i32 %9, %0
br i1 %10, label %4, label %11
11:
%12 = tail call i32 @ask(i32 noundef %9, ptr noundef nonnull @shown)
%13 = tail call i32 (ptr, ...) @say(ptr noundef %1, i32 noundef %12, double noundef 1.500000e+00)
switch i32 %13, label %14 [
i32 0, label %16
i32 -3, label %14
]
14:
%15 = phi i32 [ 0, %2 ], [ %13, %11 ], [ 7, %11 ]
ret i32 %15
16:
store i32 %12, ptr @shown
ret i32 -1
}
"""
TRUTH = TRUTH.replace("[ 7, %11 ]", "[ %13, %11 ]")
FAULTS = [
    ("operand of another type", "add nsw i32 %5, %8", "add nsw i32 %5, %6"),
    ("value out of reach", "ret i32 %15", "ret i32 %9"),
    ("value to come", "sext i32 %5 to i64", "sext i32 %9 to i64"),
    ("value that there is not", "ret i32 %15", "ret i32 %41"),
    ("number left out", "%6 = sext", "%7 = sext"),
    ("number of a block", "label %4, label %14", "label %4, label %5"),
    ("entry as a target", "label %4, label %11\n", "label %2, label %11\n"),
    ("block that is a value", "label %4, label %11\n", "label %9, label %11\n"),
    ("block that does not come", "i32 0, label %16", "i32 0, label %19"),
    ("end without a terminator", "ret i32 -1\n", ""),
    ("code behind a terminator", "ret i32 %15\n", "ret i32 %15\nret i32 0\n"),
    ("result of another type", "ret i32 -1", "ret i64 -1"),
    ("nothing returned", "ret i32 -1", "ret void"),
    ("condition of another type", "br i1 %10", "br i1 %9"),
    ("argument left out", "@ask(i32 noundef %9, ptr", "@ask(ptr"),
    ("argument of another type", "@ask(i32 noundef %9", "@ask(i64 noundef %6"),
    ("argument too many", "nonnull @shown)", "nonnull @shown, i32 0)"),
    ("call of another type", "tail call i32 @ask", "tail call i64 @ask"),
    ("more arguments without a type", "tail call i32 (ptr, ...) @say", "tail call i32 @say"),
    ("function that there is not", "tail call i32 @ask", "tail call i32 @as"),
    ("wrong order of words", "icmp sgt", "icmp sge2"),
    ("floating order of integers", "icmp slt i32 %9", "icmp olt i32 %9"),
    ("extension to fewer bits", "sext i32 %5 to i64", "sext i32 %5 to i16"),
    ("phi without a block", "[ %9, %4 ], [ 0, %2 ]", "[ %9, %4 ]"),
    ("phi with another block", "[ %9, %4 ], [ 0, %2 ]", "[ %9, %4 ], [ 0, %2 ], [ 1, %11 ]"),
    ("phi with a value that does not reach", "[ 0, %2 ], [ %13", "[ %12, %2 ], [ %13"),
    ("phi without a second edge", ", [ %13, %11 ]\nret", "\nret"),
    ("phi behind others", "%9 = add nsw i32 %5, %8", "%9 = phi i32 [ 0, %2 ], [ 0, %4 ]"),
    ("promise that is broken", "%9 = add nsw i32 %5, %8", "%9 = add nsw i64 %6, 1"),
    ("case twice", "i32 -3, label %14", "i32 0, label %14"),
    ("case of another type", "i32 -3, label %14", "i64 -3, label %14"),
    ("pointer as a number", "store i32 %12, ptr @shown", "store i32 @shown, ptr @shown"),
    ("number as a pointer", "store i32 %12, ptr @shown", "store i32 %12, ptr %12"),
    ("constant that does not fit", "ret i32 -1", "ret i32 4294967296"),
    ("constant of another type", "ret i32 -1", "ret i32 null"),
    ("type that there is not", "load i32, ptr %7", "load %struct.s, ptr %7"),
    ("attribute of pointers", "declare i32 @ask(i32 noundef", "declare i32 @ask(i32 nonnull"),
    ("attribute without brackets", "captures(none)", "captures"),
    ("parameter without a number", "ptr noundef readonly captures(none) %1", "ptr noundef"),
    ("brackets that do not close", "getelementptr inbounds i32, ptr %1, i64 %6", "getelementptr"),
    ("index of another kind", "ptr %1, i64 %6", "ptr %1, ptr %1"),
    ("word in front", "%8 = load i32", "%8 = volatile load i32"),
]  # fmt: skip
LEGAL = {
    "argument left out",
    "argument of another type",
    "argument too many",
    "more arguments without a type",
    "constant that does not fit",
    "parameter without a number",
}
"""What LLVM reads although no compiler writes it."""


def stops(text, size=3):
    """Where text, a few characters at a time, is refused; None if it is a whole module."""
    scope, line = Scope(), ""
    for at in range(0, len(text), size):
        made = written(scope, line + text[at : at + size])
        if made is None:
            return at
        scope, line = made
    return None if scope.closed and scope.body is None and not line else len(text)


@pytest.fixture(scope="module")
def llvm(toolchain):
    return load(toolchain.library("X86").path)


def reads(llvm, text):
    """Whether LLVM reads it."""
    with llvm.context() as context:
        try:
            return not context.parse(text.encode()).verify()
        except LLVMError:
            return False


def functions(toolchain, arch, level):
    """Every function of SOURCE as the IR that models are taught."""
    triple = DEFAULT_TARGETS[arch]
    bitcode = to_bitcode(toolchain, SOURCE.encode(), "c", triple)
    passes = Candidate(clang_pipeline(toolchain.version, triple, level))
    with Evaluator(toolchain, triple, 1) as evaluator:
        made = evaluator.compile(Job(bitcode, triple, passes, output="bitcode")).output
    names = re.findall(r"(\w+)\([^()]*(?:\([^)]*\)[^()]*)*\) \{", SOURCE)
    with RenderWorker(toolchain, triple) as worker:
        for name in names:
            try:
                cut = cut_function(toolchain, Module(made, triple, "unit"), name)
            except LLVMError:
                continue
            yield name, worker.render(Request(cut.bitcode, ir=True, assembly=True))


@pytest.mark.parametrize(
    ("level", "arch"), [("O1", "AArch64"), ("O2", "X86"), ("O3", "AArch64"), ("Oz", "X86")]
)
def test_what_clang_makes_is_allowed(toolchain, arch, level):
    """Token by token, with the names and sizes that its assembly shows."""
    tokenizer = shipped_tokenizer()
    seen = 0
    for name, made in functions(toolchain, arch, level):
        rules = WellFormed(tokenizer, tokenizer.end, symbols_of(made.assembly.text))
        place = rules.start
        for token in [*tokenizer.encode(made.ir.text), tokenizer.end]:
            assert token in rules.allowed(place), (name, place.line, tokenizer.decode([token]))
            behind = rules.after(place, token)
            assert behind is not None, (name, place.line, tokenizer.decode([token]))
            place = behind
        assert place.over
        seen += 1
    assert seen >= 15


def test_the_truth_is_allowed(llvm):
    assert reads(llvm, TRUTH)
    assert stops(TRUTH) is None
    assert stops(TRUTH, 1) is None


@pytest.mark.parametrize(("fault", "old", "new"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_planted_faults_are_refused_where_they_stand(llvm, fault, old, new):
    assert TRUTH.count(old) == 1
    wrong = TRUTH.replace(old, new)
    assert reads(llvm, wrong) == (fault in LEGAL)
    at = stops(wrong)
    assert at is not None, fault


def test_what_is_let_through_llvm_reads(llvm):
    """Of random changes to the truth: what the rules allow is right but for a few."""
    rng = np.random.default_rng(7)
    words = re.findall(r"[%@]?[\w.-]+|\S", TRUTH)
    places = [m.span() for m in re.finditer(r"[%@]?[\w.-]+|\S", TRUTH)]
    allowed = missed = refused = unjust = 0
    for _ in range(1000):
        begin, end = places[rng.integers(len(places))]
        text = TRUTH[:begin] + words[rng.integers(len(words))] + TRUTH[end:]
        right = reads(llvm, text)
        if stops(text, 16) is None:
            allowed += 1
            missed += not right
        else:
            refused += not right
            unjust += right
    assert refused > 600
    assert missed <= 0.02 * refused, (allowed, missed, refused, unjust)
    assert unjust <= 0.02 * refused, (allowed, missed, refused, unjust)


def test_intrinsics_are_what_llvm_says(llvm):
    names = [f"@llvm.{name}" for name in _WHOLE]
    for stem in _SHAPES:
        for suffix in ("i32", "f64", "p0", "v4i32", "v2f64"):
            names.append(f"@llvm.{stem}.{suffix}")
    known = 0
    for name in names:
        one = intrinsic(name)
        if not begins_intrinsic(name) or one is None:
            continue
        declared = f"declare {one.result} {name}({', '.join(one.params)})\n"
        known += reads(llvm, declared)
        if name.removeprefix("@llvm.") in _WHOLE:
            assert reads(llvm, declared), declared
    assert known >= 60


def test_strings_and_sizes_are_what_the_assembly_shows():
    tokenizer = shipped_tokenizer()
    assembly = 'f:\nleaq .L0(%rip), %rax\nretq\n.section .rodata\n.L0:\n.asciz "say \\"no\\"\\n"\n'
    truth = '@.str = private constant [10 x i8] c"say \\22no\\22\\0A\\00"\n'
    truth += "define ptr @f() {\nret ptr @.str\n}\n"

    def refused(text):
        rules = WellFormed(tokenizer, tokenizer.end, symbols_of(assembly))
        place = rules.start
        for token in [*tokenizer.encode(text), tokenizer.end]:
            place = rules.after(place, token)
            if place is None:
                return True
        return not place.over

    assert not refused(truth)
    assert refused(truth.replace("no", "on"))
    assert refused(truth.replace("@.str", "@.str.1") + truth)
    many = "".join(f"%{k + 1} = add i32 0, 0\n" for k in range(60))
    assert refused(truth.replace("ret ptr", many + "ret ptr"))
