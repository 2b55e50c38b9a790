"""``irsmith corpus``: finds the subcommand's module and calls it."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.cli.common import run_subcommand

SUBCOMMANDS = {
    "record": "modules of any build: irsmith corpus record -o FILE.parquet -- make",
    "debian": "modules of Debian source packages, fetched and built here",
    "directory": "modules of a folder of sources, or of its compile_commands.json",
    "merge": "one corpus of many files: doubles and near-duplicates across splits left out",
    "functions": "single functions cut out of modules, each once",
    "verify": "check every row: parses, hash, licence, split, never-train list, near-duplicates",
    "stats": "what is in a corpus, in tables and as a picture",
    "tokens": "how many tokens it holds for the models",
}


def main(words: Sequence[str]) -> int:
    """Run a subcommand."""
    return run_subcommand("corpus", SUBCOMMANDS, words)
