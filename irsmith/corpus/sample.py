"""A sample of modules that no single package or size decides."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

from irsmith.corpus.functions import CutRequest, as_module, cutter, function_names
from irsmith.records import Module
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of


def sample_units(
    modules: Iterable[Module],
    count: int,
    seed: int,
    smallest: int = 2_000,
    largest: int = 60_000,
) -> list[Module]:
    """Units of a size range, package after package in turn.

    Args:
        modules: to choose from.
        count: how many.
        seed: of the choice.
        smallest: bytes of bitcode.
        largest: bytes of bitcode.
    """
    by_package: dict[str, list[Module]] = defaultdict(list)
    for module in modules:
        if smallest <= len(module.bitcode) <= largest:
            by_package[module.package].append(module)
    rng = random.Random(seed)
    queues = [sorted(group, key=lambda m: m.sha256) for _, group in sorted(by_package.items())]
    for queue in queues:
        rng.shuffle(queue)
    rng.shuffle(queues)
    chosen: list[Module] = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(queue.pop())
    return chosen


def sample_functions(
    toolchain: Toolchain, units: list[Module], count: int, seed: int, smallest: int = 20
) -> list[Module]:
    """One function of at least ``smallest`` instructions out of each unit, distinct."""
    if not units:
        return []
    rng = random.Random(seed)
    chosen: list[Module] = []
    seen: set[str] = set()
    with Worker(cutter(toolchain.library(arch_of(units[0].target)).path)) as worker:
        for unit, sizes in zip(units, function_names(toolchain, units), strict=True):
            names = sorted(name for name, size in sizes.items() if size >= smallest)
            if not names:
                continue
            name = rng.choice(names)
            for cut in worker.call(CutRequest(unit.bitcode, frozenset([name]))).value or []:
                module = as_module(unit, cut)
                if not cut.failure and module.sha256 not in seen:
                    seen.add(module.sha256)
                    chosen.append(module)
            if len(chosen) == count:
                break
    return chosen


def sample(
    toolchain: Toolchain, modules: Iterable[Module], units: int, functions: int, seed: int
) -> tuple[list[Module], list[Module]]:
    """Units, and single functions out of other units as far as there are enough."""
    every = sample_units(modules, units + 2 * functions, seed)
    others = every[units:] or every
    return every[:units], sample_functions(toolchain, others, functions, seed)
