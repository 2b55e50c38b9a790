"""Label files: rows of one kind in Parquet (zstd), the same bytes for the same rows.

A file says in its metadata which kind and version it is. What may be learnt from is
decided by the package's name alone: a row of the test split or of the never-train list is
neither written nor read.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irsmith.corpus.rows import Row, parquet
from irsmith.corpus.split import never_train, split_of
from irsmith.labels.columns import Kind, Label, kind_of, labels_of, schema, to_columns
from irsmith.parallel.work import Format
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

VERSION = 1
"""Of the columns; a file of another version is refused."""
SPLITS = ("train", "validation")
"""What may be learnt from."""
_MARK = b"irsmith.labels"
_GROUP = 1024
_PLACE = ["package", "file", "target", "split", "digest"]
_DICTIONARY = 64 << 20  # bytes: all texts of candidates of a row group


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label and where its module came from.

    Attributes:
        label: of one of the tasks; has the module's hash and the toolchain's fingerprint.
        package: source package; decides the split.
        file: path of the source in the package, and the function after a colon.
        target: LLVM triple.
        split: ``train`` or ``validation``.
        digest: 16 hexadecimal digits that name the example's prompt and answer, so that a
            replay can tell that both came out again; ``""`` if it was not made.
    """

    label: Label
    package: str
    file: str
    target: str
    split: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What came of a part of a corpus.

    Attributes:
        rows: made.
        left_out: what gave no row: reason and how many.
    """

    rows: tuple[LabelRow, ...]
    left_out: dict[str, int] = field(default_factory=dict)


def row_of(label: Label, row: Row, digest: str = "") -> LabelRow:
    """The row of a label of a corpus row's module."""
    return LabelRow(label, row.package, row.file, row.target, split_of(row.package), digest)


def refusal(package: str) -> str:
    """Why nothing of a package may be learnt; ``""`` if it may."""
    split = split_of(package)
    if split not in SPLITS:
        return f"package {package!r} is of the {split} split"
    if never_train(package):
        return f"package {package!r} is on the never-train list"
    return ""


def label_bytes(
    kind: Kind, rows: Iterable[LabelRow], left_out: dict[str, int] | None = None
) -> bytes:
    """A label file; equal rows give equal bytes.

    Args:
        kind: of all rows.
        rows: in the order in which they shall stand.
        left_out: what gave no row: reason and how many; kept in the file's metadata.

    Raises:
        IrsmithError: a row may not be learnt from, or is of another kind.
    """
    import pyarrow

    mark = {"kind": kind, "version": VERSION, "left_out": dict(sorted((left_out or {}).items()))}
    columns = schema(kind).with_metadata({_MARK: json.dumps(mark).encode()})
    file = io.BytesIO()
    options = {"compression": "zstd", "dictionary_pagesize_limit": _DICTIONARY}
    with parquet().ParquetWriter(file, columns, **options) as writer:
        source = iter(rows)
        while part := list(itertools.islice(source, _GROUP)):
            values = [_values(kind, row) for row in part]
            writer.write_table(pyarrow.Table.from_pylist(values, columns))
    return file.getvalue()


def write_labels(
    path: Path, kind: Kind, rows: Iterable[LabelRow], left_out: dict[str, int] | None = None
) -> None:
    """Write a label file, whole or not at all.

    Raises:
        IrsmithError: as :func:`label_bytes`, or it cannot be written.
    """
    data = label_bytes(kind, rows, left_out)
    try:
        write_beside(path, data)
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error


def label_format(kind: Kind) -> Format:
    """Shards of labels of a kind; each result is a :class:`Labelled`."""
    return Format("parquet", functools.partial(_write_shard, kind), _read_shard, one_each=False)


def _write_shard(kind: Kind, results: Sequence[Labelled]) -> bytes:
    left_out: Counter[str] = Counter()
    for result in results:
        left_out.update(result.left_out)
    return label_bytes(kind, (row for result in results for row in result.rows), left_out)


