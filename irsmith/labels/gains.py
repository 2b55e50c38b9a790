"""What tune labels save over -Oz: means with intervals, by split, package and size."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.labels.rows import SPLITS, LabelRow
from irsmith.labels.tune_check import REFUTED
from irsmith.passlist import PassList, PassListError
from irsmith.records import IrsmithError
from irsmith.tasks.example import TuneLabel

RESAMPLES = 2000
"""Of packages, for an interval."""
SIZES = (0, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 1 << 40)
"""Bounds of the classes by size of -Oz: bytes, or instructions where these are minimised."""
COMPILATIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Counts of lists tried at which the gain is told."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What labels of one group save over -Oz.

    Attributes:
        labels: how many.
        packages: distinct.
        improved: labels with a list that beats -Oz.
        mean: of the share that each label saves.
        low: lower end of the 95 % bootstrap interval of the mean, by package; the mean
            itself where there is one package.
        high: upper end.
        total: share saved of all bytes together.
    """

    labels: int
    packages: int
    improved: int
    mean: float
    low: float
    high: float
    total: float

    def text(self) -> str:
        """The share of all bytes, then the mean and its interval."""
        return f"{self.total:6.2%} (mean {self.mean:.2%} [{self.low:.2%}, {self.high:.2%}])"


@dataclass(frozen=True, slots=True)
class TuneStats:
    """Figures of tune labels.

    Attributes:
        splits: gain by split.
        targets: gain by target.
        packages: gain by package, most labels first.
        sizes: gain by the size of -Oz, by the lower bound of its class.
        lengths: labels by the number of passes in their list.
        passes: labels whose list has a pass, most first.
        codegen: labels whose list has an option, most first.
        curve: by split, mean share saved by the smallest of the first lists tried, checked
            or not, at counts of compilations that at least half the labels reach.
        unchecked: labels with a smaller list that was not accepted, and the mean share that
            checking so costs over all labels.
        refused: lists that a check refused, by why.
        module: labels with a list, by what the module check said of it.
        refuted: labels by the number of lists that the module check refuted before.
        compilations: in all.
        seconds: of processes, in all.
    """

    splits: dict[str, Gain]
    targets: dict[str, Gain]
    packages: dict[str, Gain]
    sizes: dict[int, Gain]
    lengths: dict[int, int]
    passes: dict[str, int]
    codegen: dict[str, int]
    curve: dict[str, dict[int, float]]
    unchecked: tuple[int, float]
    refused: dict[str, int]
    module: dict[str, int]
    refuted: dict[int, int]
    compilations: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Saved:
    """One tune label: where it is from, and shares of -Oz."""

    split: str
    target: str
    package: str
    size: int
    saved: int

    @property
    def share(self) -> float:
        """Saved, of what -Oz takes."""
        return self.saved / self.size if self.size else 0.0


class Tuner:
    """Adds up tune labels."""

    def __init__(self) -> None:
        self.saved: list[Saved] = []
        self.lengths: Counter[int] = Counter()
        self.passes: Counter[str] = Counter()
        self.codegen: Counter[str] = Counter()
        self.curves: dict[str, list[list[float]]] = defaultdict(list)
        self.refused: Counter[str] = Counter()
        self.module: Counter[str] = Counter()
        self.refuted: Counter[int] = Counter()
        self.lost: list[float] = []
        self.compilations, self.seconds = 0, 0.0

    def add(self, row: LabelRow) -> None:
        """Count a tune label."""
        label = row.label
        assert isinstance(label, TuneLabel)
        size = label.baseline.value(label.objective)
        after = label.after.value(label.objective)
        self.saved.append(Saved(row.split, row.target, row.package, size, size - after))
        self.compilations += label.compilations
        self.seconds += label.seconds
        refuted = sum(line.startswith(REFUTED) for line in label.verdict.evidence)
        if refuted:
            self.refuted[refuted] += 1
        if label.best is not None:
            self.module[label.verdict.module] += 1
            names = passes_of(label.best.passes)
            self.lengths[len(names)] += 1
            self.passes.update(set(names))
            self.codegen.update(label.best.codegen)
        if label.unchecked is not None:
            smaller = label.unchecked.size.value(label.objective)
            self.lost.append((after - smaller) / size if size else 0.0)
            self.refused[_reason(label.unchecked.reason)] += 1
        if label.tried and size:
            self.curves[row.split].append(_curve(label, size))

    def result(self, judged: dict[str, int]) -> TuneStats:
        """The figures; ``judged``, if there is any, says why lists were refused."""
        saved = self.saved
        labels = max(1, len(saved))
        packages = Counter(one.package for one in saved)
        return TuneStats(
            _by(saved, "split", SPLITS),
            _by(saved, "target", sorted({one.target for one in saved})),
            _by(saved, "package", [name for name, _ in packages.most_common()]),
            _by_size(saved),
            dict(sorted(self.lengths.items())),
            dict(self.passes.most_common()),
            dict(self.codegen.most_common()),
            {split: _mean_curve(curves) for split, curves in sorted(self.curves.items())},
            (len(self.lost), sum(self.lost) / labels),
            judged or dict(self.refused.most_common()),
            dict(self.module.most_common()),
            dict(sorted(self.refuted.items())),
            self.compilations,
            self.seconds,
        )


