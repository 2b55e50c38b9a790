"""Which suite judges a candidate, and what the answer means for a module.

A candidate of the shipped portfolio passed the full suite before it was shipped, under
the toolchain that the portfolio names; with that toolchain it is not run again. Any
other candidate is judged here, by the full suite if it was fetched, else by the quick
one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from irsmith.check.debian import find_emulator, is_native
from irsmith.check.passlisteval import PassListEval
from irsmith.check.suites import get_suite, have_full
from irsmith.records import Candidate, Verdict
from irsmith.toolchain.find import Toolchain


@dataclass(frozen=True, slots=True)
class Shipped:
    """Candidates that were judged before, and under which toolchain."""

    candidates: Collection[Candidate]
    toolchain: str


def accept(
    toolchain: Toolchain, triple: str, candidate: Candidate, shipped: Shipped, jobs: int = 1
) -> Verdict:
    """The verdict on a candidate whose module passed LLVM's verifier.

    Args:
        toolchain: where LLVM is.
        triple: target of the module.
        candidate: what would be written.
        shipped: candidates with a verdict of their own.
        jobs: processes for the suite.
    """
    if candidate in shipped.candidates and shipped.toolchain == toolchain.fingerprint:
        return Verdict(verifier="passed", pass_list="passed")
    name = "full" if have_full(triple) else "quick"
    if name == "quick" and not is_native(triple) and find_emulator(triple) is None:
        return Verdict(
            verifier="passed",
            pass_list="unknown",
            evidence=("no emulator for this target: `irsmith fetch-suite --target` gets it",),
        )
    with PassListEval(toolchain, get_suite(name, toolchain, triple), jobs=jobs) as judge:
        verdict = judge.judge(candidate)
    evidence = tuple(f"{f.what} on {f.program}: {f.detail}" for f in verdict.failures)
    return Verdict(verifier="passed", pass_list=verdict.state, evidence=evidence)
