"""Differential execution finds what was changed, and nothing where nothing was."""
# ruff: noqa: E501

import subprocess
import sys

import pytest

from irsmith.check.differential.data import CheckJob, Compared, Prepared, PrepareJob
from irsmith.check.differential.library import compile_runtime
from irsmith.check.differential.module import ModuleCheck
from irsmith.check.differential.session import session
from irsmith.records import Candidate, IrsmithError
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

TRIPLE = DEFAULT_TARGETS["X86"]
LEVELS = ["default<O1>", "default<O2>", "default<O3>", "default<Os>", "default<Oz>"]

SOURCE = r"""
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { int key; struct node *next; const char *name; double weight; };
struct table { unsigned count; struct node *items[8]; int (*order)(int, int); };
struct pair { long a, b; };
struct big { long words[6]; };
struct bits { unsigned low : 3, high : 5; };
extern int ask(const char *question, int *answer);
extern void fail(int) __attribute__((noreturn));
int counter; static int calls; static const char *names[] = {"one", "two", "three"};
static int weigh(const struct node *n) { int s = 0; for (; n; n = n->next) s += n->key & 15; return s; }
int find(struct node *n, int key) { calls++; while (n) { if (n->key == key) return weigh(n); n = n->next; } return -1; }
int order_all(struct table *t) { int s = 0; if (t->count > 8) fail(3);
  for (unsigned k = 1; k < t->count; k++) if (t->items[k] && t->items[k - 1] && t->order(t->items[k - 1]->key, t->items[k]->key) > 0) s++;
  return s; }
const char *name_of(int n) { return n >= 0 && n < 3 ? names[n] : "many"; }
int sum(int n, ...) { va_list a; int s = 0; va_start(a, n); for (int k = 0; k < n && k < 3; k++) s ^= va_arg(a, int); va_end(a); return s; }
struct pair swap(struct pair p) { struct pair q = {p.b, p.a}; return q; }
long total(struct big b) { long s = 0; for (int k = 0; k < 6; k++) s ^= b.words[k]; return s; }
struct big spread(long v) { struct big b; for (int k = 0; k < 6; k++) b.words[k] = v ^ k; return b; }
unsigned pack(unsigned a, unsigned b) { struct bits x; x.low = a; x.high = b; return x.low + 8u * x.high; }
char *copy(const char *s) { char *d = malloc(strlen(s) + 1); if (d) strcpy(d, s); return d; }
int talk(int n) { int answer = 0; if (ask("how many?", &answer) && answer > n) printf("%d more\n", answer - n); counter += answer == 3; return answer; }
unsigned long ackermann(unsigned long m, unsigned long n) { return m == 0 ? n + 1 : ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1) & 7); }
double mean(const double *v, int n) { double s = 0; for (int k = 0; k < n; k++) s += v[k]; return n > 0 ? s / n : 0; }
float half(float x) { return x / 2; }
long double wide(long double x) { return x + 1; }
int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
void sort(int *v, unsigned n) { if (n < 20) qsort(v, n, sizeof *v, compare); }
int magic(unsigned x) { if (x == 0x1f8b0803) return 7; if (x == 77777) return 8; return 0; }
int side(int x, int y) { int s = (x & 4095) * 17 - (y & 65535); return s < 1000 ? x & 31 : y & 31; }
"""


@pytest.fixture(scope="module")
def prepared(toolchain):
    bitcode = to_bitcode(toolchain, SOURCE.encode(), "c", TRIPLE)
    with ModuleCheck(toolchain, bitcode, TRIPLE) as check:
        assert check.prepared, check.problem
        yield check


def compare(check, toolchain, old, new):
    """The verdict on the source with one piece exchanged."""
    assert SOURCE.count(old) == 1, old
    changed = SOURCE.replace(old, new)
    return check.judge_module(to_bitcode(toolchain, changed.encode(), "c", TRIPLE))


def test_every_function_is_exercised(prepared):
    weak = {e.name: (e.outcomes, e.covered, e.blocks, e.reasons) for e in prepared.prepared.functions
            if not e.exercised}  # fmt: skip
    assert not weak
    assert {e.name for e in prepared.prepared.functions if e.local} == {"weigh"}


