"""A linked program as an object again: what the linker filled in becomes relocations.

A field of code that leads to an address is told by its instruction (on x86-64 what is
relative to the instruction, on AArch64 ``adrp`` and what uses its register); what stands at
the address names it: a symbol, a slot that the loader fills, a stub that jumps through one.
Numbers that are not of such a field stay numbers, also where they happen to be addresses
(programs that are not position-independent).

What a linker changes beside that: it loads the address of a symbol of the program itself
where the compiler would have read it from a table (:func:`relaxed`).
"""

from __future__ import annotations

import itertools
import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from irsmith.corpus.listing_code import Instruction, decode
from irsmith.toolchain import disassembler
from irsmith.toolchain.elf_object import (
    SHF_EXEC,
    SHF_MERGE,
    SHF_STRINGS,
    SHF_WRITE,
    SHN_UNDEF,
    STB_LOCAL,
    STT_FUNC,
    STT_SECTION,
    ElfObject,
    ObjectSection,
    Relocation,
    Symbol,
    dynamic_relocations,
)
from irsmith.toolchain.llvm import LLVM

_RELATIVE = {"X86": 8, "AArch64": 1027}
_WORD, _DISTANCE = {"X86": 1, "AArch64": 257}, {"X86": 2, "AArch64": 261}
_STRING = re.compile(rb"[\t\n\r\x1b -~\x80-\xff]+\0")
_PAGE = re.compile(r"adrp (x\d+), #(-?\d+)")
_LOW = re.compile(r"(?:add (?:x\d+), (x\d+), #(\d+)|(\w+) (\w+), \[(x\d+)(?:, #(\d+))?\])")
_SCALED = {"b": 278, "h": 284, "w": 285, "s": 285, "x": 286, "d": 286, "q": 299}
_WIDTHS = (
    (re.compile(r"\w*(?:sd|q)\b"), 8),
    (re.compile(r"\w*(?:ss|l)\b"), 4),
    (re.compile(r"\w*(?:ps|pd|dqa|dqu)\b|p\w+"), 16),
)
"""Bytes that instructions of x86-64 read, by mnemonic."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked file as if it were relocatable.

    Attributes:
        object: with relocations.
        widths: bytes of constants without a name, by section and offset.
        defined: names that the linker may reach directly.
    """

    object: ElfObject
    widths: Mapping[tuple[int, int], int]
    defined: frozenset[str]


def unlink(llvm: LLVM, data: bytes, read: ElfObject, triple: str) -> Linked:
    """Give a linked file its relocations back.

    Args:
        llvm: the loaded library; this runs where LLVM may.
        data: the file.
        read: the same, read.
        triple: its target.

    Raises:
        ObjectError: a damaged file.
    """
    return _Unlink(llvm, data, read, triple).made()


