"""``irsmith label``: finds the subcommand's module and calls it."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.cli.common import run_subcommand

SUBCOMMANDS = {
    "tune": "the best checked pass list of each module: search, vote, judge, share out",
    "emulate": "modules and pass lists, and what the compiler makes of them",
    "disassemble": "machine code as compilers and disassemblers print it, and its IR",
    "stats": "gains with intervals, list lengths, passes that win; counts; a picture",
    "replay": "make rows again from the corpus: does each come out to the byte?",
}


def main(words: Sequence[str]) -> int:
    """Run a subcommand."""
    return run_subcommand("label", SUBCOMMANDS, words)
