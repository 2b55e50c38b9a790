"""The portfolio that a model was trained to rank: the list behind each of its slots.

It lies beside the packed data and in the release, a file for each target.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from irsmith.records import Candidate, IrsmithError


def read_portfolio(folder: Path, triple: str) -> tuple[Candidate, ...]:
    """The lists behind the slots of a target, or none.

    Args:
        folder: of packed data, or a release.
        triple: target.

    Raises:
        IrsmithError: the file is damaged.
    """
    path = folder / portfolio_name(triple)
    if not path.exists():
        return ()
    try:
        entries: Sequence[Mapping[str, object]] = json.loads(path.read_text())["candidates"]
        return tuple(Candidate.from_json(entry) for entry in entries)
    except (ValueError, KeyError, TypeError) as error:
        raise IrsmithError(f"{path}: not a portfolio: {error}") from error


def portfolio_name(triple: str) -> str:
    """File of a target's portfolio beside data and in releases."""
    return f"portfolio-{triple.split('-', 1)[0]}.json"
