"""Alive2's ``alive-tv``, when it is on PATH: refinement of each function, proved.

It is in no package registry; who builds it (https://github.com/AliveToolkit/alive2) gets a
second opinion that does not depend on inputs. It says nothing of loops beyond what it
unrolls, so "correct" is taken as passed only with our own verdict beside it, and a
time-out is unknown.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from irsmith.records import State

SECONDS = 60.0
_NAMED = re.compile(r"^define .*?@(\"[^\"]+\"|[\w.$-]+)\(", re.MULTILINE)
_CORRECT = "Transformation seems to be correct"
_WRONG = "Transformation doesn't verify"
_UNSURE = ("Timeout", "SMT Error", "ERROR: ", "Couldn't prove", "Out of memory", "approximated")
_COUNTEREXAMPLE = re.compile(r"^ERROR: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Refinement:
    """What Alive2 says of one function.

    Attributes:
        state: passed (the transformation is a refinement), failed or unknown.
        reason: its own words.
    """

    state: State
    reason: str = ""


def find_alive() -> Path | None:
    """Where ``alive-tv`` is, or None."""
    found = shutil.which("alive-tv")
    return Path(found) if found else None


def refinements(
    alive: Path, before: bytes, after: bytes, seconds: float = SECONDS
) -> dict[str, Refinement]:
    """Ask for every function of two versions of a module.

    Args:
        alive: the program.
        before: the reference, as bitcode or text.
        after: the other version.
        seconds: for the whole module; what has no answer by then is unknown.

    Returns:
        By function; those that Alive2 did not mention are left out.
    """
    with tempfile.TemporaryDirectory(prefix="irsmith-alive-") as folder:
        paths = [Path(folder) / f"{name}{_suffix(data)}" for name, data in
                 (("before", before), ("after", after))]  # fmt: skip
        for path, data in zip(paths, (before, after), strict=True):
            path.write_bytes(data)
        command = [str(alive), "--smt-to=10000", *map(str, paths)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds, check=False
            )
            said = done.stdout
        except subprocess.TimeoutExpired as error:
            output = error.stdout or b""
            said = output.decode(errors="replace") if isinstance(output, bytes) else output
            said += "\nTimeout\n"
        except OSError as error:
            return {"": Refinement("unknown", f"alive-tv cannot be run: {error.strerror}")}
    return parse(said)


def _suffix(data: bytes) -> str:
    return ".bc" if data[:2] in (b"BC", b"\xde\xc0") else ".ll"


def parse(said: str) -> dict[str, Refinement]:
    """Verdicts out of what ``alive-tv`` prints, one part a function."""
    found: dict[str, Refinement] = {}
    for part in re.split(r"^-{20,}$", said, flags=re.MULTILINE):
        match = _NAMED.search(part)
        if match:
            found[match[1].strip('"')] = _verdict(part)
    return found


def _verdict(part: str) -> Refinement:
    if _WRONG in part and not any(word in part for word in ("Timeout", "SMT Error")):
        match = _COUNTEREXAMPLE.search(part)
        reason = match[1] if match else "doesn't verify"
        if "approximated" in part or "Couldn't prove" in part:
            return Refinement("unknown", reason)
        return Refinement("failed", reason)
    if _CORRECT in part:
        return Refinement("passed")
    words = next((word for word in _UNSURE if word in part), "no verdict")
    return Refinement("unknown", words.strip(": "))
