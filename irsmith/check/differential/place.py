"""Whether modules of a target can be run on this machine."""

from __future__ import annotations

import platform

from irsmith.records import IrsmithError


def runs_here(triple: str) -> bool:
    """Whether differential execution works for a target: x86-64 Linux on x86-64 Linux."""
    here = platform.machine() in ("x86_64", "AMD64") and platform.system() == "Linux"
    return here and triple.startswith(("x86_64", "amd64")) and "linux" in triple


def need_runs_here(triple: str) -> None:
    """Raise if it does not.

    Raises:
        IrsmithError: says why.
    """
    if not runs_here(triple):
        raise IrsmithError(
            f"code for {triple} cannot be run on this {platform.machine()} machine: "
            "differential execution compares modules of x86-64 Linux on x86-64 Linux"
        )
