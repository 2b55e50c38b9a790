"""Functions are cut out whole, verified, the same alone or together, and sized as before."""

import re
import subprocess

import pytest

from irsmith.corpus.functions import (
    Cut,
    CutRequest,
    cut_function,
    cut_functions,
    cut_units,
    cutter,
    function_names,
)
from irsmith.corpus.sample import sample_functions
from irsmith.records import Module
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.elf import loaded_size
from irsmith.toolchain.llvm import LLVMError, load
from irsmith.toolchain.pipelines import clang_pipeline

TRIPLE = DEFAULT_TARGETS["X86"]
SOURCE = rb"""
int printf(const char *, ...);
__asm__(".globl from_asm\nfrom_asm: ret\n");
void from_asm(void);
static int counter;
int shared = 3;
_Thread_local int mine;
static const int small[4] = {1, 5, 9, 2};
static const int large[400] = {7, 8, 9};
static int helper(int x) { return small[x & 3] + counter++; }
int user(int x) { return helper(x) + large[x & 63] + shared + mine; }
int told(int x) { printf("x is %d\n", x); return user(x); }
extern int other(int x) __attribute__((alias("told")));
int calls_alias(int x) { return other(x) + 1; }
static void *resolve(void) { return told; }
int by_resolver(int x) __attribute__((ifunc("resolve")));
int calls_ifunc(int x) { from_asm(); return by_resolver(x); }
__attribute__((constructor)) static void begin(void) { counter = 1; }
__attribute__((used)) static void kept(void) { counter = 2; }
int jumps(int op, int x) {
    static const void *const where[] = {&&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c, &&a,
        &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c,
        &&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b, &&c, &&a, &&b};
    goto *where[op];
a:  x += 3;
b:  x *= 5;
c:  return x ^ 7;
}
"""
CPP = rb"""
struct base { virtual ~base(); virtual int get() const { return 4; } };
struct guard { ~guard(); };
template <class T> T twice(T x) { return x + x; }
int work(base *b);
int tried(base *b) {
    guard g;
    try { return work(b) + twice(b->get()); } catch (int e) { return e; }
}
inline int counted() { static int n = work(nullptr); return ++n; }
int uses() { return counted(); }
"""


@pytest.fixture(scope="module")
def library(toolchain):
    return toolchain.library("X86").path


@pytest.fixture(scope="module")
def units(toolchain):
    c = to_bitcode(toolchain, SOURCE, "c", TRIPLE, ["-w"])
    cpp = to_bitcode(toolchain, CPP, "c++", TRIPLE, ["-w"])
    return [Module(c, TRIPLE, "p/a.c", "p"), Module(cpp, TRIPLE, "p/b.cpp", "p")]


@pytest.fixture(scope="module")
def inspect(library):
    """Text of a module and its size after clang's -Oz pipeline."""
    pipeline = clang_pipeline("22.1.8", TRIPLE)

    def prepare(_):
        llvm = load(library)

        def handle(bitcode):
            with llvm.context() as context:
                module = context.parse(bitcode)
                assert not module.verify()
                text = module.text()
                module.run_passes(pipeline)
                return text, loaded_size(module.emit(2))

        return handle

    with Worker(prepare) as worker:

        def ask(bitcode):
            outcome = worker.call(bitcode)
            assert not outcome.failure, outcome.detail
            return outcome.value

        yield ask


@pytest.fixture(scope="module")
def cuts(toolchain, units, inspect):
    """For each function its cut and the text of it."""
    found = {}
    for unit in units:
        for module in cut_functions(toolchain, unit):
            found[module.name.rpartition(":")[2]] = (module, inspect(module.bitcode)[0])
    return found


def test_every_function_becomes_a_module_with_one_body(toolchain, units, cuts):
    names = [name for counts in function_names(toolchain, units) for name in counts]
    assert list(cuts) == names and len(names) > 12
    for name, (module, text) in cuts.items():
        assert re.findall(r"^define .*?@([\w.]+)\(", text, re.MULTILINE) == [name]
        assert not re.search(r"^define .*(internal|private|linkonce|comdat)", text, re.MULTILINE)
        assert "module asm" not in text and "llvm.used" not in text and "_ctors" not in text
        assert "PIC Level" in text and "wchar_size" in text
        assert module.package == "p" and len(module.sha256) == 64


