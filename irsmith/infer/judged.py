"""What an answer is worth, whoever gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

GRADES = ("exact", "equivalent", "same bytes", "compiles", "failed")
"""Of answers of any task, best first."""
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Judged(Generic[Kept]):
    """What an answer is worth.

    Attributes:
        grade: one of :data:`GRADES`.
        reason: why it is no better.
        kept: what is wanted of the answer; None if it is nothing.
    """

    grade: str
    reason: str = ""
    kept: Kept | None = None
