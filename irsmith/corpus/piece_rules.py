"""What a piece of an object keeps: which data goes along, how sections and symbols are called."""

from __future__ import annotations

from dataclasses import dataclass, replace

from irsmith.corpus.cut import LARGEST_CONSTANT
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import (
    SHF_MERGE,
    SHF_STRINGS,
    SHF_TLS,
    SHF_WRITE,
    SHN_UNDEF,
    STB_LOCAL,
    ObjectSection,
    Symbol,
)

GLOBAL = 1
TEXT, FIRST_DATA = 1, 2
"""Numbers of the sections of a piece."""
UNWIND = ".eh_frame"
_KEPT = (".text.unlikely.", ".text.hot.", ".text.startup")
"""Sections that a function is in for what it is, not for its name."""
TABLES, _OWN_TABLE = ".gcc_except_table", "GCC_except_table"
"""Tables of landing pads: their sections, and the local name that clang gives each."""
WORD = {"X86": 2, "AArch64": 261}
"""Type of a relocation of four bytes relative to its place."""
PERSONALITY = ".data.DW.ref."
_OUTLINED = "OUTLINED_FUNCTION_"
"""Code that LLVM's machine outliner shares between functions (AArch64)."""
Datum = tuple[int, int]
"""A piece of data: its section's number, and where it begins."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a field leads.

    Attributes:
        symbol: by name; None: to the function itself or to its data.
        datum: the function's own; None without ``symbol``: the function.
        addend: bytes from there.
        back: bytes from the beginning of the table that a relative word is counted from.
    """

    symbol: Symbol | None
    datum: Datum | None
    addend: int
    back: int = 0


def outside(symbol: Symbol) -> Symbol:
    """A symbol as something that is defined elsewhere."""
    if symbol.name.startswith(_OUTLINED) and symbol.binding == STB_LOCAL:
        raise ObjectError(f"a part of it is in {symbol.name}, shared with other functions")
    hidden = symbol.hidden or symbol.binding == STB_LOCAL
    binding = symbol.binding if symbol.section == SHN_UNDEF else GLOBAL
    return replace(
        symbol, binding=binding, type=0, section=SHN_UNDEF, value=0, size=0, hidden=hidden
    )


def own_name(name: str) -> str:
    """A local name; tables of landing pads are numbered by function, and this is the first."""
    return f"{_OWN_TABLE}0" if name.startswith(_OWN_TABLE) else name


def is_constant(section: ObjectSection) -> bool:
    """Whether what is in it never changes, once loaded."""
    return not section.flags & SHF_WRITE or section.name.startswith(".data.rel.ro")


def goes_along(section: ObjectSection, size: int) -> bool:
    """Whether data with a local name goes with a function that uses it."""
    return is_constant(section) and not section.flags & SHF_TLS and size <= LARGEST_CONSTANT


def as_compiled(section: ObjectSection, content: bytes) -> ObjectSection:
    """The section of an object that a constant of a linked file came from."""
    if content.endswith(b"\0") and content.count(b"\0") == 1:
        flags = section.flags | SHF_MERGE | SHF_STRINGS
        return replace(section, name=".rodata.str1.1", flags=flags, entry=1, align=1)
    if len(content) in (4, 8, 16) and not section.relocations:
        return replace(
            section, flags=section.flags | SHF_MERGE, entry=len(content), align=len(content)
        )
    return section


def code_name(section: ObjectSection) -> str:
    """The name of a section of code without the function that it is for."""
    for kept in _KEPT:
        if section.name == kept or section.name.startswith(kept.rstrip(".") + "."):
            return kept
    return ".text" if section.name.startswith(".text.") else section.name


def plain_name(section: ObjectSection) -> str:
    """The name of a section without the function or variable that it is for."""
    if section.flags & SHF_MERGE and section.name.startswith(".rodata"):
        if section.flags & SHF_STRINGS:
            return f".rodata.str{section.entry}.{section.align}"
        return f".rodata.cst{section.entry}"
    for name in (".data.rel.ro", ".rodata", TABLES):
        if section.name.startswith(name + "."):
            return name
    return section.name
