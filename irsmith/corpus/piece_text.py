"""A piece of an object as an object of its own, printed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from irsmith.corpus.listing import Listing, listing_text, quoted
from irsmith.corpus.listing_code import Instruction
from irsmith.corpus.listing_fixups import Fixup
from irsmith.corpus.piece_rules import (
    FIRST_DATA,
    PERSONALITY,
    TEXT,
    Datum,
    Ref,
    as_compiled,
    code_name,
    outside,
    own_name,
    plain_name,
)
from irsmith.toolchain.elf_object import (
    SHF_GROUP,
    SHN_UNDEF,
    SHT_NOBITS,
    STB_LOCAL,
    STB_WEAK,
    STT_SECTION,
    ElfObject,
    ObjectSection,
    Relocation,
    Symbol,
)
from irsmith.toolchain.llvm import LLVM

if TYPE_CHECKING:
    from irsmith.corpus.piece_cut import Cut


def text_of(cut: Cut, code: list[tuple[Fixup, Ref]]) -> str:
    """The function as an object of its own, printed.

    Args:
        cut: the function, its references followed.
        code: the relocated fields of its code, and where they lead.

    Raises:
        ObjectError: assembly cannot say it.
    """
    numbers: dict[str, int] = {}
    content: dict[int, bytearray] = {}
    made: dict[int, ObjectSection] = {}
    places: dict[Datum, tuple[int, int]] = {}
    for datum in sorted(cut.refs):
        old = cut.all.sections[datum[0]]
        if datum in cut.all.widths:
            old = as_compiled(old, cut.content(datum))
        name = plain_name(old)
        number = numbers.setdefault(name, FIRST_DATA + len(numbers))
        held = content.setdefault(number, bytearray())
        align = min(old.align, datum[1] & -datum[1] or old.align, 16)
        held += bytes(-len(held) % align)
        places[datum] = number, len(held)
        held += cut.content(datum)
        flags = old.flags & ~SHF_GROUP
        known = made.get(number)
        made[number] = ObjectSection(
            number, name, old.type, flags, 0, b"", 0, max(align, known.align if known else 1),
            old.entry,
        )  # fmt: skip
    text_align = _align(cut)
    sections = {TEXT: Symbol("", STB_LOCAL, STT_SECTION, TEXT, 0, 0)}
    sections |= {n: Symbol("", STB_LOCAL, STT_SECTION, n, 0, 0) for n in made}
    symbols = [cut.own]
    local: dict[Datum, Symbol] = {}
    for datum, named in cut.names.items():
        number, offset = places[datum]
        size = cut.ends[datum][0] - datum[1]
        local[datum] = Symbol(own_name(named.name), STB_LOCAL, named.type, number, offset, size)
        symbols.append(local[datum])

    def moved(fixup: Fixup, ref: Ref, old: int, new: int) -> Relocation:
        symbol, addend = ref.symbol, ref.addend
        if symbol is None and ref.datum is None:
            symbol = sections[TEXT]
        elif symbol is None:
            assert ref.datum is not None
            number, offset = places[ref.datum]
            symbol = local.get(ref.datum)
            if symbol is None:
                symbol, addend = sections[number], addend + offset
        raw = fixup.relocation
        delta = addend + ref.back - fixup.addend
        return Relocation(raw.offset - old + new, raw.type, symbol, raw.addend + delta)

    text = [moved(fixup, ref, cut.start, 0) for fixup, ref in code]
    body = cut.section.data[cut.start : cut.end]
    parts = [
        ObjectSection(
            TEXT, code_name(cut.section), 1, cut.section.flags & ~SHF_GROUP, 0, body,
            len(body), text_align, 0, "", tuple(text),
        )
    ]  # fmt: skip
    for number, section in made.items():
        relocations = []
        for datum, refs in cut.refs.items():
            if places[datum][0] == number:
                for fixup, ref in refs:
                    relocations.append(moved(fixup, ref, datum[1], places[datum][1]))
        data = bytes(content[number])
        nobits = section.type == SHT_NOBITS
        parts.append(
            replace(
                section, data=b"" if nobits else data, size=len(data),
                relocations=tuple(sorted(relocations, key=lambda r: r.offset)),
            )
        )  # fmt: skip
    symbols += _personality(cut, parts) if cut.table else []
    weak = {
        ref.symbol.name: ref.symbol
        for refs in (code, *cut.refs.values())
        for _, ref in refs
        if ref.symbol and ref.symbol.binding == STB_WEAK
    }
    read = ElfObject(
        cut.all.arch, "relocatable", tuple(parts), (*symbols, *weak.values())
    )  # fmt: skip
    outside = {at - cut.start: ref for at, ref in cut.outside.items()}
    return listing_text(_Printed(cut.all.llvm, read, cut.all.triple, outside), cut.all.triple)


def _personality(cut: Cut, parts: list[ObjectSection]) -> list[Symbol]:
    """Add the compiler's pointers to what unwinds, which come with a table; their symbols."""
    found = []
    for section in cut.all.sections.values():
        if not section.name.startswith(PERSONALITY):
            continue
        number = len(parts) + 1
        relocations = tuple(
            replace(r, symbol=outside(r.symbol))
            for r in section.relocations
            if r.symbol.section == SHN_UNDEF
        )
        parts.append(replace(section, number=number, relocations=relocations))
        for symbol in cut.all.symbols[section.number]:
            found.append(replace(symbol, section=number))
    return found


def _align(cut: Cut) -> int:
    """The alignment that the function probably has: others stand before it."""
    least = 4
    align = min(cut.section.align, cut.start & -cut.start or cut.section.align)
    return max(align if align >= 16 else least, least) if align >= 4 else least


class _Printed(Listing):
    """A listing in which branches to elsewhere, though resolved, name where they go."""

    def __init__(self, llvm: LLVM, read: ElfObject, triple: str, outside: dict[int, Ref]) -> None:
        super().__init__(llvm, read, triple)
        self.outside = outside

    def decoded(self, section: ObjectSection, fixups: list[Fixup]) -> list[Instruction]:
        """The instructions of a section."""
        found = super().decoded(section, fixups)
        for one in found:
            ref = self.outside.get(one.at)
            if ref is not None and ref.symbol is not None:
                addend = f"{ref.addend:+d}" if ref.addend else ""
                elsewhere = self.arch == "X86" and not ref.symbol.hidden and not one.behind
                called = "@PLT" if elsewhere and ref.symbol.section == SHN_UNDEF else ""
                one.text += quoted(ref.symbol.name) + called + addend + one.behind
                one.target, one.behind = None, ""
        return found
