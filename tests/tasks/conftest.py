"""What the tests of the tasks share: workers, and a unit and a function of each target."""

import pytest

from irsmith.corpus.functions import cut_function
from irsmith.records import Module
from irsmith.tasks.render import RenderWorker, Request
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

SOURCE = rb"""
extern int errors;
int report(const char *, int);
static int seen[8];
static const char *const marks[] = {"<|end|>", "<|answer|> one", "two"};
static int weigh(int x) { return x > 3 ? x * 5 - errors : x + seen[x & 7]; }
const char *mark(unsigned k) { return k < 3 ? marks[k] : "none"; }
int total(const int *a, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s += weigh(a[i]);
    if (s < 0) report("less than <|end|> nothing", s);
    return s;
}
int choose(int x) {
    switch (x) {
    case 0: return 7; case 1: return 9; case 2: return 12; case 3: return 5;
    case 4: return 1; default: return report("odd", x);
    }
}
"""
ARCHES = ("X86", "AArch64")


@pytest.fixture(scope="session")
def units(toolchain):
    """Bitcode of a unit, by architecture."""
    return {a: to_bitcode(toolchain, SOURCE, "c", DEFAULT_TARGETS[a]) for a in ARCHES}


@pytest.fixture(scope="session")
def functions(toolchain, units):
    """Bitcode of one function of the unit, by architecture."""
    cuts = {}
    for arch, bitcode in units.items():
        cuts[arch] = cut_function(toolchain, Module(bitcode, DEFAULT_TARGETS[arch], "u"), "total")
    return {arch: cut.bitcode for arch, cut in cuts.items()}


@pytest.fixture(scope="session")
def workers(toolchain):
    """A worker that renders, by architecture."""
    with (
        RenderWorker(toolchain, DEFAULT_TARGETS["X86"]) as x86,
        RenderWorker(toolchain, DEFAULT_TARGETS["AArch64"]) as aarch64,
    ):
        yield {"X86": x86, "AArch64": aarch64}


@pytest.fixture(scope="session")
def sources(workers, functions):
    """The normalised text of the function, by architecture."""
    return {a: workers[a].render(Request(functions[a], ir=True)).ir for a in ARCHES}


@pytest.fixture(params=ARCHES)
def arch(request):
    return request.param
