"""``irsmith corpus functions``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.common import Parser, executor_of, parser, positive, say
from irsmith.corpus.function_set import SMALLEST, FunctionSet, cut_parts, gather
from irsmith.corpus.parts import parts_of
from irsmith.corpus.rows import need_no_corpus
from irsmith.parallel.progress import meter


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "corpus functions",
        "Cut every function out as a module of its own, and keep each once: not twice in a\n"
        "target, and in no split what a split that is measured on holds, not even nearly.\n"
        "Goes on where it was stopped.",
        "example: irsmith corpus functions corpus/ -o functions/",
    )
    to.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="Parquet files, folders")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="new folder")
    to.add_argument(
        "--smallest", type=positive, default=SMALLEST, help=f"IR instructions (default {SMALLEST})"
    )
    to.add_argument("-j", "--jobs", type=positive, help="processes (default: cores)")
    to.add_argument("--cluster", metavar="ADDRESS", help="work on a Ray cluster (auto: this one)")
    to.add_argument("--keep", action="store_true", help="keep the shards in DIR/shards")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Cut and gather; 0 if every part could be worked on."""
    options = arguments_parser().parse_args(words)
    need_no_corpus(options.output)
    parts = parts_of(options.paths)
    folder = options.output / "shards"
    executor = executor_of(options.jobs, options.cluster)
    shards = cut_parts(parts, folder, executor, options.smallest, meter("parts"))
    for shard in shards:
        if shard.error:
            say(shard.error)
    result = gather(parts, shards, options.output)
    failed = any(shard.error for shard in shards)
    if failed:
        say(f"to try those parts again: delete {options.output}/*.parquet, and run again")
    if not options.keep and not failed:
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps(asdict(result), default=str))
    else:
        talk(result)
        print(options.output)
    return 1 if failed else 0


def talk(result: FunctionSet) -> None:
    """Say what came of it."""
    for target, count in result.cut.items():
        say(
            f"{target}: {count} functions, {result.distinct.get(target, 0)} distinct and kept, "
            f"{result.near.get(target, 0)} of them not nearly like one before"
        )
    for reason, count in sorted(result.left_out.items(), key=lambda item: -item[1]):
        say(f"  left out {count:>7}: {reason}")
    say(
        "characters of normalised IR at 50, 80 and 95 %: "
        + ", ".join(str(length) for length in result.lengths)
    )
