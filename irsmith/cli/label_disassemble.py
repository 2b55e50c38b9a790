"""``irsmith label disassemble``."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.cli.label_examples import arguments_parser, run


def main(words: Sequence[str]) -> int:
    """Make disassembly labels; 0 if every part could be worked on."""
    description = (
        "Compile the modules of the train and validation splits, half of the time at -Oz, else\n"
        "at another level; examples show the assembly as the compiler prints it or as a\n"
        "disassembled object prints it, and ask for the IR. Goes on where it was stopped."
    )
    return run("disassemble", arguments_parser("disassemble", description, 2), words)
