"""The functions of a corpus, each once, as modules of their own.

Functions of headers and of copied libraries stand in many units and in packages of
different splits. Each is kept once a target (by its exact key: equal but for the names
it defines), and what a split that is measured on holds, exactly or nearly, leaves the
lower one.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from irsmith.corpus.dedupe import (
    cross_split,
    near_pairs,
    representatives,
)
from irsmith.corpus.function_facts import FunctionFacts, function_facts
from irsmith.corpus.parts import Loaded, Part
from irsmith.corpus.rows import Row, new_corpus, parquet, read_rows, schema, write_rows
from irsmith.corpus.split import never_train, split_of
from irsmith.parallel.shards import Shard, fingerprint, make_shards
from irsmith.parallel.work import Executor, Format, Work
from irsmith.sandbox.worker import Limits, Worker
from irsmith.toolchain.find import find_toolchain

SMALLEST = 3
"""IR instructions of the smallest function that is worth a row."""
_LIMITS = Limits(cpu_seconds=300, wall_seconds=600, memory_bytes=8 << 30)
_SHARD_BYTES = 64 << 20
_MARKS = ("key", "signature", "characters")


@dataclass(frozen=True, slots=True)
class FunctionSet:
    """What cutting gave.

    Attributes:
        units: looked at.
        cut: functions cut out, by target.
        distinct: of them by exact key, by target.
        near: of the distinct ones, those with no near-duplicate before them, by target.
        kept: rows written, by split.
        left_out: why not, and how many.
        characters: of the normalised text of kept rows, by target.
        lengths: characters at 50, 80 and 95 % of kept rows.
        files: written.
    """

    units: int
    cut: dict[str, int]
    distinct: dict[str, int]
    near: dict[str, int]
    kept: dict[str, int]
    left_out: dict[str, int]
    characters: dict[str, int]
    lengths: tuple[int, int, int]
    files: tuple[Path, ...]


def cut_parts(
    parts: Sequence[Part],
    folder: Path,
    executor: Executor,
    smallest: int = SMALLEST,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Shard]:
    """Cut all functions out, in shards; goes on where it was stopped.

    Args:
        parts: of the corpus.
        folder: for the shards.
        executor: this machine's processes, or a cluster.
        smallest: IR instructions of the smallest function.
        progress: told parts done and in all.
    """
    here = Path(__file__).parent
    code = [
        here / f"{name}.py"
        for name in ("function_set", "function_facts", "cut", "normalise", "dedupe")
    ]
    configuration = [[part.path, part.first, part.count] for part in parts] + [[smallest]]
    run = fingerprint(configuration, *code)
    work = Work(functools.partial(_prepare, smallest), ROWS)
    return make_shards(work, Loaded(parts), folder, run, executor, 1, progress)


def _prepare(smallest: int) -> Callable[[list[Row]], list[dict[str, Any]]]:
    """In each process: a worker with LLVM in it, and what is done to a part."""
    library = find_toolchain().checked_library("AArch64").path
    worker = Worker(function_facts(library, smallest, keep=True), _LIMITS)

    def work(units: list[Row]) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for unit in units:
            if not never_train(unit.package):
                facts = worker.call(unit.content).value or []
                made += [_row(unit, fact) for fact in facts if not fact.failure]
        return made

    return work


def _row(unit: Row, function: FunctionFacts) -> dict[str, Any]:
    """The columns of a function's row: its unit's, with its name after a colon, and marks."""
    row = replace(
        unit,
        content=function.bitcode,
        file=f"{unit.file}:{function.name}",
        split=split_of(unit.package),
        sha256=hashlib.sha256(function.bitcode).hexdigest(),
        instructions=function.instructions,
        functions=1,
    )
    marks = {name: getattr(function, name) for name in _MARKS}
    return asdict(row) | marks


def _marked() -> Any:
    import pyarrow

    types = (pyarrow.string(), pyarrow.binary(), pyarrow.int64())
    return pyarrow.schema([*schema(), *zip(_MARKS, types, strict=True)])


def _write(results: Sequence[list[dict[str, Any]]]) -> bytes:
    import pyarrow

    file = io.BytesIO()
    rows = [row for result in results for row in result]
    table = pyarrow.Table.from_pylist(rows, _marked())
    parquet().write_table(table, file, compression="zstd", row_group_size=1024)
    return file.getvalue()


def _read(data: bytes) -> list[int]:
    # Whether it is whole; the rows are read where they are needed, without the content.
    return [0] * int(parquet().ParquetFile(io.BytesIO(data)).metadata.num_rows)


ROWS = Format("parquet", _write, _read, one_each=False)
"""Shards of functions: a corpus' columns and the marks of deduplication."""


