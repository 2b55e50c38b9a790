"""Lines of AArch64 assembly, parsed: instructions and their operands."""

from __future__ import annotations

import re
from dataclasses import replace

from irsmith.lift.code import (
    OUTLINED,
    Block,
    Code,
    Immediate,
    Instruction,
    Memory,
    Operand,
    Register,
    Shifted,
    Target,
    Word,
    read_code,
    split_operands,
    split_word,
    symbol_of,
)
from irsmith.lift.unliftable import UnliftableError

_GENERAL = re.compile(r"([xw])(\d+|zr)$")
_SCALAR = re.compile(r"([bhsdq])(\d+)$")
_SIZES = {"b": 8, "h": 16, "s": 32, "d": 64, "q": 128}
_WORDS = {".xword": 8, ".quad": 8, ".word": 4, ".long": 4, ".hword": 2, ".short": 2, ".byte": 1}
_SHIFT = re.compile(r"(lsl|lsr|asr|ror|msl|[us]xt[bhwx])(?: #(\d+))?$")
_MODIFIED = re.compile(r":(\w+):(.+)$")
_NUMBER = re.compile(r"#?(-?(?:0x[0-9a-fA-F]+|\d+))$")
_PLAIN = re.compile(r"[A-Za-z#-][\w.#-]*$")
_NOTHING = frozenset(("nop", "hint", "paciasp", "autiasp", "bti", "xpaclri"))
_LEADING = frozenset(("b", "bl", "adr", "adrp", "cbz", "cbnz", "tbz", "tbnz"))
"""Instructions whose last operand is a symbol or a label."""


def register(name: str) -> Register | None:
    """A register by its name; None if it is none."""
    if name in ("sp", "wsp"):
        return Register("sp", 64 if name == "sp" else 32)
    found = _GENERAL.match(name)
    if found:
        return Register(f"x{found[2]}", 64 if found[1] == "x" else 32)
    found = _SCALAR.match(name)
    return Register(f"q{found[2]}", _SIZES[found[1]]) if found else None


class AArch64Lines:
    """Reads lines with instructions."""

    def __init__(self) -> None:
        self.words = _WORDS

    def read(self, line: str) -> Instruction | None:
        """The instruction of a line; None if it does nothing."""
        name, rest = split_word(line)
        if name in _NOTHING:
            return None
        parts = split_operands(rest, "[{", "]}") if rest else []
        if name in ("br", "blr"):
            through = register(rest)
            if through is None:
                raise UnliftableError(f"jump to {rest}")
            return Instruction(name, (Target(through=through),))
        if name in _LEADING or name.startswith("b."):
            symbol, modifier, addend = _address(parts[-1] if parts else "")
            before = tuple(_operand(one) for one in parts[:-1])
            if name in ("adr", "adrp"):
                return Instruction(name, (*before, Immediate(addend, symbol, modifier)))
            if addend or modifier:
                raise UnliftableError(f"jump to {parts[-1]}")
            return Instruction(name, (*before, Target(symbol)))
        return Instruction(name, tuple(_operands(parts, name == "movk")))


def parse(text: str) -> Code:
    """The function that a text is; what a compiler took out of it stands where it was.

    Raises:
        UnliftableError: it holds what is not understood.
    """
    code = read_code(text, AArch64Lines())
    blocks = tuple(
        Block(block.label, tuple(one for each in block.body for one in _inlined(code, each)))
        for block in code.blocks
    )
    return replace(code, blocks=blocks, outlined={})


def _inlined(code: Code, one: Instruction) -> tuple[Instruction, ...]:
    """What an instruction does, that of outlined code in its place."""
    target = one.operands[-1] if one.operands else None
    if not isinstance(target, Target) or not target.name.startswith(OUTLINED):
        return (one,)
    body = code.outlined.get(target.name)
    if not body or one.name not in ("b", "bl"):
        raise UnliftableError(f"{target.name} is not in the text")
    *body_, last = body
    if one.name == "b":
        return body
    if last.name == "ret":
        return tuple(body_)
    if last.name == "b" and isinstance(last.operands[0], Target):
        return (*body_, Instruction("bl", last.operands))
    raise UnliftableError("outlined code that does not come back")


def _operands(parts: list[str], apart: bool) -> list[Operand]:
    """Operands; what shifts one stands behind it, and what moves a base behind its bracket.

    Args:
        parts: of the line.
        apart: whether how far a number is shifted is an operand of its own.
    """
    made: list[Operand] = []
    for part in parts:
        shift = _SHIFT.match(part)
        before = made[-1] if made else None
        if shift and isinstance(before, Register):
            made[-1] = Shifted(before, shift[1], int(shift[2] or 0))
        elif shift and isinstance(before, Immediate) and shift[1] == "lsl":
            by = int(shift[2] or 0)
            if apart:
                made.append(Immediate(by))
            elif not before.symbol:
                made[-1] = Immediate(before.value << by)
        elif isinstance(before, Memory) and not before.moves and _NUMBER.match(part):
            made[-1] = replace(before, disp=_number(part), moves="after")
        else:
            made.append(_operand(part))
    return made


def _operand(text: str) -> Operand:
    found = register(text)
    if found:
        return found
    if text.startswith("["):
        return _memory(text)
    if _NUMBER.match(text):
        return Immediate(_number(text))
    if text.startswith(":"):
        symbol, modifier, addend = _address(text)
        return Immediate(addend, symbol, modifier)
    if _PLAIN.match(text):
        return Word(text)
    raise UnliftableError(f"operand {text}")


def _number(text: str) -> int:
    return int(text.lstrip("#"), 0)


def _address(text: str) -> tuple[str, str, int]:
    """A symbol, which part of its address is meant, and what is added."""
    found = _MODIFIED.match(text)
    symbol, behind, addend = symbol_of(found[2] if found else text)
    if behind:
        raise UnliftableError(f"operand {text}")
    return symbol, found[1] if found else "", addend


def _memory(text: str) -> Memory:
    moves = "before" if text.endswith("!") else ""
    inner = text.rstrip("!")[1:-1]
    parts = split_operands(inner, "[", "]")
    base = register(parts[0])
    if base is None or base.bits != 64 or len(parts) > 3:
        raise UnliftableError(f"operand {text}")
    if len(parts) == 1:
        return Memory(base=base.family, moves=moves)
    index = register(parts[1])
    if index is None:
        if parts[1].startswith(":"):
            symbol, modifier, addend = _address(parts[1])
            return Memory(addend, symbol, modifier, base.family)
        if not _NUMBER.match(parts[1]):
            raise UnliftableError(f"operand {text}")
        return Memory(_number(parts[1]), base=base.family, moves=moves)
    shift = _SHIFT.match(parts[2]) if len(parts) == 3 else None
    if (shift is None) != (len(parts) == 2):
        raise UnliftableError(f"operand {text}")
    how = shift[1] if shift else "lsl"
    scale = 1 << int(shift[2] or 0) if shift else 1
    extend = how if how in ("uxtw", "sxtw") else ""
    return Memory(base=base.family, index=index.family, scale=scale, extend=extend)
