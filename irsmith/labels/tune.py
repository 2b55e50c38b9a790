"""Tune labels, first half: a search on each module, its winner made small.

Nothing is checked here. What the search finds is put to the vote, checked and shared out
by :mod:`irsmith.labels.share`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from irsmith.corpus.rows import Row
from irsmith.records import Candidate, Objective, Size
from irsmith.sandbox.worker import Limits
from irsmith.search.autotune import Ledger, rank, refine, tune
from irsmith.search.evaluate import Evaluator
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.tasks.example import Tried, TuneLabel
from irsmith.tasks.render import RenderWorker, Request
from irsmith.toolchain.find import Toolchain

LIMITS = Limits(cpu_seconds=4.0, wall_seconds=120.0, memory_bytes=8 << 30)
"""A list that takes longer on a module is no answer to give."""
STRATEGY = "portfolio, local search"


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How each module is searched.

    Attributes:
        budget: compilations of a search, the portfolio's included.
        insertions: of single passes into the winner, in its minimisation.
        swaps: of neighbours, at most, in its minimisation.
        seed: with the module's hash, of everything random.
        objective: what is minimised.
    """

    budget: int = 64
    insertions: int = 8
    swaps: int = 8
    seed: int = 0
    objective: Objective = "size"


class Labeller:
    """Compiles for the labels of modules of every target, in workers that may die.

    Use it as a context manager.

    Args:
        toolchain: where LLVM is.
    """

    def __init__(self, toolchain: Toolchain) -> None:
        self.toolchain = toolchain
        self._stack = ExitStack()
        self._open: dict[str, tuple[RenderWorker, Evaluator]] = {}

    def __enter__(self) -> Labeller:
        """Workers start with the first module of a target."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        self._stack.close()

    def of(self, target: str) -> tuple[RenderWorker, Evaluator]:
        """What normalises, and what measures, for a target."""
        if target not in self._open:
            self._open[target] = (
                self._stack.enter_context(RenderWorker(self.toolchain, target, LIMITS)),
                self._stack.enter_context(Evaluator(self.toolchain, target, 1, LIMITS)),
            )
        return self._open[target]


def search_module(labeller: Labeller, row: Row, plan: SearchPlan) -> TuneLabel:
    """What a search finds for a module, measured on its normalised form and not checked.

    Args:
        labeller: compiles.
        row: of a corpus.
        plan: how to search.

    Returns:
        A label whose ``best`` is minimised and canonical and has no verdict.

    Raises:
        IrsmithError: LLVM cannot compile the module.
    """
    started = time.monotonic()
    ledger, label = _begin(labeller, row, plan.objective)
    space, seed = default_space(), _seed(plan.seed, row.sha256)
    portfolio = load_portfolio(row.target).candidates
    found = tune(ledger, space, plan.budget, seed, "portfolio", portfolio)
    first = found.ranked[0] if found.ranked else None
    best, after = None, label.baseline
    if first and first.size and _less(first.size, label.baseline, plan.objective):
        refine(ledger, space, first.candidate, seed, plan.insertions, plan.swaps)
        winner = min(ledger.ranked(), key=lambda e: rank(e, plan.objective))
        best, after = winner.candidate, winner.size or after
    return replace(
        label,
        best=best,
        after=after,
        tried=_tried(ledger),
        strategy=STRATEGY,
        compilations=len(ledger),
        seconds=round(time.monotonic() - started, 3),
    )


def measure_module(
    labeller: Labeller, row: Row, lists: Sequence[Candidate], objective: Objective
) -> TuneLabel:
    """What given lists give on a module; the label has no ``best``.

    Args:
        labeller: compiles.
        row: of a corpus.
        lists: to compile.
        objective: of the label.

    Raises:
        IrsmithError: LLVM cannot compile the module.
    """
    started = time.monotonic()
    ledger, label = _begin(labeller, row, objective)
    ledger.measure(lists)
    return replace(
        label,
        tried=_tried(ledger),
        strategy="given lists",
        compilations=len(ledger),
        seconds=round(time.monotonic() - started, 3),
    )


def instructions_of(labeller: Labeller, row: Row) -> int:
    """IR instructions of a module; LLVM counts them where the corpus does not say.

    Raises:
        IrsmithError: LLVM cannot compile the module.
    """
    if row.instructions >= 0:
        return row.instructions
    renders, _ = labeller.of(row.target)
    return renders.render(Request(row.content)).size.value("instructions")


def _begin(labeller: Labeller, row: Row, objective: Objective) -> tuple[Ledger, TuneLabel]:
    """The ledger of a module's normalised form, and a label with its sizes."""
    renders, evaluator = labeller.of(row.target)
    made = renders.render(Request(row.content, normal=True))
    baseline = evaluator.baseline(made.normal).size
    by = labeller.toolchain.fingerprint
    label = TuneLabel(row.sha256, None, made.size, baseline, baseline, by, objective)
    return Ledger(evaluator, made.normal, objective), label


def _tried(ledger: Ledger) -> tuple[Tried, ...]:
    return tuple(Tried(e.candidate, e.size) for e in ledger.seen.values())


def _less(size: Size, than: Size, objective: Objective) -> bool:
    return size.value(objective) < than.value(objective)


def _seed(seed: int, sha256: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {sha256}".encode()).digest()[:8], "big")