@pytest.mark.parametrize("passes", ["", *LEVELS])
def test_the_levels_pass(prepared, passes):
    verdict = prepared.judge(Candidate(passes))
    assert verdict.state == "passed", [f for f in verdict.functions if f.verdict == "failed"]
    assert all(each.verdict == "passed" for each in verdict.functions)
    weigh = next(each for each in verdict.functions if each.name == "weigh")
    assert weigh.copy == "testing copy"


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("find", "if (n->key == key)", "if (n->key >= key)"),
        ("find", "n->key & 15", "n->key & 7"),
        ("order_all", "t->count > 8", "t->count > 7"),
        ("order_all", "> 0) s++", ">= 0) s++"),
        ("order_all", "fail(3)", "fail(4)"),
        ("name_of", "n < 3", "n <= 1"),
        ("sum", "s ^= va_arg", "s |= va_arg"),
        ("swap", "{p.b, p.a}", "{p.a, p.b}"),
        ("total", "s ^= b.words[k]", "s ^= b.words[0]"),
        ("spread", "v ^ k", "v + k"),
        ("pack", "x.low + 8u", "x.low + 9u"),
        ("copy", "strcpy(d, s)", "strncpy(d, s, 2)"),
        ("talk", '"how many?"', '"how  many?"'),
        ("talk", "%d more", "%d  more"),
        ("talk", "counter += answer == 3", "counter += answer == 4"),
        ("ackermann", "n + 1", "n + 2"),
        ("mean", "s / n", "s / (n + 1)"),
        ("half", "x / 2", "x / 4"),
        ("wide", "x + 1", "x + 2"),
        ("sort", "n < 20", "n < 2"),
        ("magic", "0x1f8b0803) return 7", "0x1f8b0803) return 9"),
        ("magic", "x == 77777", "x == 77776"),
        ("side", "s < 1000 ?", "(unsigned)s < 1000 ?"),
    ],
)
def test_a_change_is_seen(prepared, toolchain, function, old, new):
    verdict = compare(prepared, toolchain, old, new)
    assert verdict.state == "failed"
    assert function in {each.name for each in verdict.functions if each.verdict == "failed"}


def test_a_static_function_counts_only_in_the_testing_copy(prepared, toolchain):
    verdict = compare(prepared, toolchain, "calls++", "calls += 2")
    assert verdict.state == "passed"  # nobody outside sees that counter
    bitcode = to_bitcode(toolchain, SOURCE.replace("calls++", "calls += 2").encode(), "c", TRIPLE)
    weigh = next(each for each in verdict.functions if each.name == "weigh")
    assert weigh.verdict == "unknown"
    assert "no testing copy" in weigh.reason
    assert bitcode


def test_what_happens_is_told(prepared, toolchain):
    changed = SOURCE.replace("%d more", "%d  more")
    other = to_bitcode(toolchain, changed.encode(), "c", TRIPLE)
    failed = [f for f in prepared.judge_module(other).functions if f.verdict == "failed"]
    told = prepared.explain("talk", failed[0].input, Candidate(""), other)
    assert any(line.startswith("argument 0 = ") for line in told.given)
    assert any(line.startswith("call ask") for line in told.expected)
    assert told.expected != told.found
    assert "@talk" in told.before
    assert "@talk" in told.after
    with pytest.raises(IrsmithError, match="no input 9999"):
        prepared.explain("talk", 9999, Candidate(""))


def test_a_loop_without_end_is_seen(prepared, toolchain):
    verdict = compare(prepared, toolchain, "n = n->next; } return -1", "} return -1")
    find = next(each for each in verdict.functions if each.name == "find")
    assert find.verdict == "failed"
    assert "did not end in time" in find.reason


def test_a_wild_store_is_seen_and_we_live(prepared, toolchain):
    verdict = compare(
        prepared, toolchain, "return x / 2", "*(int *)(long)(x * 1e13) = 1; return x / 2"
    )
    half = next(each for each in verdict.functions if each.name == "half")
    assert half.verdict == "failed"


