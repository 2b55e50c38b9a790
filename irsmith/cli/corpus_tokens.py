"""``irsmith corpus tokens``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from irsmith.cli.common import Parser, parser, positive
from irsmith.corpus.rows import corpus_files, read_rows
from irsmith.toolchain.find import find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "corpus tokens",
        "How many tokens a corpus holds for the models: normalised unoptimised IR, and the "
        "assembly that -Oz makes of it. Some modules of each target are counted, and all of "
        "them reckoned up, with a 95 %% interval by package.",
    )
    to.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="Parquet files, folders")
    to.add_argument("--sample", type=positive, default=500, help="modules counted for each target")
    to.add_argument("--json", action="store_true", help="one JSON object a target on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Count and print."""
    options = arguments_parser().parse_args(words)
    files = corpus_files(options.paths)
    from irsmith.model.corpus_tokens import count_tokens
    from irsmith.model.tokenizer import shipped_tokenizer

    rows = chain.from_iterable(read_rows(path) for path in files)
    for found in count_tokens(find_toolchain(), shipped_tokenizer(), rows, options.sample):
        if options.json:
            print(json.dumps(asdict(found)))
            continue
        failed = f", {found.failed} could not be read" if found.failed else ""
        print(f"{found.target}: {found.modules:,} modules, {found.counted:,} counted{failed}")
        for name, kind in (("IR", found.ir), ("assembly of -Oz", found.assembly)):
            print(
                f"  {name:<16} {kind.total / 1e6:10.2f} million tokens "
                f"[{kind.low / 1e6:.2f}, {kind.high / 1e6:.2f}], {kind.rate:.2f} characters a token"
            )
    return 0