def gather(parts: Sequence[Part], shards: Sequence[Shard], folder: Path) -> FunctionSet:
    """Leave out what is there twice, and write the rest split by split.

    Args:
        parts: of the corpus.
        shards: from :func:`cut_parts`; those that were not made are counted as left out.
        folder: for ``train-000.parquet`` and so on.

    Raises:
        IrsmithError: the folder holds Parquet files already.
    """
    with new_corpus(folder) as new:
        made = _gather(parts, shards, new)
    return replace(made, files=tuple(folder / path.name for path in made.files))


def _gather(parts: Sequence[Part], shards: Sequence[Shard], folder: Path) -> FunctionSet:
    left_out: Counter[str] = Counter()
    columns = [*_MARKS, "split", "target"]
    table: list[tuple[int, int, dict[str, Any]]] = []
    cut: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for shard in shards:
        if shard.error:
            left_out["the part could not be worked on"] += 1
            continue
        for place, row in enumerate(parquet().read_table(shard.path, columns=columns).to_pylist()):
            cut[row["target"]] += 1
            identity = (row["target"], row["key"])
            if identity in seen and row["split"] == "train":
                left_out["equal code"] += 1
                continue
            seen.add(identity)
            table.append((shard.number, place, row))
    return _finish(parts, shards, folder, table, cut, left_out)


def _finish(
    parts: Sequence[Part],
    shards: Sequence[Shard],
    folder: Path,
    table: list[tuple[int, int, dict[str, Any]]],
    cut: Counter[str],
    left_out: Counter[str],
) -> FunctionSet:
    rows = [row for _, _, row in table]
    leaves = cross_split(
        [row["split"] for row in rows],
        [row["key"] for row in rows],
        [row["signature"] for row in rows],
    )
    chosen: dict[tuple[str, int], set[int]] = {}
    seen: set[tuple[str, str]] = set()
    kept: list[dict[str, Any]] = []
    for number, (shard, place, row) in enumerate(table):
        identity = (row["target"], row["key"])
        if number in leaves:
            left_out[f"in {row['split']}, as or nearly as in a split that is measured on"] += 1
        elif identity in seen:
            left_out["equal code"] += 1
        else:
            seen.add(identity)
            chosen.setdefault((row["split"], shard), set()).add(place)
            kept.append(row)
    by_target = Counter(row["target"] for row in kept)
    near: dict[str, int] = {}
    for target in by_target:
        signatures = [row["signature"] for row in kept if row["target"] == target]
        stands = representatives(len(signatures), near_pairs(signatures))
        near[target] = sum(k == other for k, other in enumerate(stands))
    lengths = sorted(row["characters"] for row in kept) or [0]
    characters: Counter[str] = Counter()
    for row in kept:
        characters[row["target"]] += row["characters"]
    return FunctionSet(
        sum(part.count for part in parts),
        dict(cut),
        dict(by_target),
        near,
        dict(Counter(row["split"] for row in kept)),
        dict(left_out),
        dict(characters),
        tuple(lengths[int(share * (len(lengths) - 1))] for share in (0.5, 0.8, 0.95)),
        tuple(_rows_to_files(shards, chosen, folder)),
    )


def _rows_to_files(
    shards: Sequence[Shard], chosen: dict[tuple[str, int], set[int]], folder: Path
) -> Iterator[Path]:
    for split in ("train", "validation", "test"):
        rows: list[Row] = []
        size = count = 0
        for shard in shards:
            places = chosen.get((split, shard.number), set())
            if not places:
                continue
            for place, row in enumerate(read_rows(shard.path)):
                if place in places:
                    rows.append(row)
                    size += len(row.content)
            if size > _SHARD_BYTES:
                yield _save(folder, split, count, rows)
                rows, size, count = [], 0, count + 1
        if rows:
            yield _save(folder, split, count, rows)


def _save(folder: Path, split: str, count: int, rows: Sequence[Row]) -> Path:
    path = folder / f"{split}-{count:03d}.parquet"
    write_rows(path, rows)
    return path
