"""The lock file: what was chosen for each unit, so that a build is repeated without search.

It is meant to be committed: JSON with sorted keys, nothing in it that depends on the machine,
its clock, or the folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irsmith.records import Candidate, IrsmithError
from irsmith.toolchain.cache import write_beside

FORMAT = 1
CANDIDATE, REAL = "candidate", "real"
"""What an entry keeps: what its candidate gives, or the real compiler's object."""
_STRENGTH = {"none": 0, "list": 1, "module": 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """What was chosen for one unit.

    Attributes:
        source: for people, told from where the build began.
        object: likewise.
        target: triple.
        keep: ``candidate``, or ``real`` where a person's tests fail with any code of clang.
        candidate: what makes the object.
        origin: who proposed it.
        objective: what was minimised.
        check: what it had to pass.
        baseline: loaded bytes of ``-Oz``.
        result: loaded bytes with the candidate.
        verdict: one state a check.
    """

    source: str
    object: str
    target: str
    keep: str
    candidate: Candidate
    origin: str
    objective: str
    check: str
    baseline: int
    result: int
    verdict: Mapping[str, str]

    def serves(self, check: str, objective: str) -> bool:
        """Whether it passed at least what is asked for, and minimises the same."""
        return self.objective == objective and _STRENGTH[self.check] >= _STRENGTH[check]

    def to_json(self) -> dict[str, Any]:
        """The form in the file."""
        return {
            "source": self.source, "object": self.object, "target": self.target,
            "keep": self.keep, "candidate": self.candidate.to_json(), "origin": self.origin,
            "objective": self.objective, "check": self.check, "baseline": self.baseline,
            "result": self.result, "verdict": dict(self.verdict),
        }  # fmt: skip

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Entry:
        """Read what :meth:`to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: something else.
        """
        texts = [data[k] for k in ("source", "object", "target", "keep", "origin", "objective")]
        if not all(isinstance(text, str) for text in texts) or data["check"] not in _STRENGTH:
            raise ValueError("not an entry")
        if data["keep"] not in (CANDIDATE, REAL):
            raise ValueError("not an entry")
        source, place, target, keep, origin, objective = texts
        return Entry(
            source, place, target, keep, Candidate.from_json(data["candidate"]), origin, objective,
            data["check"], int(data["baseline"]), int(data["result"]), dict(data["verdict"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, read.

    Attributes:
        entries: by the name of the unit's module (:meth:`irsmith.cc.engine.Engine.name`).
        problem: why nothing of it is used; else empty.
        repair: whether a person has to look at it before it may be written again.
    """

    entries: Mapping[str, Entry]
    problem: str = ""
    repair: bool = False


def read_lock(path: Path, toolchain: str) -> Lock:
    """Read a lock file; one that is not there yet is empty.

    Args:
        path: of the file.
        toolchain: fingerprint of ours: what another one chose means nothing here.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            return Lock({}, f"{path}: written by another version of irsmith", True)
        if data["toolchain"] != toolchain:
            return Lock(
                {}, f"{path}: written with {data['toolchain']}, this is {toolchain}: not used"
            )
        entries = {str(name): Entry.from_json(item) for name, item in data["units"].items()}
    except FileNotFoundError:
        return Lock({})
    except OSError as error:
        return Lock({}, f"{path}: cannot be read: {error.strerror}", True)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Lock({}, f"{path}: damaged ({reason}): repair or remove it; it is not used", True)
    return Lock(entries)


def write_lock(path: Path, toolchain: str, entries: Mapping[str, Entry]) -> None:
    """Write a lock file, whole or not at all.

    Raises:
        IrsmithError: it cannot be written.
    """
    data = {
        "format": FORMAT,
        "toolchain": toolchain,
        "units": {name: entry.to_json() for name, entry in entries.items()},
    }
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        write_beside(path, text.encode())
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error


def merged(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> dict[str, Entry]:
    """Old entries and new ones; of an object that was made anew, only the new one stays."""
    made = {(entry.source, entry.object) for entry in new.values()}
    kept = {name: e for name, e in old.items() if (e.source, e.object) not in made}
    return {**kept, **new}


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Nobody else who asks does anything with the file meanwhile."""
    folder = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
