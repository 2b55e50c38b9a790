"""Assembly from an object: what a disassembler knows, in the normal form of ``assembly``.

:func:`object_text` prints an object so that it assembles to the same code, data and
relocations. It says what an object still says: names of symbols, relocations, bytes. Local
labels stand where something refers to, data is split where something points, and what the
compiler knew beyond that (types of data, differences between labels that were resolved,
alignments that needed no padding) is gone, as in anyone's object.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from irsmith.corpus.assembly import asm_text
from irsmith.corpus.listing_code import Instruction, decode, padding, prefixes
from irsmith.corpus.listing_data import Point, data_lines, section_line
from irsmith.corpus.listing_fixups import Fixup, fixups_of, substitute
from irsmith.corpus.listing_tables import Seen, jump_tables
from irsmith.toolchain import disassembler
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import (
    SHF_EXEC,
    SHN_COMMON,
    SHN_UNDEF,
    STB_LOCAL,
    STB_WEAK,
    STT_FUNC,
    STT_SECTION,
    ElfObject,
    ObjectSection,
    Relocation,
    Symbol,
    read_object,
)
from irsmith.toolchain.llvm import LLVM

_PLAIN = re.compile(r"[A-Za-z_.$][\w.$]*")
_UNWIND = (".eh_frame", ".eh_frame_hdr")


def object_text(llvm: LLVM, data: bytes, triple: str) -> str:
    """An object as text of the kind that :func:`irsmith.corpus.assembly.asm_text` gives.

    Args:
        llvm: the loaded library; this runs where LLVM may.
        data: a relocatable object of x86-64 or AArch64.
        triple: its target.

    Raises:
        ObjectError: not such an object, or it holds what assembly cannot say.
        LLVMError: this LLVM does not know the target.
    """
    read = read_object(data)
    if read.kind != "relocatable":
        raise ObjectError(f"a relocatable object is wanted; this is of the kind {read.kind}")
    return listing_text(Listing(llvm, read, triple), triple)


def listing_text(listing: Listing, triple: str) -> str:
    """What a listing says, normalised."""
    return asm_text("\n".join(listing.lines()) + "\n", triple)


class Listing:
    """Prints an object; :mod:`irsmith.corpus.piece` prints one function of one.

    Args:
        llvm: the loaded library.
        read: the object.
        triple: its target.
    """

    def __init__(self, llvm: LLVM, read: ElfObject, triple: str) -> None:
        self.object, self.arch = read, read.arch
        self.disassembler = disassembler.of(llvm, triple)
        self.sections = {s.number: s for s in read.sections if s.name not in _UNWIND}
        self.symbols: dict[int, list[Symbol]] = {number: [] for number in self.sections}
        for symbol in read.symbols:
            if symbol.section in self.symbols and not is_mark(symbol.name, self.arch):
                self.symbols[symbol.section].append(symbol)
        self.local = {
            number: sorted(
                (s for s in symbols if s.binding == STB_LOCAL), key=lambda s: (s.value, s.size)
            )
            for number, symbols in self.symbols.items()
        }
        self.labels: dict[int, set[int]] = {number: set() for number in self.sections}
        self.entries: dict[int, list[Point]] = {number: [] for number in self.sections}

    def lines(self) -> Iterator[str]:
        """The whole object: code first decoded, then all labels known, then printed."""
        code: dict[int, list[Instruction]] = {}
        data: dict[int, list[Fixup]] = {}
        for number, section in self.sections.items():
            fixups = fixups_of(self.arch, section)
            if section.flags & SHF_EXEC:
                code[number] = self.decoded(section, fixups)
            else:
                data[number] = fixups
        for number, instructions in code.items():
            for instruction in instructions:
                if instruction.target is not None:
                    self._label(number, instruction.target)
                for fixup in instruction.fixups:
                    self._place(fixup.relocation, fixup.addend)
        for fixups in data.values():
            for fixup in fixups:
                if not fixup.relative:
                    self._place(fixup.relocation, fixup.addend)
        for number, instructions in code.items():
            self._jumps(number, instructions)
        differences = {n: list(self._differences(n, fixups)) for n, fixups in data.items()}
        yield from self._common()
        for number, section in self.sections.items():
            yield section_line(section)
            if number in code:
                yield from self._code_lines(section, code[number])
            else:
                points = self._points(section, differences[number])
                yield from data_lines(self.arch, section, points)
        yield from self._weak()

    def decoded(self, section: ObjectSection, fixups: list[Fixup]) -> list[Instruction]:
        """The instructions of a section."""
        return list(decode(self.arch, self.disassembler, section, fixups))

    def _label(self, number: int, offset: int) -> str:
        """How a place in a section is called; it gets a label if it has no local name."""
        local = self.local[number]
        at = bisect_right(local, offset, key=lambda symbol: symbol.value) - 1
        if at >= 0:
            # Data has places within a variable; code has labels.
            size = 1 if self.sections[number].flags & SHF_EXEC else max(local[at].size, 1)
            if offset < local[at].value + size:
                return _plus(quoted(local[at].name), offset - local[at].value)
        inside = min(max(offset, 0), self.sections[number].size)
        self.labels[number].add(inside)
        return _plus(f".Lat_{number}_{inside}", offset - inside)

    def _place(self, relocation: Relocation, addend: int) -> str:
        """What a relocation refers to."""
        symbol = relocation.symbol
        if symbol.section in self.sections and symbol.type == STT_SECTION:
            return self._label(symbol.section, symbol.value + addend)
        if not symbol.name or symbol.type == STT_SECTION:
            raise ObjectError(f"a relocation to {symbol.name or 'nothing'}")
        return _plus(quoted(symbol.name), addend)

    def _expression(self, fixup: Fixup) -> str:
        symbol = fixup.relocation.symbol
        place = self._place(fixup.relocation, fixup.addend)
        if fixup.call and (symbol.section != SHN_UNDEF or symbol.hidden):
            return place  # called directly, not through the table of the linker
        # What stands behind a symbol stands before an offset to it.
        name = place if not fixup.addend else place.removesuffix(f"{fixup.addend:+d}")
        return fixup.before + name + fixup.after + place.removeprefix(name)

    def _code_lines(self, section: ObjectSection, instructions: list[Instruction]) -> Iterator[str]:
        names = _by_offset(self.symbols[section.number])
        places = {*names, *self.labels[section.number]}
        begins = {s.value for s in self.symbols[section.number] if s.type == STT_FUNC}
        skipped = padding(section, instructions, begins) if self.arch == "X86" else {}
        reached, aligned = 0, False
        if 0 not in names:
            yield from self._align(section)
        for one in instructions:
            yield from self._labels_at(section, one.at, names, aligned)
            reached = one.at + one.length
            if not places.isdisjoint(range(one.at + 1, reached)):
                raise ObjectError("a label inside an instruction")
            aligned = one.at in skipped
            if aligned:
                yield from filter(None, (skipped[one.at],))
            elif not one.text:
                if one.fixups:
                    raise ObjectError("a relocation in something that is no instruction")
                yield ".byte " + ", ".join(map(str, section.data[one.at : reached]))
            elif one.target is not None:
                yield one.text + self._label(section.number, one.target) + one.behind
            else:
                yield from prefixes(self.arch, section, one)
                text = one.text
                for fixup in one.fixups:
                    expression = self._expression(fixup)
                    if fixup.line:
                        yield fixup.line.format(expression)
                    text = substitute(text, fixup, expression)
                yield text
        yield from self._labels_at(section, reached, names, aligned)

    def _align(self, section: ObjectSection) -> Iterator[str]:
        """The alignment of a section, if it is not what the section has anyway."""
        default = 4 if section.name == ".text" and self.arch == "X86" else 1
        if section.align > default:
            yield f".p2align {section.align.bit_length() - 1}"

    def _labels_at(
        self, section: ObjectSection, offset: int, names: dict[int, list[Symbol]], aligned: bool
    ) -> Iterator[str]:
        """What stands at a place in code; a function is aligned if its place allows it."""
        lines = [line for symbol in names.get(offset, ()) for line in _symbol_lines(symbol)]
        # Compilers say whose symbol it is, then align, then define it.
        yield from (line for line in lines if not line.endswith(":"))
        if lines and not offset:
            yield from self._align(section)
        elif not aligned and any(s.type == STT_FUNC for s in names.get(offset, ())):
            least = 16 if self.arch == "X86" else 4
            if section.align >= least and not offset % least:
                yield f".p2align {least.bit_length() - 1}"
        yield from (line for line in lines if line.endswith(":"))
        if offset in self.labels[section.number]:
            yield f".Lat_{section.number}_{offset}:"

    def _jumps(self, number: int, instructions: list[Instruction]) -> None:
        """Entries of jump tables that have no relocations, as differences of labels."""
        if self.arch != "AArch64":
            return
        begins = {one.at for one in instructions}
        for table in jump_tables(map(self._seen, instructions)):
            section = self.sections[table.section]
            after = section.size
            if table.most is not None:
                after = min(after, table.offset + table.most * table.width)
            later = {*self.labels[table.section], *(s.value for s in self.symbols[table.section])}
            after = min([after, *(place for place in later if place > table.offset)])
            for at in range(table.offset, after - table.width + 1, table.width):
                entry = int.from_bytes(section.data[at : at + table.width], "little")
                target = table.base + 4 * entry
                if target not in begins:
                    break
                names = self._label(number, target), self._label(number, table.base)
                word = f"({names[0]}-{names[1]})>>2"
                self.entries[table.section].append(Point(at, (), word=word, width=table.width))

    def _seen(self, one: Instruction) -> Seen:
        for fixup in one.fixups:
            symbol = fixup.relocation.symbol
            if symbol.section in self.sections:
                return Seen(one.text, place=(symbol.section, symbol.value + fixup.addend))
        return Seen(one.text, one.target)

    def _differences(self, number: int, fixups: list[Fixup]) -> Iterator[tuple[Fixup, str, int]]:
        """Relocated words of data: with what they hold, and the offset they are relative to.

        A relative word in a table is a difference from the table's beginning.
        """
        begins = sorted({*self.labels[number], *(s.value for s in self.symbols[number])})
        for fixup in fixups:
            at = fixup.relocation.offset
            if not fixup.relative:
                yield fixup, self._expression(fixup), -1
                continue
            base = max((b for b in begins if b <= at), default=-1)
            addend = fixup.addend - (at - base) if base >= 0 else 0
            section = self.sections.get(fixup.relocation.symbol.section)
            offset = fixup.relocation.symbol.value + addend
            if base < 0 or section is None or not 0 <= offset <= section.size:
                base, addend = -1, fixup.addend
            yield fixup, self._place(fixup.relocation, addend), base

    def _points(self, section: ObjectSection, words: list[tuple[Fixup, str, int]]) -> list[Point]:
        """Where data is split: symbols, labels and relocated words."""
        points = [
            Point(s.value, tuple(_symbol_lines(s)), size=s.size, local=s.binding == STB_LOCAL)
            for s in self.symbols[section.number]
        ]
        points += [
            Point(offset, (f".Lat_{section.number}_{offset}:",))
            for offset in self.labels[section.number]
        ]
        for fixup, text, base in words:
            if fixup.relative:
                start = self._label(section.number, base) if base >= 0 else "."
                text = f"{text}-{start}"
            points.append(Point(fixup.relocation.offset, (), word=text, width=fixup.width))
        points += self.entries[section.number]
        return sorted(points, key=lambda point: (point.offset, bool(point.word)))

    def _common(self) -> Iterator[str]:
        for symbol in self.object.symbols:
            if symbol.section == SHN_COMMON:
                yield f".comm {quoted(symbol.name)},{symbol.size},{symbol.value}"

    def _weak(self) -> Iterator[str]:
        for symbol in self.object.symbols:
            if symbol.section == SHN_UNDEF and symbol.binding == STB_WEAK:
                yield f".weak {quoted(symbol.name)}"


def is_mark(name: str, arch: str) -> bool:
    """Whether a symbol says that code or data begins: the ELF ABI of AArch64."""
    return arch == "AArch64" and name[:2] in ("$x", "$d") and (len(name) == 2 or name[2] == ".")


def quoted(name: str) -> str:
    """A symbol as assembly writes it."""
    if _PLAIN.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plus(name: str, offset: int) -> str:
    return f"{name}{offset:+d}" if offset else name


def _by_offset(symbols: list[Symbol]) -> dict[int, list[Symbol]]:
    found: dict[int, list[Symbol]] = {}
    for symbol in symbols:
        found.setdefault(symbol.value, []).append(symbol)
    return found


def _symbol_lines(symbol: Symbol) -> Iterator[str]:
    name = quoted(symbol.name)
    if symbol.binding != STB_LOCAL:
        yield f"{'.weak' if symbol.binding == STB_WEAK else '.globl'} {name}"
    yield f"{name}:"
