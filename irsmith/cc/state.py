"""What became of each unit: a file each, so that compilers side by side lose nothing.

``irsmith build`` has a folder for them::

    bin/            names of compilers, behind them irsmith.cc.driver
    units/KEY.json  a Record; KEY names the object's path
    objects/KEY.*   ours, oz (clang's own -Oz), real (the real compiler's), bc (the bitcode)
    choice/KEY      the object that is to be taken if the unit is compiled again
    passed          a line for each call that was left to the real compiler
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from irsmith.records import Candidate
from irsmith.toolchain.cache import write_beside

Outcome = Literal["optimised", "kept", "passed"]
"""Ours is in place; the real compiler's is as small and stays; the unit was left to it."""
Variant = Literal["ours", "oz", "real"]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one unit.

    Attributes:
        source: as the build names it.
        folder: where it was compiled.
        output: the object, absolute.
        outcome: see :data:`Outcome`.
        reason: why it was kept or passed.
        real: loaded bytes of the real compiler's object, 0 if nobody looked.
        oz: of clang's own ``-Oz``, 0 if it was not made.
        ours: of what was chosen, 0 likewise.
        text_real: executable bytes of the real compiler's object.
        text_ours: of what was chosen.
        placed: which object is in place.
        name: of the module in the lock file.
        target: triple.
        candidate: that was chosen.
        origin: who proposed it; ``lock`` if the lock file did.
        proposed: who proposed it in the first place, for the lock file.
        verdict: one state a check.
        evidence: lines about checks that did not pass.
        check: what it had to pass.
        objective: what was minimised.
        candidates: considered.
        compilations: of LLVM.
        refused: by the checker.
        seconds: that we took beside the real compiler.
        sha256: of the object in place.
    """

    source: str
    folder: str
    output: str
    outcome: Outcome
    reason: str = ""
    real: int = 0
    oz: int = 0
    ours: int = 0
    text_real: int = 0
    text_ours: int = 0
    placed: Variant = "real"
    name: str = ""
    target: str = ""
    candidate: Candidate | None = None
    origin: str = ""
    proposed: str = ""
    verdict: dict[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    check: str = ""
    objective: str = "size"
    candidates: int = 0
    compilations: int = 0
    refused: int = 0
    seconds: float = 0.0
    sha256: str = ""

    @property
    def in_place(self) -> int:
        """Loaded bytes of the object that the build has."""
        return {"ours": self.ours, "oz": self.oz, "real": self.real}[self.placed]

    @property
    def key(self) -> str:
        """Names the object's path."""
        return key_of(self.output)

    def to_json(self) -> dict[str, Any]:
        """The form in files and logs."""
        data = asdict(self)
        data["candidate"] = self.candidate.to_json() if self.candidate else None
        return data

    @staticmethod
    def from_json(data: dict[str, Any]) -> Record:
        """Read what :meth:`to_json` wrote."""
        candidate = data["candidate"]
        return Record(**{
            **data,
            "candidate": Candidate.from_json(candidate) if candidate else None,
            "evidence": tuple(data["evidence"]),
        })  # fmt: skip


def key_of(output: str) -> str:
    """The name of an object's path."""
    return hashlib.sha256(output.encode(errors="surrogateescape")).hexdigest()[:24]


class State:
    """The folder of one build.

    Args:
        folder: made by :meth:`create`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def bin(self) -> Path:
        """Where the names of compilers are."""
        return self.folder / "bin"

    def create(self) -> None:
        """Make its parts."""
        for part in ("units", "objects", "choice", "bin"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)

    def write(self, record: Record) -> None:
        """Keep a record in place of an older one of the same object."""
        data = json.dumps(record.to_json(), sort_keys=True).encode(errors="surrogateescape")
        write_beside(self.folder / "units" / f"{record.key}.json", data)

    def keep(self, key: str, what: str, data: bytes) -> None:
        """Keep bytes of a unit: ``ours``, ``oz``, ``real`` or ``bc``."""
        write_beside(self._object(key, what), data)

    def kept(self, key: str, what: str) -> bytes:
        """Bytes that were kept.

        Raises:
            OSError: they were not.
        """
        return self._object(key, what).read_bytes()

    def _object(self, key: str, what: str) -> Path:
        return self.folder / "objects" / f"{key}.{what}"

    def choose(self, key: str, variant: Variant) -> None:
        """Say which object is to be taken from now on."""
        write_beside(self.folder / "choice" / key, variant.encode())

    def choice(self, key: str) -> str:
        """Which object is to be taken; empty if nobody said."""
        try:
            return (self.folder / "choice" / key).read_text()
        except OSError:
            return ""

    def records(self) -> Iterator[Record]:
        """One a unit, by source and object; damaged ones are left out."""
        found = []
        for path in (self.folder / "units").glob("*.json"):
            try:
                found.append(Record.from_json(json.loads(path.read_text())))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        yield from sorted(found, key=lambda record: (record.source, record.output))

    def passed(self) -> Iterator[Record]:
        """Calls that were left to the real compiler at first sight, the last one an object."""
        try:
            lines = (self.folder / "passed").read_text(errors="surrogateescape").splitlines()
        except OSError:
            return
        found: dict[tuple[str, str], Record] = {}
        for line in lines:
            fields = line.split("\t")
            if len(fields) == 4:
                source, output, reason, folder = fields
                found[(output or source, source)] = Record(source, folder, output, "passed", reason)
        yield from (found[key] for key in sorted(found))


def told_from(record: Record, root: Path) -> Record:
    """The record with its paths told from a folder, where they lie in it."""
    top = os.path.normpath(root.absolute())

    def short(path: str) -> str:
        full = os.path.normpath(Path(record.folder, path))
        try:
            return str(Path(full).relative_to(top)) if path else ""
        except ValueError:
            return path

    return replace(record, source=short(record.source), output=short(record.output))
