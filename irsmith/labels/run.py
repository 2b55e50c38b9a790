"""What the label commands share: which modules are taken, and what names a run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irsmith.corpus.parts import Part
from irsmith.corpus.rows import Row
from irsmith.parallel.shards import fingerprint
from irsmith.records import IrsmithError
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain


@dataclass(frozen=True, slots=True)
class Pick:
    """Which modules of a corpus are taken: by their hash, so that order does not matter.

    Attributes:
        share: of all modules; nested: what a smaller share takes, a larger one takes too.
        salt: another salt picks others.
        smallest: IR instructions.
        largest: IR instructions.
        first: where the share begins; modules before it belong to another run.
    """

    share: float = 1.0
    salt: str = ""
    smallest: int = 0
    largest: int = 1 << 40
    first: float = 0.0

    def takes(self, row: Row) -> bool:
        """Whether a row is taken; one whose instructions nobody counted fits."""
        return (row.instructions < 0 or self.fits(row.instructions)) and self.draws(row.sha256)

    def fits(self, instructions: int) -> bool:
        """Whether a module is of a size that is taken."""
        return self.smallest <= instructions <= self.largest

    def draws(self, sha256: str) -> bool:
        """Whether a module is taken, by its hash alone."""
        return self.first <= self.place(sha256) < self.first + self.share

    def place(self, sha256: str) -> float:
        """A module's place between 0 and 1: those from ``first`` on are taken."""
        digest = hashlib.sha256(f"{self.salt} {sha256}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def run_name(parts: Sequence[Part], plan: Mapping[str, Any], code: Sequence[Path]) -> str:
    """What names a run: its parts, plan, toolchain, the shipped portfolios, and its code.

    A corpus that was moved is the same corpus: files count by their bytes, not their place.

    Args:
        parts: of the corpus.
        plan: in a form that JSON can hold.
        code: files whose text decides what comes out.

    Raises:
        IrsmithError: a file of the corpus cannot be read.
    """
    shipped = [[c.key() for c in load_portfolio(t).candidates] for t in DEFAULT_TARGETS.values()]
    content = {path: _content(path) for path in dict.fromkeys(part.path for part in parts)}
    places = [[content[part.path], part.first, part.count] for part in parts]
    return fingerprint([places, dict(plan), find_toolchain().fingerprint, shipped], *code)


def _content(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be read: {error.strerror}") from error


def nothing_taken(left_out: Mapping[str, int]) -> IrsmithError:
    """The error of a run that labels nothing; says what was left out and why."""
    reasons = "; ".join(f"{count} {reason}" for reason, count in left_out.items())
    return IrsmithError(
        "nothing to label: no module of the train and validation splits was taken "
        f"({reasons or '--modules takes a share of them by hash: try a larger one'})"
    )
