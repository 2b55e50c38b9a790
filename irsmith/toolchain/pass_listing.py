"""What ``opt --print-passes`` says, read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SECTION = re.compile(
    r"(?P<level>Module|CGSCC|Function|LoopNest|Loop|Machine module|Machine function)"
    r"(?P<alias> alias)? (?P<kind>passes|analyses)(?P<params> with params)?(?: \(WIP\))?:"
)
# A loop nest pass stands where a loop pass stands.
_LEVELS = {
    "Module": "module",
    "CGSCC": "cgscc",
    "Function": "function",
    "LoopNest": "loop",
    "Loop": "loop",
    "Machine module": "machine",
    "Machine function": "machine",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the listing.

    Attributes:
        name: as it is written in a pipeline; ``print<domtree>`` is a name.
        level: ``module``, ``cgscc``, ``function``, ``loop`` or ``machine``.
        kind: ``pass``, ``analysis`` or ``alias analysis``.
        params: accepted parameters, such as ``max-iterations=N``.
    """

    name: str
    level: str
    kind: str
    params: tuple[str, ...] = ()


class ListingError(ValueError):
    """The listing is not what this version of LLVM prints."""


def read_listing(text: str) -> tuple[Listed, ...]:
    """Read the whole listing, in its own order.

    Raises:
        ListingError: a line that is neither a known section nor inside one.
    """
    return tuple(_lines(text))


def _lines(text: str) -> Iterator[Listed]:
    section: re.Match[str] | None = None
    for line in text.splitlines():
        if not line.startswith(" "):
            section = _SECTION.fullmatch(line)
            if section is None:
                raise ListingError(f"unknown section {line!r} in opt --print-passes")
            continue
        if section is None:
            raise ListingError(f"{line.strip()!r} stands in no section of opt --print-passes")
        kind = {"passes": "pass", "analyses": "analysis"}[section["kind"]]
        if section["alias"]:
            kind = "alias analysis"
        name, params = line.strip(), ""
        if section["params"]:
            name, params = _split_params(name)
        level = _LEVELS[section["level"]]
        yield Listed(name, level, kind, tuple(p for p in params.split(";") if p))


def _split_params(line: str) -> tuple[str, str]:
    """Cut off the last group of brackets: ``print<da><x>`` is ``print<da>`` with ``x``."""
    depth = 0
    for position in range(len(line) - 1, -1, -1):
        depth += (line[position] == ">") - (line[position] == "<")
        if depth == 0 and line.endswith(">"):
            return line[:position], line[position + 1 : -1]
    raise ListingError(f"brackets do not match in {line!r}")
