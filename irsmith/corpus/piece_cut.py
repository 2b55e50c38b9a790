"""Following the references of one function: what goes with it, and what is named."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from irsmith.corpus.listing_code import Instruction
from irsmith.corpus.listing_fixups import Fixup
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import (
    SHF_EXEC,
    SHF_MERGE,
    SHF_STRINGS,
    STB_LOCAL,
    STT_FUNC,
    STT_SECTION,
    ObjectSection,
    Symbol,
)

if TYPE_CHECKING:
    from irsmith.corpus.piece import Cutter
from irsmith.corpus.piece_key import Piece, digest_of, is_padding, length_of, shown
from irsmith.corpus.piece_rules import (
    GLOBAL,
    TABLES,
    TEXT,
    Datum,
    Ref,
    goes_along,
    is_constant,
    outside,
    own_name,
)
from irsmith.corpus.piece_text import text_of


class Cut:
    """One function on its way out.

    Args:
        cutter: of its object.
        function: one of the object's.

    Raises:
        ObjectError: its symbol is larger than its section.
    """

    def __init__(self, cutter: Cutter, function: Symbol) -> None:
        self.all, self.function = cutter, function
        self.section = cutter.sections[function.section]
        self.start = function.value
        self.end = self._end()
        self.table = cutter.tables.get((self.section.number, self.start))
        self.refs: dict[Datum, list[tuple[Fixup, Ref]]] = {}
        self.ends: dict[Datum, tuple[int, bool]] = {}
        self.names: dict[Datum, Symbol] = {}
        self.outside: dict[int, Ref] = {}
        self.own = Symbol(function.name, GLOBAL, STT_FUNC, TEXT, 0, self.end - self.start)

    def _end(self) -> int:
        if self.function.size:
            end = self.start + self.function.size
        else:  # assembly that does not say sizes
            later = [f.value for f in self.all.functions if f.section == self.section.number]
            end = min((v for v in later if v > self.start), default=self.section.size)
        if end > self.section.size or not self.section.data:
            raise ObjectError("its symbol is larger than its section")
        return end

    def piece(self) -> Piece:
        """Follow all references, lay out what was found, print and digest it."""
        instructions = [
            one for one in self.all.code[self.section.number] if self.start <= one.at < self.end
        ]
        if not instructions or instructions[0].at != self.start:
            raise ObjectError("its code does not begin with an instruction")
        code: list[tuple[Fixup, Ref]] = []
        printed = []
        for one in instructions:
            refs = [(fixup, self._refer(fixup, 0)) for fixup in one.fixups]
            code += refs
            if one.target is not None and not one.fixups:
                self._leave(one)
            leads = [ref for _, ref in refs] or [r for r in (self.outside.get(one.at),) if r]
            named = [f"{r.symbol.name}{r.addend:+d}" for r in leads if r.symbol]
            if not is_padding(one):
                printed.append(" ".join([shown(one), *named]))
        if self.table:
            self._datum(*self.table)
        text = text_of(self, code)
        key, data_key, short = digest_of(self, instructions, code)
        sizes = tuple(
            (own_name(s.name), self.ends[datum][0] - datum[1]) for datum, s in self.names.items()
        )
        lengths = tuple(length_of(self, datum) for datum in self.refs)
        return Piece(
            self.function.name, self.end - self.start, text, key, lengths,
            tuple(printed), data_key, sizes, short,
        )  # fmt: skip

    def _leave(self, one: Instruction) -> None:
        """A branch or address that the assembler has resolved, and that leads elsewhere."""
        assert one.target is not None
        inside = self.start <= one.target < self.end
        calls_itself = one.target == self.start and one.text.startswith(("call", "bl "))
        if calls_itself:
            self.outside[one.at] = Ref(self.own, None, 0)
        elif not inside:
            if not 0 <= one.target <= self.section.size:
                raise ObjectError("a branch that leaves its section")
            self.outside[one.at] = self.all.name_of(self.section.number, one.target)

    def _refer(self, fixup: Fixup, back: int, from_table: bool = False) -> Ref:
        """Where a relocated field leads.

        Args:
            fixup: the field.
            back: bytes from the beginning of the table that it is relative to.
            from_table: whether it stands in a table of landing pads, which point to
                variables that the compiler made for them.
        """
        symbol = fixup.relocation.symbol
        own = symbol.name, symbol.section, symbol.value
        if own == (self.function.name, self.function.section, self.function.value):
            return Ref(self.own, None, fixup.addend - back)
        section = self.all.sections.get(symbol.section)
        if section is None or symbol.binding != STB_LOCAL:
            if not symbol.name:
                raise ObjectError("a relocation to nothing")
            return Ref(outside(symbol), None, fixup.addend - back)
        offset = symbol.value + fixup.addend - back
        if section.number == self.section.number and self.start <= offset <= self.end:
            if symbol.type != STT_SECTION and symbol.value != self.start:
                return Ref(outside(symbol), None, fixup.addend - back)
            return Ref(None, None, offset - self.start)
        if section.flags & SHF_EXEC:
            return self.all.name_of(section.number, offset)
        named = symbol.type != STT_SECTION and not symbol.name.startswith(".L")
        if named and not goes_along(section, symbol.size):
            return Ref(outside(symbol), None, fixup.addend - back)
        return self._datum(section.number, offset, from_table)

    def _datum(self, number: int, offset: int, from_table: bool = False) -> Ref:
        """Data of the function's own, or of others by name."""
        section = self.all.sections[number]
        holder = next(
            (
                s for s in self.all.symbols[number]
                if s.value <= offset < s.value + max(s.size, 1) and not s.name.startswith(".L")
            ),
            None,
        )  # fmt: skip
        if holder:
            if holder.binding != STB_LOCAL or not goes_along(section, holder.size):
                return Ref(outside(holder), None, offset - holder.value)
            start, end, sure = holder.value, holder.value + holder.size, bool(holder.size)
            self.names.setdefault((number, start), holder)
        else:
            if not is_constant(section) and not from_table:
                raise ObjectError(
                    f"refers to {section.name}+{offset:#x}, a variable that no symbol names"
                )
            start, end, sure = self._extent(section, offset)
        datum = number, start
        if datum not in self.refs:
            if end <= start:
                end = self._extent(section, start)[1]
            self.refs[datum], self.ends[datum] = [], (end, sure)
            self._follow(datum)
        return Ref(None, datum, offset - start)

    def _extent(self, section: ObjectSection, offset: int) -> tuple[int, int, bool]:
        """Where data without a name begins and ends, and whether that is sure."""
        if not 0 <= offset < section.size:
            raise ObjectError(f"refers to the end of {section.name}, which is nobody's data")
        width = self.all.widths.get((section.number, offset))
        if width:
            return offset, min(offset + width, section.size), True
        if section.flags & SHF_STRINGS:
            width = max(section.entry, 1)
            end = offset
            while end < section.size and any(section.data[end : end + width]):
                end += width
            return offset, min(end + width, section.size), True
        if section.flags & SHF_MERGE and section.entry:
            start = offset - offset % section.entry
            return start, min(start + section.entry, section.size), True
        starts = self.all.starts[section.number]
        index = bisect_right(starts, offset)
        return offset, starts[index] if index < len(starts) else section.size, False

    def _follow(self, datum: Datum) -> None:
        number, start = datum
        end = self.ends[datum][0]
        table = self.all.sections[number].name.startswith(TABLES)
        for fixup in self.all.fixups.get(number, ()):
            at = fixup.relocation.offset
            if start <= at < end:
                back = 0 if table else self._back(fixup, start)
                ref = replace(self._refer(fixup, back, table), back=back)
                self.refs[datum].append((fixup, ref))

    def _back(self, fixup: Fixup, start: int) -> int:
        """How far a relative word is from the beginning of its table, if it counts from there."""
        symbol = fixup.relocation.symbol
        section = self.all.sections.get(symbol.section)
        back = fixup.relocation.offset - start
        if not fixup.relative or section is None:
            return 0
        return back if 0 <= symbol.value + fixup.addend - back <= section.size else 0

    def content(self, datum: Datum) -> bytes:
        """The bytes of a datum."""
        section, end = self.all.sections[datum[0]], self.ends[datum][0]
        return section.data[datum[1] : end] or bytes(end - datum[1])
