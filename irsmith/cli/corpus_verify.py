"""``irsmith corpus verify``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.common import Parser, Progress, parser, positive, say
from irsmith.corpus.verify import PROBLEMS, verify
from irsmith.parallel.local import cores
from irsmith.toolchain.find import find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    kinds = "\n".join(f"  {kind:<15} {what}" for kind, what in PROBLEMS.items())
    to = parser(
        "corpus verify",
        "Check every row of a corpus. Exit status 0: all is well, 1: something was found.",
        f"what can be found:\n{kinds}",
    )
    to.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="Parquet files, folders")
    to.add_argument("-j", "--jobs", type=positive, help="processes (default: cores)")
    to.add_argument("--most", type=positive, default=10, help="findings shown a kind (default 10)")
    to.add_argument("--json", action="store_true", help="one JSON object on stdout, all findings")
    return to


def main(words: Sequence[str]) -> int:
    """Verify; 0 if nothing was found."""
    options = arguments_parser().parse_args(words)
    progress = Progress("rows")
    found = verify(find_toolchain(), options.paths, options.jobs or cores(), progress)
    progress.clear()
    if options.json:
        print(
            json.dumps(
                {
                    "rows": found.rows,
                    "unknown_licence": found.unknown,
                    "counts": found.counts(),
                    "findings": [asdict(finding) for finding in found.findings],
                }
            )
        )
    else:
        for kind, count in found.counts().items():
            say(f"{kind}: {count} ({PROBLEMS[kind]})")
            same = [finding for finding in found.findings if finding.kind == kind]
            for finding in same[: options.most]:
                say(f"  {finding.where}" + (f": {finding.detail}" if finding.detail else ""))
            if len(same) > options.most:
                say(f"  and {len(same) - options.most} more (--json has all)")
        say(f"{found.rows} rows, {found.unknown} of them with an unknown licence")
        print("not as it should be" if found.findings else "all well")
    return 1 if found.findings else 0
