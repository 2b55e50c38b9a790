"""AArch64: code that comes back as IR of the same bytes, and never what was changed in it."""

import random
import re
from itertools import islice

import pytest

from irsmith.apps.disassemble import disassemble
from irsmith.apps.machine_code import load_code
from irsmith.apps.pieces import PieceWorker
from irsmith.apps.sampling import Sampling
from irsmith.lift import answers as lift_answers
from irsmith.lift.aarch64.rules import AArch64
from irsmith.lift.answers import MOST
from irsmith.lift.lift import lifted
from irsmith.lift.unliftable import UnliftableError
from irsmith.records import Candidate
from irsmith.search.evaluate import Evaluator
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.compile import Job
from irsmith.toolchain.pipelines import clang_pipeline

TRIPLE = DEFAULT_TARGETS["AArch64"]
SOURCE = rb"""
#include <stddef.h>
struct node { struct node *next; int key; short tags[4]; double weight; };
struct pair { long a, b; };
struct big { long part[5]; };
extern int counter, table[16];
extern __attribute__((visibility("hidden"))) long hidden;
int report(const char *, ...);
void *malloc(size_t);
size_t strlen(const char *);
void *memcpy(void *, const void *, size_t);
long take(long, long, long, long, long, long, long, long, long);
double measure(double, int);
struct big make(int);
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
int leading(unsigned long x) { return x ? __builtin_clzl(x) : 7; }
int compare(unsigned a, unsigned b) { return a < b ? -1 : a > b; }
_Bool between(int x, int low, int high) { return low <= x && x < high; }
int bump(void) { return counter++; }
long seen(void) { return hidden; }
int entry(unsigned k) { return table[k & 15]; }
long many(long a) { return take(1, 2, 3, a, 5, 6, 7, 8, 9) + a; }
double area(double r) { return r * r * 3.25; }
float mix(float a, float b, float t) { return a + (b - a) * t; }
int whole(double x) { return (int)x; }
double widen(unsigned x) { return x; }
double larger(double a, double b) { return a > b ? a : b; }
int nearer(double a, double b) { return a < b; }
double twice(double x) { return measure(x, 2) * x; }
void check(int x) { if (x < 0) stop(x); counter = x; }
long divide(long a, long b) { return a / b - a % b; }
unsigned rotate(unsigned x, int n) { return x << (n & 31) | x >> (-n & 31); }
unsigned field(unsigned x) { return x >> 5 & 0x7f; }
unsigned insert(unsigned x, unsigned y) { return (x & ~0xff0u) | (y << 4 & 0xff0); }
unsigned long high(unsigned long a, unsigned long b) { return (__uint128_t)a * b >> 64; }
long product(int a, int b, long c) { return (long)a * b + c; }
struct pair both(long a, long b) { struct pair p = {a + b, a - b}; return p; }
void clear(struct node *n) { n->next = 0; n->key = 0; n->weight = 0; }
int local(int n) { int held[4]; report("%p", held); return held[n & 3]; }
const char *name(int k) { return k ? "one" : "none"; }
int call(int (*f)(int), int x) { return f(x) + 1; }
long constant(long x) { return x ^ 0x123456789abcdef0; }
long made(int n) { struct big b = make(n); return b.part[1] + b.part[4]; }
int flags(int x, int y) { return (x & 4) && y != 9 ? x : -y; }
int choose(int x) {
    switch (x) {
    case 0: return counter; case 1: return table[9]; case 2: return x * table[1]; case 3: stop(3);
    case 4: return table[7] - counter; case 5: return counter * 3; default: return 0;
    }
}
long self(long n) { return n < 2 ? n : self(n - 1) * 3 + self(n - 2); }
"""
NAMES = set(re.findall(r"^[\w ]*?[ *](\w+)\([^;]*\) \{", SOURCE.decode(), re.M))


@pytest.fixture(scope="module")
def compiled(toolchain):
    bitcode = to_bitcode(toolchain, SOURCE, "c", TRIPLE)
    passes = Candidate(clang_pipeline(toolchain.version, TRIPLE, "Oz"))
    with Evaluator(toolchain, TRIPLE, 1) as evaluator:
        return evaluator.compile(Job(bitcode, TRIPLE, passes, output="object")).output