ADDRESSES = r"""
#include <ctype.h>
#include <stdint.h>
struct node { struct node *next; int (*visit)(struct node *); int key; };
static struct node none; static int depth;
extern int ask(struct node *);
static int leaf(struct node *n) { return n->key; }
int digits(const char *s) { int n = 0; while (isdigit((unsigned char)*s)) n = n * 10 % 1000 + *s++ - '0'; return n; }
void lower(char *s) { for (; *s; s++) *s = tolower((unsigned char)*s); }
int walk(struct node *n) { if (n == &none) return depth; if (n->visit == leaf) return 3; return n->visit ? n->visit(n) : n->next->key; }
unsigned slot(struct node *n, unsigned size) { return size ? (unsigned)((uintptr_t)n & 0x7fffffff) % (size | 1) : 0; }
struct node *last(struct node *n) { while (n->next && n->next != &none) n = n->next; depth++; return n; }
int under(struct node *n, uintptr_t bound) { return (uintptr_t)n->next < bound ? ask(n) : n->key; }
"""
INPUTS_OF = """
import hashlib, sys
from pathlib import Path
from irsmith.check.differential.data import PrepareJob
from irsmith.check.differential.library import compile_runtime
from irsmith.check.differential.session import session
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.find import find_toolchain
toolchain = find_toolchain()
with Worker(session(toolchain.library("X86").path, compile_runtime(toolchain))) as worker:
    for path in sys.argv[2:]:
        found = worker.call(PrepareJob(Path(path).read_bytes(), sys.argv[1])).value
        for e in found.functions:
            print(e.name, e.tried, e.covered, [(i.words.hex(), i.used) for i in e.inputs])
"""


def test_equal_modules_give_equal_inputs_in_any_process(toolchain, tmp_path):
    """The system maps libraries and linked code elsewhere in each process."""
    paths = []
    for name, source in (("some.bc", SOURCE), ("addresses.bc", ADDRESSES)):
        path = tmp_path / name
        path.write_bytes(to_bitcode(toolchain, source.encode(), "c", TRIPLE))
        paths.append(str(path))
    command = [sys.executable, "-c", INPUTS_OF, TRIPLE, *paths]
    seen = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(3)}
    assert len(seen) == 1
    assert b"digits" in seen.pop()


def test_inputs_are_the_same_whatever_was_tried_before(toolchain):
    """A worker's memory is as new for each module, and for the first input of all."""
    large = (
        b"int f(char *p, unsigned n) { int s = 0; for (; n < 9999; n += 9) s ^= p[n]; return s; }"
    )
    small = b"int f(int **p, int n) { *p[n & 1] = 3; return *p[1]; }"
    codes = [to_bitcode(toolchain, source, "c", TRIPLE) for source in (small, large, small)]
    with Worker(session(toolchain.library("X86").path, compile_runtime(toolchain))) as worker:
        found = [worker.call(PrepareJob(code, TRIPLE)).value.functions[0] for code in codes]
    assert found[0] == found[2]
    assert not any(each.reasons.get("differs under guard") for each in found)


PADDED = r"""
#include <stdio.h>
void indent(int depth) { printf("%*s- %d", depth * 2, "", depth); }
int number(char *to, double value, int precision) { return snprintf(to, 32, "%.*g", precision, value); }
"""


def test_libc_is_not_asked_for_gigabytes(toolchain):
    """A width or a precision of two thousand million takes glibc seconds, and nothing stops it."""
    bitcode = to_bitcode(toolchain, PADDED.encode(), "c", TRIPLE)
    with ModuleCheck(toolchain, bitcode, TRIPLE) as check:
        assert check.prepared, check.problem
        assert check.seconds < 3
        verdict = check.judge(Candidate("default<Oz>"))
    assert [f.verdict for f in verdict.functions] == ["passed", "passed"], verdict


def test_a_bad_list_is_caught(toolchain):
    source = b"""int f(int x) { switch (x) { case 0: return 3; case 1: return 9; case 2: return 27;
    case 3: return 81; case 7: return 5; default: return -1; } }"""
    with ModuleCheck(toolchain, to_bitcode(toolchain, source, "c", TRIPLE), TRIPLE) as check:
        assert check.judge(Candidate("default<Oz>")).state == "passed"
        assert check.judge(Candidate("function(structurizecfg)")).state == "failed"


def test_a_compiler_that_fails_leaves_it_unknown(toolchain):
    with ModuleCheck(toolchain, to_bitcode(toolchain, b"int f;", "c", TRIPLE), TRIPLE) as check:
        verdict = check.judge(Candidate("no-such-pass"))
    assert verdict.state == "unknown"
    assert "no-such-pass" in verdict.reason


