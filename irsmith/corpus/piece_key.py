"""What pieces of objects are compared by: bytes, fields, and data by content."""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irsmith.corpus.linked import relaxed
from irsmith.corpus.listing_code import Instruction
from irsmith.corpus.listing_fixups import Fixup
from irsmith.corpus.piece_rules import Datum, Ref
from irsmith.toolchain.elf_object import (
    SHF_TLS,
    SHF_WRITE,
    STB_WEAK,
)

if TYPE_CHECKING:
    from irsmith.corpus.piece_cut import Cut

_NOP = re.compile(r"(?:data16 |cs )*nop[wl]?\b.*|xchgw %ax, %ax|data16")
_ADDRESS_BITS = 21
"""Of AArch64's adr and adrp, whose two lowest bits stand apart."""
_FIELDS = {"b": (282, 26, 0), "bl": (283, 26, 0), "adr": (274, 19, 5)}
"""AArch64: type of relocation, bits and lowest bit of the field of a branch."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One function.

    Attributes:
        name: of the function.
        size: bytes of its code.
        text: normalised assembly.
        key: of code, fields and data; see :func:`same`.
        lengths: least and most bytes that each of its data may have.
        instructions: texts, with names of what they refer to, without no-ops.
        data_key: of its data alone.
        sizes: of its data that has a local name, which text does not say.
        short: whether it jumps to a neighbour in two bytes, which only an assembler that
            sees both can decide.
    """

    name: str
    size: int
    text: str
    key: str
    lengths: tuple[tuple[int, int], ...]
    instructions: tuple[str, ...]
    data_key: str
    sizes: tuple[tuple[str, int], ...]
    short: bool


def same(one: Piece, other: Piece) -> bool:
    """Whether two pieces have the same code, fields and data."""
    return one.key == other.key and _fit(one, other)


def same_instructions(one: Piece, other: Piece) -> bool:
    """Whether they are the same instructions, however these are encoded."""
    code = one.instructions == other.instructions
    return code and one.data_key == other.data_key and _fit(one, other)


def _fit(one: Piece, other: Piece) -> bool:
    pairs = zip(one.lengths, other.lengths, strict=True)
    return len(one.lengths) == len(other.lengths) and all(
        a <= y and x <= b for (a, b), (x, y) in pairs
    )


def digest_of(
    cut: Cut, instructions: list[Instruction], code: list[tuple[Fixup, Ref]]
) -> tuple[str, str, bool]:
    """What a piece is compared by.

    Args:
        cut: the function, its references followed.
        instructions: of its code.
        code: the relocated fields of its code, and where they lead.

    Returns:
        Keys of everything and of the data alone, and whether a short jump leaves.
    """
    numbers = {datum: number for number, datum in enumerate(cut.refs)}

    def told(ref: Ref) -> object:
        if ref.symbol is not None:
            return ref.symbol.name, ref.symbol.binding == STB_WEAK, ref.addend
        return -1 if ref.datum is None else numbers[ref.datum], ref.addend

    held = _blank(cut.section.data, code)[cut.start : cut.end]
    fields = []
    for fixup, ref in code:
        at, kind = fixup.relocation.offset - cut.start, fixup.relocation.type
        if ref.symbol and ref.symbol.name in cut.all.reached:
            kind = relaxed(cut.all.arch, held, kind, at)
        fields.append((at, kind, told(ref)))
    short = False
    for one in instructions:
        leads = cut.outside.get(one.at)
        if leads is None:
            continue
        place = _field(cut.all.arch, held, one, cut.start)
        if place is None:
            short = True
        else:
            fields.append((place[0], place[1], told(leads)))
    data = []
    for datum, refs in cut.refs.items():
        section = cut.all.sections[datum[0]]
        content = _blank(section.data, refs)[datum[1] : cut.ends[datum][0]]
        rows = [(f.relocation.offset - datum[1], f.relocation.type, told(ref)) for f, ref in refs]
        place = bool(section.flags & SHF_WRITE), bool(section.flags & SHF_TLS)
        data.append((place, bytes(content).rstrip(b"\0"), rows))
    data_key = hashlib.sha256(repr(data).encode()).hexdigest()
    whole = repr((bytes(held), sorted(fields, key=repr), data)).encode()
    return hashlib.sha256(whole).hexdigest(), data_key, short


def length_of(cut: Cut, datum: Datum) -> tuple[int, int]:
    """Bytes of a datum: what looks like its last zeros may be padding."""
    end, sure = cut.ends[datum]
    most = end - datum[1]
    if sure:
        return most, most
    content = cut.content(datum)
    align = min(cut.all.sections[datum[0]].align, 16)
    reached = max((f.relocation.offset + f.width - datum[1] for f, _ in cut.refs[datum]), default=0)
    return max(len(content.rstrip(b"\0")), reached, most - align + 1, 1), most


def _blank(data: bytes, refs: list[tuple[Fixup, Ref]]) -> bytearray:
    """Bytes whose relocated fields are zero: what stands there is no one's."""
    held = bytearray(data)
    for fixup, _ in refs:
        at, form = fixup.relocation.offset, fixup.form
        lowest, count = form.bits
        if not count:
            held[at : at + form.width] = bytes(form.width)
            continue
        (word,) = struct.unpack_from("<I", held, at)
        if count == _ADDRESS_BITS:
            word &= ~(0x3 << 29 | 0x7FFFF << 5)
        else:
            word &= ~(((1 << count) - 1) << lowest)
        struct.pack_into("<I", held, at, word)
    return held


def _field(arch: str, held: bytearray, one: Instruction, start: int) -> tuple[int, int] | None:
    """Clear the field of a resolved branch or address.

    Returns:
        Where it is and the type of relocation that it would have; None if it is too short.
    """
    at, end = one.at - start, one.at - start + one.length
    assert one.target is not None
    if arch == "X86":
        field = (one.target - (one.at + one.length)).to_bytes(4, "little", signed=True)
        place = held.rfind(field, at, end)
        if place < 0 or one.length < 5:
            return None
        held[place : place + 4] = bytes(4)
        return place, 2 if one.behind else 4
    (word,) = struct.unpack_from("<I", held, at)
    name = one.text.split()[0]
    kind, bits, lowest = _FIELDS.get(name, (280, 19, 5))
    if name in ("tbz", "tbnz"):
        kind, bits = 279, 14
    if name.startswith("ldr"):
        kind = 273
    struct.pack_into("<I", held, at, word & ~(((1 << bits) - 1) << lowest))
    return at, kind


def shown(one: Instruction) -> str:
    """An instruction's text without where it leads."""
    text = one.text if one.target is None else f"{one.text}*{one.behind}"
    for fixup in one.fixups:
        text = text.replace(str(fixup.mark), "*")
    return text


def is_padding(one: Instruction) -> bool:
    """Whether an instruction does nothing but take room."""
    return bool(_NOP.fullmatch(one.text)) and not one.fixups
