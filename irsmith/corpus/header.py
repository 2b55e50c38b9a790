"""What leads a normalised text: all that the text leaves out because every function shares it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from irsmith.records import IrsmithError
from irsmith.toolchain.llvm import arch_of

_COMMON = ('"no-trapping-math"="true"', '"stack-protector-buffer-size"="8"')
_DEFAULTS = {
    "X86": (
        *_COMMON,
        '"min-legal-vector-width"="0"',
        '"target-cpu"="x86-64"',
        '"target-features"="+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+x87"',
        '"tune-cpu"="generic"',
    ),
    "AArch64": (
        *_COMMON,
        '"frame-pointer"="non-leaf-no-reserve"',
        '"target-cpu"="generic"',
        '"target-features"="+fp-armv8,+neon,+outline-atomics,+v8a"',
    ),
}
"""Attributes that clang 22 gives every function it defines for the plain target."""
_LEVELS = {"Oz": ("minsize", "optsize"), "Os": ("optsize",), "": ()}
_FLAG = re.compile(r'i32 (\d+), !"([^"]*)", i32 (-?\d+)')
_DEBUG_FLAGS = ("Debug Info Version", "Dwarf Version")
_WORD = re.compile(r"(.+)=(-?\d+)@(\d+)")


@dataclass(frozen=True, slots=True)
class Header:
    """Target, level and module flags of a normalised text.

    Attributes:
        triple: LLVM triple; it implies data layout and plain target attributes.
        level: ``Oz`` or ``Os`` if every function carries that level's attributes, else
            ``""`` and each function's own are in the text.
        unwind: the unwind table attribute that every function carries (``uwtable``),
            or ``""``.
        flags: integer module flags as ``name=value@behaviour`` in the module's order.
    """

    triple: str
    level: str = ""
    unwind: str = ""
    flags: tuple[str, ...] = ()

    def line(self) -> str:
        """One line that :meth:`from_line` reads."""
        return ", ".join((self.triple, self.level or "-", self.unwind or "-", *self.flags))

    @staticmethod
    def from_line(line: str) -> Header:
        """Read what :meth:`line` wrote.

        Raises:
            IrsmithError: it is not such a line.
        """
        words = line.strip().split(", ")
        if len(words) < 3 or not all(_WORD.fullmatch(word) for word in words[3:]):
            raise IrsmithError(f"{line!r} is not the header of a normalised text")
        level, unwind = (word.replace("-", "") for word in words[1:3])
        if level not in _LEVELS or unwind not in ("", "uwtable", "uwtable(sync)"):
            raise IrsmithError(f"{line!r}: unknown level {level!r} or unwind tables {unwind!r}")
        arch_of(words[0])
        return Header(words[0], level, unwind, tuple(words[3:]))

    @property
    def attributes(self) -> tuple[str, ...]:
        """What each defined function carries unless its text says otherwise."""
        sized = _LEVELS[self.level]
        unwind = (self.unwind,) if self.unwind else ()
        return (*sized, *unwind, *_DEFAULTS[arch_of(self.triple)])

    def flag_nodes(self) -> list[str]:
        """Module flags as the operands of metadata nodes."""
        nodes = []
        for flag in self.flags:
            match = _WORD.fullmatch(flag)
            if match:
                nodes.append(f'!{{i32 {match[3]}, !"{match[1]}", i32 {match[2]}}}')
        return nodes


def flag_word(node: str) -> str | None:
    """The word for a module flag's node.

    Returns:
        None if its value is not an integer, or it is about debug info, which is dropped.
    """
    match = _FLAG.search(node)
    if match is None or match[2] in _DEBUG_FLAGS:
        return None
    return f"{match[2]}={match[3]}@{match[1]}"


def level_of(sets: list[frozenset[str]]) -> str:
    """The level whose attributes all functions carry, those with ``optnone`` apart.

    Args:
        sets: attributes of each defined function.
    """
    optimised = [held for held in sets if "optnone" not in held]
    if optimised and all({"minsize", "optsize"} <= held for held in optimised):
        return "Oz"
    if optimised and all("optsize" in held and "minsize" not in held for held in optimised):
        return "Os"
    return ""


def unwind_of(sets: list[frozenset[str]]) -> str:
    """The unwind table attribute that all functions carry, or ``""``."""
    found = {next((a for a in held if a.startswith("uwtable")), "") for held in sets}
    return found.pop() if len(found) == 1 else ""
