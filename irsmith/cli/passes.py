"""``irsmith passes``."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence

from irsmith.cli.common import Parser, parser
from irsmith.toolchain.codegen import OPTIONS
from irsmith.toolchain.passes import TIERS, load_passes


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser("passes", "The pass table: every pass of LLVM, its tier, and the reason.")
    to.add_argument("names", nargs="*", metavar="NAME", help="only these")
    to.add_argument("--tier", choices=TIERS, help="only this tier")
    to.add_argument("--codegen", action="store_true", help="the code generation options instead")
    to.add_argument("--json", action="store_true", help="as JSON")
    return to


def main(words: Sequence[str]) -> int:
    """Print the table."""
    to = arguments_parser()
    options = to.parse_args(words)
    if options.codegen:
        for option in OPTIONS:
            print(f"{option.text:<32} {option.what}")
        return 0
    table = load_passes()
    for name in options.names:
        if name not in table:
            near = difflib.get_close_matches(name, table, 1)
            hint = f": did you mean {near[0]!r}?" if near else ""
            to.error(f"no pass {name!r} in this LLVM{hint}")
    rows = [
        known
        for known in table.values()
        if (not options.names or known.name in options.names) and options.tier in (None, known.tier)
    ]
    if options.json:
        print(json.dumps([known.to_json() for known in rows], indent=1))
        return 0
    for known in rows:
        params = f"<{';'.join(known.params)}>" if known.params else ""
        print(f"{known.level:<9} {known.tier:<9} {known.name}{params}  {known.reason}".rstrip())
    return 0
