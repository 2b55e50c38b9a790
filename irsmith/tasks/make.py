"""Rows and labels into examples, many at a time, in workers that may die."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from irsmith.parallel.local import in_order
from irsmith.records import IrsmithError, Module
from irsmith.sandbox.worker import Limits, Outcome, Worker
from irsmith.tasks import disassemble, emulate, pretrain, tune
from irsmith.tasks.example import DisassembleLabel, EmulateLabel, Example, TuneLabel
from irsmith.tasks.render import Renderer, Renders
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of, load

LIMITS = Limits(cpu_seconds=60.0, wall_seconds=600.0)
"""A large unit at three levels, printed, parsed and compiled again."""


@dataclass(frozen=True, slots=True)
class Pretrain:
    """Asks for the pretraining documents of a module.

    Attributes:
        levels: beyond unoptimised IR.
    """

    levels: tuple[str, ...] = ("Oz",)


Label = EmulateLabel | TuneLabel | DisassembleLabel


@dataclass(frozen=True, slots=True)
class Order:
    """One row, and what to make of it.

    Attributes:
        module: a row; its hash must be the label's.
        label: a label of it, or what to pretrain on.
        with_ir: whether the answer of a tuning label shows the IR after the passes.
    """

    module: Module
    label: Label | Pretrain
    with_ir: bool = False


def make(renders: Renders, version: str, order: Order) -> tuple[Example, ...]:
    """The examples of an order: one of a label, several for pretraining.

    Raises:
        IrsmithError: the label is of another module, or the task's ``build`` refuses it.
    """
    bitcode, label = order.module.bitcode, order.label
    if isinstance(label, Pretrain):
        return tuple(pretrain.build(renders, bitcode, version, label.levels))
    if label.module != order.module.sha256:
        raise IrsmithError(f"{order.module.name}: the label is of module {label.module[:16]}")
    if isinstance(label, EmulateLabel):
        return (emulate.build(renders, bitcode, label),)
    if isinstance(label, TuneLabel):
        return (tune.build(renders, bitcode, label, order.with_ir),)
    return (disassemble.build(renders, bitcode, label, version),)


def maker(
    library: Path,
) -> Callable[[Callable[[int], None]], Callable[[Order], tuple[Example, ...]]]:
    """The preparation of a worker that makes examples.

    Args:
        library: path of libLLVM.
    """

    def prepare(_: Callable[[int], None]) -> Callable[[Order], tuple[Example, ...]]:
        renderer = Renderer(load(library))
        version = renderer.llvm.version

        def handle(order: Order) -> tuple[Example, ...]:
            return make(renderer, version, order)

        return handle

    return prepare


def make_examples(
    toolchain: Toolchain,
    triple: str,
    orders: Iterable[Order],
    jobs: int = 1,
    limits: Limits = LIMITS,
) -> Iterator[Outcome[tuple[Example, ...]]]:
    """The examples of many orders for one target.

    Args:
        toolchain: where LLVM is.
        triple: target.
        orders: taken lazily; those of one module are fastest side by side.
        jobs: workers.
        limits: of one order.

    Yields:
        For each order its examples, or why there are none; in the order given, whatever
        the number of workers.
    """
    library = toolchain.library(arch_of(triple)).path
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(maker(library), limits)) for _ in range(jobs)]
        yield from in_order(workers, orders)
