"""IR instructions after each step of a pass list: what each pass contributed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from irsmith.passlist import PassList
from irsmith.toolchain.compile import prepare
from irsmith.toolchain.llvm import load


@dataclass(frozen=True, slots=True)
class TraceJob:
    """A module and the pass list to step through."""

    bitcode: bytes
    triple: str
    passes: str


@dataclass(frozen=True, slots=True)
class Step:
    """IR instructions of the module after one element of the list; the first has no pass."""

    passes: str
    instructions: int


def tracer(library: Path) -> Callable[[Callable[[int], None]], Callable[[TraceJob], list[Step]]]:
    """The preparation of a worker that steps through pass lists.

    Each element at module level is run by itself, so analyses that LLVM would carry
    from one to the next are computed anew: counts may differ by a little from the
    list run as a whole.
    """

    def prepare_worker(_: Callable[[int], None]) -> Callable[[TraceJob], list[Step]]:
        llvm = load(library)

        def handle(job: TraceJob) -> list[Step]:
            with llvm.context() as context:
                module = context.parse(job.bitcode)
                prepare(module, job.triple)
                steps = [Step("", sum(module.instruction_counts().values()))]
                for element in PassList.parse(job.passes).elements:
                    module.run_passes(element.text)
                    count = sum(module.instruction_counts().values())
                    steps.append(Step(element.text, count))
            return steps

        return handle

    return prepare_worker
