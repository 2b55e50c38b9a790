"""Rows of a corpus: what is known of a module, and the Parquet files that hold it.

The first six columns are ComPile's (arXiv 2309.15432), so that its files load here and
ours load in its tools; the others are ours and may be missing in a file of ComPile's.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from irsmith.corpus.split import split_of
from irsmith.records import IrsmithError, Module
from irsmith.toolchain.cache import write_beside

UNKNOWN = "unknown"
"""The licence of a row whose licence could not be found out."""


@dataclass(frozen=True, slots=True)
class Row:
    """A module and where it came from; one row of a Parquet file.

    Attributes:
        content: bitcode, unoptimised.
        license_expression: SPDX where the names are known, else Debian's words; ``unknown``.
        license_source: what said so: ``file header``, ``debian/copyright``, a file's name.
        license_files: the files that say so, a line each.
        package_source: such as ``debian:zlib@1:1.2.13``.
        language: ``c`` or ``c++`` (ComPile also has others).
        package: source package; decides the split.
        version: of the package.
        file: path of the source in the package.
        flags: what clang read the source with, as a shell would take it.
        target: LLVM triple.
        llvm: version that wrote the bitcode.
        split: ``train``, ``validation`` or ``test``.
        sha256: of ``content``.
        instructions: IR instructions, -1 if not counted.
        functions: functions with a body, -1 if not counted.
    """

    content: bytes
    license_expression: str
    license_source: str
    license_files: str
    package_source: str
    language: str
    package: str = ""
    version: str = ""
    file: str = ""
    flags: str = ""
    target: str = ""
    llvm: str = ""
    split: str = ""
    sha256: str = ""
    instructions: int = -1
    functions: int = -1

    def to_module(self) -> Module:
        """The module without its papers."""
        return Module(
            self.content,
            self.target,
            f"{self.package}/{self.file}",
            self.package,
            self.license_expression,
            self.split,
            self.sha256,
        )


COLUMNS = tuple(field.name for field in fields(Row))
_NUMBERS = ("instructions", "functions")


def parquet() -> Any:
    """pyarrow's Parquet module.

    Raises:
        IrsmithError: it is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise IrsmithError("reading Parquet needs pyarrow: pip install 'irsmith[data]'") from error
    return pyarrow.parquet


def schema() -> Any:
    """The columns of a corpus file, for pyarrow."""
    import pyarrow

    def kind(name: str) -> Any:
        if name == "content":
            return pyarrow.binary()
        return pyarrow.int64() if name in _NUMBERS else pyarrow.string()

    return pyarrow.schema([(name, kind(name)) for name in COLUMNS])


def parquet_bytes(rows: Iterable[Row], group: int = 256) -> bytes:
    """A Parquet file (zstd) of rows; equal rows give equal bytes.

    Args:
        rows: in the order in which they shall stand.
        group: rows a row group: what a reader has in memory at a time.
    """
    writer_of = parquet().ParquetWriter
    import pyarrow

    file = io.BytesIO()
    with writer_of(file, schema(), compression="zstd") as writer:
        source = iter(rows)
        while part := list(itertools.islice(source, group)):
            writer.write_table(pyarrow.Table.from_pylist([asdict(row) for row in part], schema()))
    return file.getvalue()


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a corpus file, whole or not at all.

    Raises:
        IrsmithError: it cannot be written.
    """
    try:
        write_beside(path, parquet_bytes(rows))
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error


@contextmanager
def new_corpus(folder: Path) -> Iterator[Path]:
    """A folder to write a corpus' files into, which then go to their place all together.

    So a corpus has all its splits or none, also after Ctrl-C or on a full disk.

    Args:
        folder: their place; must not hold Parquet files yet.

    Raises:
        IrsmithError: it holds some, or cannot be written.
    """
    need_no_corpus(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = tempfile.TemporaryDirectory(prefix=".new-", dir=folder)
    except OSError as error:
        raise IrsmithError(f"{folder}: cannot be written: {error.strerror}") from error
    with new:
        yield Path(new.name)
        for path in sorted(Path(new.name).iterdir()):
            path.replace(folder / path.name)


def need_no_corpus(folder: Path) -> None:
    """Check that a new corpus may be written to a folder.

    Raises:
        IrsmithError: it holds Parquet files already.
    """
    if folder.exists() and any(folder.glob("*.parquet")):
        raise IrsmithError(f"{folder} holds Parquet files already: name another folder")


def corpus_files(paths: Sequence[Path]) -> list[Path]:
    """Parquet files that are named, or lie in folders that are named, in order.

    Raises:
        IrsmithError: there is none, or a name does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.parquet"))
            if not inside:
                raise IrsmithError(f"{path}: no .parquet files there")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise IrsmithError(f"{path}: no such file or folder")
    return found


