"""Run programs under a candidate and say how each ended, natively or under an emulator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from irsmith.check.cross import CrossRunner, RunOutcome
from irsmith.check.debian import is_native
from irsmith.check.runner import (
    PHASE_LINK,
    PHASE_RUN,
    Ran,
    Task,
    helper_library,
    runner,
)
from irsmith.parallel.local import in_order, scatter
from irsmith.records import Candidate
from irsmith.sandbox.worker import Limits, Outcome, Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of

PROGRAM_LIMITS = Limits(cpu_seconds=4.0, wall_seconds=60.0, memory_bytes=6 << 30)
EMULATED_SECONDS = 1.0
_BATCH = 128
_ABORT = 6


@dataclass(frozen=True, slots=True)
class Ended:
    """How one program ended.

    Attributes:
        what: empty if it exited with status 0, else compiler crash, assertion, compiler
            error, compiler time-out, verifier, does not link, program crash, time-out
            or wrong answer.
        detail: the signal, the assertion, the status.
        output: hash of what it printed.
    """

    what: str
    detail: str = ""
    output: int = 0


class Bench(Protocol):
    """Programs that can be run under candidates."""

    def run(
        self, candidate: Candidate, indices: Sequence[int], level: int = 2
    ) -> Iterator[tuple[int, Ended]]:
        """Run some of the programs; index and end of each, in any order."""

    def close(self) -> None:
        """Stop the workers."""


def open_bench(
    toolchain: Toolchain,
    triple: str,
    programs: Sequence[bytes],
    *,
    jobs: int = 1,
    checked: bool = True,
) -> Bench:
    """A bench for a target.

    Args:
        toolchain: where LLVM is.
        triple: target.
        programs: unoptimised bitcode.
        jobs: processes.
        checked: use the library with assertions.
    """
    kind = NativeBench if is_native(triple) else ForeignBench
    return kind(toolchain, triple, programs, jobs, checked)


class NativeBench:
    """Programs of this machine's own kind, run by the JIT in the workers."""

    def __init__(
        self, toolchain: Toolchain, triple: str, programs: Sequence[bytes], jobs: int, checked: bool
    ) -> None:
        arch = arch_of(triple)
        library = toolchain.checked_library(arch) if checked else toolchain.library(arch)
        prepare = runner(library.path, helper_library(toolchain), programs, triple)
        self._stack = ExitStack()
        self._workers: list[Worker[Task, Ran]] = [
            self._stack.enter_context(Worker(prepare, PROGRAM_LIMITS, fresh=True))
            for _ in range(jobs)
        ]

    def run(
        self, candidate: Candidate, indices: Sequence[int], level: int = 2
    ) -> Iterator[tuple[int, Ended]]:
        """See :class:`Bench`."""
        tasks = (Task(index, candidate, level) for index in indices)
        for place, outcome in scatter(self._workers, tasks, ahead=8):
            yield indices[place], ended(outcome)

    def close(self) -> None:
        """See :class:`Bench`."""
        self._stack.close()


class ForeignBench:
    """Programs of another architecture: compiled in the workers, run under an emulator."""

    def __init__(
        self, toolchain: Toolchain, triple: str, programs: Sequence[bytes], jobs: int, checked: bool
    ) -> None:
        arch = arch_of(triple)
        library = toolchain.checked_library(arch) if checked else toolchain.library(arch)
        prepare = runner(library.path, None, programs, triple)
        self._cross = CrossRunner(toolchain, triple)
        self._stack = ExitStack()
        self._stack.callback(self._cross.close)
        self._workers: list[Worker[Task, Ran]] = [
            self._stack.enter_context(Worker(prepare, PROGRAM_LIMITS)) for _ in range(jobs)
        ]

    def run(
        self, candidate: Candidate, indices: Sequence[int], level: int = 2
    ) -> Iterator[tuple[int, Ended]]:
        """See :class:`Bench`."""
        for start in range(0, len(indices), _BATCH):
            part = indices[start : start + _BATCH]
            objects: list[tuple[str, bytes]] = []
            tasks = [Task(index, candidate, level, run=False) for index in part]
            for index, outcome in zip(part, in_order(self._workers, tasks), strict=True):
                if outcome.value is None:
                    yield index, ended(outcome)
                else:
                    objects.append((str(index), outcome.value.object))
            for ran in self._cross.run_batch(objects, EMULATED_SECONDS):
                yield int(ran.name), ended_abroad(ran)

    def close(self) -> None:
        """See :class:`Bench`."""
        self._stack.close()


def ended(outcome: Outcome[Ran]) -> Ended:
    """How a program ended in a worker."""
    running = outcome.phase >= PHASE_RUN
    if outcome.failure == "time-out":
        return Ended("time-out" if running else "compiler time-out", outcome.detail)
    if outcome.failure == "refused":
        if outcome.detail.startswith("verifier:"):
            return Ended("verifier", outcome.detail)
        return Ended(
            "does not link" if outcome.phase == PHASE_LINK else "compiler error", outcome.detail
        )
    if outcome.failure == "crash":
        if running:
            return Ended("program crash", outcome.detail)
        assertion = "Assertion" in outcome.detail
        return Ended("assertion" if assertion else "compiler crash", outcome.detail)
    assert outcome.value is not None
    if outcome.value.status:
        aborted = outcome.value.status == 256
        detail = "aborted" if aborted else f"exit status {outcome.value.status}"
        return Ended("wrong answer", detail, outcome.value.output)
    return Ended("", "", outcome.value.output)


def ended_abroad(ran: RunOutcome) -> Ended:
    """How a program ended under the emulator."""
    if ran.kind == "timeout":
        return Ended("time-out", ran.detail)
    if ran.kind == "link error":
        return Ended("does not link", ran.detail)
    if ran.kind == "signal":
        if ran.status == _ABORT:
            return Ended("wrong answer", "aborted")
        return Ended("program crash", f"signal {ran.status}")
    output = int(ran.output_hash or "0", 16)
    if ran.status:
        return Ended("wrong answer", f"exit status {ran.status}", output)
    return Ended("", "", output)
