"""Normalised AT&T assembly of one function, parsed: blocks of instructions, and its data.

What is read is what :mod:`irsmith.corpus.assembly` prints. Nothing is decided here about what
an instruction means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from irsmith.lift.unliftable import UnliftableError

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = rf"(?:{_QUOTED}|[A-Za-z_.$][\w.$]*)"
_LABEL = re.compile(rf"({_NAME}):$")
_SYMBOL = re.compile(rf"({_NAME})(?:@(\w+))?([+-]\d+)?$")
_MEMORY = re.compile(
    rf"(?:%(?P<segment>fs|gs):)?(?P<disp>(?:{_QUOTED}|[^()\"])*)"
    r"(?:\((?:%(?P<base>\w+))?(?:,%(?P<index>\w+)(?:,(?P<scale>[1248]))?)?\))?$"
)
_PREFIXES = frozenset(("rep", "repz", "repne", "repnz", "lock", "notrack"))
_PADDING = frozenset(("nop", "data16", "rex64", "int3", "nopw", "nopl", "cs"))

_LEGACY = {
    "rax": ("eax", "ax", "al"),
    "rbx": ("ebx", "bx", "bl"),
    "rcx": ("ecx", "cx", "cl"),
    "rdx": ("edx", "dx", "dl"),
    "rsi": ("esi", "si", "sil"),
    "rdi": ("edi", "di", "dil"),
    "rbp": ("ebp", "bp", "bpl"),
    "rsp": ("esp", "sp", "spl"),
}


@dataclass(frozen=True, slots=True)
class Register:
    """A register as an operand.

    Attributes:
        family: the whole register's name: ``rax``, ``r9``, ``xmm0``.
        bits: that are named: 8 to 64, 128 of a vector register.
        high: whether it is the second byte (``ah``).
    """

    family: str
    bits: int
    high: bool = False


@dataclass(frozen=True, slots=True)
class Immediate:
    """A number, or the address of a symbol."""

    value: int
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """A place in memory.

    Attributes:
        disp: bytes that are added.
        symbol: whose address is added; empty: none.
        modifier: behind its ``@``.
        base: register, ``rip`` included; empty: none.
        index: register; empty: none.
        scale: of the index.
        segment: ``fs`` or ``gs``; empty: none.
    """

    disp: int = 0
    symbol: str = ""
    modifier: str = ""
    base: str = ""
    index: str = ""
    scale: int = 1
    segment: str = ""


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


Operand = Register | Immediate | Memory | Target


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: what it is called, and operands in AT&T order."""

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
    """

    name: str
    blocks: tuple[Block, ...]
    data: dict[str, Datum] = field(default_factory=dict)
    binding: str = ""
    align: int = 0
    section: str = ""


def register(name: str) -> Register:
    """A register by its name.

    Raises:
        UnliftableError: nothing is known of it.
    """
    found = _REGISTERS.get(name)
    if found is None:
        raise UnliftableError(f"register %{name}")
    return found


def _registers() -> dict[str, Register]:
    made = {}
    for family, smaller in _LEGACY.items():
        for name, bits in zip((family, *smaller), (64, 32, 16, 8), strict=True):
            made[name] = Register(family, bits)
        if family in ("rax", "rbx", "rcx", "rdx"):
            made[family[1] + "h"] = Register(family, 8, True)
    for number in range(8, 16):
        for suffix, bits in (("", 64), ("d", 32), ("w", 16), ("b", 8)):
            made[f"r{number}{suffix}"] = Register(f"r{number}", bits)
    for number in range(16):
        made[f"xmm{number}"] = Register(f"xmm{number}", 128)
    return made


_REGISTERS = _registers()


def parse(text: str) -> Code:
    """The function that a text is.

    Raises:
        UnliftableError: it holds what is not understood.
    """
    reader = _Reader()
    for line in text.splitlines():
        reader.read(line)
    return reader.done()


class _Reader:
    """Reads line after line."""

    def __init__(self) -> None:
        self.name = ""
        self.binding = ""
        self.align = self.function_align = 0
        self.code = True
        self.section = ""
        self.string = False
        self.blocks: list[tuple[str, list[Instruction]]] = []
        self.data: dict[str, Datum] = {}
        self.label = ""
        self.bytes = bytearray()
        self.words: list[tuple[int, int, str]] = []
        self.repeats = False

    def read(self, line: str) -> None:
        found = _LABEL.match(line)
        if found:
            self._label(found[1])
        elif line.startswith("."):
            self._directive(*_split_word(line))
        elif not self.code or not self.blocks:
            raise UnliftableError("instructions outside the function")
        else:
            for one in line.split(";"):
                self._instruction(one.strip())

    def done(self) -> Code:
        self._finish()
        if not self.name:
            raise UnliftableError("no function")
        blocks = tuple(Block(label, tuple(body)) for label, body in self.blocks)
        return Code(self.name, blocks, self.data, self.binding, self.function_align, self.section)

    def _label(self, name: str) -> None:
        if not self.code:
            self._finish()
            self.label = name
            return
        if not name.startswith(".L"):
            if self.name:
                raise UnliftableError("more than one name in the code")
            self.name, self.function_align = name, self.align
        self.align = 0
        self.blocks.append((name, []))

    def _finish(self) -> None:
        if self.label:
            align = 1 << self.align
            self.data[self.label] = Datum(bytes(self.bytes), tuple(self.words), align, self.string)
        elif self.bytes:
            raise UnliftableError("data without a label")
        self.label, self.bytes, self.words = "", bytearray(), []

    def _directive(self, name: str, rest: str) -> None:
        if name in (".text", ".section", ".data", ".bss"):
            self._finish()
            self.align = 0
            self.code = name == ".text" or rest.startswith(".text")
            if self.code:
                self.section = rest.split(",")[0].strip('"')
            if not self.code and not rest.startswith((".rodata", ".data.rel.ro")):
                raise UnliftableError(f"section {rest or name}")
            self.string = ".str" in rest
        elif name == ".p2align":
            self.align = int(rest.split(",")[0])
        elif name in (".local", ".weak"):
            if not self.name:
                self.binding = name[1:]
        elif name in (".quad", ".long", ".short", ".byte", ".value"):
            self._words({".quad": 8, ".long": 4, ".byte": 1}.get(name, 2), rest)
        elif name in (".asciz", ".ascii"):
            self.bytes += _string(rest) + b"\0" * (name == ".asciz")
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

    def _instruction(self, line: str) -> None:
        name, rest = _split_word(line)
        if name in _PADDING:
            return
        if name == "rep" and not rest:
            self.repeats = True
            return
        if name in _PREFIXES:
            raise UnliftableError(f"{name} prefix")
        if self.repeats:
            self.repeats = False
            self.blocks[-1][1].append(Instruction(f"rep {name}"))
            return
        jump = name.startswith("j") or name.startswith("call")
        if jump:
            operands: tuple[Operand, ...] = (_target(rest),)
        else:
            operands = tuple(_operand(one) for one in _split(rest)) if rest else ()
        self.blocks[-1][1].append(Instruction(name, operands))


def _split_word(line: str) -> tuple[str, str]:
    name, _, rest = line.partition(" ")
    return name, rest.strip()


def _split(text: str) -> list[str]:
    """Operands, which commas part where no bracket is open."""
    parts, depth, quoted, begun = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif sign == "," and not depth:
            parts.append(text[begun:at].strip())
            begun = at + 1
    return [*parts, text[begun:].strip()]


def _operand(text: str) -> Operand:
    if text.startswith("%") and ":" not in text:
        return register(text[1:])
    if text.startswith("$"):
        return _immediate(text[1:])
    return _memory(text)


def _immediate(text: str) -> Immediate:
    try:
        return Immediate(int(text, 0))
    except ValueError:
        symbol, modifier, addend = _symbol(text)
        if modifier:
            raise UnliftableError(f"@{modifier}") from None
        return Immediate(addend, symbol)


def _symbol(text: str) -> tuple[str, str, int]:
    found = _SYMBOL.match(text)
    if not found:
        raise UnliftableError(f"operand {text}")
    return found[1], found[2] or "", int(found[3] or 0)


def _memory(text: str) -> Memory:
    found = _MEMORY.match(text)
    if not found:
        raise UnliftableError(f"operand {text}")
    disp, symbol, modifier = 0, "", ""
    if found["disp"]:
        try:
            disp = int(found["disp"], 0)
        except ValueError:
            symbol, modifier, disp = _symbol(found["disp"])
    base, index = found["base"] or "", found["index"] or ""
    for name in (base, index):
        if name and name != "rip" and register(name).bits != 64:
            raise UnliftableError("an address of 32 bits")
    scale = int(found["scale"] or 1)
    return Memory(disp, symbol, modifier, base, index, scale, found["segment"] or "")


def _target(text: str) -> Target:
    if text.startswith("*"):
        through = _operand(text[1:])
        if isinstance(through, Register | Memory):
            return Target(through=through)
        raise UnliftableError(f"jump to {text}")
    symbol, modifier, addend = _symbol(text)
    if modifier not in ("", "PLT") or addend:
        raise UnliftableError(f"jump to {text}")
    return Target(symbol, modifier == "PLT")


_ESCAPE = re.compile(r'\\([0-7]{1,3}|x[0-9a-fA-F]{2}|[bfnrt"\\])')
_NAMED = {"b": 8, "f": 12, "n": 10, "r": 13, "t": 9, '"': 34, "\\": 92}


def _string(text: str) -> bytes:
    """Bytes of a quoted string."""

    def plain(found: re.Match[str]) -> str:
        said = found[1]
        if said in _NAMED:
            return chr(_NAMED[said])
        return chr(int(said[1:], 16) if said[0] == "x" else int(said, 8) & 255)

    return _ESCAPE.sub(plain, text.strip()[1:-1]).encode("latin-1", "replace")
