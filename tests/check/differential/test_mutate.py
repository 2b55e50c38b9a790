"""Planted faults are what they say, and the check finds them."""

import random
import subprocess

from irsmith.check.differential.data import CheckJob, Compared, Prepared, PrepareJob
from irsmith.check.differential.library import compile_runtime
from irsmith.check.differential.mutate import FAULTS, mutants, places
from irsmith.check.differential.session import session
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

TRIPLE = DEFAULT_TARGETS["X86"]
SOURCE = rb"""
extern void tell(int);
struct s { int a, b; short c[4]; };
int f(struct s *p, int n) {
  int t = 0;
  for (int k = 0; k < n && k < 4; k++) { t += p->c[k]; p->c[k] = 5; }
  tell(t); p->b = t > 7 ? n - t : t * 3; return p->a - t; }
unsigned g(unsigned a, unsigned b) { return b ? (a % b) << (b & 7) : a + 300; }
"""


def text_of(toolchain, bitcode):
    command = [toolchain.tool("opt"), "-passes=default<Oz>", "-S", "-o", "-", "-"]
    return subprocess.run(command, input=bitcode, capture_output=True, check=True).stdout.decode()


def test_kinds_are_in_turn_and_lines_are_changed(toolchain):
    text = text_of(toolchain, to_bitcode(toolchain, SOURCE, "c", TRIPLE))
    assert {function for _, function in places(text)} == {"f", "g"}
    made = list(mutants(text, 60, random.Random(1)))
    assert len({mutant.text for mutant in made}) == len(made)
    assert len({mutant.kind for mutant in made}) >= 8
    assert {mutant.kind for mutant in made} <= set(FAULTS)
    for mutant in made:
        assert mutant.line in text
        assert mutant.line != mutant.changed
        assert mutant.text != text


def test_equal_seeds_give_equal_mutants(toolchain):
    text = text_of(toolchain, to_bitcode(toolchain, SOURCE, "c", TRIPLE))
    one, two = (list(mutants(text, 20, random.Random(5))) for _ in range(2))
    assert one == two


def test_most_mutants_are_caught(toolchain):
    bitcode = to_bitcode(toolchain, SOURCE, "c", TRIPLE)
    text = text_of(toolchain, bitcode)
    caught = {}
    with Worker(session(toolchain.library("X86").path, compile_runtime(toolchain))) as worker:
        prepared = worker.call(PrepareJob(bitcode, TRIPLE)).value
        assert isinstance(prepared, Prepared)
        for mutant in mutants(text, 40, random.Random(2)):
            job = CheckJob(prepared, module=mutant.text.encode(), testing=True)
            outcome = worker.call(job)
            if isinstance(outcome.value, Compared):
                caught[mutant.line, mutant.changed] = bool(outcome.value.differences)
    assert len(caught) >= 30
    missed = [pair for pair, seen in caught.items() if not seen]
    assert len(missed) <= 0.3 * len(caught), missed
