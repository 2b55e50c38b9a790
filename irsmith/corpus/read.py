"""Modules from Parquet files, by split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from irsmith.corpus.rows import corpus_files, read_rows
from irsmith.corpus.split import never_train, split_of
from irsmith.records import Module

_COLUMNS = (
    *("content", "license_expression", "package_source", "package", "file", "target", "sha256"),
)


def read_modules(folder: Path, split: str) -> Iterator[Module]:
    """Modules of one split, file by file in the order of their names.

    The split is computed from the package's name, whatever the row says, and packages
    of the never-train list are left out of everything but ``test``.

    Args:
        folder: holds ``*.parquet``, or is such a file.
        split: ``train``, ``validation`` or ``test``.

    Raises:
        IrsmithError: no Parquet files, or pyarrow is not installed.
    """
    for path in corpus_files([folder]):
        for row in read_rows(path, _COLUMNS):
            package = row.package
            if split_of(package) == split and not (never_train(package) and split != "test"):
                yield row.to_module()