def passes_of(text: str) -> list[str]:
    """The passes of a list, adaptors opened, parameters left out; levels count as one."""
    try:
        waiting = list(PassList.parse(text).elements)[::-1]
    except PassListError:
        return [text]
    names = []
    while waiting:
        element = waiting.pop()
        if element.children:
            waiting += element.children[::-1]
        else:
            head = element.head
            names.append(head if head.startswith("default<") else head.split("<")[0])
    return names


def _curve(label: TuneLabel, size: int) -> list[float]:
    """The share saved by the best of the first lists, after each list."""
    best, found = 0.0, []
    for one in label.tried:
        if one.size is not None:
            best = max(best, 1 - one.size.value(label.objective) / size)
        found.append(best)
    return found


def _mean_curve(curves: Sequence[list[float]]) -> dict[int, float]:
    found = {}
    for count in COMPILATIONS:
        if 2 * sum(len(curve) >= count for curve in curves) >= len(curves):
            found[count] = sum(curve[min(count, len(curve)) - 1] for curve in curves) / len(curves)
    return found


def _by(saved: Sequence[Saved], what: str, values: Iterable[str]) -> dict[str, Gain]:
    groups: dict[str, list[Saved]] = defaultdict(list)
    for one in saved:
        groups[getattr(one, what)].append(one)
    return {value: gain(groups[value]) for value in values if groups[value]}


def _by_size(saved: Sequence[Saved]) -> dict[int, Gain]:
    groups: dict[int, list[Saved]] = defaultdict(list)
    for one in saved:
        groups[max(bound for bound in SIZES if bound <= one.size)].append(one)
    return {bound: gain(groups[bound]) for bound in SIZES if groups[bound]}


def gain(saved: Sequence[Saved]) -> Gain:
    """The gain of a group, with an interval by package: packages are drawn again, whole."""
    import numpy

    sums: dict[str, list[float]] = {}
    for one in saved:
        pair = sums.setdefault(one.package, [0.0, 0.0])
        pair[0] += one.share
        pair[1] += 1
    values = numpy.array([sums[name] for name in sorted(sums)])
    drawn = numpy.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    means = values[drawn, 0].sum(1) / values[drawn, 1].sum(1)
    low, high = numpy.percentile(means, [2.5, 97.5])
    size = sum(one.size for one in saved)
    return Gain(
        len(saved),
        len(sums),
        sum(one.saved > 0 for one in saved),
        float(values[:, 0].sum() / values[:, 1].sum()),
        float(low),
        float(high),
        sum(one.saved for one in saved) / size if size else 0.0,
    )


def _reason(text: str) -> str:
    """Why a list was not accepted, without names of programs."""
    return text.split(":")[0].strip()[:60] or "not judged"


def judged_beside(files: Sequence[Path]) -> dict[str, int]:
    """What was said of refused lists, from the ``lists.json`` beside tune labels.

    Raises:
        IrsmithError: there is one and it is damaged.
    """
    found: Counter[str] = Counter()
    for folder in sorted({path.parent for path in files}):
        path = folder / "lists.json"
        if not path.exists():
            continue
        try:
            for entry in json.loads(path.read_bytes()):
                if entry["state"] != "passed":
                    found[_reason(entry["reason"])] += 1
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise IrsmithError(f"{path}: cannot be read, is it damaged?") from error
    return dict(found.most_common())
