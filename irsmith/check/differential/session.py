"""The handler of the worker: prepares references, compares candidates with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from irsmith.check.differential.compare import compare, explain
from irsmith.check.differential.data import (
    CheckJob,
    Compared,
    Explained,
    ExplainJob,
    Prepared,
    PrepareJob,
)
from irsmith.check.differential.library import Runtime
from irsmith.check.differential.linking import Linker
from irsmith.check.differential.reference import Preparation
from irsmith.toolchain.llvm import LLVM, load

Job = PrepareJob | CheckJob | ExplainJob


class Session:
    """Keeps nothing between items but the loaded libraries.

    Args:
        llvm: the loaded library.
        runtime: the loaded runtime.
    """

    def __init__(self, llvm: LLVM, runtime: Runtime) -> None:
        self.linker = Linker(llvm, runtime)

    def __call__(self, job: Job) -> Prepared | Compared | Explained:
        """One item."""
        if isinstance(job, PrepareJob):
            return Preparation(self.linker).prepare(job)
        if isinstance(job, CheckJob):
            return compare(self.linker, job)
        return explain(self.linker, job)


def session(
    library: Path, runtime: Path
) -> Callable[[Callable[[int], None]], Callable[[Job], Prepared | Compared | Explained]]:
    """The preparation of a worker.

    Args:
        library: path of libLLVM.
        runtime: what :func:`irsmith.check.differential.library.compile_runtime` gave.
    """

    def prepare_worker(
        _: Callable[[int], None],
    ) -> Callable[[Job], Prepared | Compared | Explained]:
        return Session(load(library), Runtime(runtime))

    return prepare_worker
