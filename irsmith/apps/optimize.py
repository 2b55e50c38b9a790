"""Smaller code from one module, checked, never larger than ``-Oz``.

The order is the promise: compile ``-Oz``; compile candidates; take the smallest that
the checker accepts; if none is smaller, ``-Oz`` it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from irsmith.apps.propose import FOREST, ByForest, Proposed, Proposes, Question
from irsmith.check.accept import ModuleJudge, Shipped, accept
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
from irsmith.search.evaluate import Evaluator, limits_for
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.toolchain import elf
from irsmith.toolchain.alike import Alike
from irsmith.toolchain.census import Census
from irsmith.toolchain.clang import codegen_flags, emit_with_clang, emit_with_llc
from irsmith.toolchain.compile import Compiled, Job
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of

EFFORTS = {"fast": 2, "balanced": 16, "max": 400}
"""Candidates compiled besides ``-Oz``: the first that are proposed, and for the efforts in
:data:`SEARCHING` local search beyond them."""

SEARCHING = ("max",)
NARROW = ("fast",)
"""Efforts that wait for the winner before anything is prepared for the check of the module, and
then look for inputs for those functions alone that are not -Oz's IR: of few candidates the
winner is as a rule -Oz's IR under other options of the code generator."""

_KEEP_OBJECTS = 16
_REFUSALS_TOLD = 3
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
        never: candidates that are refused unseen: they broke a person's tests before.
        check: ``module`` (PassListEval and differential execution), ``list`` (PassListEval
            alone) or ``none``.
    """

    objective: Objective = "size"
    effort: str = "balanced"
    output: str = "object"
    flags: tuple[str, ...] = ()
    seed: int = 0
    check: str = "module"
    never: frozenset[Candidate] = frozenset()


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
        fallback: those of clang's own ``-Oz``.
        baseline_candidate: its pass list.
        remarks: what a person should read.
        check_seconds: processor time of differential execution, of that.
        checked: what it found, in one line.
        model: who said what to compile first: ``forest``, ``none`` or a model that was asked.
        model_seconds: that it took, of all seconds.
        prompts: that it was asked.
        asked: share of the module that it was asked about.
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
    fallback: bytes
    baseline_candidate: Candidate
    remarks: tuple[str, ...] = ()
    check_seconds: float = 0.0
    checked: str = ""
    model: str = FOREST
    model_seconds: float = 0.0
    prompts: int = 0
    asked: float = 0.0


def optimize(
    toolchain: Toolchain,
    module: Module,
    request: Request,
    jobs: int = 1,
    progress: Callable[[int], None] = lambda _: None,
    proposer: Proposes | None = None,
) -> Optimized:
    """Optimise one module.

    Args:
        toolchain: where LLVM is.
        module: unoptimised.
        request: what is wanted.
        jobs: worker processes; does not change the result.
        progress: told the number of candidates compiled so far.
        proposer: says what to compile first; None: the forest.

    Raises:
        IrsmithError: LLVM cannot compile the module even at ``-Oz``.
    """
    started = time.monotonic()
    budget = EFFORTS[request.effort]
    asking = proposer or ByForest()
    with (
        Evaluator(toolchain, module.target, jobs, limits_for(module.bitcode)) as evaluator,
        ModuleJudge(toolchain, module, request.effort in NARROW) as judge,
    ):
        evaluator.begin()
        portfolio = load_portfolio(module.target)
        asking.begin(module.target)
        emitter = _Emitter(toolchain, evaluator, module, request)
        if request.check == "module" and jobs > 1:
            judge.begin()  # most modules get a smaller candidate, which will be judged
        baseline, baseline_output, census = emitter.baseline()
        # Few candidates bring their code along, so that the winner is not compiled again.
        keep = "object" if budget <= _KEEP_OBJECTS and emitter.in_process_object else ""
        ledger = Ledger(evaluator, module.bitcode, request.objective, progress, keep)
        question = Question(
            toolchain,
            module,
            request.objective,
            portfolio,
            census,
            baseline,
            budget,
            request.effort,
        )
        proposed = asking.propose(question)
        ledger.measure(proposed.candidates)
        if request.effort in SEARCHING and budget > len(proposed.candidates):
            space = default_space()
            tune(ledger, space, budget, request.seed, start=proposed.candidates)
            ranked = ledger.ranked()
            if ranked and _better(ranked[0], baseline, request.objective):
                refine(ledger, space, ranked[0].candidate, request.seed)
        shipped = Shipped(portfolio.candidates, portfolio.toolchain)
        made = Optimized(
            module,
            request.objective,
            baseline,
            baseline,
            evaluator.baseline_candidate,
            "baseline",
            Verdict(),  # clang's own -Oz: nothing that a checker of ours could add was run
            len(ledger),
            len(ledger) + 1,
            0,
            0.0,
            baseline_output,
            baseline_output,
            evaluator.baseline_candidate,
            (proposed.remark,) if proposed.remark else (),
            model=asking.name,
            model_seconds=proposed.seconds,
            prompts=proposed.prompts,
            asked=proposed.asked,
        )
        refused = 0
        refusals: list[str] = []
        for evaluation in _distinct(ledger, baseline, request.objective, shipped):
            if refused == _CHECKED_AT_MOST:
                break
            if evaluation.candidate in request.never:
                refused += 1
                continue
            emitted = emitter.emit(evaluation)
            if emitted is None or emitted[0].value(request.objective) >= baseline.value(
                request.objective
            ):
                continue
            verdict = Verdict(verifier="passed")
            if request.check != "none":
                verdict = accept(toolchain, module.target, evaluation.candidate, shipped, jobs)
            if request.check == "module" and verdict.accepted:
                optimised, shared = emitter.compared(evaluation)
                verdict = judge.judge(evaluation.candidate, verdict, optimised, shared)
            if request.check != "none" and not verdict.accepted:
                refused += 1
                refusals += [f"refused by the checker: {why}" for why in verdict.evidence[:1]]
                continue
            made = replace(
                made,
                result=emitted[0],
                candidate=evaluation.candidate,
                source=_source(evaluation.candidate, proposed, shipped),
                verdict=verdict,
                output=emitted[1],
                checked=judge.last.summary if judge.last else "",
            )
            break
        return replace(
            made,
            refused=refused,
            remarks=(*made.remarks, *refusals[:_REFUSALS_TOLD]),
            seconds=time.monotonic() - started,
            check_seconds=judge.seconds,
        )


def _source(candidate: Candidate, proposed: Proposed, shipped: Shipped) -> Source:
    if candidate in proposed.by_model:
        return "model"
    return "portfolio" if candidate in shipped.candidates else "search"


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
    """Makes outputs: in process, or by clang's driver if flags leave no trace in the IR."""

    def __init__(
        self, toolchain: Toolchain, evaluator: Evaluator, module: Module, request: Request
    ) -> None:
        self.toolchain, self.evaluator = toolchain, evaluator
        self.module, self.output, self.flags = module, request.output, request.flags
        self.by_driver = bool(codegen_flags(request.flags))
        self.in_process_object = self.output == "object" and not self.by_driver
        self._census: Census = ()
        self._plain = b""

    def baseline(self) -> tuple[Size, bytes, Census]:
        """Sizes of ``-Oz``, its output, and what the module is made of."""
        size, output = self._make(self.evaluator.baseline_candidate, direct=True)
        return size, output, self._census

    def emit(self, evaluation: Evaluation) -> tuple[Size, bytes] | None:
        """Sizes of a candidate and its output, or None if it cannot be compiled again."""
        if evaluation.output and evaluation.size:
            return evaluation.size, evaluation.output
        try:
            return self._make(evaluation.candidate, direct=False)
        except IrsmithError:
            return None

    def compared(self, evaluation: Evaluation) -> tuple[bytes, Alike]:
        """A candidate's optimised module, and what it has in common with that of ``-Oz``."""
        optimised = evaluation.optimised
        if not optimised:
            try:
                optimised = self._compile(evaluation.candidate, False, "bitcode").output
            except IrsmithError:
                return b"", Alike()
        return optimised, self.evaluator.alike(self._plain, optimised)

    def _make(self, candidate: Candidate, direct: bool) -> tuple[Size, bytes]:
        wanted = "object" if self.by_driver else self.output
        compiled = self._compile(candidate, direct, wanted)
        if not self.by_driver:
            # LLVM-C cannot be told to put constructors into .init_array; the driver does.
            if self.output == "assembly" and b".ctors" in compiled.output:
                return compiled.size, self._drive(candidate, direct, assembly=True)
            return compiled.size, compiled.output
        code = self._drive(candidate, direct, assembly=False)
        size = replace(elf.loaded_size(code), instructions=compiled.size.instructions)
        if self.output == "object":
            return size, code
        if self.output == "assembly":
            return size, self._drive(candidate, direct, assembly=True)
        return size, self._compile(candidate, direct, self.output).output

    def _compile(self, candidate: Candidate, direct: bool, output: str) -> Compiled:
        module = self.module
        compiled = self.evaluator.compile(
            Job(module.bitcode, module.target, candidate, 2, output, direct, census=direct)
        )
        if direct:
            self._census, self._plain = compiled.census, compiled.optimised
        return compiled

    def _drive(self, candidate: Candidate, direct: bool, assembly: bool) -> bytes:
        """Code generation outside; ``-Oz`` by clang from the start, as in the person's build."""
        module = self.module
        by_clang = arch_of(module.target) == "X86"
        bitcode = module.bitcode
        if not (direct and by_clang):
            bitcode = self._compile(candidate, direct, "bitcode").output
        emit = emit_with_clang if by_clang else emit_with_llc
        passes = {"passes": True} if direct and by_clang else {}
        return emit(
            self.toolchain,
            bitcode,
            module.target,
            self.flags,
            candidate.codegen,
            assembly,
            **passes,
        )
