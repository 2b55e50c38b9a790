"""A function's assembly as data: blocks of instructions with their operands, and constants.

What is read is what :mod:`irsmith.corpus.assembly` prints. Labels, directives and data look
alike on all targets and are read here; a line with instructions is read by the target's own
:class:`Lines`. Nothing is decided here about what an instruction means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

from irsmith.lift.unliftable import UnliftableError

QUOTED = r'"(?:[^"\\]|\\.)*"'
NAME = rf"(?:{QUOTED}|[A-Za-z_.$][\w.$]*)"
"""A symbol, as assembly writes it."""
_LABEL = re.compile(rf"({NAME}):$")
OUTLINED = "OUTLINED_FUNCTION_"
"""How functions are called that a compiler made of code that others share."""


@dataclass(frozen=True, slots=True)
class Register:
    """A register as an operand.

    Attributes:
        family: the whole register's name: ``rax``, ``r9``, ``xmm0``; ``x0``, ``q0``.
        bits: that are named: 8 to 64, up to 128 of a vector register.
        high: whether it is the second byte (``ah``).
    """

    family: str
    bits: int
    high: bool = False


@dataclass(frozen=True, slots=True)
class Immediate:
    """A number, or the address of a symbol.

    Attributes:
        value: the number, or what is added to the address.
        symbol: empty: none.
        modifier: which part of the address is meant: ``lo12``, ``got``.
    """

    value: int
    symbol: str = ""
    modifier: str = ""


@dataclass(frozen=True, slots=True)
class Shifted:
    """A register that is extended, then shifted.

    Attributes:
        register: that is read.
        how: ``lsl``, ``lsr``, ``asr``, ``ror``, ``uxtb`` and the like.
        by: how far.
    """

    register: Register
    how: str
    by: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A place in memory.

    Attributes:
        disp: bytes that are added.
        symbol: whose address is added; empty: none.
        modifier: behind its ``@``, or between colons before it.
        base: register, ``rip`` included; empty: none.
        index: register; empty: none.
        scale: of the index.
        segment: ``fs`` or ``gs``; empty: none.
        extend: ``uxtw`` or ``sxtw``: the index is a register's lower half; empty: it is not.
        moves: whether the base is moved by ``disp``: ``before`` or ``after`` the access.
    """

    disp: int = 0
    symbol: str = ""
    modifier: str = ""
    base: str = ""
    index: str = ""
    scale: int = 1
    segment: str = ""
    extend: str = ""
    moves: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a jump or a call leads.

    Attributes:
        name: label or symbol; empty: through ``through``.
        plt: whether by way of the linkage table.
        through: operand that holds the address.
    """

    name: str = ""
    plt: bool = False
    through: Register | Memory | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word that stands as an operand: a condition."""

    text: str


