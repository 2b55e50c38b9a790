"""Tune labels in shards: the same work on every part of a corpus, here or on a cluster."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from irsmith.corpus.parts import Loaded, Part
from irsmith.corpus.rows import Row
from irsmith.labels.rows import Labelled, LabelRow, label_format, refusal, row_of
from irsmith.labels.tune import Labeller, SearchPlan, measure_module, search_module
from irsmith.parallel.shards import Shard, fingerprint, make_shards
from irsmith.parallel.work import Executor, Work
from irsmith.records import Candidate, IrsmithError
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.example import TuneLabel
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain


@dataclass(frozen=True, slots=True)
class Pick:
    """Which modules of a corpus are taken: by their hash, so that order does not matter.

    Attributes:
        share: of all modules; nested: what a smaller share takes, a larger one takes too.
        salt: another salt picks others.
        smallest: IR instructions.
        largest: IR instructions.
    """

    share: float = 1.0
    salt: str = ""
    smallest: int = 0
    largest: int = 1 << 40

    def takes(self, row: Row) -> bool:
        """Whether a row is taken."""
        return self.smallest <= row.instructions <= self.largest and self.draws(row.sha256)

    def draws(self, sha256: str) -> bool:
        """Whether a module is taken, by its hash alone."""
        return self.place(sha256) < self.share

    def place(self, sha256: str) -> float:
        """A module's place between 0 and 1: those before ``share`` are taken."""
        digest = hashlib.sha256(f"{self.salt} {sha256}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


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
    shipped = [[c.key() for c in load_portfolio(t).candidates] for t in DEFAULT_TARGETS.values()]
    configuration = [
        [[part.path, part.first, part.count] for part in parts],
        {**asdict(task), "lists": given},
        find_toolchain().fingerprint,
        shipped,
    ]
    run = fingerprint(configuration, *code)
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
            if not all(pick.takes(row) for pick in task.picks):
                continue
            try:
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
