"""What an ELF file holds: sections, symbols and relocations, as one who prints it needs them.

``elf`` adds up sizes a thousand times a second; this reads everything once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from irsmith.toolchain.elf import ObjectError

SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_DYNSYM, SHT_GROUP = 2, 4, 8, 11, 17
SHF_WRITE, SHF_ALLOC, SHF_EXEC, SHF_MERGE, SHF_STRINGS, SHF_GROUP, SHF_TLS = (
    *(1, 2, 4, 0x10, 0x20, 0x200, 0x400),
)
SHN_UNDEF, SHN_COMMON = 0, 0xFFF2
STB_LOCAL, STB_WEAK = 0, 2
STT_FUNC, STT_SECTION, STT_FILE = 2, 3, 4

_HEADER = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELA = struct.Struct("<QQq")
_MACHINES = {62: "X86", 183: "AArch64"}
_LARGEST, _LARGEST_ALIGN = 1 << 30, 1 << 16
_TYPES = {1: "relocatable", 2: "executable", 3: "shared"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol: name, binding, type, section number, offset in it, bytes.

    Attributes:
        name: of a section symbol, the section's.
        binding: 0 local, 1 global, 2 weak.
        type: ELF's ``STT_…``.
        section: number; 0 undefined, 0xFFF2 common.
        value: offset in its section (in an executable too); alignment of a common one.
        size: in bytes.
        hidden: whether no other program or library sees it.
    """

    name: str
    binding: int
    type: int
    section: int
    value: int
    size: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Relocation:
    """A field that the linker fills: offset in its section, type, symbol, addend."""

    offset: int
    type: int
    symbol: Symbol
    addend: int


@dataclass(frozen=True, slots=True)
class ObjectSection:
    """One section.

    Attributes:
        number: in the file's table.
        name: of the section.
        type: ELF's ``SHT_…``.
        flags: ELF's ``SHF_…``.
        address: where it is loaded; 0 in a relocatable object.
        data: its bytes; empty if it takes none in the file.
        size: bytes in memory.
        align: in bytes.
        entry: bytes of each entry, of those that have entries.
        group: the symbol that names its COMDAT group, or ``""``.
        relocations: in it, by offset.
    """

    number: int
    name: str
    type: int
    flags: int
    address: int
    data: bytes
    size: int
    align: int
    entry: int
    group: str = ""
    relocations: tuple[Relocation, ...] = ()


