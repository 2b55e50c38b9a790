"""``irsmith corpus``: finds the subcommand's module and calls it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

SUBCOMMANDS = {
    "record": "modules of any build: irsmith corpus record -o FILE.parquet -- make",
    "debian": "modules of Debian source packages, fetched and built here",
    "directory": "modules of a folder of sources, or of its compile_commands.json",
    "merge": "one corpus of many files: doubles and near-duplicates across splits left out",
    "functions": "single functions cut out of modules, each once",
    "verify": "check every row: parses, hash, licence, split, never-train list, near-duplicates",
    "stats": "what is in a corpus, in tables and as a picture",
}


def main(words: Sequence[str]) -> int:
    """Run a subcommand."""
    if not words or words[0] in ("-h", "--help"):
        width = max(map(len, SUBCOMMANDS))
        lines = ["usage: irsmith corpus SUBCOMMAND [options]", "", "subcommands:"]
        lines += [f"  {name:<{width}}  {what}" for name, what in SUBCOMMANDS.items()]
        print("\n".join(lines))
        return 0 if words else 2
    if words[0] not in SUBCOMMANDS:
        import difflib

        near = difflib.get_close_matches(words[0], SUBCOMMANDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "see irsmith corpus --help"
        print(f"irsmith corpus: unknown subcommand {words[0]!r}: {hint}", file=sys.stderr)
        return 2
    module = importlib.import_module(f"irsmith.cli.corpus_{words[0]}")
    return int(module.main(words[1:]))
