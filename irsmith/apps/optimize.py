"""Smaller code from one module, checked, never larger than ``-Oz``.

The order is the promise: compile ``-Oz``; compile candidates; take the smallest that
the checker accepts; if none is smaller, ``-Oz`` it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irsmith.check.accept import Shipped, accept
from irsmith.records import (
    Candidate,
    Evaluation,
    IrsmithError,
    Module,
    Objective,
    Size,
    Source,
    Verdict,
)
from irsmith.search.autotune import Ledger, rank, refine, tune
from irsmith.search.evaluate import Evaluator
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.toolchain import elf
from irsmith.toolchain.clang import codegen_flags, emit_with_clang
from irsmith.toolchain.compile import Compiled, Job
from irsmith.toolchain.find import Toolchain

EFFORTS = {"fast": 2, "balanced": 16, "max": 400}
"""Candidates compiled besides ``-Oz``. Up to the portfolio's length they come from the
portfolio, in its order; beyond it from local search."""

_CHECKED_AT_MOST = 8
"""Candidates that the checker may refuse before we settle for ``-Oz``."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person wants of a module.

    Attributes:
        objective: what to minimise.
        effort: candidates to compile.
        output: ``object``, ``assembly``, ``ir`` or ``bitcode``.
        flags: clang's own flags (those for code generation matter here).
        seed: of the local search.
    """

    objective: Objective = "size"
    effort: str = "balanced"
    output: str = "object"
    flags: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Optimized:
    """What came out.

    Attributes:
        module: what went in.
        objective: what was minimised.
        baseline: sizes of ``-Oz``.
        result: sizes of what is written.
        candidate: what made it.
        source: who proposed it.
        verdict: what the checks said of it.
        candidates: how many were considered.
        compilations: how many compilations that took, ``-Oz`` included.
        refused: candidates that were smaller and that the checker refused.
        seconds: in all.
        output: the bytes to write.
        remarks: what a person should read.
    """

    module: Module
    objective: Objective
    baseline: Size
    result: Size
    candidate: Candidate
    source: Source
    verdict: Verdict
    candidates: int
    compilations: int
    refused: int
    seconds: float
    output: bytes
    remarks: tuple[str, ...] = ()


def optimize(
    toolchain: Toolchain,
    module: Module,
    request: Request,
    jobs: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Optimized:
    """Optimise one module.

    Args:
        toolchain: where LLVM is.
        module: unoptimised.
        request: what is wanted.
        jobs: worker processes; does not change the result.
        progress: told the number of candidates compiled so far.

    Raises:
        IrsmithError: LLVM cannot compile the module even at ``-Oz``.
    """
    started = time.monotonic()
    portfolio = load_portfolio(module.target)
    budget = EFFORTS[request.effort]
    with Evaluator(toolchain, module.target, jobs) as evaluator:
        emitter = _Emitter(toolchain, evaluator, module, request)
        baseline, baseline_output = emitter.baseline()
        ledger = Ledger(evaluator, module.bitcode, request.objective, progress)
        ledger.measure(portfolio.candidates[:budget])
        if budget > len(portfolio.candidates):
            space = default_space()
            tune(ledger, space, budget, request.seed, start=portfolio.candidates)
            ranked = ledger.ranked()
            if ranked and _better(ranked[0], baseline, request.objective):
                refine(ledger, space, ranked[0].candidate, request.seed)
        shipped = Shipped(portfolio.candidates, portfolio.toolchain)
        refused = 0
        for evaluation in _distinct(ledger, baseline, request.objective, shipped):
            if refused == _CHECKED_AT_MOST:
                break
            made = emitter.emit(evaluation)
            if made is None or made[0].value(request.objective) >= baseline.value(
                request.objective
            ):
                continue
            verdict = accept(toolchain, module.target, evaluation.candidate, shipped, jobs)
            if not verdict.accepted:
                refused += 1
                continue
            known = evaluation.candidate in shipped.candidates
            return Optimized(
                module,
                request.objective,
                baseline,
                made[0],
                evaluation.candidate,
                "portfolio" if known else "search",
                verdict,
                len(ledger),
                len(ledger) + 1,
                refused,
                time.monotonic() - started,
                made[1],
            )
        # clang's own -Oz: nothing that a checker of ours could add to it was run.
        return Optimized(
            module,
            request.objective,
            baseline,
            baseline,
            evaluator.baseline_candidate,
            "baseline",
            Verdict(),
            len(ledger),
            len(ledger) + 1,
            refused,
            time.monotonic() - started,
            baseline_output,
        )


def _better(evaluation: Evaluation, baseline: Size, objective: Objective) -> bool:
    assert evaluation.size is not None
    return evaluation.size.value(objective) < baseline.value(objective)


def _distinct(
    ledger: Ledger, baseline: Size, objective: Objective, shipped: Shipped
) -> Sequence[Evaluation]:
    """Candidates better than the baseline, best first, those with a verdict first among equals."""
    better = [e for e in ledger.ranked() if _better(e, baseline, objective)]

    def order(evaluation: Evaluation) -> tuple[int, bool, int, str]:
        value, length, text = rank(evaluation, objective)
        return value, evaluation.candidate not in shipped.candidates, length, text

    return sorted(better, key=order)


class _Emitter:
    """Makes outputs; by clang itself if the person's flags leave no trace in the IR."""

    def __init__(
        self, toolchain: Toolchain, evaluator: Evaluator, module: Module, request: Request
    ) -> None:
        self.toolchain, self.evaluator = toolchain, evaluator
        self.module, self.output = module, request.output
        self.by_clang = codegen_flags(request.flags)

    def baseline(self) -> tuple[Size, bytes]:
        """Sizes of ``-Oz`` and its output."""
        wanted = "bitcode" if self.by_clang else self.output
        compiled = self.evaluator.baseline(self.module.bitcode, wanted)
        return self._finished(compiled, ())

    def emit(self, evaluation: Evaluation) -> tuple[Size, bytes] | None:
        """Sizes of a candidate and its output, or None if it cannot be compiled again."""
        wanted = "bitcode" if self.by_clang else self.output
        job = Job(self.module.bitcode, self.module.target, evaluation.candidate, output=wanted)
        try:
            return self._finished(self.evaluator.compile(job), evaluation.candidate.codegen)
        except IrsmithError:
            return None

    def _finished(self, compiled: Compiled, codegen: Sequence[str]) -> tuple[Size, bytes]:
        if not self.by_clang:
            return compiled.size, compiled.output
        code = self._clang(compiled.output, codegen, assembly=False)
        loaded = elf.loaded_size(code)
        size = Size(
            loaded.text, loaded.rodata, loaded.data, loaded.unwind, compiled.size.instructions
        )
        if self.output == "assembly":
            return size, self._clang(compiled.output, codegen, assembly=True)
        if self.output == "object":
            return size, code
        if self.output == "bitcode":
            return size, compiled.output
        job = Job(compiled.output, self.module.target, Candidate(""), output="ir")
        return size, self.evaluator.compile(job).output

    def _clang(self, bitcode: bytes, codegen: Sequence[str], assembly: bool) -> bytes:
        return emit_with_clang(
            self.toolchain, bitcode, self.module.target, self.by_clang, codegen, assembly
        )
