"""Objects as assembly: it assembles to the same code, and looks like the compiler's."""

import difflib
import re
from pathlib import Path

import pytest

from irsmith.corpus.cut import cut_each
from irsmith.corpus.listing import object_text
from irsmith.corpus.rows import read_rows
from irsmith.records import IrsmithError
from irsmith.sandbox.worker import Limits, Worker
from irsmith.tasks.render import Renderer, Request, at_level
from irsmith.tasks.text import AssemblyText
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.llvm import arch_of, load

ARCHES = ("X86", "AArch64")
SAMPLE = Path(__file__).parents[2] / "examples" / "corpus"
LABEL = re.compile(r"\.L\d+")

SOURCE = rb"""
extern int errors, report(const char *, int), absent(void) __attribute__((weak));
extern __thread int each;
static __thread int own = 3;
static int seen[8], flag;
int common_one, table[] = {1, 2, 3, 0, 0, 0, 0, 9};
static const char *const marks[] = {"one \"two\"\n", "three\001", ""};
static const struct { short a; char b; double c; } mixed = {1, 2, 3.5};
short halves[] = {1, -2};
static int weigh(int x) { seen[x & 7]++; return x > 3 ? x * 5 - errors : (int)(x * mixed.c); }
const char *mark(unsigned k) { return k < 3 ? marks[k] : "none"; }
int total(const int *a, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s += weigh(a[i]) + table[i & 7];
    each += own += s;
    if (s < 0 && absent) return absent() + report("less than nothing", s) + flag++;
    return s == -7 ? 1 << 31 : s;
}
int choose(int x) {
    switch (x) {
    case 0: return report("q", 7); case 1: return errors; case 2: return report("z", 2);
    case 3: return 5; case 4: return report("k", 4); case 5: return report("p", 1);
    case 6: return 77; default: return report("odd", x);
    }
}
int (*const calls[])(int) = {choose, weigh};
__attribute__((weak)) int maybe(int x) { return x & 0xfffffff0; }
__attribute__((constructor)) static void begin(void) { flag = 4; }
int add(int *p) { return __atomic_fetch_add(p, 3, 5); }
"""
CPP = b"""
struct E { int code; };
int may_throw(int);
template <typename T> T twice(T x) { static T last; last += x; return x + last; }
struct Base { virtual int f() { return 1; } virtual ~Base() {} };
int caught(int x) {
    try { return may_throw(x) + twice(x) + twice<long>(x); } catch (E &e) { return e.code; }
}
Base *make() { return new Base; }
"""


@pytest.fixture(scope="module", params=ARCHES)
def arch(request):
    return request.param


@pytest.fixture(scope="module")
def printer(arch):
    """Bitcode, level and number of functions to the two forms of each; see :func:`both`."""
    with Worker(both(find_toolchain().library(arch).path), Limits(cpu_seconds=120.0)) as worker:
        yield lambda *item: worker.call(item)


def both(library):
    """Gives for units or their functions: the compiler's text, the object's, whether it is it."""

    def prepare(_):
        llvm = load(library)
        renderer = Renderer(llvm)

        def forms(bitcode, level):
            source = renderer.render(Request(bitcode, ir=True)).ir
            made = renderer.render(at_level(source, llvm.version, level))
            # This raises if the text does not give the object again.
            listed = renderer.render(at_level(source, llvm.version, level, "object"))
            return made.assembly.text, listed.assembly.text

        def handle(item):
            bitcode, level, functions = item
            if not functions:
                return [forms(bitcode, level)]
            with llvm.context() as context:
                cuts = [m.bitcode() for _, _, m in cut_each(context.parse(bitcode), None, 3)]
            return [forms(cut, level) for cut in cuts[:functions]]

        return handle

    return prepare


@pytest.mark.parametrize("level", ["O0", "O2", "Oz"])
@pytest.mark.parametrize("language", ["c", "c++"])
def test_a_unit_assembles_again(toolchain, printer, arch, level, language):
    source = SOURCE if language == "c" else CPP
    bitcode = to_bitcode(toolchain, source, language, DEFAULT_TARGETS[arch], ["-fPIC"])
    outcome = printer(bitcode, level, 0)
    assert outcome.value, outcome
    text = outcome.value[0][1]
    if language == "c":
        assert "weigh+" not in text  # code has labels, not offsets
        assert ("total:" in text and ".local weigh" in text) or level != "O0"
        assert 'one \\"two\\"\\n"' in text and ".weak maybe" in text
        assert ("errors" in text and "jmpq" not in text) or "-.L" in text


def test_real_functions_assemble_again_and_look_alike(printer, arch):
    """The share of all of the sample: docs/labels.md."""
    lines = same = functions = 0
    rows = [r for r in read_rows(SAMPLE / "validation-000.parquet") if arch_of(r.target) == arch]
    for number, row in enumerate(rows[:24]):
        outcome = printer(row.content, ("Oz", "O2", "O0")[number % 3], 4)
        assert outcome.value is not None, (row.file, outcome)
        for compiler, listed in outcome.value:
            functions += 1
            one, two = ([LABEL.sub(".L", x) for x in t.splitlines()] for t in (compiler, listed))
            blocks = difflib.SequenceMatcher(None, one, two, False).get_matching_blocks()
            same += 2 * sum(block.size for block in blocks)
            lines += len(one) + len(two)
    assert functions > 40
    assert same / lines > 0.93


@pytest.mark.slow
@pytest.mark.parametrize("level", ["O0", "O1", "O2", "O3", "Os", "Oz"])
def test_hundreds_of_functions_assemble_again(printer, arch, level):
    rows = [r for r in read_rows(SAMPLE / "train-000.parquet") if arch_of(r.target) == arch]
    refused = []
    for row in rows:
        outcome = printer(row.content, level, 3)
        if outcome.value is None:
            refused.append((row.file, outcome.detail))
    assert len(refused) <= len(rows) // 200, refused


def test_what_is_no_object_is_refused_in_one_line(toolchain):
    bitcode = to_bitcode(toolchain, SOURCE, "c", DEFAULT_TARGETS["X86"])

    def prepare(_):
        renderer = Renderer(load(toolchain.library("X86").path))
        llvm = renderer.llvm

        def handle(spoil):
            with llvm.context() as context:
                data = bytearray(context.parse(bitcode).emit())
            if spoil is None:
                spoilt = [bytes(data[:length]) for length in range(0, len(data), 97)]
            else:
                spoilt = []
                for at in range(spoil, len(data), 61):
                    copy = bytearray(data)
                    copy[at] ^= 0xFF
                    spoilt.append(bytes(copy))
            said = []
            for one in spoilt:
                try:
                    text = object_text(llvm, one, DEFAULT_TARGETS["X86"])
                    renderer.render(Request(AssemblyText(DEFAULT_TARGETS["X86"], text)))
                except IrsmithError as error:
                    said.append(str(error))
            return said

        return handle

    with Worker(prepare, Limits(cpu_seconds=60.0)) as worker:
        cut = worker.call(None)
        assert cut.value and all("\n" not in line for line in cut.value), cut
        for spoil in (0, 20):
            outcome = worker.call(spoil)
            assert outcome.value is not None, outcome
