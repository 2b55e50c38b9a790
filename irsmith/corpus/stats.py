"""What is in a corpus, counted: by split, language, target, package and licence."""

from __future__ import annotations

import io
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irsmith.corpus.rows import COLUMNS, corpus_files, read_rows
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

_LOOKED_AT = tuple(name for name in COLUMNS if name not in ("content", "flags", "license_files"))
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that have something in common.

    Attributes:
        units: rows.
        packages: distinct packages.
        functions: in all, of rows that count them.
        instructions: likewise.
    """

    units: int
    packages: int
    functions: int
    instructions: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What is in a corpus.

    Attributes:
        total: all rows.
        splits: by split.
        languages: by language.
        targets: by target.
        packages: by package, most instructions first.
        licences: rows by licence expression, most first.
        both_targets: source files with a row for each target that is there.
        files: source files (package, version, file) in all.
        instructions: IR instructions of each row, ascending.
    """

    total: Group
    splits: dict[str, Group]
    languages: dict[str, Group]
    targets: dict[str, Group]
    packages: dict[str, Group]
    licences: dict[str, int]
    both_targets: int
    files: int
    instructions: tuple[int, ...]

    def quantiles(self) -> tuple[int, ...]:
        """IR instructions of a row at 5, 25, 50, 75 and 95 %."""
        sizes = self.instructions
        return tuple(sizes[int(q * (len(sizes) - 1))] for q in (0.05, 0.25, 0.5, 0.75, 0.95))


def stats(paths: Sequence[Path]) -> Stats:
    """Count what is in a corpus; contents are not read.

    Args:
        paths: Parquet files, or folders of them.

    Raises:
        IrsmithError: there is nothing, or a file is damaged.
    """
    rows: list[tuple[str, str, str, str, str, int, int]] = []
    licences: Counter[str] = Counter()
    targets_of: dict[tuple[str, str, str], set[str]] = {}
    for path in corpus_files(paths):
        for row in read_rows(path, _LOOKED_AT):
            counts = (max(0, row.functions), max(0, row.instructions))
            rows.append((row.split, row.language, row.target, row.package, row.file, *counts))
            licences[row.license_expression] += 1
            targets_of.setdefault((row.package, row.version, row.file), set()).add(row.target)
    if not rows:
        raise IrsmithError("there are no rows in these files")
    targets = {row[2] for row in rows}
    packages = _by(rows, 3)
    return Stats(
        _group(rows),
        {split: group for split in _SPLITS if (group := _by(rows, 0).get(split))},
        _by(rows, 1),
        _by(rows, 2),
        dict(sorted(packages.items(), key=lambda item: (-item[1].instructions, item[0]))),
        dict(licences.most_common()),
        sum(len(found) == len(targets) for found in targets_of.values()),
        len(targets_of),
        tuple(sorted(row[6] for row in rows)),
    )


def _by(rows: Sequence[tuple[Any, ...]], column: int) -> dict[str, Group]:
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(str(row[column]), []).append(row)
    return {name: _group(group) for name, group in sorted(groups.items())}


def _group(rows: Sequence[tuple[Any, ...]]) -> Group:
    packages = {row[3] for row in rows}
    return Group(len(rows), len(packages), sum(row[5] for row in rows), sum(row[6] for row in rows))


def draw(found: Stats, path: Path) -> None:
    """Draw the packages by size, the sizes of units, and the languages and targets.

    Args:
        found: from :func:`stats`.
        path: picture; the suffix says which kind.

    Raises:
        IrsmithError: matplotlib is not installed or does not know the kind of picture, or
            it cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise IrsmithError("drawing needs matplotlib: pip install 'irsmith[data]'") from error
    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    largest, sizes, splits = figure.subplot_mosaic(
        [["packages", "sizes"], ["packages", "splits"]], width_ratios=[1, 1.2]
    ).values()
    top = list(found.packages.items())[:30][::-1]
    largest.barh([name for name, _ in top], [g.instructions / 1000 for _, g in top])
    largest.set_xlabel("thousand IR instructions")
    largest.set_title(f"largest of {found.total.packages} packages")
    largest.tick_params(axis="y", labelsize=8)
    positive = [count for count in found.instructions if count > 0]
    if positive:
        edges = [10 ** (k / 4) for k in range(0, 25)]
        sizes.hist(positive, bins=edges)
        sizes.set_xscale("log")
        sizes.axvline(statistics.median(positive), color="black", linestyle=":")
    sizes.set_xlabel("IR instructions of a module (dotted: median)")
    sizes.set_ylabel("modules")
    names = list(found.splits)
    splits.bar(names, [found.splits[name].units for name in names])
    splits.set_ylabel("modules")
    splits.set_title(f"{found.total.units} modules")
    picture = io.BytesIO()
    try:
        figure.savefig(picture, format=path.suffix.lstrip(".") or "png", dpi=110)
        write_beside(path, picture.getvalue())
    except ValueError as error:
        raise IrsmithError(f"{path}: {error}") from error
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error


def table(found: Stats, most: int = 15) -> str:
    """The counts as text."""
    header = f"{'':<34}{'modules':>9}{'packages':>10}{'functions':>11}{'instructions':>14}"
    lines = [header, _line("all", found.total)]
    for title, groups in (
        ("split", found.splits),
        ("language", found.languages),
        ("target", found.targets),
        ("package", dict(list(found.packages.items())[:most])),
    ):
        lines += ["", title, *(_line(f"  {name}", group) for name, group in groups.items())]
    if len(found.packages) > most:
        lines.append(f"  and {len(found.packages) - most} more packages")
    lines += ["", "licence (modules)"]
    lines += [f"  {count:>7}  {name[:90]}" for name, count in list(found.licences.items())[:most]]
    if len(found.licences) > most:
        lines.append(f"  and {len(found.licences) - most} more expressions")
    lines += ["", f"{found.both_targets} of {found.files} source files for every target"]
    quantiles = ", ".join(str(count) for count in found.quantiles())
    lines.append(f"IR instructions of a module at 5, 25, 50, 75, 95 %: {quantiles}")
    return "\n".join(lines)


def _line(name: str, group: Group) -> str:
    return (
        f"{name:<34}{group.units:>9}{group.packages:>10}{group.functions:>11}"
        f"{group.instructions:>14}"
    )
