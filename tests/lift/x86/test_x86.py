"""x86-64: code that comes back as IR of the same bytes, and never as IR of another meaning."""

import random
import re
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irsmith.apps.disassemble import disassemble
from irsmith.apps.machine_code import load_code
from irsmith.apps.sampling import Sampling
from irsmith.lift import answers as lift_answers
from irsmith.lift.answers import MOST, answers
from irsmith.lift.lift import lifted
from irsmith.lift.unliftable import UnliftableError
from irsmith.lift.x86.rules import X86
from irsmith.tasks.text import AssemblyText
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.llvm import LLVMError

TRIPLE = DEFAULT_TARGETS["X86"]
SOURCE = rb"""
#include <stddef.h>
struct node { struct node *next; int key; short tags[4]; double weight; };
struct pair { long a, b; };
extern int counter, table[16];
int report(const char *, ...);
void *malloc(size_t);
size_t strlen(const char *);
void *memcpy(void *, const void *, size_t);
long take(long, long, long, long, long, long, long);
double measure(double, int);
_Noreturn void stop(int);

long load(struct node *n) { return n->key; }
void store(struct node *n, short t) { n->tags[2] = t; }
int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
struct node *find(struct node *n, int key) { while (n && n->key != key) n = n->next; return n; }
void show(struct node *n) { for (; n; n = n->next) report("%d %f\n", n->key, n->weight); }
char *copy(const char *s) {
    size_t n = strlen(s) + 1; char *p = malloc(n); return p ? memcpy(p, s, n) : 0;
}
unsigned swap(unsigned x) { return __builtin_bswap32(x); }
int compare(unsigned a, unsigned b) { return a < b ? -1 : a > b; }
_Bool between(int x, int low, int high) { return low <= x && x < high; }
int bump(void) { return counter++; }
int entry(unsigned k) { return table[k & 15]; }
long many(long a) { return take(1, 2, 3, a, 5, 6, 7) + a; }
double area(double r) { return r * r * 3.25; }
float mix(float a, float b, float t) { return a + (b - a) * t; }
int whole(double x) { return (int)x; }
double widen(int x) { return x; }
int nearer(double a, double b) { return a < b; }
double twice(double x) { return measure(x, 2) * x; }
void check(int x) { if (x < 0) stop(x); counter = x; }
long divide(long a, long b) { return a / b - a % b; }
unsigned rotate(unsigned x, int n) { return x << (n & 31) | x >> (-n & 31); }
struct pair both(long a, long b) { struct pair p = {a + b, a - b}; return p; }
void clear(struct node *n) { n->next = 0; n->key = 0; n->weight = 0; }
int local(int n) { int held[4]; report("%p", held); return held[n & 3]; }
const char *name(int k) { return k ? "one" : "none"; }
int call(int (*f)(int), int x) { return f(x) + 1; }
int choose(int x) {
    switch (x) {
    case 0: return counter; case 1: return 9; case 2: return x * table[1]; case 3: return 77;
    case 4: return table[7] - counter; case 5: return counter * 3; default: return 0;
    }
}
long self(long n) { return n < 2 ? n : self(n - 1) * 3 + self(n - 2); }
"""
NAMES = {
    *("load", "store", "sum", "find", "show", "copy", "swap", "compare", "between", "bump"),
    *("entry", "many", "area", "mix", "whole", "widen", "nearer", "twice", "check", "divide"),
    *("rotate", "both", "clear", "local", "name", "call", "choose", "self"),
}


