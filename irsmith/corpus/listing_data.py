"""Sections and data as assembly says them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import (
    SHF_ALLOC,
    SHF_EXEC,
    SHF_GROUP,
    SHF_MERGE,
    SHF_STRINGS,
    SHF_TLS,
    SHF_WRITE,
    SHT_NOBITS,
    ObjectSection,
)

_TYPES = {1: "progbits", 7: "note", 8: "nobits", 14: "init_array", 15: "fini_array"}
_TYPES[16] = "preinit_array"
_LETTERS = (
    (SHF_ALLOC, "a"), (SHF_WRITE, "w"), (SHF_EXEC, "x"), (SHF_MERGE, "M"), (SHF_STRINGS, "S"),
    (SHF_GROUP, "G"), (SHF_TLS, "T"), (0x200000, "R"),
)  # fmt: skip
_SHORT = {".text": "ax", ".data": "aw", ".bss": "aw"}
_WORDS = {
    "X86": {1: ".byte", 2: ".short", 4: ".long", 8: ".quad"},
    "AArch64": {1: ".byte", 2: ".hword", 4: ".word", 8: ".xword"},
}
_FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_ESCAPES = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_TEXTUAL = frozenset(range(32, 127)) | {9, 10, 13}
_TEXT = re.compile(rb"[\t\n\r -~]{5,}\0")
"""What is taken for a string between other data."""
_LONGEST_ALIGN = 64


@dataclass(frozen=True, slots=True)
class Point:
    """A place at which data is split.

    Attributes:
        offset: in its section.
        lines: what stands there: labels.
        word: what stands there in place of bytes: an expression.
        width: bytes of ``word``.
        size: of the symbol that begins here, 0 if unknown.
        local: whether it is a symbol that only this object knows.
    """

    offset: int
    lines: tuple[str, ...]
    word: str = ""
    width: int = 0
    size: int = 0
    local: bool = False


def section_line(section: ObjectSection) -> str:
    """The directive that switches to a section.

    Raises:
        ObjectError: assembly has no word for its type or flags.
    """
    letters = "".join(letter for flag, letter in _LETTERS if section.flags & flag)
    if section.flags & ~sum(flag for flag, _ in _LETTERS) or section.type not in _TYPES:
        raise ObjectError(f"section {section.name} of type {section.type}")
    if _SHORT.get(section.name) == letters:
        return section.name
    line = f'.section {section.name},"{letters}",@{_TYPES[section.type]}'
    if section.flags & SHF_MERGE:
        line += f",{section.entry}"
    return f"{line},{section.group},comdat" if section.flags & SHF_GROUP else line


def data_lines(arch: str, section: ObjectSection, points: list[Point]) -> Iterator[str]:
    """The data of a section.

    Args:
        arch: which directives to use.
        section: its bytes.
        points: by offset.
    """
    first_align = section.align
    if section.align > 1 and not _commons(section, points):
        yield f".p2align {section.align.bit_length() - 1}"
        first_align = 1
    at = known = 0
    for number, point in enumerate(points):
        if not at <= point.offset <= section.size:
            raise ObjectError("a label or relocation inside a word of data")
        align = _align_of(point, section)
        padded = known and at == known and -at % align == point.offset - at > 0
        if padded and not any(section.data[at : point.offset]):
            yield f".p2align {align.bit_length() - 1}"
        else:
            yield from _bytes(arch, section, at, point.offset)
        at = point.offset
        if point.word:
            yield f"{_WORDS[arch][point.width]} {point.word}"
            at += point.width
            continue
        if _commons(section, points):
            align = max(align, first_align if not number else 1)
            name = point.lines[-1].rstrip(":")
            yield f".local {name}"
            yield f".comm {name},{point.size},{align}"
            at += point.size
        else:
            yield from point.lines
        known = point.offset + point.size if point.size else 0
    yield from _bytes(arch, section, at, section.size)


def _commons(section: ObjectSection, points: list[Point]) -> bool:
    """Whether all that is there are variables without a value that no one else knows.

    The compiler writes each of these in two lines.
    """
    if section.name != ".bss" or not points or points[0].offset:
        return False
    ends = [point.offset + point.size for point in points]
    begins = [point.offset for point in points[1:]] + [section.size]
    close = all(
        end <= begin < end + _LONGEST_ALIGN for end, begin in zip(ends, begins, strict=True)
    )
    return close and ends[-1] == section.size and all(p.local and p.size for p in points)


def _align_of(point: Point, section: ObjectSection) -> int:
    """The alignment that a symbol probably has: no more than its place, size and section allow."""
    lowest = point.offset & -point.offset or section.align
    size = point.size or 1
    natural = size & -size if size < 16 else 16
    return max(1, min(lowest, natural, section.align))


def _bytes(arch: str, section: ObjectSection, first: int, after: int) -> Iterator[str]:
    """Some bytes, in the directives that compilers use for such bytes."""
    if after <= first:
        return
    if section.type == SHT_NOBITS:
        yield f".zero {after - first}"
        return
    held = section.data[first:after]
    if section.flags & SHF_STRINGS and section.entry == 1:
        yield from _strings(held)
    elif not any(held):
        yield f".zero {len(held)}"
    elif _is_string(held):
        yield from _strings(held)
    elif section.flags & SHF_MERGE:
        yield from _words(arch, section, first, held)
    else:
        at = 0
        for string in _TEXT.finditer(held):
            yield from _words(arch, section, first + at, held[at : string.start()])
            yield from _strings(string[0])
            at = string.end()
        yield from _words(arch, section, first + at, held[at:])


def _is_string(held: bytes) -> bool:
    text = held.rstrip(b"\0")
    return len(text) > 1 and text != held and all(byte in _TEXTUAL for byte in text)


def _strings(held: bytes) -> Iterator[str]:
    if not held.endswith(b"\0"):
        yield f'.ascii "{_escaped(held)}"'
        return
    for piece in held[:-1].split(b"\0"):
        yield f'.asciz "{_escaped(piece)}"' if piece else ".zero 1"


def _escaped(text: bytes) -> str:
    out = []
    for byte in text:
        plain = chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
        out.append(_ESCAPES.get(byte, plain))
    return "".join(out)


def _words(arch: str, section: ObjectSection, first: int, held: bytes) -> Iterator[str]:
    """Numbers of the width that the alignment suggests; zeros together."""
    if not held:
        return
    width = section.entry if section.flags & SHF_MERGE else min(section.align, 4)
    if section.name.startswith(".gcc_except_table"):
        width = 1
    width = min(width, 8)
    while width > 1 and (first % width or len(held) < width or width not in _FORMATS):
        width //= 2
    whole = len(held) - len(held) % width
    values = struct.unpack(f"<{whole // width}{_FORMATS[width]}", held[:whole])
    directive = _WORDS[arch][width]
    constant = bool(section.flags & SHF_MERGE)
    for zero, group in groupby(values, key=lambda value: value == 0):
        run = list(group)
        if zero and len(run) * width > 8:
            yield f".zero {len(run) * width}"
            continue
        for value in run:
            yield f"{directive} 0x{value:0{2 * width}x}" if constant else f"{directive} {value}"
    for value in held[whole:]:
        yield f".byte {value}"
