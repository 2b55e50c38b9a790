"""Jump tables of AArch64 whose entries the assembler has resolved.

LLVM keeps the distance of each case from a base, in instructions, in a byte or a half word:
there is no relocation in the table. The code that reads it says where it is and what its
entries count from (AArch64ExpandPseudo's JumpTableDest8 and JumpTableDest16):

    adrp xT, table; add xT, xT, :lo12:table; adr xD, base
    ldrb wS, [xT, wE, uxtw]; add xD, xD, xS, lsl #2; br xD
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ADD = re.compile(r"add x(\d+), x\d+, #\d+")
_ADR = re.compile(r"adr x(\d+), ")
_LOAD = re.compile(r"ldr([bh]) w(\d+), \[x(\d+), [wx]\d+.*\]")
_SCALE = re.compile(r"add x(\d+), x(\d+), x(\d+), lsl #2")
_JUMP = re.compile(r"br x(\d+)")
_COMPARE = re.compile(r"cmp [wx]\d+, #(\d+)")


@dataclass(frozen=True, slots=True)
class Seen:
    """An instruction as far as it matters here.

    Attributes:
        text: without what it refers to.
        target: offset in its section that it refers to, if it does.
        place: section and offset of the data that its relocation means, if it has one.
    """

    text: str
    target: int | None = None
    place: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class JumpTable:
    """A table found.

    Attributes:
        section: it lies in.
        offset: where it begins there.
        width: bytes of an entry.
        base: offset in the code's section from which entries count, in instructions.
        most: entries, if the code says how many.
    """

    section: int
    offset: int
    width: int
    base: int
    most: int | None


def jump_tables(instructions: Iterable[Seen]) -> list[JumpTable]:
    """The tables that code jumps through."""
    found: dict[tuple[int, int], JumpTable] = {}
    places: dict[str, tuple[int, int]] = {}
    bases: dict[str, int] = {}
    loads: dict[str, tuple[int, tuple[int, int]]] = {}
    ready: dict[str, tuple[int, tuple[int, int]]] = {}
    most: int | None = None
    for one in instructions:
        if (match := _ADD.fullmatch(one.text)) and one.place:
            places[match[1]] = one.place
        elif (match := _ADR.fullmatch(one.text)) and one.target is not None:
            bases[match[1]] = one.target
        elif (match := _LOAD.fullmatch(one.text)) and match[3] in places:
            loads[match[2]] = (1 if match[1] == "b" else 2, places[match[3]])
        elif (match := _SCALE.fullmatch(one.text)) and match[3] in loads:
            if match[1] == match[2]:
                ready[match[1]] = loads[match[3]]
        elif match := _COMPARE.fullmatch(one.text):
            most = int(match[1]) + 1
        elif (match := _JUMP.fullmatch(one.text)) and match[1] in ready and match[1] in bases:
            width, place = ready.pop(match[1])
            found.setdefault(place, JumpTable(*place, width, bases[match[1]], most))
    return list(found.values())
