"""``irsmith label stats``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.common import Parser, check_writable, parser, positive, say
from irsmith.labels.stats import stats
from irsmith.labels.stats_plot import draw
from irsmith.labels.stats_text import table


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "label stats",
        "What is in label files: rows by split, target and more; of tune labels the gain over\n"
        "-Oz with 95 % bootstrap intervals by package, the passes that win, lists that were\n"
        "refused and why, and the gain against compilations.",
        "example: irsmith label stats labels/tune --plot gains.svg",
    )
    to.add_argument("paths", nargs="+", type=Path, metavar="DIR", help="label files, folders")
    to.add_argument("--plot", metavar="FILE", help="draw it (.svg, .png or .pdf)")
    to.add_argument("--most", type=positive, default=15, help="packages, passes, reasons shown")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Count, print, draw."""
    options = arguments_parser().parse_args(words)
    if options.plot:
        check_writable(options.plot)
    found = stats(options.paths)
    if options.json:
        print(json.dumps(asdict(found)))
    else:
        print(table(found, options.most))
    if options.plot:
        draw(found, Path(options.plot))
        say(options.plot)
    return 0