def read(toolchain, data, names=()):
    def no_model():
        raise AssertionError("a model was asked for")

    code = load_code(toolchain, "-", data)
    found = disassemble(toolchain, code, no_model, "none", Sampling(by="lift"), names)
    return {one.name: one for one in found.functions}


def test_functions_come_back_as_ir_of_the_same_bytes(toolchain, compiled):
    found = read(toolchain, compiled)
    assert set(found) == NAMES and len(NAMES) >= 38
    others = {name: (one.reason, one.ir) for name, one in found.items() if one.grade != "exact"}
    assert not others, others
    assert all(one.source == "lift" and 0 < one.lifted <= MOST for one in found.values())


FAULTS = {
    "a constant": (r"(?m)^((?:add|sub|and|cmp|lsl|lsr) [wx](?!29)\d+.*)#(\d+)$", r"\1#1"),
    "another constant": (r"(?m)^(mov [wx]\d+), #(\d+)$", r"\1, #77"),
    "a condition": (r"\b(b\.|cset \w+, |csel .*, )(eq|ne|lt|ge|hi|ls|lo|gt|le)\b", r"\1vs"),
    "a branch": (r"\bcbz\b", "cbnz"),
    "a register": (r"(?m)^(add|sub|mul|sdiv|ldr) ([wx]\d+), (.*)\b([wx])1\b", r"\1 \2, \3\g<4>9"),
    "an operation": (r"(?m)^(add|sub) ([wx]\d+, [wx]\d+, [wx]\d+)$", r"eor \2"),
    "an address": (r"(ldr|str)(b|h|sw|)( \w+, \[x\d+), #(\d+)\]", r"\1\2\3, #4088]"),
    "a symbol": (r"\bcounter\b", "table"),
}
WATCHED = (
    *("sum", "find", "compare", "divide", "self", "load", "store", "check", "name", "both"),
    *("bump", "field", "insert", "many", "product"),
)


def test_code_that_was_changed_is_never_read_as_what_it_was(toolchain, compiled, monkeypatch):
    planted = caught = 0
    code = load_code(toolchain, "-", compiled)
    with PieceWorker(toolchain, TRIPLE) as worker:
        texts = {n: worker.cut(code.data, index).text for index, n in code.chosen(WATCHED)}
    for fault, (pattern, wrong) in FAULTS.items():
        for name, text in texts.items():
            changed = re.sub(pattern, wrong, text)
            if changed == text:
                continue

            def faulty(_, rules, changed=changed):
                return islice(lifted(changed, rules), 1)

            monkeypatch.setattr(lift_answers, "lifted", faulty)
            found = read(toolchain, compiled, [name])[name]
            planted += 1
            caught += found.grade != "exact"
            assert found.grade != "exact", (fault, name, changed, found.ir)
    assert planted == caught and planted >= 20


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("f:\nadd v0.4s, v1.4s, v0.4s\nret\n", "add"),
        ("f:\nb.eq .L0\nret\n.L0:\nret\n", "nothing set"),
        ("f:\nsub sp, sp, #16\nret\n", "stack"),
        ("f:\nmrs x0, TPIDR_EL0\nret\n", "mrs"),
        ("f:\nmov sp, x9\nret\n", "stack pointer"),
        ("f:\nadrp x0, .L9\nadd x0, x0, :lo12:.L9\nret\n", r"\.L9"),
        ("f:\nbl OUTLINED_FUNCTION_0\nret\n", "OUTLINED_FUNCTION_0 is not in the text"),
    ],
)
def test_what_cannot_be_lifted_says_why(text, why):
    with pytest.raises(UnliftableError, match=why):
        list(lifted(text, AArch64()))


def test_shuffled_real_code_is_lifted_or_refused(toolchain, compiled):
    code = load_code(toolchain, "-", compiled)
    chance = random.Random(3)
    with PieceWorker(toolchain, TRIPLE) as worker:
        texts = [worker.cut(code.data, index).text for index, _ in code.chosen(())]
    for text in texts:
        for _ in range(2):
            lines = text.splitlines()
            chance.shuffle(lines)
            try:
                list(islice(lifted("\n".join(lines), AArch64()), 1))
            except UnliftableError as error:
                assert str(error)