def read_rows(path: Path, columns: Sequence[str] = COLUMNS, first: int = 0) -> Iterator[Row]:
    """Rows of one file, in order; what is not asked for, or not there, is empty.

    ComPile's rows have no package, version, hash and split: these are made from its
    ``package_source`` and the bitcode.

    Args:
        path: a Parquet file.
        columns: to read; leave out ``content`` for a quick look.
        first: row to begin with; row groups before it are not read.

    Raises:
        IrsmithError: not a corpus file, or damaged.
    """
    reader_of = parquet().ParquetFile
    import pyarrow

    try:
        file = reader_of(path)
        there = set(file.schema_arrow.names)
        wanted = [name for name in columns if name in there]
        missing = {"content", "license_expression"} - there
        if missing:
            raise IrsmithError(
                f"{path}: not a corpus file (it has no column {', '.join(sorted(missing))})"
            )
        for name in wanted:
            _check_type(path, name, file.schema_arrow.field(name).type)
        groups, skip = _groups_from(file, first)
        for batch in file.iter_batches(64, row_groups=groups, columns=wanted):
            for values in batch.slice(skip).to_pylist():
                yield _row(values)
            skip = max(0, skip - batch.num_rows)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise IrsmithError(f"{path}: cannot be read, is it damaged? ({reason})") from error


def _check_type(path: Path, name: str, kind: Any) -> None:
    """Check that a column holds what it should; ComPile's ``license_files`` are lists."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if name == "content":
        right = types.is_binary(kind) or types.is_large_binary(kind)
    elif name in _NUMBERS:
        right = types.is_integer(kind)
    else:
        right = types.is_string(kind) or types.is_large_string(kind)
        right |= name == "license_files" and types.is_list(kind)
    if not right and not types.is_null(kind):
        raise IrsmithError(
            f"{path}: not a corpus file of this version (its column {name} holds {kind})"
        )


def _groups_from(file: Any, first: int) -> tuple[list[int], int]:
    """The row groups from a row on, and how many rows of them come before it."""
    groups = list(range(file.num_row_groups))
    while groups and first >= file.metadata.row_group(groups[0]).num_rows:
        first -= file.metadata.row_group(groups.pop(0)).num_rows
    return groups, first


def _row(values: dict[str, Any]) -> Row:
    """A row with what ComPile leaves out filled in."""
    full: dict[str, Any] = dict.fromkeys(COLUMNS, "") | dict.fromkeys(_NUMBERS, -1)
    full["content"] = b""
    full.update({name: value for name, value in values.items() if value is not None})
    if not isinstance(full["license_files"], str):
        full["license_files"] = "\n".join(map(str, full["license_files"]))
    if not full["package"]:
        full["package"] = package_of(full["package_source"])
    if not full["split"] and full["package"]:
        full["split"] = split_of(full["package"])
    if not full["sha256"] and full["content"]:
        full["sha256"] = hashlib.sha256(full["content"]).hexdigest()
    return Row(**full)


def package_of(package_source: str) -> str:
    """The package's name in ``debian:zlib@1.2.13``, ``spack:zlib`` or a URL."""
    return package_source.split("@", 1)[0].rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