@pytest.fixture(scope="module")
def compiled(toolchain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lift")
    made = {}
    for level in ("Oz", "O2"):
        words = (toolchain.clang, f"-{level}", f"--target={TRIPLE}", "-c", "-x", "c", "-", "-o")
        subprocess.run([*words, folder / f"{level}.o"], input=SOURCE, check=True)
        made[level] = (folder / f"{level}.o").read_bytes()
    return made


def read(toolchain, data, names=()):
    def no_model():
        raise AssertionError("a model was asked for")

    code = load_code(toolchain, "-", data)
    found = disassemble(toolchain, code, no_model, "none", Sampling(by="lift"), names)
    return {one.name: one for one in found.functions}


def test_functions_come_back_as_ir_of_the_same_bytes(toolchain, compiled):
    found = read(toolchain, compiled["Oz"])
    assert set(found) == NAMES
    grades = {name: (one.grade, one.reason) for name, one in found.items()}
    assert grades == dict.fromkeys(NAMES, ("exact", ""))
    assert all(one.source == "lift" and one.samples == 0 for one in found.values())
    assert all(0 < one.lifted <= MOST and "define" in one.ir for one in found.values())


def test_code_of_another_level_is_read_too(toolchain, compiled):
    found = read(toolchain, compiled["O2"], ["load", "find", "show", "clear", "area"])
    assert {one.grade for one in found.values()} == {"exact"}, found
    assert found["find"].level == "O2"


def test_the_same_code_gives_the_same_ir(toolchain, compiled):
    one, other = (read(toolchain, compiled["Oz"], ["sum", "show"]) for _ in range(2))
    assert {name: made.ir for name, made in one.items()} == {
        name: made.ir for name, made in other.items()
    }


FAULTS = {
    "a constant": (r"\b(add|shl|and|icmp \w+) (i\d+ %v\d+), (\d+)", r"\1 \2, 7\3"),
    "a predicate": (r"icmp (ult|slt|eq)", "icmp ne"),
    "an operation": (r" = (add|sub) (i\d+ %)", r" = or \2"),
    "an extension": (r" = sext ", " = zext "),
    "an address": (r"(getelementptr i8, ptr %v\d+, i64) (\d+)", r"\1 1\2"),
    "a branch": (r"br i1 (%v\d+), label (%b\d+), label (%b\d+)", r"br i1 \1, label \3, label \2"),
    "a result": (r"ret (i\d+) %v\d+", r"ret \1 5"),
}
WATCHED = ("sum", "find", "compare", "divide", "rotate", "self", "entry", "load", "store", "whole")


def test_lifting_that_is_wrong_is_never_graded_as_right(toolchain, compiled, monkeypatch):
    true = lifted
    planted = caught = 0
    for fault, (pattern, wrong) in FAULTS.items():
        for name in WATCHED:
            changed = []

            def faulty(text, rules, pattern=pattern, wrong=wrong, changed=changed):
                for made in true(text, rules):
                    other = re.sub(pattern, wrong, made)
                    changed.append(other != made)
                    yield other

            monkeypatch.setattr(lift_answers, "lifted", faulty)
            found = read(toolchain, compiled["Oz"], [name])[name]
            if not any(changed):
                continue
            planted += 1
            caught += found.grade not in ("exact", "equivalent")
            assert found.grade not in ("exact", "equivalent"), (fault, name, found.ir)
    assert planted == caught and planted >= 25


REGISTERS = ("rax", "rcx", "rdx", "rsi", "rdi", "r8")
PARTS = {
    "rax": ("eax", "ax", "al"),
    "rcx": ("ecx", "cx", "cl"),
    "rdx": ("edx", "dx", "dl"),
    "rsi": ("esi", "si", "sil"),
    "rdi": ("edi", "di", "dil"),
    "r8": ("r8d", "r8w", "r8b"),
}
CONDITIONS = ("e", "ne", "l", "le", "g", "ge", "b", "be", "a", "ae", "s", "ns")


@st.composite
def instructions(draw):
    """An instruction, or two where the second asks for the flags of the first."""
    place = draw(st.integers(0, 3))
    suffix = "qlwb"[place]

    def some(at=place):
        family = draw(st.sampled_from(REGISTERS))
        return "%" + (family if at == 0 else PARTS[family][at - 1])

    number = draw(st.sampled_from((0, 1, 2, 3, 7, 31, 100, -1, -2, -128)))
    kind = draw(st.integers(0, 10))
    two = draw(st.sampled_from(("add", "sub", "and", "or", "xor", "cmp", "test")))
    flags = draw(st.sampled_from(CONDITIONS))
    source = draw(st.sampled_from((some(), f"${number}")))
    if kind <= 1:
        return [f"{two}{suffix} {source}, {some()}"]
    if kind == 2:
        return [f"mov{suffix} {source}, {some()}"]
    if kind == 3:
        name = draw(st.sampled_from(("neg", "not", "inc", "dec")))
        return [f"{name}{suffix} {some()}"]
    if kind == 4:
        name = draw(st.sampled_from(("shl", "shr", "sar", "rol", "ror")))
        by = draw(st.integers(1, (63, 31, 15, 7)[place]))
        return [f"{name}{suffix} ${by}, {some()}"]
    if kind == 5:
        large = draw(st.integers(0, 1))
        small = draw(st.integers(max(2, large + 1), 3))
        name = draw(st.sampled_from(("movz", "movs")))
        return [f"{name}{'qlwb'[small]}{'ql'[large]} {some(small)}, {some(large)}"]
    if kind == 6:
        return [f"two{suffix}", f"{two}{suffix} {source}, {some()}", f"set{flags} {some(3)}"][1:]
    if kind == 7:
        wide = draw(st.integers(0, 1))
        move = f"cmov{flags}{'ql'[wide]} {some(wide)}, {some(wide)}"
        return [f"{two}{suffix} {source}, {some()}", move]
    if kind == 8:
        scale = draw(st.sampled_from((1, 2, 4, 8)))
        return [f"leaq {number}({some(0)},{some(0)},{scale}), {some(0)}"]
    if kind == 9:
        wide = draw(st.integers(0, 1))
        return [f"imul{'ql'[wide]} {some(wide)}, {some(wide)}"]
    wide = draw(st.integers(0, 1))
    name = draw(st.sampled_from(("bswap", "bt", "adc", "sbb")))
    if name == "bswap":
        return [f"bswap{'ql'[wide]} {some(wide)}"]
    if name == "bt":
        return [f"bt{'ql'[wide]} ${draw(st.integers(0, 31))}, {some(wide)}", f"setb {some(3)}"]
    pair = ("addq", "adcq") if name == "adc" else ("subq", "sbbq")
    return [f"{one} {some(0)}, {some(0)}" for one in pair]


def assembled(lines):
    # Every register that is read holds something: two parameters, and what is made of them.
    first = [
        "movq %rdi, %rax",
        "addq $5, %rax",
        "movq %rsi, %rcx",
        "movl %edi, %edx",
        "movq %rdi, %r8",
    ]
    last = ["xorq %rcx, %rax", "addq %rdx, %rax", "xorq %rsi, %rax", "subq %r8, %rax"]
    body = "".join(f"\t{line}\n" for line in (*first, *lines, *last))
    return f"\t.text\n\t.globl f\n\t.type f,@function\nf:\n{body}\tretq\n\t.size f, .-f\n"


READ = {"same": 0, "unknown": 0}


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(instructions(), min_size=1, max_size=4))
def test_what_is_lifted_does_what_the_instructions_do(toolchain, parts):
    text = assembled([line for part in parts for line in part])
    found = read(toolchain, text.encode())["f"]
    assert "differs" not in found.reason, (text, found.ir, found.reason)
    READ["same" if found.grade in ("exact", "equivalent") else "unknown"] += 1


