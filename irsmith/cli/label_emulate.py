"""``irsmith label emulate``."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.cli.label_examples import arguments_parser, run


def main(words: Sequence[str]) -> int:
    """Make emulation labels; 0 if every part could be worked on."""
    description = (
        "Run random pass lists (1 to 50 passes, whole levels, lists of the portfolio) on the\n"
        "modules of the train and validation splits, and keep sizes before and after; examples\n"
        "show the IR or the assembly. Lists that crash the compiler or take too long are\n"
        "dropped and counted. Goes on where it was stopped."
    )
    return run("emulate", arguments_parser("emulate", description, 4), words)
