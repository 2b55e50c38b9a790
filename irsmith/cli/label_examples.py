"""What ``irsmith label emulate`` and ``irsmith label disassemble`` share."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.common import Parser, executor_of, parser, positive, say
from irsmith.corpus.parts import parts_of
from irsmith.labels.card import write_card
from irsmith.labels.gather import Gathered, gather
from irsmith.labels.make import LONGEST, ExamplePlan, Kind, make_parts
from irsmith.labels.rows import SPLITS
from irsmith.labels.run import Pick, nothing_taken
from irsmith.parallel.progress import duration, meter
from irsmith.records import IrsmithError

_MODULES_A_PART = 128


def arguments_parser(kind: Kind, description: str, per_module: int) -> Parser:
    """The options of both commands."""
    example = f"example: irsmith label {kind} functions/ -o labels/{kind} --per-module 2"
    to = parser(f"label {kind}", description, example)
    to.add_argument("corpus", nargs="+", type=Path, metavar="CORPUS", help="Parquet files, folders")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    to.add_argument(
        "--per-module",
        type=positive,
        default=per_module,
        metavar="N",
        help=f"examples of each module (default {per_module})",
    )
    to.add_argument(
        "--modules",
        type=part,
        default=(0.0, 1.0),
        metavar="SHARE",
        help="of all modules, or FROM-TO such as 0.2-0.3 (default 1)",
    )
    to.add_argument(
        "--longest",
        type=positive,
        default=LONGEST,
        metavar="N",
        help=f"characters of text in the longest example (default {LONGEST}: fits 4,096 tokens)",
    )
    to.add_argument(
        "--split",
        type=splits,
        default=SPLITS,
        metavar="NAMES",
        help="train, validation or both (default: train,validation)",
    )
    to.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    to.add_argument("-j", "--jobs", type=positive, help="processes (default: cores)")
    to.add_argument("--cluster", metavar="ADDRESS", help="work on a Ray cluster (auto: this one)")
    to.add_argument("--keep", action="store_true", help="keep the shards in DIR/work")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def part(text: str) -> tuple[float, float]:
    """An argument that names a part of all modules: ``0.2``, or ``0.2-0.3`` for what follows.

    Returns:
        Where it begins and how much it is, both of 1.
    """
    first, dash, last = text.rpartition("-")
    try:
        low, high = float(first) if dash else 0.0, float(last)
    except ValueError:
        low = high = 0.0
    if not 0 <= low < high <= 1:
        message = f"{text!r} is not a share above 0 and at most 1, nor FROM-TO"
        raise argparse.ArgumentTypeError(message)
    return low, high - low


def splits(text: str) -> tuple[str, ...]:
    """An argument that names splits that may be learnt from."""
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name == "test":
            raise argparse.ArgumentTypeError("nothing may be learnt from the test split")
        if name not in SPLITS:
            raise argparse.ArgumentTypeError(f"{name!r} is no split: train, validation")
    return names


def run(kind: Kind, to: Parser, words: Sequence[str]) -> int:
    """Make examples, gather them, write the card; 0 if every part could be worked on."""
    options = to.parse_args(words)
    folder = options.output
    work = folder / "work"
    if not work.exists() and folder.exists() and any(folder.glob("*.parquet")):
        raise IrsmithError(f"{folder} holds labels already: name another folder")
    plan = ExamplePlan(
        kind, options.per_module, options.seed, options.longest, options.split,
        Pick(options.modules[1], "modules", first=options.modules[0]),
    )  # fmt: skip
    parts = parts_of(options.corpus, _MODULES_A_PART)
    executor = executor_of(options.jobs, options.cluster)
    started = time.monotonic()
    shards = make_parts(parts, plan, work, executor, meter("parts"))
    made = gather(kind, shards, folder)
    seconds = time.monotonic() - started
    for error in made.errors:
        say(error)
    if not made.files and not made.errors:
        raise nothing_taken(made.left_out)
    if made.files:
        command = shlex.join(["irsmith", "label", kind, *words])
        write_card(folder, command, plan.seed, made.left_out)
    if not options.keep and not made.errors:
        shutil.rmtree(work)
    if options.json:
        print(json.dumps({**asdict(made), "seconds": round(seconds, 1)}, default=str))
    else:
        talk(made, seconds)
        print(folder)
    return 1 if made.errors else 0


def talk(made: Gathered, seconds: float) -> None:
    """Say what came of it."""
    total = sum(made.rows.values())
    rows = ", ".join(f"{count} {split}" for split, count in made.rows.items())
    rate = f", {total / seconds:.3g} a second" if seconds else ""
    say(f"{total} rows ({rows or 'none'}) in {duration(seconds)}{rate}")
    for reason, count in sorted(made.left_out.items(), key=lambda item: (-item[1], item[0])):
        say(f"  left out {count:>7}: {reason}")
