"""Judge a version of a module: a verdict for each function, and for the module.

The main door of this folder. A reference is prepared once; each candidate then costs one
compilation (two, if the module hides functions: the testing copy) and some thousand calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from irsmith.check.differential.data import (
    CheckJob,
    Compared,
    Difference,
    Exercise,
    Explained,
    ExplainJob,
    Prepared,
    PrepareJob,
)
from irsmith.check.differential.library import compile_runtime
from irsmith.check.differential.session import Job, session
from irsmith.check.differential.tell import difference_text
from irsmith.check.differential.verdict import SAME, FunctionVerdict, ModuleVerdict
from irsmith.records import Candidate, IrsmithError, State
from irsmith.sandbox.worker import Limits, Outcome, Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of

LIMITS = Limits(cpu_seconds=60.0, wall_seconds=400.0, memory_bytes=8 << 30)
_CRASHES_FOLLOWED = 40
"""Functions that are tried alone after the worker died in a comparison."""


@dataclass(slots=True)
class _Findings:
    """What comparisons said of each function."""

    differences: dict[str, tuple[Difference, bool]] = field(default_factory=dict)
    compared: dict[str, int] = field(default_factory=dict)
    copies: dict[str, list[str]] = field(default_factory=dict)
    died: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    seconds: float = 0.0


class ModuleCheck:
    """A reference and what it is compared with.

    Args:
        toolchain: where LLVM is.
        bitcode: the reference: unoptimised bitcode or textual IR.
        triple: target; must be this machine's own architecture.
        effort: scales the search for inputs.
        seed: of that search.
        sanitised: the same source compiled with UBSan's traps, if there is a source.
        stray: see :class:`irsmith.check.differential.data.PrepareJob`.
        skip: functions that need no inputs: every version will have them in ``same``.

    Use it as a context manager.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        bitcode: bytes,
        triple: str,
        *,
        effort: float = 1.0,
        seed: int = 0,
        sanitised: bytes = b"",
        stray: bool = False,
        skip: frozenset[str] = frozenset(),
    ) -> None:
        self._job = PrepareJob(bitcode, triple, effort, seed, sanitised, stray, skip)
        library = toolchain.library(arch_of(triple)).path
        self._worker: Worker[Job, Prepared | Compared | Explained] = Worker(
            session(library, compile_runtime(toolchain)), LIMITS
        )
        self._prepared: Prepared | None = None
        self._begun = False
        self.problem = ""
        self.seconds = 0.0

    def __enter__(self) -> ModuleCheck:
        """Nothing starts before the first verdict."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the worker."""
        self._worker.close()

    def begin(self) -> None:
        """Start to prepare the reference, in the worker: nothing is waited for."""
        if not self._begun:
            self._begun = True
            self._worker.submit(self._job)

    @property
    def prepared(self) -> Prepared | None:
        """The reference with its inputs, or None (then :attr:`problem` says why)."""
        if self._prepared is None and not self.problem:
            self.begin()
            outcome = self._worker.receive()
            if isinstance(outcome.value, Prepared):
                self._prepared = outcome.value
                self.seconds = outcome.value.seconds
            else:
                self.problem = f"the reference cannot be run here: {_failure(outcome)}"
        return self._prepared

    def judge(
        self,
        candidate: Candidate,
        level: int = 2,
        optimised: bytes = b"",
        same: frozenset[str] = frozenset(),
    ) -> ModuleVerdict:
        """The verdict on a pass list with code generation options.

        Args:
            candidate: to apply to the reference.
            level: of code generation.
            optimised: the reference after the candidate's passes: what is written is made of
                it. They are run here if it is empty.
            same: functions that are the same IR as with -Oz: they pass, and are not called.
        """
        return self._judge(candidate, b"", level, optimised, same)

    def judge_module(self, bitcode: bytes, level: int = 2) -> ModuleVerdict:
        """The verdict on another version of the module.

        Its hidden functions are not called: passes may have changed how they are called.
        """
        return self._judge(Candidate(""), bitcode, level)

    def explain(
        self, function: str, number: int, candidate: Candidate, module: bytes = b"", level: int = 2
    ) -> Explained:
        """What both versions do on one input of a function.

        Raises:
            IrsmithError: no such function or input, or a version cannot be run.
        """
        prepared = self.prepared
        if prepared is None:
            raise IrsmithError(self.problem)
        testing = bool(prepared.testing) and not module
        job = CheckJob(prepared, candidate, module, None, level, testing)
        outcome = self._worker.call(ExplainJob(job, function, number))
        if not isinstance(outcome.value, Explained):
            raise IrsmithError(_failure(outcome))
        return outcome.value

    def _judge(
        self,
        candidate: Candidate,
        module: bytes,
        level: int,
        optimised: bytes = b"",
        same: frozenset[str] = frozenset(),
    ) -> ModuleVerdict:
        prepared = self.prepared
        if prepared is None:
            return ModuleVerdict("unknown", reason=self.problem)
        findings = _Findings()
        copies = [False, True] if prepared.testing and not module else [False]
        only = frozenset(e.name for e in prepared.functions if e.name not in same) if same else None
        for testing in copies:
            called = frozenset(findings.compared)
            job = CheckJob(prepared, candidate, module, only, level, testing, called, optimised)
            self._compare(job, findings)
        functions = tuple(
            FunctionVerdict(each.name, "passed", 0, 0.0, SAME)
            if each.name in same
            else _verdict(each, findings)
            for each in prepared.functions
        )
        states = [each.verdict for each in functions]
        state: State = "passed" if "passed" in states else "unknown"
        if "failed" in states:
            state = "failed"
        reason = findings.problem if state == "unknown" else ""
        if state == "unknown" and not reason:
            reason = "no function could be exercised"
        return ModuleVerdict(state, functions, findings.seconds, reason)

    def _compare(self, job: CheckJob, findings: _Findings) -> None:
        outcome = self._worker.call(job)
        if isinstance(outcome.value, Compared):
            _take(outcome.value, job.testing, findings)
        elif outcome.failure in ("crash", "time-out"):
            self._one_by_one(job, outcome, findings)
        else:
            findings.problem = _failure(outcome)

    def _one_by_one(self, job: CheckJob, first: Outcome[Any], findings: _Findings) -> None:
        """The worker died: in the compiler, or in which function?"""
        idle = self._worker.call(replace(job, only=frozenset()))
        if not isinstance(idle.value, Compared):
            findings.problem = f"the compiler failed: {_failure(idle)}"
            return
        every = [e.name for e in job.prepared.functions if e.inputs]
        callable_names = [name for name in every if job.only is None or name in job.only]
        died = 0
        for name in callable_names:
            if died == _CRASHES_FOLLOWED:
                findings.problem = _failure(first)
                return
            outcome = self._worker.call(replace(job, only=frozenset([name])))
            if isinstance(outcome.value, Compared):
                _take(outcome.value, job.testing, findings)
            elif name not in findings.died:
                died += 1
                findings.died[name] = f"the process that called it died: {_failure(outcome)}"