@dataclass(slots=True)
class _Unlink:
    llvm: LLVM
    data: bytes
    read: ElfObject
    triple: str
    slots: dict[int, str] = field(default_factory=dict)
    stubs: dict[int, str] = field(default_factory=dict)
    widths: dict[tuple[int, int], int] = field(default_factory=dict)
    fields: dict[int, dict[int, Relocation]] = field(default_factory=dict)
    functions: dict[int, list[Symbol]] = field(default_factory=dict)
    patched: dict[int, bytearray] = field(default_factory=dict)

    def made(self) -> Linked:
        """The file."""
        arch = self.read.arch
        loaded = sorted((s for s in self.read.sections if s.address), key=lambda s: s.address)
        self.fields = {s.number: {} for s in loaded}
        self._loader(loaded)
        reader = disassembler.of(self.llvm, self.triple)
        code = [s for s in loaded if s.flags & SHF_EXEC]
        read = {s.number: list(decode(arch, reader, s, ())) for s in code}
        for section in code:
            if section.name.startswith((".plt", ".iplt")):
                self._stubs(section, read[section.number])
        if arch == "AArch64":
            for section in code:
                self._restore(section, read[section.number])
        for section in code:
            leads = self._near if arch == "X86" else self._pages
            for one, at, kind, address in leads(section, read[section.number]):
                self._lead(section, one, at, kind, address, loaded)
        sections = tuple(
            replace(
                s,
                data=bytes(self.patched.get(s.number, s.data)),
                flags=s.flags & ~(SHF_MERGE | SHF_STRINGS),
                relocations=tuple(
                    self.fields.get(s.number, {})[o] for o in sorted(self.fields.get(s.number, {}))
                ),
            )
            for s in self.read.sections
        )
        names = frozenset(s.name for s in self.read.symbols if s.section != SHN_UNDEF)
        return Linked(replace(self.read, kind="relocatable", sections=sections), self.widths, names)

    def _loader(self, loaded: list[ObjectSection]) -> None:
        """Slots with names, and pointers that the loader moves."""
        arch = self.read.arch
        relocations = dynamic_relocations(self.data)
        held: dict[int, int] = {}
        for each in loaded:
            if each.name.startswith(".got"):
                words = struct.iter_unpack("<Q", each.data[: len(each.data) // 8 * 8])
                held |= {each.address + 8 * k: word for k, (word,) in enumerate(words)}
        moved = {a: addend for a, kind, _, addend in relocations if kind == _RELATIVE[arch]}
        names = {
            (s.section, s.value): s.name
            for s in sorted(self.read.symbols, key=lambda s: (s.binding != STB_LOCAL, s.name))
        }
        for slot, address in {**held, **moved}.items():
            target = _at(loaded, address)
            name = names.get((target.number, address - target.address)) if target else None
            if slot in held and name:
                self.slots[slot] = name
        for address, kind, name, addend in relocations:
            if name:
                self.slots[address] = name
            section = _at(loaded, address)
            if section is None or section.name.startswith(".got"):
                continue
            offset = address - section.address
            target = _at(loaded, addend) if kind == _RELATIVE[arch] else None
            if target is not None:
                symbol = _section(target)
                self.fields[section.number][offset] = Relocation(
                    offset, _WORD[arch], symbol, addend - target.address
                )
            elif name and kind == _WORD[arch]:
                symbol = Symbol(name, 1, 0, SHN_UNDEF, 0, 0)
                self.fields[section.number][offset] = Relocation(offset, kind, symbol, addend)

    def _stubs(self, section: ObjectSection, instructions: list[Instruction]) -> None:
        """Names of the stubs that jump through a slot, by address."""
        begin = pages = 0
        for one in instructions:
            at = section.address + one.at
            if self.read.arch == "X86":
                if one.text.startswith(("jmpq *", "bnd jmpq *")) and one.target is not None:
                    name = self.slots.get(section.address + one.target)
                    if name:
                        self.stubs[at - at % 16] = name
                continue
            page = _PAGE.fullmatch(one.text)
            low = _LOW.fullmatch(one.text)
            if page:
                begin, pages = at, (at & ~0xFFF) + int(page[2])
            elif low and low[3] == "ldr" and begin:
                name = self.slots.get(pages + int(low[6] or 0))
                if name:
                    self.stubs[begin] = name

    def _near(
        self, section: ObjectSection, instructions: list[Instruction]
    ) -> Iterator[tuple[Instruction, int, int, int]]:
        """x86-64: instruction, offset and type of the field, and address, of each field."""
        for one in instructions:
            if one.target is None or one.length < 5:
                continue
            end = one.at + one.length
            held = (one.target - end).to_bytes(4, "little", signed=True)
            at = section.data.rfind(held, one.at, end)
            if at >= 0:
                yield one, at, 2 if one.behind else 4, section.address + one.target

    def _restore(self, section: ObjectSection, instructions: list[Instruction]) -> None:
        """AArch64: linkers turn adrp and add into nop and adr where that reaches."""
        held = bytearray(section.data)
        for before, one in itertools.pairwise(instructions):
            if before.text != "nop" or not one.text.startswith("adr ") or one.target is None:
                continue
            if 0 <= one.target < section.size:
                continue
            register = section.data[one.at] & 31
            address = section.address + one.target
            here = (section.address + before.at) & ~0xFFF
            struct.pack_into("<I", held, before.at, 0x90000000 | register)
            struct.pack_into("<I", held, one.at, 0x91000000 | register << 5 | register)
            before.text = f"adrp x{register}, #{(address & ~0xFFF) - here}"
            one.text = f"add x{register}, x{register}, #{address & 0xFFF}"
            one.target = None
        self.patched[section.number] = held

    def _pages(
        self, section: ObjectSection, instructions: list[Instruction]
    ) -> Iterator[tuple[Instruction, int, int, int]]:
        """AArch64: the same; the two halves of an address are a field each."""
        waiting: dict[str, tuple[Instruction, int, bool]] = {}
        begins = {s.value for s in self.read.symbols if s.section == section.number}
        for one in instructions:
            if one.at in begins:
                waiting.clear()
            page, low = _PAGE.fullmatch(one.text), _LOW.fullmatch(one.text)
            if one.target is not None and one.text.startswith(("b ", "bl ")):
                kind = 283 if one.text.startswith("bl ") else 282
                yield one, one.at, kind, section.address + one.target
            if page:
                base = ((section.address + one.at) & ~0xFFF) + int(page[2])
                waiting[page[1]] = one, base, False
                continue
            register = (low[1] or low[5]) if low else None
            if low and register in waiting:
                first, base, done = waiting[register]
                address = base + int(low[2] or low[6] or 0)
                kind = 277 if low[1] else _access(low[3], low[4])
                if not done:
                    yield first, first.at, 275, address
                    waiting[register] = first, base, True
                yield one, one.at, kind, address
            written = re.match(r"(?!st|b|cb|tb|cmp)\w+ ([xw]\d+)", one.text)
            if written:
                waiting.pop("x" + written[1][1:], None)

    def _lead(
        self,
        section: ObjectSection,
        one: Instruction,
        at: int,
        kind: int,
        address: int,
        loaded: list[ObjectSection],
    ) -> None:
        """Note where a field leads."""
        x86 = self.read.arch == "X86"
        back = at - (one.at + one.length) if x86 else 0
        name = self.slots.get(address)
        if name and (kind == 2 or not x86):
            wide = section.data[one.at] & 0xF0 == 0x40
            kind = (42 if wide else 41) if x86 else {275: 311, 286: 312}.get(kind, kind)
        name = name or self.stubs.get(address)
        made: Relocation | None = None
        if name:
            made = Relocation(at, kind, Symbol(name, 1, 0, SHN_UNDEF, 0, 0), back)
        else:
            target = _at(loaded, address)
            if target is None or target.number == section.number:
                return
            offset = address - target.address
            made = Relocation(at, kind, _section(target), offset + back)
            self._constant(section, one, target, offset)
        self.fields[section.number][at] = made

    def _constant(
        self, section: ObjectSection, one: Instruction, target: ObjectSection, offset: int
    ) -> None:
        """What a constant without a name is: a table of jumps, a string, a number."""
        if target.flags & (SHF_WRITE | SHF_EXEC):
            return
        loads_address = one.text.startswith(("lea", "add", "adrp"))
        if loads_address and not self._jumps(section, one, target, offset):
            string = _STRING.match(target.data, offset)
            if string:
                self.widths[target.number, offset] = len(string[0])
        elif not loads_address and self.read.arch == "X86":
            for pattern, width in _WIDTHS:
                if pattern.match(one.text):
                    self.widths[target.number, offset] = width
                    break

    def _function(self, number: int, offset: int) -> Symbol | None:
        """The function that holds a place."""
        if number not in self.functions:
            every = (s for s in self.read.symbols if s.section == number and s.type == STT_FUNC)
            self.functions[number] = sorted(every, key=lambda s: (s.value, s.size))
        some = self.functions[number]
        index = bisect_right(some, offset, key=lambda s: s.value) - 1
        if index < 0 or offset >= some[index].value + some[index].size:
            return None
        return some[index]

    def _jumps(
        self, section: ObjectSection, one: Instruction, target: ObjectSection, offset: int
    ) -> bool:
        """Words that lead from a table to the function that uses it (x86-64)."""
        if self.read.arch != "X86":
            return False
        function = self._function(section.number, one.at)
        if function is None:
            return False
        words = []
        for at in range(offset, target.size - 3, 4):
            to = target.address + offset + int(struct.unpack_from("<i", target.data, at)[0])
            inside = to - section.address - function.value
            if not 0 <= inside < function.size:
                break
            words.append((at, to - section.address))
        if len(words) > 1:
            for at, to in words:
                self.fields[target.number][at] = Relocation(
                    at, _DISTANCE["X86"], _section(section), to + at - offset
                )
            self.widths[target.number, offset] = 4 * len(words)
        return len(words) > 1


def relaxed(arch: str, held: bytearray, kind: int, at: int) -> int:
    """Change code that reads an address from a table into code that computes it.

    As linkers do it: x86-64 psABI 1.0, section B.2; AArch64 ELF 2024Q3, section 5.7.5.

    Args:
        arch: of the code.
        held: the code; changed.
        kind: type of the relocation.
        at: where its field is.

    Returns:
        The type of relocation that it then has.
    """
    if arch == "X86":
        if kind in (9, 41, 42) and at >= 2 and held[at - 2] == 0x8B:
            held[at - 2] = 0x8D
            return 2
        return kind
    if kind == 312:
        (word,) = struct.unpack_from("<I", held, at)
        struct.pack_into("<I", held, at, 0x91000000 | word & 0x3FF)
        return 277
    return 275 if kind == 311 else kind


def _access(mnemonic: str, register: str) -> int:
    """AArch64: type of relocation of an access to memory."""
    if mnemonic.endswith("b"):
        return 278
    if mnemonic.endswith("h"):
        return 284
    return 285 if mnemonic == "ldrsw" else _SCALED.get(register[0], 286)


def _section(section: ObjectSection) -> Symbol:
    return Symbol("", STB_LOCAL, STT_SECTION, section.number, 0, 0)


def _at(loaded: list[ObjectSection], address: int) -> ObjectSection | None:
    """The section that holds an address."""
    index = bisect_right(loaded, address, key=lambda s: s.address) - 1
    if index < 0 or address >= loaded[index].address + loaded[index].size:
        return None
    return loaded[index]
