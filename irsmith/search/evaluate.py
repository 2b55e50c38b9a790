"""Candidates on one module, measured: cached, counted, the same every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from irsmith.parallel.local import in_order
from irsmith.records import Candidate, Evaluation, IrsmithError
from irsmith.sandbox.worker import Limits, Outcome, Worker
from irsmith.toolchain.alike import Alike, alike
from irsmith.toolchain.compile import Compiled, Job, compiler
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of
from irsmith.toolchain.pipelines import clang_pipeline

LIMITS = Limits(cpu_seconds=30.0, wall_seconds=300.0, memory_bytes=8 << 30)
"""A pass list that needs more than 30 s of processor time on a module is dropped.
Measured in processor time, so that a busy machine gives the same answer."""
_USUAL = 1 << 18
"""Bytes of bitcode from which on a module may need longer: -Oz takes 2.5 s for so much on a
slow machine, and a candidate that decides frame pointers four times that."""


def limits_for(bitcode: bytes) -> Limits:
    """Limits for one compilation of a module: longer for a large one (SQLite in one file)."""
    times = max(1.0, len(bitcode) / _USUAL)
    return replace(
        LIMITS,
        cpu_seconds=LIMITS.cpu_seconds * times,
        wall_seconds=LIMITS.wall_seconds * times,
    )


class Evaluator:
    """Measures candidates on modules of one target.

    Args:
        toolchain: where LLVM is.
        triple: target.
        jobs: worker processes.
        limits: of one compilation.

    Use it as a context manager.
    """

    def __init__(
        self, toolchain: Toolchain, triple: str, jobs: int = 1, limits: Limits = LIMITS
    ) -> None:
        self.toolchain, self.triple = toolchain, triple
        library = toolchain.library(arch_of(triple)).path
        self._workers: list[Worker[Job, Compiled]] = [
            Worker(compiler(library), limits) for _ in range(jobs)
        ]
        self._stack = ExitStack()

    def __enter__(self) -> Evaluator:
        """Workers start with the first job."""
        for worker in self._workers:
            self._stack.enter_context(worker)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        self._stack.close()

    def begin(self) -> None:
        """Let all workers load LLVM, while something else is done."""
        for worker in self._workers:
            worker.begin()

    @property
    def baseline_candidate(self) -> Candidate:
        """Clang's own ``-Oz``."""
        return Candidate(clang_pipeline(self.toolchain.version, self.triple, "Oz"))

    def baseline(self, bitcode: bytes, output: str = "", census: bool = False) -> Compiled:
        """What ``clang -Oz`` gives for a module: the same pipeline and code generator.

        Args:
            bitcode: the module, unoptimised.
            output: as in :class:`irsmith.toolchain.compile.Job`.
            census: count what it is made of.

        Raises:
            IrsmithError: LLVM cannot compile the module at all.
        """
        job = Job(
            bitcode, self.triple, self.baseline_candidate, output=output, direct=True, census=census
        )
        return self.compile(job)

    def compile(self, job: Job) -> Compiled:
        """One compilation whose failure is an error.

        Raises:
            IrsmithError: LLVM refused, crashed or ran out of time.
        """
        outcome = self._workers[0].call(job)
        if outcome.value is None:
            raise IrsmithError(failure_text(outcome))
        return outcome.value

    def alike(self, first: bytes, second: bytes) -> Alike:
        """What two optimised modules share; nothing if one of them cannot be read.

        Args:
            first: bitcode.
            second: bitcode.
        """
        jobs = [Job(each, self.triple, Candidate(""), output="outline") for each in (first, second)]
        outlines = [o.value.outline for o in in_order(self._workers, jobs) if o.value]
        if len(outlines) < len(jobs) or None in outlines:
            return Alike()
        return alike(*(each for each in outlines if each))

    def measure(
        self, bitcode: bytes, candidates: Iterable[Candidate], output: str = ""
    ) -> Iterator[Evaluation]:
        """Sizes of candidates on one module, in order.

        Candidates with one pass list that follow each other share its passes.

        Args:
            bitcode: the module.
            candidates: taken lazily.
            output: ``object`` brings the code along with each size.
        """
        kept: list[Candidate] = []

        def jobs() -> Iterator[Job]:
            for candidate in candidates:
                kept.append(candidate)
                yield Job(bitcode, self.triple, candidate, output=output)

        for index, outcome in enumerate(in_order(self._workers, jobs())):
            yield as_evaluation(kept[index], outcome)

    def measure_all(
        self, bitcodes: Sequence[bytes], candidates: Sequence[Candidate]
    ) -> Iterator[list[Evaluation]]:
        """Sizes of all candidates on each of many modules, module by module."""
        jobs = (
            Job(bitcode, self.triple, candidate) for bitcode in bitcodes for candidate in candidates
        )
        row: list[Evaluation] = []
        for outcome in in_order(self._workers, jobs):
            row.append(as_evaluation(candidates[len(row)], outcome))
            if len(row) == len(candidates):
                yield row
                row = []


def failure_text(outcome: Outcome[Compiled]) -> str:
    """Why a compilation gave nothing, in one line."""
    if outcome.failure == "refused":
        return outcome.detail
    return f"compiler {outcome.failure}: {outcome.detail}"


def as_evaluation(candidate: Candidate, outcome: Outcome[Compiled]) -> Evaluation:
    """What the rest of irsmith sees of a compilation."""
    if outcome.value is None:
        return Evaluation(candidate, None, failure=failure_text(outcome))
    compiled = outcome.value
    return Evaluation(
        candidate,
        compiled.size,
        compiled.ir_hash,
        output=compiled.output,
        optimised=compiled.optimised,
    )
