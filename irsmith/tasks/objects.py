"""What an object says, apart from how its tables are laid out: for comparing two of them.

Two objects are *exact* copies if each loaded section has the same bytes, alignment and
relocations, and the same names are defined at the same places. Relocations are compared by
the symbol they name; what refers to a local symbol refers to its section and offset, so it
does not matter whether compiler or assembler kept the local symbol. Unwind tables stand
apart: assembly as models see it leaves them out. Type, size and visibility of symbols, and
sections that are not loaded (debug info, notes), are not looked at.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from dataclasses import dataclass

from irsmith.toolchain.elf import ObjectError, Section, sections

_SYMBOL = struct.Struct("<IBBHQQ")
_RELA = struct.Struct("<QQq")
_SHT_SYMTAB, _SHT_RELA, _SHT_NOBITS = 2, 4, 8
_SHF_ALLOC, _SHF_COMPARED = 2, 0x737  # write, alloc, exec, merge, strings, group, TLS
_STB_LOCAL, _STB_WEAK = 0, 2
_SHN_UNDEF, _SHN_COMMON = 0, 0xFFF2
_UNWIND = ".eh_frame"

_Place = tuple[str, int]
"""A section: its name, and which of those with that name it is."""


@dataclass(frozen=True, slots=True)
class Code:
    """Digests of what an object loads; equal code has equal digests.

    Attributes:
        code: of everything but unwind tables, hexadecimal.
        unwind: of unwind tables, hexadecimal.
    """

    code: str
    unwind: str


def code_of(data: bytes) -> Code:
    """The digests of a relocatable object of x86-64 or AArch64.

    Raises:
        ObjectError: not such an object, or a damaged one.
    """
    try:
        return _digest(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ObjectError(f"a damaged object: {error}") from error


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str
    binding: int
    section: int
    value: int
    size: int


def _digest(data: bytes) -> Code:
    every = list(sections(data))
    places = _places(every)
    table = next((s for s in every if s.type == _SHT_SYMTAB), None)
    symbols = _symbols(data, every, table) if table else []
    relocations = _relocations(data, every, places, symbols)
    code, unwind = hashlib.sha256(), hashlib.sha256()
    for number in sorted(places, key=lambda k: places[k]):
        section = every[number]
        digest = unwind if section.name == _UNWIND else code
        loaded = section.type != _SHT_NOBITS
        content = data[section.offset : section.offset + section.size] if loaded else b""
        facts = (places[number], section.type, section.flags & _SHF_COMPARED, section.size)
        digest.update(repr((*facts, _alignment(data, number))).encode())
        digest.update(content)
        digest.update(repr(relocations.get(number, [])).encode())
    code.update(repr(sorted(_defined(symbols, places))).encode())
    return Code(code.hexdigest(), unwind.hexdigest())


def _places(every: list[Section]) -> dict[int, _Place]:
    """Sections that are loaded and not empty, by number."""
    seen: Counter[str] = Counter()
    places = {}
    for number, section in enumerate(every):
        if section.flags & _SHF_ALLOC and section.size:
            places[number] = (section.name, seen[section.name])
            seen[section.name] += 1
    return places


def _alignment(data: bytes, number: int) -> int:
    (start,) = struct.unpack_from("<Q", data, 0x28)
    (entry,) = struct.unpack_from("<H", data, 0x3A)
    return int(struct.unpack_from("<Q", data, start + number * entry + 48)[0])


def _symbols(data: bytes, every: list[Section], table: Section) -> list[_Symbol]:
    strings = every[table.link].offset
    found = []
    for at in range(table.offset, table.offset + table.size, _SYMBOL.size):
        name, info, _, section, value, size = _SYMBOL.unpack_from(data, at)
        start = strings + name
        text = data[start : data.index(b"\0", start)].decode(errors="backslashreplace")
        found.append(_Symbol(text, info >> 4, section, value, size))
    return found


def _relocations(
    data: bytes, every: list[Section], places: dict[int, _Place], symbols: list[_Symbol]
) -> dict[int, list[tuple[int, int, object, int]]]:
    """Offset, type, symbol and addend of each relocation, by the number of its section."""
    (start,) = struct.unpack_from("<Q", data, 0x28)
    (entry,) = struct.unpack_from("<H", data, 0x3A)
    found: dict[int, list[tuple[int, int, object, int]]] = {}
    for number, section in enumerate(every):
        if section.type != _SHT_RELA:
            continue
        (target,) = struct.unpack_from("<I", data, start + number * entry + 44)
        rows = found.setdefault(target, [])
        for at in range(section.offset, section.offset + section.size, _RELA.size):
            offset, info, addend = _RELA.unpack_from(data, at)
            symbol = symbols[info >> 32]
            where: object = (symbol.name, symbol.binding == _STB_WEAK)
            if symbol.binding == _STB_LOCAL and symbol.section in places:
                where = places[symbol.section]
                addend += symbol.value
            rows.append((offset, info & 0xFFFFFFFF, where, addend))
        rows.sort(key=repr)
    return found


def _defined(
    symbols: list[_Symbol], places: dict[int, _Place]
) -> list[tuple[str, int, _Place, int]]:
    """Name, binding, section and offset of what others may refer to."""
    found = []
    for symbol in symbols:
        if symbol.binding == _STB_LOCAL or symbol.section == _SHN_UNDEF:
            continue
        common = symbol.section == _SHN_COMMON
        place = ("common", symbol.size) if common else places.get(symbol.section, ("", 0))
        found.append((symbol.name, symbol.binding, place, symbol.value))
    return found