def test_code_that_cannot_be_compared_is_unknown(toolchain):
    text = b"""
    define <4 x i32> @vector(<4 x i32> %v) { ret <4 x i32> %v }
    define float @sloppy(float %a) { %b = fadd fast float %a, 1.0  ret float %b }
    define i32 @asm(i32 %a) { %b = call i32 asm "movl $1, $0", "=r,r"(i32 %a)  ret i32 %b }
    """
    with ModuleCheck(toolchain, text, TRIPLE) as check:
        verdict = check.judge(Candidate(""))
    assert verdict.state == "unknown"
    reasons = {each.name: each.reason for each in verdict.functions}
    assert "<4 x i32>" in reasons["vector"]
    assert reasons["sloppy"] == "fast-math flags"
    assert reasons["asm"] == "inline assembly"


def test_library_calls_may_become_each_other(toolchain):
    source = rb"""
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    int f(const char *s, FILE *to) {
        printf("hello\n"); printf("%s\n", s); printf("%c", 'x'); fprintf(to, "%s", s);
        fprintf(stderr, "fixed text"); fputs("", to);
        char buffer[300]; if (strlen(s) > 200) return 0;
        sprintf(buffer, "%s", s); strcat(buffer, "tail");
        int *p = malloc(40); memset(p, 0, 40); int r = p[3] + !strncmp(buffer, "tail", 4); free(p);
        return r + (strchr(s, 0) - s) + (memcmp(s, "ab", 2) == 0);
    }"""
    with ModuleCheck(toolchain, to_bitcode(toolchain, source, "c", TRIPLE), TRIPLE) as check:
        for level in LEVELS:
            verdict = check.judge(Candidate(level))
            assert verdict.state == "passed", verdict.functions
            assert verdict.functions[0].inputs >= 3


def test_real_and_testing_copy_are_both_run(toolchain):
    bitcode = to_bitcode(toolchain, SOURCE.encode(), "c", TRIPLE)
    with Worker(session(toolchain.library("X86").path, compile_runtime(toolchain))) as worker:
        prepared = worker.call(PrepareJob(bitcode, TRIPLE, effort=0.2)).value
        assert isinstance(prepared, Prepared)
        for testing in (False, True):
            done = worker.call(CheckJob(prepared, Candidate("default<Oz>"), testing=testing)).value
            assert isinstance(done, Compared)
            assert not done.differences
            assert ("weigh" in done.compared) == testing
            assert "sum" in done.compared
        # What the real module was given is not tried again in the copy.
        again = CheckJob(
            prepared, Candidate("default<Oz>"), testing=True, called=frozenset(["sum", "find"])
        )
        done = worker.call(again).value
        assert isinstance(done, Compared)
        assert "weigh" in done.compared
        assert "sum" not in done.compared


def test_a_local_array_may_become_a_constant(toolchain):
    source = rb"""
    char *strtok(char *, const char *);
    int f(char *s) { char marks[4] = ",;:"; return strtok(s, marks) != 0; }
    """
    with ModuleCheck(toolchain, to_bitcode(toolchain, source, "c", TRIPLE), TRIPLE) as check:
        assert check.judge(Candidate("default<Oz>")).state == "passed"
        other = to_bitcode(toolchain, source.replace(b",;:", b",;."), "c", TRIPLE)
        assert check.judge_module(other).state == "failed"


THROWING = b"""
struct Bad { int code; };
int inner(int x) { if (x > 3) throw Bad{x}; return x * 2; }
int outer(int x) { try { return inner(x) + 1; } catch (const Bad &bad) { return -bad.code; } }
int twice(const int *v, unsigned n) {
  int s = 0;
  for (unsigned k = 0; k < n && k < 4; k++) try { s += inner(v[k]); } catch (...) { s ^= 9; }
  return s;
}
"""


def test_libraries_of_the_caller_change_no_verdict(toolchain):
    """onnxruntime brings another unwinder than the C++ runtime that a module throws with."""
    pytest.importorskip("onnxruntime")
    bitcode = to_bitcode(toolchain, THROWING, "c++", TRIPLE)
    with ModuleCheck(toolchain, bitcode, TRIPLE) as check:
        verdict = check.judge(Candidate("default<O2>"))
    assert verdict.state == "passed", verdict
    assert not [f for f in verdict.functions if f.verdict == "failed"]
    passed = {f.name for f in verdict.functions if f.verdict == "passed"}
    assert "_Z5twicePKij" in passed  # it catches what it throws
