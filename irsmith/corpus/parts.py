"""Parts of a corpus: some rows of a file each, what one process works on at a time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from irsmith.corpus.rows import Row, corpus_files, parquet, read_rows
from irsmith.records import IrsmithError


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a corpus file: what one process works on at a time.

    Attributes:
        path: of the file.
        first: row.
        count: of rows.
    """

    path: str
    first: int
    count: int

    def rows(self) -> list[Row]:
        """The rows, read now."""
        rows = read_rows(Path(self.path), first=self.first)
        return list(itertools.islice(rows, self.count))


class Loaded(Sequence[list[Row]]):
    """The rows of parts, read when they are sent: machines need no common file system.

    Args:
        parts: of a corpus.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        """Number of parts."""
        return len(self._parts)

    @overload
    def __getitem__(self, at: int) -> list[Row]: ...
    @overload
    def __getitem__(self, at: slice) -> list[list[Row]]: ...
    def __getitem__(self, at: int | slice) -> list[Row] | list[list[Row]]:
        """The rows of a part, or of several, read now."""
        if isinstance(at, slice):
            return [part.rows() for part in self._parts[at]]
        return self._parts[at].rows()


def parts_of(paths: Sequence[Path], size: int = 64) -> list[Part]:
    """Corpus files in parts of some rows.

    Raises:
        IrsmithError: there are no such files, or one is damaged.
    """
    found: list[Part] = []
    for path in corpus_files(paths):
        try:
            rows = parquet().read_metadata(path).num_rows
        except (OSError, ValueError) as error:
            raise IrsmithError(f"{path}: cannot be read, is it damaged?") from error
        found += [
            Part(str(path.absolute()), first, min(size, rows - first))
            for first in range(0, rows, size)
        ]
    return found
