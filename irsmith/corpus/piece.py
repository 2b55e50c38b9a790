"""One function of an object, with the data that is its own: as text, and as what is compared.

What goes with a function, as in :mod:`irsmith.corpus.cut`: constants that have no name, and
local ones of up to :data:`~irsmith.corpus.cut.LARGEST_CONSTANT` bytes. All else that it
refers to is named and stays elsewhere. What has no name anyone could use (a variable without
a symbol, the middle of other code) is an error, not a guess.

Two pieces are *the same* (:func:`same`) if the code has the same bytes, its fields lead to
the same symbols, and its own data has the same content, found by following the references
and not by where a compiler happened to put it. Not compared: alignments and the names of
sections (neither can be told of one function of many), local names, unwind tables. The
function is written global, in ``.text`` and out of any COMDAT, as training shows it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace

from irsmith.corpus.listing import is_mark
from irsmith.corpus.listing_code import Instruction, decode
from irsmith.corpus.listing_fixups import Fixup, fixups_of
from irsmith.corpus.piece_cut import Cut
from irsmith.corpus.piece_key import Piece, same, same_instructions
from irsmith.corpus.piece_rules import TABLES, UNWIND, WORD, Datum, Ref, outside
from irsmith.corpus.piece_words import relative_words
from irsmith.toolchain import disassembler
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import (
    SHF_EXEC,
    STB_LOCAL,
    STT_FUNC,
    STT_SECTION,
    ElfObject,
    Relocation,
    Symbol,
)
from irsmith.toolchain.llvm import LLVM

__all__ = ["Cutter", "Piece", "functions_of", "same", "same_instructions"]


def functions_of(read: ElfObject) -> list[Symbol]:
    """The functions of an object, by place; one symbol for each, a global one if there is one."""
    found: dict[tuple[int, int], Symbol] = {}
    code = {s.number for s in read.sections if s.flags & SHF_EXEC}
    for symbol in read.symbols:
        if symbol.section in code and symbol.type == STT_FUNC:
            place = symbol.section, symbol.value
            if place not in found or found[place].binding == STB_LOCAL != symbol.binding:
                found[place] = symbol
    return [found[place] for place in sorted(found)]


class Cutter:
    """Cuts functions out of a relocatable object.

    Args:
        llvm: the loaded library; this runs where LLVM may.
        read: the object.
        triple: its target.
        widths: of a linked file, bytes of constants without a name, by section and offset
            (:mod:`irsmith.corpus.linked`).
        reached: names to which a linker would let code lead directly.

    Raises:
        ObjectError: it holds what cannot be written as assembly.
    """

    def __init__(
        self,
        llvm: LLVM,
        read: ElfObject,
        triple: str,
        widths: Mapping[Datum, int] | None = None,
        reached: frozenset[str] = frozenset(),
    ) -> None:
        self.widths, self.reached = dict(widths or {}), reached
        self.llvm, self.arch, self.triple = llvm, read.arch, triple
        self.sections = {s.number: s for s in read.sections}
        self.functions = functions_of(read)
        self.symbols: dict[int, list[Symbol]] = {number: [] for number in self.sections}
        for symbol in sorted(read.symbols, key=lambda s: (s.value, s.size, s.binding)):
            if symbol.section in self.symbols and not is_mark(symbol.name, read.arch):
                self.symbols[symbol.section].append(symbol)
        self.code: dict[int, list[Instruction]] = {}
        self.fixups: dict[int, list[Fixup]] = {}
        reader = disassembler.of(llvm, triple)
        for number, section in self.sections.items():
            if section.name == UNWIND:
                continue
            self.fixups[number] = fixups_of(self.arch, section)
            if section.flags & SHF_EXEC:
                self.code[number] = list(decode(self.arch, reader, section, self.fixups[number]))
        self.starts = self._starts()
        sizes = {(n, s.value): s.size for n, every in self.symbols.items() for s in every}
        for number, offsets in relative_words(self.sections, self.starts, sizes).items():
            section = self.sections[number]
            symbol = Symbol("", STB_LOCAL, STT_SECTION, number, 0, 0)
            words = [Relocation(at, WORD[self.arch], symbol, to) for at, to in offsets]
            every = sorted((*section.relocations, *words), key=lambda r: r.offset)
            self.sections[number] = replace(section, relocations=tuple(every))
            self.fixups[number] = fixups_of(self.arch, self.sections[number])
            self.starts = self._starts()
        self.tables = dict(self._tables())
        single = [n for n, s in self.sections.items() if s.name.startswith(TABLES)]
        if len(self.functions) == 1 and len(single) == 1 and not self.tables:
            only = self.functions[0]  # assembled from text without unwind tables
            self.tables[only.section, only.value] = single[0], 0

    def _starts(self) -> dict[int, list[int]]:
        """Where in each section something begins to which anything refers."""
        starts = {n: {s.value for s in symbols} for n, symbols in self.symbols.items()}
        for instructions in self.code.values():
            for one in instructions:
                for fixup in one.fixups:
                    self._note(fixup, 0, starts)
        for number, fixups in self.fixups.items():
            if number not in self.code:
                bases = sorted(starts[number])
                for fixup in fixups:
                    table = self.sections[number].name.startswith(TABLES)
                    self._note(fixup, 0 if table else self._from(bases, fixup), starts)
        return {number: sorted(places) for number, places in starts.items()}

    def _note(self, fixup: Fixup, back: int, starts: dict[int, set[int]]) -> None:
        symbol = fixup.relocation.symbol
        if symbol.section in starts and symbol.type == STT_SECTION:
            offset = symbol.value + fixup.addend - back
            if 0 <= offset < self.sections[symbol.section].size:
                starts[symbol.section].add(offset)

    def _from(self, bases: list[int], fixup: Fixup) -> int:
        """How far a relative word of a table is from the table's beginning."""
        at = fixup.relocation.offset
        index = bisect_right(bases, at) - 1
        return at - bases[index] if fixup.relative and index >= 0 else 0

    def _tables(self) -> Iterator[tuple[tuple[int, int], Datum]]:
        """For each function that has one, its table of landing pads, from unwind tables."""
        for section in self.sections.values():
            if section.name != UNWIND:
                continue
            before: tuple[int, int] | None = None
            for relocation in section.relocations:
                symbol = relocation.symbol
                target = self.sections.get(symbol.section)
                if target is None:
                    continue
                place = target.number, symbol.value + relocation.addend
                if before and target.name.startswith(TABLES):
                    yield before, place
                before = place if target.flags & SHF_EXEC else None

    def cut(self, function: Symbol) -> Piece:
        """One function.

        Args:
            function: one of ``functions``.

        Raises:
            ObjectError: it refers to what has no name, or cannot be written as assembly.
        """
        return Cut(self, function).piece()

    def name_of(self, number: int, offset: int) -> Ref:
        """How a place outside the function is named.

        Raises:
            ObjectError: it has no name.
        """
        symbols = self.symbols[number]
        exact = [s for s in symbols if s.value == offset]
        for symbol in sorted(exact, key=lambda s: (s.type != STT_FUNC, s.binding == STB_LOCAL)):
            return Ref(outside(symbol), None, 0)
        for symbol in symbols:
            if symbol.value < offset < symbol.value + symbol.size:
                return Ref(outside(symbol), None, offset - symbol.value)
        section = self.sections[number].name
        raise ObjectError(f"refers to {section}+{offset:#x}, which no symbol names")
