"""Tune labels, last step: differential execution of each labelled module.

PassListEval accepts a list on programs that it knows; this asks about the very module of
the label. A list that the module refutes gives way to the module's next best accepted one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import overload

from irsmith.check.accept import ModuleJudge
from irsmith.corpus.parts import Part
from irsmith.corpus.rows import Row
from irsmith.labels.rows import Labelled, LabelRow, label_format
from irsmith.labels.run import run_name
from irsmith.labels.share import Judged, ranked, settle
from irsmith.labels.tune import Labeller
from irsmith.parallel.shards import Shard, make_shards
from irsmith.parallel.work import Executor, Work
from irsmith.records import Candidate, IrsmithError, Size, Verdict
from irsmith.tasks.example import TuneLabel, Unchecked
from irsmith.tasks.render import Request
from irsmith.toolchain.find import find_toolchain

REFUTED = "module check:"
"""How a line of a verdict's evidence begins that says why a better list was passed over."""
MOST = 8
"""Lists tried on a module; one that refutes so many is rather misjudged, and gets -Oz."""

Accepted = Mapping[str, Mapping[Candidate, str]]
"""By target: accepted lists, and the suite that accepted each."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What is checked at a time: labels of a part, and the modules of those with a list."""

    labels: tuple[LabelRow, ...]
    modules: dict[str, Row]


class SettledParts(Sequence[Settled]):
    """The settled labels of parts, read when they are sent.

    Args:
        parts: of the corpus.
        searched: a shard a part.
        shared: a shard a part.
        judged: all judgements.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        searched: Sequence[Shard],
        shared: Sequence[Shard],
        judged: Sequence[Judged],
    ) -> None:
        self._parts, self._judged = parts, judged
        self._shards = list(zip(searched, shared, strict=True))

    def __len__(self) -> int:
        """Number of parts."""
        return len(self._parts)

    @overload
    def __getitem__(self, at: int) -> Settled: ...
    @overload
    def __getitem__(self, at: slice) -> list[Settled]: ...
    def __getitem__(self, at: int | slice) -> Settled | list[Settled]:
        """The labels of a part, or of several."""
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        first, second = self._shards[at]
        labels = tuple(settle([first], [second], self._judged))
        wanted = {row.label.module for row in labels if _best(row) is not None}
        rows = self._parts[at].rows() if wanted else []
        return Settled(labels, {row.sha256: row for row in rows if row.sha256 in wanted})


def check_parts(
    parts: Sequence[Part],
    searched: Sequence[Shard],
    shared: Sequence[Shard],
    judged: Sequence[Judged],
    folder: Path,
    executor: Executor,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Shard]:
    """Settle the labels of all parts and check each on its module; a shard a part.

    Args:
        parts: of the corpus.
        searched: shards of the search, all made.
        shared: shards of the accepted lists on the same modules, all made.
        judged: all judgements.
        folder: for the shards; goes on where it was stopped.
        executor: this machine's processes, or a cluster.
        progress: told parts done and in all.

    Raises:
        IrsmithError: the folder holds another run's shards, or cannot be written.
    """
    here = Path(__file__).parent
    code = [here / f"{name}.py" for name in ("tune_check", "share")]
    code += sorted((here.parent / "check/differential").glob("*.[cph]*"))
    steps = [(shards[0].path.parent / "run.json").read_text() for shards in (searched, shared)]
    plan = {"steps": steps, "judged": [[*asdict(one).values()] for one in judged]}
    accepted: dict[str, dict[Candidate, str]] = {}
    for one in judged:
        if one.state == "passed":
            accepted.setdefault(one.target, {})[one.candidate] = one.suite
    work = Work(functools.partial(_prepare, accepted), label_format("tune"))
    items = SettledParts(parts, searched, shared, judged)
    return make_shards(work, items, folder, run_name(parts, plan, code), executor, 1, progress)


def _prepare(accepted: Accepted) -> Callable[[Settled], Labelled]:
    """In each process: what normalises modules, and what is done to a part."""
    labeller = Labeller(find_toolchain())

    def work(part: Settled) -> Labelled:
        return Labelled(
            tuple(
                check_label(labeller, row, part.modules[row.label.module], accepted)
                if _best(row) is not None
                else row
                for row in part.labels
            )
        )

    return work


def check_label(labeller: Labeller, row: LabelRow, module: Row, accepted: Accepted) -> LabelRow:
    """A label whose list its module does not refute.

    Args:
        labeller: normalises; lists were measured on the normalised module.
        row: settled: its list is the best accepted one of those tried.
        module: of the label.
        accepted: lists that may take its place.

    Returns:
        The label with the module's verdict. If lists were refuted, with the best that was
        not (or none), a line of evidence for each, and the smallest of them as what was
        passed over.
    """
    label = row.label
    assert isinstance(label, TuneLabel)
    suites = accepted.get(row.target, {})
    good = [one for one in ranked(label) if one.candidate in suites]
    try:
        renders, _ = labeller.of(row.target)
        normal = renders.render(Request(module.content, normal=True)).normal
    except IrsmithError as error:
        said = Verdict("passed", "passed", "unknown", evidence=(str(error).splitlines()[0],))
        return replace(row, label=replace(label, verdict=said))
    refuted: list[str] = []
    over = label.unchecked
    with ModuleJudge(labeller.toolchain, replace(module.to_module(), bitcode=normal)) as judge:
        for tried in good[:MOST]:
            assert tried.size is not None
            suite = suites[tried.candidate]
            said = judge.judge(tried.candidate, Verdict("passed", "passed", evidence=(suite,)))
            if said.module != "failed":
                said = replace(said, evidence=(*said.evidence, *refuted))
                return replace(
                    row,
                    label=replace(
                        label,
                        best=tried.candidate,
                        after=tried.size,
                        verdict=said,
                        unchecked=_smaller(over, label, tried.size),
                    ),
                )
            why = f"{REFUTED} {said.evidence[-1]}"
            refuted.append(f"{why} [{tried.candidate.key()}]")
            over = over or Unchecked(tried.candidate, tried.size, why)
    nothing = Verdict(evidence=tuple(refuted))
    return replace(
        row,
        label=replace(label, best=None, after=label.baseline, verdict=nothing, unchecked=over),
    )


def _smaller(over: Unchecked | None, label: TuneLabel, than: Size) -> Unchecked | None:
    """What was passed over, if it is smaller than what was taken."""
    if over is None or over.size.value(label.objective) >= than.value(label.objective):
        return None
    return over


def _best(row: LabelRow) -> Candidate | None:
    assert isinstance(row.label, TuneLabel)
    return row.label.best