def test_most_of_that_could_be_shown():
    assert READ["same"] >= 4 * READ["unknown"] > -1, READ


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("f:\npaddd %xmm0, %xmm1\nretq\n", "paddd"),
        ("f:\nje .L0\nretq\n.L0:\nretq\n", "nothing set"),
        ("f:\npushq %rax\nretq\n", "stack"),
        ("f:\nmovq %fs:40, %rax\nretq\n", "%fs"),
        ("f:\nmovq %rax, %rsp\nretq\n", "stack pointer"),
        ("f:\nleaq .L9(%rip), %rax\nretq\n", r"\.L9"),
    ],
)
def test_what_cannot_be_lifted_says_why(text, why):
    with pytest.raises(UnliftableError, match=why):
        list(lifted(text, X86()))


def test_a_module_that_llvm_refuses_is_passed_over(toolchain):
    asked = []

    def optimise(text, candidate):
        asked.append(candidate)
        if len(asked) % 2:
            raise LLVMError("no")
        return text

    text = AssemblyText(TRIPLE, "f:\nmovl %edi, %eax\nretq\n")
    made = list(answers(text, optimise, toolchain.version))
    assert 0 < len(made) < len(asked)


@given(st.binary(max_size=60), st.randoms(use_true_random=False))
def test_any_text_is_lifted_or_refused(noise, chance):
    lines = ["f:", "movl %edi, %eax", "testl %eax, %eax", "je .L0", "callq g@PLT", ".L0:", "retq"]
    words = noise.decode("latin-1").split()
    for word in words[:3]:
        lines.insert(chance.randrange(len(lines)), word)
    chance.shuffle(lines)
    try:
        list(lifted("\n".join(lines), X86()))
    except UnliftableError as error:
        assert str(error)


def test_shuffled_real_code_is_lifted_or_refused(toolchain, compiled):
    code = load_code(toolchain, "-", compiled["Oz"])
    from irsmith.apps.pieces import PieceWorker

    chance = random.Random(3)
    with PieceWorker(toolchain, TRIPLE) as worker:
        texts = [worker.cut(code.data, index).text for index, _ in code.chosen(())]
    for text in texts:
        for _ in range(20):
            lines = text.splitlines()
            chance.shuffle(lines)
            try:
                list(lifted("\n".join(lines), X86()))
            except UnliftableError as error:
                assert str(error)
