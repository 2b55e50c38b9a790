"""``irsmith label``: finds the subcommand's module and calls it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

SUBCOMMANDS = {
    "tune": "the best checked pass list of each module: search, vote, judge, share out",
    "emulate": "modules and pass lists, and what the compiler makes of them",
    "disassemble": "machine code as compilers and disassemblers print it, and its IR",
    "stats": "gains with intervals, list lengths, passes that win; counts; a picture",
    "replay": "make rows again from the corpus: does each come out to the byte?",
}


def main(words: Sequence[str]) -> int:
    """Run a subcommand."""
    if not words or words[0] in ("-h", "--help"):
        width = max(map(len, SUBCOMMANDS))
        lines = ["usage: irsmith label SUBCOMMAND [options]", "", "subcommands:"]
        lines += [f"  {name:<{width}}  {what}" for name, what in SUBCOMMANDS.items()]
        print("\n".join(lines))
        return 0 if words else 2
    if words[0] not in SUBCOMMANDS:
        import difflib

        near = difflib.get_close_matches(words[0], SUBCOMMANDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "see irsmith label --help"
        print(f"irsmith label: unknown subcommand {words[0]!r}: {hint}", file=sys.stderr)
        return 2
    module = importlib.import_module(f"irsmith.cli.label_{words[0]}")
    return int(module.main(words[1:]))
