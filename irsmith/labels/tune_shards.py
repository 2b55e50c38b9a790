"""Tune labels in shards: the same work on every part of a corpus, here or on a cluster."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from irsmith.corpus.parts import Loaded, Part
from irsmith.corpus.rows import Row
from irsmith.labels.rows import Labelled, LabelRow, label_format, refusal, row_of
from irsmith.labels.run import Pick, run_name
from irsmith.labels.tune import (
    Labeller,
    SearchPlan,
    instructions_of,
    measure_module,
    search_module,
)
from irsmith.parallel.shards import Shard, make_shards
from irsmith.parallel.work import Executor, Work
from irsmith.records import Candidate, IrsmithError
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.example import TuneLabel
from irsmith.toolchain.find import find_toolchain


@dataclass(frozen=True, slots=True)
class Task:
    """What is done to the modules that are picked.

    Attributes:
        picks: a module is taken if all of these take it.
        search: how to search.
        searched: which of them are searched; on the others lists are measured.
        lists: by target.
        with_portfolio: whether the portfolio is measured where nothing is searched.
    """

    picks: tuple[Pick, ...]
    search: SearchPlan
    searched: Pick | None = None
    lists: tuple[tuple[str, tuple[Candidate, ...]], ...] = ()
    with_portfolio: bool = True


def run_parts(
    parts: Sequence[Part],
    task: Task,
    folder: Path,
    executor: Executor,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Shard]:
    """Do a task on all parts, a shard each; goes on where it was stopped.

    Args:
        parts: of the corpus.
        task: what to do.
        folder: for the shards.
        executor: this machine's processes, or a cluster.
        progress: told parts done and in all.
    """
    here = Path(__file__).parent
    code = [here / "tune.py", here / "tune_shards.py", here.parent / "search/autotune.py"]
    given = [[target, [c.key() for c in some]] for target, some in task.lists]
    run = run_name(parts, {**asdict(task), "lists": given}, code)
    work = Work(functools.partial(_prepare, task), label_format("tune"))
    return make_shards(work, Loaded(parts), folder, run, executor, 1, progress)


def _prepare(task: Task) -> Callable[[list[Row]], Labelled]:
    """In each process: what compiles, and what is done to a part."""
    labeller = Labeller(find_toolchain())
    lists = dict(task.lists)

    def work(rows: list[Row]) -> Labelled:
        made: list[LabelRow] = []
        left_out: Counter[str] = Counter()
        for row in rows:
            reason = refusal(row.package)
            if reason:
                left_out["of a package that nothing may be learnt from"] += 1
                continue
            if not all(pick.draws(row.sha256) for pick in task.picks):
                continue
            try:
                size = instructions_of(labeller, row)
                if not all(pick.fits(size) for pick in task.picks):
                    left_out["of too few or too many IR instructions"] += 1
                    continue
                made.append(row_of(_label(labeller, task, lists.get(row.target, ()), row), row))
            except IrsmithError as error:
                left_out[f"LLVM: {str(error)[:120]}"] += 1
        return Labelled(tuple(made), dict(left_out))

    return work


def _label(labeller: Labeller, task: Task, lists: Sequence[Candidate], row: Row) -> TuneLabel:
    if task.searched is not None and task.searched.takes(row):
        return search_module(labeller, row, task.search)
    known = load_portfolio(row.target).candidates if task.with_portfolio else ()
    return measure_module(labeller, row, [*known, *lists], task.search.objective)