Operand = Register | Immediate | Shifted | Memory | Target | Word


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: what it is called, and operands in the order of the assembly."""

    name: str
    operands: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Instructions behind a label."""

    label: str
    body: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Datum:
    """Constant data behind a local label.

    Attributes:
        data: bytes; where words refer to something, zeros.
        words: offset, size and the expression there, where a word is no number.
        align: in bytes.
        string: whether it lies in a section of strings that a linker merges.
    """

    data: bytes
    words: tuple[tuple[int, int, str], ...] = ()
    align: int = 1
    string: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A function.

    Attributes:
        name: symbol, as written.
        blocks: in their order; the first is where it begins.
        data: by label.
        binding: ``local``, ``weak`` or empty.
        align: of the function, as a power of two; 0: none said.
        section: where it lies, if that is not the usual one.
        outlined: by name, code that a compiler took out of it (:data:`OUTLINED`).
    """

    name: str
    blocks: tuple[Block, ...]
    data: dict[str, Datum] = field(default_factory=dict)
    binding: str = ""
    align: int = 0
    section: str = ""
    outlined: dict[str, tuple[Instruction, ...]] = field(default_factory=dict)


class Lines(Protocol):
    """Reads lines with instructions, one after the other."""

    words: dict[str, int]
    """Directives for numbers, and the bytes that each takes."""

    def read(self, line: str) -> Instruction | None:
        """The instruction of a line; None if it does nothing.

        Raises:
            UnliftableError: it is not understood.
        """
        ...


def read_code(text: str, lines: Lines) -> Code:
    """The function that a text is.

    Raises:
        UnliftableError: it holds what is not understood.
    """
    reader = _Reader(lines)
    for line in text.splitlines():
        reader.read(line)
    return reader.done()


def symbol_of(text: str) -> tuple[str, str, int]:
    """A symbol, what stands behind its ``@``, and what is added.

    Raises:
        UnliftableError: it is none.
    """
    found = _SYMBOL.match(text)
    if not found:
        raise UnliftableError(f"operand {text}")
    return found[1], found[2] or "", int(found[3] or 0)


_SYMBOL = re.compile(rf"({NAME})(?:@(\w+))?([+-]\d+)?$")


class _Reader:
    """Reads line after line."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.name = ""
        self.binding = ""
        self.align = self.function_align = 0
        self.code = True
        self.section = ""
        self.string = False
        self.blocks: list[tuple[str, list[Instruction]]] = []
        self.outlined: dict[str, list[Instruction]] = {}
        self.into: list[Instruction] | None = None
        self.data: dict[str, Datum] = {}
        self.label = ""
        self.bytes = bytearray()
        self.words: list[tuple[int, int, str]] = []

    def read(self, line: str) -> None:
        found = _LABEL.match(line)
        if found:
            self._label(found[1])
        elif line.startswith("."):
            self._directive(*split_word(line))
        elif not self.code or self.into is None:
            raise UnliftableError("instructions outside the function")
        else:
            for one in line.split(";"):
                made = self.lines.read(one.strip())
                if made:
                    self.into.append(made)

    def done(self) -> Code:
        self._finish()
        if not self.name:
            raise UnliftableError("no function")
        blocks = tuple(Block(label, tuple(body)) for label, body in self.blocks)
        outlined = {name: tuple(body) for name, body in self.outlined.items()}
        return Code(
            self.name, blocks, self.data, self.binding, self.function_align, self.section, outlined
        )

    def _label(self, name: str) -> None:
        if not self.code:
            self._finish()
            self.label = name
            return
        if name.startswith(OUTLINED) and self.name:
            self.into = self.outlined.setdefault(name, [])
            return
        if not name.startswith(".L"):
            if self.name:
                raise UnliftableError("more than one name in the code")
            self.name, self.function_align = name, self.align
        elif self.outlined:
            raise UnliftableError("jumps within outlined code")
        self.align = 0
        self.into = []
        self.blocks.append((name, self.into))

    def _finish(self) -> None:
        if self.label:
            align = 1 << self.align
            self.data[self.label] = Datum(bytes(self.bytes), tuple(self.words), align, self.string)
        self.label, self.bytes, self.words = "", bytearray(), []

    def _directive(self, name: str, rest: str) -> None:
        if name in (".text", ".section", ".data", ".bss"):
            self._finish()
            self.align = 0
            self.code = name == ".text" or rest.startswith(".text")
            if self.code and not self.name:
                self.section = rest.split(",")[0].strip('"')
            if not self.code and not rest.startswith((".rodata", ".data.rel.ro")):
                raise UnliftableError(f"section {rest or name}")
            self.string = ".str" in rest
        elif name == ".p2align":
            self.align = int(rest.split(",")[0])
        elif name in (".local", ".weak"):
            if not self.name:
                self.binding = name[1:]
        elif name in self.lines.words:
            self._words(self.lines.words[name], rest)
        elif name in (".asciz", ".ascii"):
            self.bytes += string_of(rest) + b"\0" * (name == ".asciz")
        elif name == ".zero":
            self.bytes += bytes(int(rest.split(",")[0]))
        else:
            raise UnliftableError(f"directive {name}")

    def _words(self, size: int, rest: str) -> None:
        for one in rest.split(","):
            try:
                value = int(one, 0)
            except ValueError:
                self.words.append((len(self.bytes), size, one.strip()))
                value = 0
            self.bytes += (value % (1 << 8 * size)).to_bytes(size, "little")


def split_word(line: str) -> tuple[str, str]:
    """The first word of a line, and the rest."""
    name, _, rest = line.partition(" ")
    return name, rest.strip()


def split_operands(text: str, opening: str, closing: str) -> list[str]:
    """Operands, which commas part where no bracket is open."""
    parts, depth, quoted, begun = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif sign in opening:
            depth += 1
        elif sign in closing:
            depth -= 1
        elif sign == "," and not depth:
            parts.append(text[begun:at].strip())
            begun = at + 1
    return [*parts, text[begun:].strip()]


_ESCAPE = re.compile(r'\\([0-7]{1,3}|x[0-9a-fA-F]{2}|[bfnrt"\\])')
_NAMED = {"b": 8, "f": 12, "n": 10, "r": 13, "t": 9, '"': 34, "\\": 92}


def string_of(text: str) -> bytes:
    """Bytes of a quoted string."""

    def plain(found: re.Match[str]) -> str:
        said = found[1]
        if said in _NAMED:
            return chr(_NAMED[said])
        return chr(int(said[1:], 16) if said[0] == "x" else int(said, 8) & 255)

    return _ESCAPE.sub(plain, text.strip()[1:-1]).encode("latin-1", "replace")
