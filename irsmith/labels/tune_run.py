"""Tune labels from a corpus: search, vote, judge, share out, settle. Goes on where it stopped."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from irsmith.check.debian import cross_needs, is_native
from irsmith.check.passlisteval import PassListEval
from irsmith.check.suites import get_suite, have_full
from irsmith.corpus.parts import Part
from irsmith.labels.gather import write_splits
from irsmith.labels.rows import LabelRow, read_head, read_labels
from irsmith.labels.run import Pick, nothing_taken
from irsmith.labels.share import Judge, Judged, elect, nominate, refresh, settle
from irsmith.labels.tune import SearchPlan
from irsmith.labels.tune_check import check_parts
from irsmith.labels.tune_shards import Task, run_parts
from irsmith.parallel.shards import Shard, fingerprint
from irsmith.parallel.work import Executor
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.find import Toolchain

Progress = Callable[[str], Callable[[int, int], None]]
"""Given the name of a step, gives what is told done and in all."""


@dataclass(frozen=True, slots=True)
class TunePlan:
    """What to spend on a corpus.

    Attributes:
        search: how a module is searched.
        modules: share of the corpus' modules that get labels.
        first: where that share begins; another run has what is before.
        searched: share of these that are searched; on the others the portfolio is measured
            and, as on all, what is shared out.
        smallest: IR instructions of the smallest module.
        largest: IR instructions of the largest module.
        nominated: lists put to the vote, for each target.
        voters: modules, about, on which they are measured.
        shared: lists judged and shared out, for each target.
        suite: ``full`` (after the quick one), or ``quick`` alone.
        check: ``module``: differential execution of each labelled module, too; ``list``:
            PassListEval alone.
    """

    search: SearchPlan = field(default_factory=SearchPlan)
    modules: float = 1.0
    first: float = 0.0
    searched: float = 1.0
    smallest: int = 8
    largest: int = 20_000
    nominated: int = 400
    voters: int = 200
    shared: int = 100
    suite: str = "full"
    check: str = "module"


@dataclass(frozen=True, slots=True)
class TuneRun:
    """What came of it.

    Attributes:
        files: label files.
        labels: rows, by split.
        left_out: what gave no label: reason and how many.
        judged: lists, with what was said of them.
        errors: of shards that could not be made.
    """

    files: tuple[Path, ...]
    labels: dict[str, int]
    left_out: dict[str, int]
    judged: tuple[Judged, ...]
    errors: tuple[str, ...]


def label_tune(
    toolchain: Toolchain,
    parts: Sequence[Part],
    plan: TunePlan,
    folder: Path,
    executor: Executor,
    jobs: int = 1,
    progress: Progress = lambda step: lambda done, total: None,
    said: Callable[[str], None] = lambda line: None,
) -> TuneRun:
    """Make the tune labels of a corpus.

    Args:
        toolchain: where LLVM is.
        parts: of the corpus.
        plan: what to spend.
        folder: for ``train-000.parquet`` and so on, ``lists.json`` (what was judged) and
            ``portfolio-*.json`` (what the labels suggest); steps are kept in ``work``.
        executor: where modules are worked on.
        jobs: processes that judge lists here.
        progress: of each step.
        said: told of each judgement, in a line.

    Raises:
        IrsmithError: no module is taken, the folder holds another run, or the disk is full;
            what was made stays.
    """
    suites = [plan.suite] if plan.suite == "quick" else ["quick", "full"]
    picked = Pick(plan.modules, "modules", plan.smallest, plan.largest, plan.first)
    work = folder / "work"

    def run(step: str, task: Task) -> list[Shard]:
        return run_parts(parts, task, work / step, executor, progress(step))

    searched = run("search", Task((picked,), plan.search, Pick(plan.searched, "searched")))
    left_out: Counter[str] = Counter()
    for shard in searched:
        if not shard.error:
            left_out.update(read_head(shard.path).left_out)
    if not any(shard.error for shard in searched) and not _rows(searched):
        raise nothing_taken(left_out)
    # Later steps depend on what was found; a run that makes the rest may find other lists.
    work /= _without(searched)
    nominated = nominate(searched, plan.nominated)
    voting = Pick(min(1.0, plan.voters / max(1, _rows(searched))), "voters")
    lists = tuple(nominated.items())
    voted = run("vote", Task((picked, voting), plan.search, lists=lists))

    def suites_of(target: str) -> list[PassListEval]:
        return _suites(toolchain, target, suites, jobs, said)

    def tell(judged: Judged) -> None:
        said(f"{judged.state}: {judged.candidate.key()[:90]} {judged.reason}".rstrip())

    with Judge(toolchain, suites_of, tell) as judge:
        judged = elect(voted, nominated, judge, plan.shared)
    _write_json(folder / "lists.json", [_entry(one) for one in judged])
    accepted = tuple(
        (target, tuple(one.candidate for one in judged if _new(one, target)))
        for target in sorted({one.target for one in judged})
    )
    giving = Task((picked,), plan.search, lists=accepted, with_portfolio=False)
    shared = run("share", giving)
    rows: Iterable[LabelRow]
    checked: list[Shard] = []
    whole = [k for k, pair in enumerate(zip(searched, shared, strict=True)) if not _failed(*pair)]
    if plan.check == "module" and whole:
        checked = check_parts(
            [parts[k] for k in whole],
            [searched[k] for k in whole],
            [shared[k] for k in whole],
            judged,
            work / _without(shared) / "check",
            executor,
            progress("check"),
        )
        good = [shard for shard in checked if not shard.error]
        rows = itertools.chain.from_iterable(read_labels(one.path, "tune") for one in good)
    else:
        rows = settle(searched, shared, judged)
    files, labels = write_splits("tune", rows, folder, dict(left_out))
    suggested = refresh(itertools.chain.from_iterable(map(read_labels, files)), judged, 32)
    for target, chosen in suggested.items():
        entries = [{**candidate.to_json(), "share": share} for candidate, share in chosen]
        path = folder / f"portfolio-{target.split('-')[0]}.json"
        _write_json(path, {"target": target, "candidates": entries})
    errors = tuple(shard.error for shard in (*searched, *voted, *shared, *checked) if shard.error)
    return TuneRun(files, labels, dict(left_out), tuple(judged), errors)


def _new(judged: Judged, target: str) -> bool:
    """Whether a list was accepted for a target and does not ship already."""
    return judged.target == target and judged.state == "passed" and not judged.shipped


def _suites(
    toolchain: Toolchain,
    target: str,
    names: Sequence[str],
    jobs: int,
    said: Callable[[str], None],
) -> list[PassListEval]:
    """The judges of a target, the quickest first; none if its programs cannot run here.

    Raises:
        IrsmithError: the full suite is asked for and not here.
    """
    missing = [] if is_native(target) else cross_needs(target)
    if missing:
        arch = target.split("-")[0]
        said(
            f"lists for {target} cannot be judged without {missing[0].what}: only those that ship "
            f"are used (`irsmith fetch-suite --target {arch}` gets what it takes)"
        )
        return []
    if "full" in names and not have_full(target):
        raise IrsmithError(
            f"the full suite for {target} is not here: `irsmith fetch-suite` gets it, "
            "or let the quick one judge: --suite quick"
        )
    return [
        PassListEval(toolchain, get_suite(name, toolchain, target), jobs=jobs, stop_after=1)
        for name in names
    ]


def _failed(*shards: Shard) -> bool:
    return any(shard.error for shard in shards)


def _without(shards: Sequence[Shard]) -> str:
    """A folder for what was made without some shards; ``""`` if none is missing."""
    missing = [shard.number for shard in shards if shard.error]
    return f"without-{fingerprint(missing)}" if missing else ""


def _rows(shards: Iterable[Shard]) -> int:
    return sum(read_head(shard.path).rows for shard in shards if not shard.error)


def _entry(judged: Judged) -> dict[str, object]:
    return {
        "target": judged.target,
        **judged.candidate.to_json(),
        "state": judged.state,
        "reason": judged.reason,
        "suite": judged.suite,
        "shipped": judged.shipped,
        "share": judged.share,
    }


def _write_json(path: Path, data: object) -> None:
    try:
        write_beside(path, (json.dumps(data, indent=1) + "\n").encode())
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error
