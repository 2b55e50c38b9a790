"""``irsmith cc``: a C compiler for somebody's build."""

# Imported at every call of a compiler: nothing that costs.
from __future__ import annotations

import os
from collections.abc import Sequence

from irsmith.cc.driver import INSIDE
from irsmith.cc.driver import main as stand_in

HELP = "--irsmith-help"


def main(words: Sequence[str]) -> int:
    """Compile as ``IRSMITH_CC`` does, smaller."""
    return run("cc", "IRSMITH_CC", words)


def run(name: str, variable: str, words: Sequence[str]) -> int:
    """Stand in for a compiler.

    Args:
        name: ``cc`` or ``c++``.
        variable: names the real compiler in the environment.
        words: the arguments.

    Raises:
        IrsmithError: no compiler.
    """
    if list(words) == [HELP]:
        print(help_text(name))
        return 0
    # Started by the compiler that the variable names: that is irsmith itself.
    named = "" if os.environ.get(INSIDE) else os.environ.get(variable, "")
    stand_in(name, named.split() or own_clang(name), words)


def own_clang(name: str) -> list[str]:
    """The clang that irsmith depends on, so that what it makes mixes with the system's.

    Left alone it takes libc++ and compiler-rt of its own wheel.

    Raises:
        IrsmithError: it is not here.
    """
    from irsmith.toolchain.find import find_toolchain

    mode = ["--driver-mode=g++", "-stdlib=libstdc++"] if "++" in name else []
    return [
        str(find_toolchain().need_clang()),
        *("--start-no-unused-arguments", *mode, "--rtlib=libgcc", "--unwindlib=libgcc"),
        "--end-no-unused-arguments",
    ]


def help_text(name: str) -> str:
    """What ``--irsmith-help`` prints."""
    from irsmith.cc.settings import HELP as VARIABLES

    width = max(map(len, VARIABLES))
    lines = [
        f"usage: irsmith {name} ARGUMENTS...   (those of gcc and clang)",
        "",
        "Runs the real compiler, and then makes its object smaller, if every check passes.",
        "Nothing of its output and status changes. Settings are in the environment:",
        "",
        *(f"  {variable:<{width}}  {what}" for variable, what in VARIABLES.items()),
    ]
    return "\n".join(lines)
