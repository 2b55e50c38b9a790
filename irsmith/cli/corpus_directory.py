"""``irsmith corpus directory``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from irsmith.cli.common import Parser, check_writable, parser, positive
from irsmith.cli.corpus_record import add_origin_options, origin_of, report, targets_of
from irsmith.corpus.directory import record_directory
from irsmith.corpus.rows import write_rows
from irsmith.parallel.local import cores
from irsmith.toolchain.find import find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "corpus directory",
        "Modules of the C and C++ files in a folder, without building it: as its\n"
        "compile_commands.json says, or else with guessed include paths.",
        "example: irsmith corpus directory zopfli -o zopfli.parquet",
    )
    to.add_argument("directory", type=Path, metavar="DIR", help="folder of sources")
    to.add_argument("--database", type=Path, metavar="FILE", help="a compile_commands.json")
    to.add_argument("-j", "--jobs", type=positive, help="processes (default: cores)")
    add_origin_options(to)
    return to


def main(words: Sequence[str]) -> int:
    """Compile what compiles; 0 if that is anything."""
    options = arguments_parser().parse_args(words)
    check_writable(options.output)
    started = time.monotonic()
    recorded = record_directory(
        find_toolchain(),
        origin_of(options, options.directory),
        targets_of(options),
        options.database,
        options.jobs or cores(),
    )
    write_rows(Path(options.output), recorded.rows)
    report(recorded, 0, time.monotonic() - started, options.json, options.directory)
    return 0 if recorded.rows else 1
