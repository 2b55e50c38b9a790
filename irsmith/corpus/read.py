"""Modules from Parquet files, by split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from irsmith.corpus.split import never_train, split_of
from irsmith.records import IrsmithError, Module

_COLUMNS = ["content", "license_expression", "package", "file", "target", "sha256"]


def read_modules(folder: Path, split: str) -> Iterator[Module]:
    """Modules of one split, file by file in the order of their names.

    The split is computed from the package's name, whatever the row says, and packages
    of the never-train list are left out of everything but ``test``.

    Args:
        folder: holds ``*.parquet``.
        split: ``train``, ``validation`` or ``test``.

    Raises:
        IrsmithError: no Parquet files, or pyarrow is not installed.
    """
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise IrsmithError("reading Parquet needs pyarrow: pip install irsmith[data]") from error
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise IrsmithError(f"{folder}: no .parquet files there")
    for path in files:
        for batch in parquet.ParquetFile(path).iter_batches(64, columns=_COLUMNS):
            for row in batch.to_pylist():
                package = row["package"]
                if split_of(package) != split or (never_train(package) and split != "test"):
                    continue
                yield Module(
                    row["content"],
                    row["target"],
                    f"{package}/{row['file']}",
                    package,
                    row["license_expression"],
                    split,
                    row["sha256"],
                )