def _take(compared: Compared, testing: bool, findings: _Findings) -> None:
    findings.seconds += compared.seconds
    for difference in compared.differences:
        findings.differences.setdefault(difference.function, (difference, testing))
    for name, count in compared.compared.items():
        findings.compared[name] = max(count, findings.compared.get(name, 0))
        where = findings.copies.setdefault(name, [])
        where.append("testing copy" if testing else "module")


def _verdict(exercise: Exercise, findings: _Findings) -> FunctionVerdict:
    name, count = exercise.name, findings.compared.get(exercise.name, 0)
    coverage = exercise.covered / exercise.blocks if exercise.blocks else 0.0
    copy = " and ".join(findings.copies.get(name, ()))
    if name in findings.differences:
        difference, testing = findings.differences[name]
        where = " (testing copy)" if testing else ""
        reason = difference_text(difference) + where
        return FunctionVerdict(name, "failed", count, coverage, reason, copy, difference.number)
    if name in findings.died:
        return FunctionVerdict(name, "failed", count, coverage, findings.died[name], copy)
    if exercise.convincing and count:
        return FunctionVerdict(name, "passed", count, coverage, "", copy)
    return FunctionVerdict(
        name, "unknown", count, coverage, _why_unknown(exercise, count, findings), copy
    )


def _why_unknown(exercise: Exercise, count: int, findings: _Findings) -> str:
    if exercise.problem or exercise.skipped:
        return exercise.problem or "no inputs were looked for"
    if findings.problem:
        return findings.problem
    if exercise.inputs and not count:
        return "seen by no other module, and this version has no testing copy"
    if exercise.inputs:
        share = f"{exercise.covered} of {exercise.blocks} blocks reached"
        return f"only {exercise.outcomes} different outcomes, {share}"
    if exercise.reasons:
        worst = max(exercise.reasons, key=lambda reason: exercise.reasons[reason])
        return f"no good input in {exercise.tried} runs, most often: {worst}"
    return "no good input"


def _failure(outcome: Outcome[Any]) -> str:
    return (
        outcome.detail if outcome.failure == "refused" else f"{outcome.failure}: {outcome.detail}"
    )
