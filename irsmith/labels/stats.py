"""What is in label files, in figures: gains of tune labels, counts of the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.rows import corpus_files
from irsmith.labels.columns import Kind
from irsmith.labels.gains import Tuner, TuneStats, judged_beside, passes_of
from irsmith.labels.rows import LabelRow, read_head, read_labels
from irsmith.tasks.example import DisassembleLabel, EmulateLabel


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one kind, counted by several things.

    Attributes:
        rows: in all.
        modules: distinct.
        by: rows by split, target, level and so on.
        left_out: what gave no row: reason and how many.
    """

    rows: int
    modules: int
    by: dict[str, dict[str, int]]
    left_out: dict[str, int]


@dataclass(frozen=True, slots=True)
class LabelStats:
    """What is in label files: counts of each kind, and gains of tune labels."""

    counts: dict[Kind, Counts]
    tune: TuneStats | None = None


def stats(paths: Sequence[Path]) -> LabelStats:
    """Count what is in label files.

    Args:
        paths: files, or folders of them; of any kinds.

    Raises:
        IrsmithError: there is nothing, or a file is damaged.
    """
    files: dict[Kind, list[Path]] = defaultdict(list)
    for path in corpus_files(paths):
        files[read_head(path).kind].append(path)
    counts, tuned = {}, None
    for kind, some in files.items():
        counter = _Counter()
        if kind == "tune":
            tuner = Tuner()
            for path in some:
                for row in read_labels(path, kind):
                    counter.add(row)
                    tuner.add(row)
            tuned = tuner.result(judged_beside(some))
        else:
            for path in some:
                for row in read_labels(path, kind):
                    counter.add(row)
        counts[kind] = counter.result(some)
    return LabelStats(counts, tuned)


class _Counter:
    def __init__(self) -> None:
        self.rows, self.modules = 0, set[str]()
        self.by: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, row: LabelRow) -> None:
        label = row.label
        self.rows += 1
        self.modules.add(label.module)
        given = {"split": row.split, "target": row.target, "package": row.package}
        if isinstance(label, EmulateLabel):
            given |= {
                "output": label.output,
                "passes": _class(len(passes_of(label.candidate.passes))),
            }
        elif isinstance(label, DisassembleLabel):
            given |= {"level": label.level, "form": label.form}
        for what, value in given.items():
            self.by[what][value] += 1

    def result(self, files: Iterable[Path]) -> Counts:
        left_out: Counter[str] = Counter()
        for path in files:
            left_out.update(read_head(path).left_out)
        by = {what: dict(found.most_common()) for what, found in self.by.items()}
        return Counts(self.rows, len(self.modules), by, dict(left_out.most_common()))


def _class(count: int) -> str:
    """A class of list lengths: 1, 2, 3-5, 6-10, 11-20, 21-50, more."""
    low = 0
    for high in (0, 1, 2, 5, 10, 20, 50):
        if count <= high:
            return str(high) if high - low <= 1 else f"{low + 1}-{high}"
        low = high
    return "51 and more"
