"""``irsmith corpus stats``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.common import Parser, check_writable, parser, positive, say
from irsmith.corpus.stats import draw, stats, table


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser("corpus stats", "What is in a corpus: tables, and a picture with --plot.")
    to.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="Parquet files, folders")
    to.add_argument("--plot", metavar="FILE", help="draw it (.png, .svg or .pdf)")
    to.add_argument("--most", type=positive, default=15, help="packages and licences shown")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Count, print, draw."""
    options = arguments_parser().parse_args(words)
    if options.plot:
        check_writable(options.plot)
    found = stats(options.paths)
    if options.json:
        data = asdict(found)
        data["instructions"] = list(found.quantiles())
        print(json.dumps(data))
    else:
        print(table(found, options.most))
    if options.plot:
        draw(found, Path(options.plot))
        say(options.plot)
    return 0
