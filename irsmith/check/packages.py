"""Say what must be installed for the full suite, and install it once that is agreed to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.check.debian import Need, needs
from irsmith.records import IrsmithError

_APT_LISTS = Path("/var/lib/apt/lists")


class InstallError(IrsmithError):
    """A package could not be installed, or no one here can install it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do before the suite can be built.

    Attributes:
        title: in words, for the question to the person.
        packages: Debian packages that it brings.
        command: what :func:`install` runs; empty if it has to be done by hand.
        advice: how to do it by hand.
    """

    title: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    advice: str


def _known(packages: Sequence[str]) -> set[str]:
    """Which of these packages apt could install."""
    done = subprocess.run(
        ["apt-cache", "policy", *packages],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    found = re.findall(r"^(\S+):\n(?:  .*\n)*?  Candidate: (?!\(none\))", done.stdout, re.MULTILINE)
    return set(found)


def _chosen(missing: Sequence[Need]) -> tuple[str, ...]:
    """One package a need: the best that apt knows."""
    known = _known([package for need in missing for package in need.packages])
    chosen = (
        next((package for package in need.packages if package in known), need.packages[0])
        for need in missing
    )
    return tuple(dict.fromkeys(chosen))


def _as_root() -> tuple[str, ...] | None:
    """What to put before a command that needs root, or None if that cannot be done."""
    if os.geteuid() == 0:
        return ()
    return ("sudo",) if shutil.which("sudo") else None


def plan(
    target: str, *, gcc_testsuite: Path | None = None, csmith: Path | None = None
) -> list[Step]:
    """What has to be installed; nothing is installed here.

    Args:
        target: LLVM triple of the suite.
        gcc_testsuite: a testsuite that the person has (``--gcc-testsuite``).
        csmith: a Csmith that the person has (``--csmith``).

    Returns:
        The steps in order; empty if all is there.
    """
    missing = needs(target, testsuite=gcc_testsuite is None, csmith=csmith is None)
    if not missing:
        return []
    if shutil.which("apt-get") is None:
        return [
            Step(f"{need.what} (this system has no apt)", (), (), need.otherwise)
            for need in missing
        ]
    steps = []
    root = _as_root()
    if not any(_APT_LISTS.glob("*_Packages*")):
        update = ("apt-get", "update")
        advice = f"as root: {' '.join(update)}"
        command = () if root is None else (*root, *update)
        steps.append(Step("apt's list of packages, which is empty", (), command, advice))
    packages = _chosen(missing)
    bare = ("apt-get", "install", "-y", "--no-install-recommends", *packages)
    steps.append(
        Step(
            "; ".join(need.what for need in missing),
            packages,
            () if root is None else (*root, *bare),
            f"as root: {' '.join(bare)}",
        )
    )
    return steps


def install(steps: Sequence[Step]) -> None:
    """Do what :func:`plan` said; apt writes to the terminal.

    Raises:
        InstallError: a step has to be done by hand, or its command failed.
    """
    by_hand = [step for step in steps if not step.command]
    if by_hand:
        raise InstallError("; ".join(f"{step.title}: {step.advice}" for step in by_hand))
    for step in steps:
        try:
            done = subprocess.run(
                step.command,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                check=False,
            )
        except OSError as error:
            raise InstallError(f"{step.command[0]} does not run: {error}") from error
        if done.returncode:
            raise InstallError(
                f"`{' '.join(step.command)}` ended with status {done.returncode}; "
                f"run it by hand to see why (`apt-get update` first often helps)"
            )
