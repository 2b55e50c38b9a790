"""Lines of AT&T assembly, parsed: instructions and their operands."""

from __future__ import annotations

import re

from irsmith.lift.code import (
    QUOTED,
    Code,
    Immediate,
    Instruction,
    Memory,
    Operand,
    Register,
    Target,
    read_code,
    split_operands,
    split_word,
    symbol_of,
)
from irsmith.lift.unliftable import UnliftableError

_MEMORY = re.compile(
    rf"(?:%(?P<segment>fs|gs):)?(?P<disp>(?:{QUOTED}|[^()\"])*)"
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


class X86Lines:
    """Reads lines with instructions; a prefix may have a line of its own."""

    def __init__(self) -> None:
        self.words = {".quad": 8, ".long": 4, ".short": 2, ".value": 2, ".byte": 1}
        self._repeats = False

    def read(self, line: str) -> Instruction | None:
        """The instruction of a line; None if it does nothing."""
        name, rest = split_word(line)
        if name in _PADDING:
            return None
        if name == "rep" and not rest:
            self._repeats = True
            return None
        if name in _PREFIXES:
            raise UnliftableError(f"{name} prefix")
        if self._repeats:
            self._repeats = False
            return Instruction(f"rep {name}")
        if name.startswith("j") or name.startswith("call"):
            return Instruction(name, (_target(rest),))
        parts = split_operands(rest, "(", ")") if rest else []
        return Instruction(name, tuple(_operand(one) for one in parts))


def parse(text: str) -> Code:
    """The function that a text is.

    Raises:
        UnliftableError: it holds what is not understood.
    """
    return read_code(text, X86Lines())


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
        symbol, modifier, addend = symbol_of(text)
        if modifier:
            raise UnliftableError(f"@{modifier}") from None
        return Immediate(addend, symbol)


def _memory(text: str) -> Memory:
    found = _MEMORY.match(text)
    if not found:
        raise UnliftableError(f"operand {text}")
    disp, symbol, modifier = 0, "", ""
    if found["disp"]:
        try:
            disp = int(found["disp"], 0)
        except ValueError:
            symbol, modifier, disp = symbol_of(found["disp"])
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
    symbol, modifier, addend = symbol_of(text)
    if modifier not in ("", "PLT") or addend:
        raise UnliftableError(f"jump to {text}")
    return Target(symbol, modifier == "PLT")
