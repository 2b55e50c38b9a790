"""Shards of labels put together: files split by split, beside them a card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from irsmith.labels.columns import Kind
from irsmith.labels.rows import SPLITS, LabelRow, read_head, read_labels, write_labels
from irsmith.parallel.shards import Shard
from irsmith.records import IrsmithError

_ROWS_A_FILE = 16_384


@dataclass(frozen=True, slots=True)
class Gathered:
    """What came of a run.

    Attributes:
        files: written.
        rows: by split.
        left_out: what gave no row: reason and how many.
        errors: of shards that were not made or are damaged, a line each.
    """

    files: tuple[Path, ...]
    rows: dict[str, int]
    left_out: dict[str, int]
    errors: tuple[str, ...]


def gather(kind: Kind, shards: Sequence[Shard], folder: Path) -> Gathered:
    """Write the rows of all shards; one that cannot be read is reported, the rest goes on.

    Args:
        kind: of labels.
        shards: of one run, in order.
        folder: for ``train-000.parquet`` and so on.

    Raises:
        IrsmithError: the folder cannot be written.
    """
    left_out = _left_out(shards)
    errors: list[str] = []

    def rows() -> Iterator[LabelRow]:
        for shard in shards:
            try:
                found = _rows(kind, shard)
            except IrsmithError as error:
                errors.append(str(error))
                continue
            yield from found

    files, counts = write_splits(kind, rows(), folder, left_out)
    return Gathered(files, counts, left_out, tuple(errors))


def write_splits(
    kind: Kind, rows: Iterable[LabelRow], folder: Path, left_out: dict[str, int]
) -> tuple[tuple[Path, ...], dict[str, int]]:
    """Write rows split by split, in files of some rows.

    Args:
        kind: of labels.
        rows: in order.
        folder: for ``train-000.parquet`` and so on.
        left_out: what gave no row; told once, in the first file.

    Returns:
        The files, and rows by split.

    Raises:
        IrsmithError: the folder cannot be written.
    """
    waiting: dict[str, list[LabelRow]] = {split: [] for split in SPLITS}
    files: list[Path] = []
    counts: Counter[str] = Counter()

    def flush(split: str) -> None:
        path = folder / f"{split}-{counts[split] // _ROWS_A_FILE:03d}.parquet"
        write_labels(path, kind, waiting[split], {} if files else left_out)
        counts[split] += len(waiting[split])
        files.append(path)
        waiting[split] = []

    for row in rows:
        waiting[row.split].append(row)
        if len(waiting[row.split]) == _ROWS_A_FILE:
            flush(row.split)
    for split in SPLITS:
        if waiting[split]:
            flush(split)
    return tuple(sorted(files)), dict(counts)


def _rows(kind: Kind, shard: Shard) -> list[LabelRow]:
    if shard.error:
        raise IrsmithError(shard.error)
    return list(read_labels(shard.path, kind))


def _left_out(shards: Sequence[Shard]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for shard in shards:
        with suppress(IrsmithError):  # a damaged one is reported when its rows are read
            counts.update({} if shard.error else read_head(shard.path).left_out)
    return dict(counts)
