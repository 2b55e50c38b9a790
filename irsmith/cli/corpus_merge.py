"""``irsmith corpus merge``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from irsmith.cli.common import Parser, Progress, parser, positive, say
from irsmith.corpus.merge import merge
from irsmith.parallel.local import cores
from irsmith.toolchain.find import find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "corpus merge",
        "Make one corpus of many files: each module once, none in two splits, not even\n"
        "nearly (test keeps it, then validation). What `verify` accepts.",
        "example: irsmith corpus merge recorded/ -o corpus/",
    )
    to.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="Parquet files, folders")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="new folder")
    to.add_argument("-j", "--jobs", type=positive, help="processes (default: cores)")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Merge; 0 if anything is left and every file could be read."""
    options = arguments_parser().parse_args(words)
    progress = Progress("rows")
    merged = merge(
        find_toolchain(), options.paths, options.output, options.jobs or cores(), progress
    )
    progress.clear()
    for line in merged.damaged:
        say(line)
    if options.json:
        files = [str(path) for path in merged.files]
        numbers = {"read": merged.read, "kept": merged.kept, "left_out": merged.left_out}
        numbers["damaged"] = list(merged.damaged)
        print(json.dumps({**numbers, "files": files}))
    else:
        kept = ", ".join(f"{count} {split}" for split, count in merged.kept.items())
        say(f"{merged.read} rows read, kept: {kept or 'none'}")
        for reason, count in sorted(merged.left_out.items(), key=lambda item: -item[1]):
            say(f"  left out {count:>6}: {reason}")
        print(options.output)
    return 0 if merged.kept and not merged.damaged else 1
