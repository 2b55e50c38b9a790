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
    """

    share: float = 1.0
    salt: str = ""
    smallest: int = 0
    largest: int = 1 << 40

    def takes(self, row: Row) -> bool:
        """Whether a row is taken."""
        return self.smallest <= row.instructions <= self.largest and self.draws(row.sha256)

    def draws(self, sha256: str) -> bool:
        """Whether a module is taken, by its hash alone."""
        return self.place(sha256) < self.share

    def place(self, sha256: str) -> float:
        """A module's place between 0 and 1: those before ``share`` are taken."""
        digest = hashlib.sha256(f"{self.salt} {sha256}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def run_name(parts: Sequence[Part], plan: Mapping[str, Any], code: Sequence[Path]) -> str:
    """What names a run: its parts, plan, toolchain, the shipped portfolios, and its code.

    Args:
        parts: of the corpus.
        plan: in a form that JSON can hold.
        code: files whose text decides what comes out.
    """
    shipped = [[c.key() for c in load_portfolio(t).candidates] for t in DEFAULT_TARGETS.values()]
    places = [[part.path, part.first, part.count] for part in parts]
    return fingerprint([places, dict(plan), find_toolchain().fingerprint, shipped], *code)
