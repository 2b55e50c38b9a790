"""``irsmith label tune``."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.common import Parser, executor_of, parser, positive, say
from irsmith.cli.label_examples import part
from irsmith.corpus.parts import parts_of
from irsmith.labels.card import write_card
from irsmith.labels.tune import SearchPlan
from irsmith.labels.tune_run import TunePlan, TuneRun, label_tune
from irsmith.parallel.progress import meter
from irsmith.records import OBJECTIVES
from irsmith.toolchain.find import find_toolchain

_DEFAULT = TunePlan()
_MODULES_A_PART = 64


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "label tune",
        "Search the best pass list for each module of the train and validation splits, judge\n"
        "the lists that win most, share them out to all modules, and keep the best accepted\n"
        "one of each. Goes on where it was stopped. Modules of the test split are refused.",
        "example: irsmith label tune functions/ -o labels/tune --modules 0.2 --searched 0.3",
    )
    search = _DEFAULT.search
    to.add_argument("corpus", nargs="+", type=Path, metavar="CORPUS", help="Parquet files, folders")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    to.add_argument(
        "--budget",
        type=positive,
        default=search.budget,
        metavar="N",
        help=f"compilations of a search, portfolio included (default {search.budget})",
    )
    to.add_argument(
        "--modules",
        type=part,
        default=(0.0, 1.0),
        metavar="SHARE",
        help="of all modules, or FROM-TO such as 0.2-0.3 (default 1)",
    )
    to.add_argument(
        "--searched",
        type=share,
        default=1.0,
        help="share of these that is searched (default 1; 0: the portfolio is measured, no more)",
    )
    for name, what in (
        ("smallest", "IR instructions of the smallest module"),
        ("largest", "IR instructions of the largest module"),
        ("nominated", "winners put to the vote, for each target"),
        ("voters", "modules on which they are measured"),
        ("shared", "lists judged and shared out, for each target"),
    ):
        default = getattr(_DEFAULT, name)
        to.add_argument(
            f"--{name}", type=positive, default=default, help=f"{what} (default {default})"
        )
    to.add_argument("--objective", choices=OBJECTIVES, default="size", help="what is minimised")
    to.add_argument(
        "--suite", choices=["full", "quick"], default="full", help="what judges (default full)"
    )
    to.add_argument(
        "--check",
        choices=["module", "list"],
        default="module",
        help="module: also run each labelled module (default); list: judge lists alone",
    )
    to.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    to.add_argument("-j", "--jobs", type=positive, help="processes (default: cores)")
    to.add_argument("--cluster", metavar="ADDRESS", help="work on a Ray cluster (auto: this one)")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def share(text: str) -> float:
    """An argument from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return value


def main(words: Sequence[str]) -> int:
    """Make tune labels; 0 if every part could be worked on."""
    from irsmith.parallel.local import cores

    options = arguments_parser().parse_args(words)
    search = SearchPlan(budget=options.budget, seed=options.seed, objective=options.objective)
    first, modules = options.modules
    plan = TunePlan(
        search,
        modules,
        first,
        options.searched,
        options.smallest,
        options.largest,
        options.nominated,
        options.voters,
        options.shared,
        options.suite,
        options.check,
    )
    made = label_tune(
        find_toolchain(),
        parts_of(options.corpus, _MODULES_A_PART),
        plan,
        options.output,
        executor_of(options.jobs, options.cluster),
        options.jobs or cores(),
        meter,
        say,
    )
    if made.files:
        command = shlex.join(["irsmith", "label", "tune", *words])
        write_card(options.output, command, options.seed, made.left_out)
    if options.json:
        print(json.dumps(asdict(made), default=str))
    else:
        talk(made)
        print(options.output)
    return 1 if made.errors else 0


def talk(made: TuneRun) -> None:
    """Say what came of it."""
    for split, count in made.labels.items():
        say(f"{split}: {count} labels")
    refused = sum(one.state != "passed" for one in made.judged)
    say(f"lists judged: {len(made.judged)}, {refused} refused")
    for reason, count in sorted(made.left_out.items(), key=lambda item: -item[1])[:20]:
        say(f"  left out {count:>7}: {reason}")
    for error in made.errors:
        say(error)
