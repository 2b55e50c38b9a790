"""Single functions of many modules: counted and cut out, in workers that may die.

What a cut holds is told in :mod:`irsmith.corpus.cut`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith.corpus.cut import cut_each
from irsmith.parallel.local import in_order
from irsmith.records import Module
from irsmith.sandbox.worker import Limits, Outcome, Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import LLVM, LLVMError, arch_of, load

_LIMITS = Limits(cpu_seconds=120, wall_seconds=300)
"""The largest units of real programs have thousands of functions."""


@dataclass(frozen=True, slots=True)
class CutRequest:
    """Which functions of a unit to cut out.

    Attributes:
        bitcode: the unit.
        names: their names; None takes all.
        smallest: IR instructions of the smallest.
    """

    bitcode: bytes
    names: frozenset[str] | None = None
    smallest: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """One function as a module of its own.

    Attributes:
        name: the function's.
        bitcode: the module; empty if it cannot be cut.
        instructions: IR instructions of the function.
        failure: why there is no module: what LLVM's verifier says.
    """

    name: str
    bitcode: bytes
    instructions: int
    failure: str = ""


class FunctionCutter:
    """Cuts the functions out of units; the handler of a worker.

    Args:
        llvm: the loaded library.
    """

    def __init__(self, llvm: LLVM) -> None:
        self.llvm = llvm

    def __call__(self, request: CutRequest) -> list[Cut]:
        """All cuts of a unit in its order, each verified.

        Raises:
            LLVMError: the unit cannot be parsed.
        """
        cuts = []
        with self.llvm.context() as context:
            unit = context.parse(request.bitcode)
            for name, count, module in cut_each(unit, request.names, request.smallest):
                broken = module.verify()
                bitcode = b"" if broken else module.bitcode()
                cuts.append(Cut(name, bitcode, count, broken))
        return cuts


def cutter(library: Path) -> Callable[[Callable[[int], None]], FunctionCutter]:
    """The preparation of a worker that cuts (one worker, or many with ``parallel``).

    Args:
        library: path of libLLVM.
    """

    def prepare(_: Callable[[int], None]) -> FunctionCutter:
        return FunctionCutter(load(library))

    return prepare


def cut_units(
    toolchain: Toolchain,
    units: Iterable[Module],
    jobs: int = 1,
    names: frozenset[str] | None = None,
    smallest: int = 1,
) -> Iterator[Outcome[list[Cut]]]:
    """The functions of many units, cut by several workers.

    Args:
        toolchain: where LLVM is; the library with assertions, which knows every target.
        units: taken lazily.
        jobs: workers.
        names: functions to cut; None cuts all.
        smallest: IR instructions of the smallest function to cut.

    Yields:
        For each unit its cuts, or how LLVM died on it; in the order of the units.
    """
    library = toolchain.checked_library("AArch64").path
    requests = (CutRequest(unit.bitcode, names, smallest) for unit in units)
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(cutter(library), _LIMITS)) for _ in range(jobs)]
        yield from in_order(workers, requests)


def cut_functions(
    toolchain: Toolchain,
    module: Module,
    names: Collection[str] | None = None,
    smallest: int = 1,
) -> Iterator[Module]:
    """Functions of one module as modules of their own, in the order of the unit.

    What the verifier refuses is left out.

    Args:
        toolchain: where LLVM is.
        module: the unit.
        names: functions to cut; None cuts all.
        smallest: IR instructions of the smallest function to cut.

    Raises:
        LLVMError: the unit cannot be parsed, or LLVM died on it.
    """
    wanted = None if names is None else frozenset(names)
    with Worker(cutter(toolchain.library(arch_of(module.target)).path), _LIMITS) as worker:
        outcome = worker.call(CutRequest(module.bitcode, wanted, smallest))
    if outcome.value is None:
        raise LLVMError(f"{module.name}: functions cannot be cut out: {outcome.detail}")
    for cut in outcome.value:
        if not cut.failure:
            yield as_module(module, cut)


def as_module(unit: Module, cut: Cut) -> Module:
    """The row of a cut: its unit's, with the function's name after a colon."""
    digest = hashlib.sha256(cut.bitcode).hexdigest()
    return replace(unit, bitcode=cut.bitcode, name=f"{unit.name}:{cut.name}", sha256=digest)


def cut_function(toolchain: Toolchain, module: Module, name: str) -> Module | None:
    """One function as a module of its own, or None if LLVM cannot cut it out."""
    try:
        return next(cut_functions(toolchain, module, [name]), None)
    except LLVMError:
        return None


def function_names(toolchain: Toolchain, modules: list[Module]) -> Iterator[dict[str, int]]:
    """Defined functions of each module with their IR instructions."""
    library = toolchain.library(arch_of(modules[0].target)).path

    def prepare(_: Callable[[int], None]) -> Callable[[int], dict[str, int]]:
        llvm = load(library)

        def handle(index: int) -> dict[str, int]:
            with llvm.context() as context:
                return context.parse(modules[index].bitcode).instruction_counts()

        return handle

    with Worker(prepare) as worker:
        for outcome in worker.map(range(len(modules))):
            yield outcome.value or {}
