"""Where the bytes were won: per function, and per pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from irsmith.apps.optimize import Optimized
from irsmith.records import Module
from irsmith.sandbox.worker import Worker
from irsmith.search.evaluate import Evaluator, limits_for
from irsmith.toolchain.compile import Job
from irsmith.toolchain.elf_object import read_object
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.frames import function_bytes
from irsmith.toolchain.llvm import arch_of
from irsmith.toolchain.trace import Step, TraceJob, tracer


@dataclass(frozen=True, slots=True)
class Explanation:
    """What changed.

    Attributes:
        functions: name, bytes under ``-Oz``, bytes in the result, each of code and unwind
            entry together; most won first. A function that is only in one of the two has
            0 in the other.
        steps: IR instructions of the module after each element of the pass list.
    """

    functions: tuple[tuple[str, int, int], ...]
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "functions": [
                {"name": name, "baseline": before, "result": after}
                for name, before, after in self.functions
            ],
            "passes": [
                {"pass": step.passes, "instructions": step.instructions} for step in self.steps
            ],
        }


def explain(toolchain: Toolchain, module: Module, result: Optimized) -> Explanation:
    """Compare a result with ``-Oz`` function by function, and step through its passes."""
    limits = limits_for(module.bitcode)
    with Evaluator(toolchain, module.target, limits=limits) as evaluator:
        before = _sizes(evaluator.baseline(module.bitcode, "object").output)
        after = before
        if result.source != "baseline":
            job = Job(module.bitcode, module.target, result.candidate, output="object")
            after = _sizes(evaluator.compile(job).output)
    rows = [(name, before.get(name, 0), after.get(name, 0)) for name in sorted({*before, *after})]
    rows.sort(key=lambda row: row[2] - row[1])
    library = toolchain.library(arch_of(module.target)).path
    with Worker(tracer(library), limits) as worker:
        traced = worker.call(TraceJob(module.bitcode, module.target, result.candidate.passes))
    return Explanation(tuple(rows), tuple(traced.value or ()))


def _sizes(code: bytes) -> dict[str, int]:
    return function_bytes(read_object(code))