def test_what_goes_along_and_what_is_declared(cuts):
    helper = cuts["helper"][1]
    assert re.search(r"define hidden .*@helper\(", helper)
    assert "@small = internal constant [4 x i32]" in helper
    assert re.search(r"@counter = external hidden (?:local_unnamed_addr )?global i32", helper)
    user = cuts["user"][1]
    assert re.search(
        r"@large = external hidden .*constant <{ i32, i32, i32, \[397 x i32\] }>", user
    )
    assert re.search(r"@mine = external .*thread_local", user) and "@shared = external " in user
    assert re.search(r"declare hidden .*@helper\(", user) and "@small" not in user
    assert 'c"x is %d\\0A\\00"' in cuts["told"][1]
    assert re.search(r"declare i32 @other\(", cuts["calls_alias"][1])
    assert re.search(r"declare i32 @by_resolver\(", cuts["calls_ifunc"][1])
    # 352 bytes, but nothing else could define them
    assert "blockaddress(@jumps, %" in cuts["jumps"][1]
    assert "@__gxx_personality_v0" in cuts["_Z5triedP4base"][1]


def test_a_function_is_the_same_alone_or_with_others(toolchain, units, cuts):
    for name in ("user", "jumps", "kept"):
        assert cut_function(toolchain, units[0], name) == cuts[name][0]
    two = list(cut_functions(toolchain, units[0], ["told", "user"]))
    assert two == [cuts["user"][0], cuts["told"][0]]
    assert cut_function(toolchain, units[0], "nothing") is None
    large = {m.name for m in cut_functions(toolchain, units[0], smallest=12)}
    assert "p/a.c:jumps" in large and "p/a.c:kept" not in large


def test_without_constants_of_its_own_it_is_what_llvm_extract_gives(
    toolchain, bitcode, units, inspect
):
    compared = 0
    for unit in (Module(bitcode, TRIPLE, "sample.c"), *units):
        for module in cut_functions(toolchain, unit):
            name = module.name.rpartition(":")[2]
            text, size = inspect(module.bitcode)
            if re.search(r"^@.* (private|internal) ", text, re.MULTILINE):
                continue
            command = [toolchain.tool("llvm-extract"), f"--func={name}", "-o", "-", "-"]
            done = subprocess.run(command, input=unit.bitcode, capture_output=True, check=True)
            assert inspect(done.stdout)[1] == size, name
            compared += 1
    assert compared > 12


def test_workers_give_the_same(toolchain, library, units):
    big = b"".join(b"int f%d(int x) { return x * %d + g(x); }\n" % (k, k) for k in range(600))
    large = Module(to_bitcode(toolchain, b"int g(int);\n" + big, "c", TRIPLE), TRIPLE, "p/c.c")
    assert len(large.bitcode) > 1 << 16  # more than a pipe holds, both ways
    many = [*units, large, Module(b"BC\xc0\xdebroken", TRIPLE, "p/d.c"), large, large, *units]
    with Worker(cutter(library)) as worker:
        alone = [worker.call(CutRequest(unit.bitcode)).value for unit in many]
    together = list(cut_units(toolchain, many, jobs=2))
    assert [outcome.value for outcome in together] == alone
    assert [bool(outcome.failure) for outcome in together].index(True) == 3
    assert len(alone[2]) == 600 and isinstance(alone[2][0], Cut) and alone[3] is None


def test_what_is_not_a_module_is_refused(toolchain):
    broken = Module(b"BC\xc0\xdebroken", TRIPLE, "p/broken.c")
    with pytest.raises(LLVMError, match=r"p/broken\.c: functions cannot be cut out"):
        list(cut_functions(toolchain, broken))
    assert cut_function(toolchain, broken, "f") is None


def test_a_sample_of_functions_is_distinct_and_repeatable(toolchain, units):
    chosen = sample_functions(toolchain, [*units, units[0]], 5, seed=2, smallest=8)
    assert chosen == sample_functions(toolchain, [*units, units[0]], 5, seed=2, smallest=8)
    assert len({m.sha256 for m in chosen}) == len(chosen) >= 2
    assert sample_functions(toolchain, [], 5, seed=2) == []