@dataclass(frozen=True, slots=True)
class ElfObject:
    """An ELF file of x86-64 or AArch64.

    Attributes:
        arch: LLVM's name of the architecture.
        kind: ``relocatable``, ``executable`` or ``shared``.
        sections: those that are loaded and not empty, in file order.
        symbols: all but those of files and sections; a stripped file's dynamic ones.
    """

    arch: str
    kind: str
    sections: tuple[ObjectSection, ...]
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class _Raw:
    """A section header as it stands, and the name it points to."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


@dataclass(slots=True)
class _Tables:
    data: bytes
    raw: list[_Raw]
    symbols: dict[int, list[Symbol]] = field(default_factory=dict)

    def content(self, number: int) -> bytes:
        section = self.raw[number]
        if section.type == SHT_NOBITS:
            return b""
        if section.offset + section.size > len(self.data):
            raise ObjectError("a truncated object")
        return self.data[section.offset : section.offset + section.size]

    def symbols_of(self, number: int) -> list[Symbol]:
        if number not in self.symbols:
            self.symbols[number] = list(_symbols(self, number))
        return self.symbols[number]


def read_object(data: bytes) -> ElfObject:
    """Read an ELF file.

    Raises:
        ObjectError: not an ELF file of x86-64 or AArch64, or a damaged one.
    """
    try:
        return _read(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ObjectError(f"a damaged object: {error}") from error


def _read(data: bytes) -> ElfObject:
    if data[:6] != b"\x7fELF\x02\x01":
        raise ObjectError("not a 64-bit little-endian ELF file")
    kind, machine = struct.unpack_from("<HH", data, 16)
    if machine not in _MACHINES or kind not in _TYPES:
        raise ObjectError("an ELF file of another machine than x86-64 and AArch64, or no code")
    tables = _Tables(data, list(_headers(data)))
    for raw in tables.raw:
        if raw.flags & SHF_ALLOC and (raw.size > _LARGEST or not _is_align(raw.align)):
            raise ObjectError(f"section {raw.name} of {raw.size} bytes, aligned to {raw.align}")
    groups = _groups(tables)
    relocations = _relocations(tables) if _TYPES[kind] == "relocatable" else {}
    sections = tuple(
        ObjectSection(
            number, raw.name, raw.type, raw.flags, raw.address, tables.content(number), raw.size,
            raw.align, raw.entry, groups.get(number, ""), tuple(relocations.get(number, ())),
        )
        for number, raw in enumerate(tables.raw)
        if raw.flags & SHF_ALLOC and raw.size
    )  # fmt: skip
    kinds = [raw.type for raw in tables.raw]
    best = SHT_SYMTAB if SHT_SYMTAB in kinds else SHT_DYNSYM
    symbols = tables.symbols_of(kinds.index(best)) if best in kinds else []
    named = tuple(s for s in symbols if s.name and s.type not in (STT_SECTION, STT_FILE))
    return ElfObject(_MACHINES[machine], _TYPES[kind], sections, named)


def dynamic_relocations(data: bytes) -> list[tuple[int, int, str, int]]:
    """What the loader of a linked file fills in.

    Returns:
        Address, type, name of the symbol (perhaps empty) and addend of each, by address.

    Raises:
        ObjectError: a damaged file.
    """
    try:
        tables = _Tables(data, list(_headers(data)))
        found = []
        for number, raw in enumerate(tables.raw):
            if raw.type == SHT_RELA and raw.flags & SHF_ALLOC:
                symbols = tables.symbols_of(raw.link) if raw.link else []
                for address, info, addend in _RELA.iter_unpack(tables.content(number)):
                    name = symbols[info >> 32].name if info >> 32 else ""
                    found.append((address, info & 0xFFFFFFFF, name, addend))
        return sorted(found)
    except (struct.error, IndexError, ValueError) as error:
        raise ObjectError(f"a damaged object: {error}") from error


def _is_align(align: int) -> bool:
    return align <= _LARGEST_ALIGN and not align & (align - 1)


def _headers(data: bytes) -> Iterator[_Raw]:
    (table,) = struct.unpack_from("<Q", data, 0x28)
    entry, count, names = struct.unpack_from("<HHH", data, 0x3A)
    rows = [_HEADER.unpack_from(data, table + k * entry) for k in range(count)]
    if count and names >= count:
        raise ObjectError("more sections than are supported")
    for name, *rest in rows:
        yield _Raw(_string(data, rows[names][4] + name), *rest)


def _string(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode(errors="backslashreplace")


def _symbols(tables: _Tables, number: int) -> Iterator[Symbol]:
    table = tables.raw[number]
    names = tables.raw[table.link].offset
    moved = struct.unpack_from("<H", tables.data, 16)[0] != 1
    for row in _SYMBOL.iter_unpack(tables.content(number)):
        name, info, other, section, value, size = row
        text = _string(tables.data, names + name)
        defined = SHN_UNDEF < section < len(tables.raw)
        if info & 15 == STT_SECTION and defined:
            text = tables.raw[section].name
        if moved and defined:
            value -= tables.raw[section].address
        yield Symbol(text, info >> 4, info & 15, section, value, size, other & 3 in (1, 2))


def _groups(tables: _Tables) -> dict[int, str]:
    found = {}
    for number, raw in enumerate(tables.raw):
        if raw.type == SHT_GROUP:
            name = tables.symbols_of(raw.link)[raw.info].name
            members = struct.iter_unpack("<I", tables.content(number)[4:])
            found.update({member: name for (member,) in members})
    return found


def _relocations(tables: _Tables) -> dict[int, list[Relocation]]:
    found: dict[int, list[Relocation]] = {}
    for number, raw in enumerate(tables.raw):
        if raw.type != SHT_RELA:
            continue
        symbols = tables.symbols_of(raw.link)
        rows = [
            Relocation(offset, info & 0xFFFFFFFF, symbols[info >> 32], addend)
            for offset, info, addend in _RELA.iter_unpack(tables.content(number))
        ]
        found.setdefault(raw.info, []).extend(sorted(rows, key=lambda row: row.offset))
    return found
