"""``irsmith label replay``."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from irsmith.cli.common import Parser, Progress, parser, positive, say
from irsmith.corpus.rows import corpus_files
from irsmith.labels.replay import Replayed, find_modules, replay
from irsmith.labels.rows import LabelRow, read_head, read_labels
from irsmith.records import IrsmithError
from irsmith.toolchain.find import find_toolchain

_PLACE = re.compile(r"(.+):(\d+)")


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "label replay",
        "Make rows of label files again from the corpus: compile, compare every size, and make\n"
        "the example's text again and compare it. Exit status 0 if all come out to the byte, 1\n"
        "if some do not (named), 2 if nothing could be tried.",
        "example: irsmith label replay labels/emulate/train-000.parquet:17 --corpus functions/",
    )
    to.add_argument(
        "labels",
        nargs="+",
        metavar="LABELS[:ROW]",
        help="a label file, or a folder of them; a row counts from 0",
    )
    to.add_argument("--corpus", nargs="+", type=Path, required=True, help="what they were made of")
    to.add_argument(
        "--sample", type=positive, metavar="N", help="of each file no more than N rows, drawn"
    )
    to.add_argument("--tried", action="store_true", help="tune: compile all that was tried, too")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Replay; 0 if every row comes out again."""
    options = arguments_parser().parse_args(words)
    chosen = [
        drawn(path, row, options.sample) for word in options.labels for path, row in places(word)
    ]
    wanted = {
        row.label.module for path, numbers in chosen for _, row in rows_of(path, numbers, False)
    }
    modules = find_modules(options.corpus, wanted)
    toolchain = find_toolchain()
    progress, done, problems = Progress("rows"), 0, list[tuple[Path, Replayed]]()
    for path, numbers in chosen:
        rows = rows_of(path, numbers, options.tried)
        for one in replay(toolchain, rows, modules, options.tried):
            done += 1
            progress(done)
            if one.problem:
                problems.append((path, one))
    progress.clear()
    for path, one in [] if options.json else problems:
        say(f"{path}:{one.number}: {one.row.package}/{one.row.file}: {one.problem}")
    if options.json:
        print(json.dumps({"rows": done, "reproduced": done - len(problems), "not": [
            {"file": str(path), "row": one.number, "module": one.row.label.module,
             "problem": one.problem, "tried": not one.unsure}
            for path, one in problems
        ]}))  # fmt: skip
    else:
        print(f"{done - len(problems)} of {done} rows come out to the byte")
    if done and all(one.unsure for _, one in problems) and len(problems) == done:
        return 2
    return 1 if problems else 0


def places(word: str) -> list[tuple[Path, int | None]]:
    """The files that a word names, and perhaps a row.

    Raises:
        IrsmithError: a folder without label files, or a file without such a row.
    """
    if Path(word).is_dir():
        return [(path, None) for path in corpus_files([Path(word)])]
    return [place(word)]


def place(word: str) -> tuple[Path, int | None]:
    """A file and perhaps a row of it.

    Raises:
        IrsmithError: the file has no such row.
    """
    found = _PLACE.fullmatch(word)
    if found is None or Path(word).exists():
        return Path(word), None
    path, number = Path(found[1]), int(found[2])
    rows = read_head(path).rows
    if number >= rows:
        raise IrsmithError(f"{path}: no row {number}: it has {rows}, counted from 0")
    return path, number


def drawn(path: Path, number: int | None, most: int | None) -> tuple[Path, set[int] | None]:
    """A file and the rows of it that are meant; None: all.

    Args:
        path: of the file.
        number: the one row, if one was named.
        most: rows of a whole file, if not all; the same in each run.
    """
    if number is not None:
        return path, {number}
    rows = read_head(path).rows
    if most is None or most >= rows:
        return path, None
    return path, set(random.Random(0).sample(range(rows), most))


def rows_of(path: Path, numbers: set[int] | None, tried: bool) -> Iterator[tuple[int, LabelRow]]:
    """The rows that are meant, with their numbers."""
    rows = enumerate(read_labels(path, tried=tried))
    if numbers is None:
        return rows
    until = itertools.islice(rows, max(numbers) + 1)
    return ((number, row) for number, row in until if number in numbers)
