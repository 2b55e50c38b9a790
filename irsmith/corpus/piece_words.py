"""Tables of distances that the assembler has resolved."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence

from irsmith.corpus.piece_rules import TABLES, UNWIND, Datum, is_constant
from irsmith.toolchain.elf_object import (
    SHF_EXEC,
    SHF_MERGE,
    ObjectSection,
)


def relative_words(
    sections: Mapping[int, ObjectSection],
    starts: Mapping[int, Sequence[int]],
    sizes: Mapping[Datum, int],
) -> dict[int, list[tuple[int, int]]]:
    """Words that hold the distance to something in their own section.

    LLVM turns tables of pointers into tables of distances from the table; where both ends
    lie in one section the assembler leaves no relocation. Such a table is known by this: all
    of its words lead out of it, to where something else begins. What is found by mistake
    can only make the same code look different.

    Args:
        sections: by number.
        starts: of what is referred to, by section.
        sizes: of what has a symbol with a size.

    Returns:
        By section, the offset of each word and what a relocation there would add.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for number, section in sections.items():
        if not is_constant(section) or section.flags & (SHF_EXEC | SHF_MERGE):
            continue
        if section.name == UNWIND or section.name.startswith(TABLES) or not section.data:
            continue
        taken = {relocation.offset for relocation in section.relocations}
        for start, end in itertools.pairwise((*starts[number], section.size)):
            size = sizes.get((number, start))
            words = _table(section.data, start, start + size if size else end, bool(size))
            if len(words) > 1 and taken.isdisjoint(at for at, _ in words):
                found.setdefault(number, []).extend(words)
    return found


def _table(data: bytes, start: int, end: int, sure: bool) -> list[tuple[int, int]]:
    """The words of a table of distances, as :func:`relative_words` gives them.

    Args:
        data: of the section.
        start: of the table.
        end: behind its last word if that is ``sure``; else no word is behind it.
        sure: whether the end is known.
    """
    words, nearest = [], end
    for at in range(start, end - 3, 4):
        if at + 4 > nearest and not sure:
            break  # what the words lead to begins here
        target = start + int(struct.unpack_from("<i", data, at)[0])
        if not 0 <= target < len(data) or start <= target < (end if sure else at + 4):
            return []
        if target and data[target - 1] and target != end:
            return []  # in the middle of a string
        nearest = min(nearest, target) if target > start and not sure else nearest
        words.append((at, target + at - start))
    return words if sure or start + 4 * len(words) == nearest else []