def _read_shard(data: bytes) -> list[int]:
    # Whether it is whole; the rows are read where they are needed.
    return [0] * int(parquet().ParquetFile(io.BytesIO(data)).metadata.num_rows)


@dataclass(frozen=True, slots=True)
class Head:
    """What a label file says of itself.

    Attributes:
        kind: of its rows.
        rows: how many.
        left_out: what gave no row: reason and how many.
    """

    kind: Kind
    rows: int
    left_out: dict[str, int]


def read_head(path: Path) -> Head:
    """Kind, number of rows and what was left out, without reading the rows.

    Raises:
        IrsmithError: not a label file, of another version, or damaged.
    """
    with _opened(path) as file:
        return _head(path, file)


def read_labels(path: Path, kind: Kind | None = None, tried: bool = True) -> Iterator[LabelRow]:
    """The rows of a label file, in order.

    Args:
        path: of the file.
        kind: which it must be; None takes any.
        tried: whether tune labels bring along what else was tried.

    Raises:
        IrsmithError: not such a file, damaged, of another version, or a row may not be
            learnt from.
    """
    import pyarrow

    with _opened(path) as file:
        head = _head(path, file)
        if kind is not None and head.kind != kind:
            raise IrsmithError(f"{path}: holds {head.kind} labels; {kind} labels are wanted")
        columns = [name for name in schema(head.kind).names if tried or name != "tried"]
        try:
            for number, batch in enumerate(file.iter_batches(_GROUP, columns=columns)):
                yield from _rows(path, head.kind, batch, number * _GROUP)
        except (pyarrow.ArrowException, OSError, TypeError, KeyError, ValueError) as error:
            raise IrsmithError(_damaged(path, error)) from error


def _rows(path: Path, kind: Kind, batch: Any, first: int) -> Iterator[LabelRow]:
    where = batch.select(_PLACE).to_pylist()
    for at, (label, row) in enumerate(zip(labels_of(kind, batch), where, strict=True), first):
        reason = refusal(row["package"])
        if not reason and row["split"] != split_of(row["package"]):
            reason = f"package {row['package']!r} is not of the {row['split']} split"
        if reason:
            raise IrsmithError(f"{path}: row {at}: {reason}: nothing may be learnt from this file")
        yield LabelRow(label, *(row[name] for name in _PLACE))


def _values(kind: Kind, row: LabelRow) -> dict[str, Any]:
    reason = refusal(row.package)
    if not reason and row.split != split_of(row.package):
        reason = f"package {row.package!r} is not of the {row.split} split"
    if reason:
        raise IrsmithError(f"a label of {row.file}: {reason}: it may not be written")
    if kind_of(row.label) != kind:
        raise IrsmithError(f"a {kind_of(row.label)} label among {kind} labels")
    return {
        "module": row.label.module,
        "package": row.package,
        "file": row.file,
        "target": row.target,
        "split": row.split,
        "toolchain": row.label.toolchain,
        "digest": row.digest,
        **to_columns(row.label),
    }


def _opened(path: Path) -> Any:
    reader_of = parquet().ParquetFile
    import pyarrow

    try:
        return reader_of(path)
    except FileNotFoundError as error:
        raise IrsmithError(f"{path}: no such file") from error
    except (pyarrow.ArrowException, OSError) as error:
        raise IrsmithError(_damaged(path, error)) from error


def _head(path: Path, file: Any) -> Head:
    mark = json.loads((file.schema_arrow.metadata or {}).get(_MARK, b"{}"))
    if mark.get("kind") not in ("tune", "emulate", "disassemble"):
        raise IrsmithError(f"{path}: not a label file of irsmith")
    if mark.get("version") != VERSION:
        raise IrsmithError(
            f"{path}: label rows of version {mark.get('version')}; this irsmith reads {VERSION}: "
            "make them again"
        )
    return Head(mark["kind"], int(file.metadata.num_rows), dict(mark.get("left_out", {})))


def _damaged(path: Path, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"{path}: cannot be read, is it damaged? ({reason})"
