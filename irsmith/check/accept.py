"""Which suite judges a candidate, and what the answer means for a module.

A candidate of the shipped portfolio passed the full suite before it was shipped, under
the toolchain that the portfolio names; with that toolchain it is not run again. Any
other candidate is judged here, by the full suite if it was fetched, else by the quick
one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from irsmith.check.differential.place import runs_here
from irsmith.check.differential.verdict import ModuleVerdict
from irsmith.records import Candidate, Module, Verdict
from irsmith.toolchain.alike import Alike
from irsmith.toolchain.find import Toolchain

if TYPE_CHECKING:
    from irsmith.check.differential.module import ModuleCheck

CHECKS = ("list", "module", "none")
"""What may be asked for: PassListEval on the candidate, that and differential execution of
the module, or nothing but LLVM's verifier."""
_LARGEST_MODULE = 3_000_000
"""Bytes of bitcode; a larger module would take minutes to prepare."""


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
    # What ships was judged before: commands start faster without the suites.
    from irsmith.check.debian import cross_needs, is_native
    from irsmith.check.passlisteval import PassListEval
    from irsmith.check.suites import get_suite, have_full

    name = "full" if have_full(triple) else "quick"
    missing = [] if is_native(triple) else cross_needs(triple)
    if missing:
        return Verdict(
            verifier="passed",
            pass_list="unknown",
            evidence=(
                f"{missing[0].what} is missing: `irsmith fetch-suite --target` gets what it takes",
            ),
        )
    with PassListEval(toolchain, get_suite(name, toolchain, triple), jobs=jobs) as judge:
        verdict = judge.judge(candidate)
    evidence = tuple(f"{f.what} on {f.program}: {f.detail}" for f in verdict.failures)
    return Verdict(verifier="passed", pass_list=verdict.state, evidence=evidence)


class ModuleJudge:
    """Differential execution of one module, prepared when it is first asked.

    Args:
        toolchain: where LLVM is.
        module: the unoptimised reference.
        narrow: prepare no more of the reference than the candidate needs that is judged
            (then :meth:`begin` has nothing to do).

    Use it as a context manager.
    """

    def __init__(self, toolchain: Toolchain, module: Module, narrow: bool = False) -> None:
        self._toolchain, self._module, self._narrow = toolchain, module, narrow
        self._skipped: frozenset[str] = frozenset()
        self._check: ModuleCheck | None = None
        self._counted = False
        self.seconds = 0.0
        self.last: ModuleVerdict | None = None

    def __enter__(self) -> ModuleJudge:
        """Nothing starts before the first verdict."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the worker."""
        if self._check:
            self._check.__exit__()

    def begin(self) -> None:
        """Start to prepare the reference beside whatever else is done, if it can be run here."""
        if not self._narrow and not self._problem():
            self._get(frozenset()).begin()

    def judge(
        self,
        candidate: Candidate,
        verdict: Verdict,
        optimised: bytes = b"",
        shared: Alike = Alike(),  # noqa: B008
    ) -> Verdict:
        """Add what differential execution says of a candidate to its verdict.

        A module that cannot be run here is unknown. What passes left as -Oz leaves it is not
        run: -Oz is what would be written otherwise.

        Args:
            candidate: what would be written.
            verdict: of the checks before.
            optimised: the module after the candidate's passes, if that is at hand.
            shared: what that has in common with the module after -Oz; nothing unless told.
        """
        if shared.whole:
            judged = ModuleVerdict.same(shared.functions)
        else:
            judged = self._judge(candidate, optimised, shared.functions)
        self.last = judged
        evidence = [judged.reason] if judged.reason else []
        evidence += [f"{f.name}: {f.reason}" for f in judged.functions if f.verdict == "failed"]
        return replace(verdict, module=judged.state, evidence=(*verdict.evidence, *evidence))

    def _problem(self) -> str:
        target, size = self._module.target, len(self._module.bitcode)
        if not runs_here(target):
            return f"code for {target} cannot be run here"
        return f"a module of {size} bytes is too large to run" if size > _LARGEST_MODULE else ""

    def _get(self, same: frozenset[str]) -> ModuleCheck:
        """The check, with inputs for all functions but some."""
        from irsmith.check.differential.module import ModuleCheck  # for those that need it

        if self._check and not self._skipped <= same:
            self._check.__exit__()
            self._check = None
        if self._check is None:
            module, self._skipped = self._module, same if self._narrow else frozenset()
            self._check = ModuleCheck(
                self._toolchain, module.bitcode, module.target, skip=self._skipped
            )
            self._counted = False
        return self._check

    def _judge(self, candidate: Candidate, optimised: bytes, same: frozenset[str]) -> ModuleVerdict:
        if problem := self._problem():
            return ModuleVerdict("unknown", reason=problem)
        check = self._get(same)
        if not self._counted:
            prepared, self._counted = check.prepared, True
            self.seconds += prepared.seconds if prepared else 0.0
        judged = check.judge(candidate, optimised=optimised, same=same)
        self.seconds += judged.seconds
        return judged
