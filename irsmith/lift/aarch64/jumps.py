"""Instructions of AArch64 that jump: where they lead, and the tables that they use."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.lift.aarch64.flags import OPPOSITE
from irsmith.lift.code import Code, Immediate, Instruction, Memory, Register, Shifted, Target
from irsmith.lift.graph import Basic

_COMPARED = ("cbz", "cbnz", "tbz", "tbnz")


def end(one: Instruction) -> str:
    """How an instruction ends a block; empty: not at all."""
    if one.name == "ret":
        return "return"
    if one.name in ("brk", "udf"):
        return "trap"
    if one.name in ("b", "br"):
        return "jump"
    return "branch" if one.name in _COMPARED or one.name.startswith("b.") else ""


def table(code: Code, blocks: Sequence[Basic], block: Basic) -> list[str] | None:
    """Labels that a block's last jump leads to by a table; None if it uses none.

    ``adrp %t, table; add %t, %t, :lo12:table; adr %b, base; ldrb %o, [%t, %i]; add %b, %b, %o,
    lsl #2; br %b``, with half words and words alike, and other instructions between them.
    """
    assert block.jump
    target = block.jump.operands[-1]
    if not isinstance(target, Target) or not isinstance(target.through, Register):
        return None
    add = _last(block, ("add",), target.through.family, len(block.body))
    if add is None:
        return None
    offset = block.body[add].operands[-1]
    name = offset.register.family if isinstance(offset, Shifted) else ""
    if isinstance(offset, Register):
        name = offset.family
    load = _last(block, ("ldrb", "ldrh", "ldrsw", "ldrsb", "ldrsh"), name, add)
    if load is None:
        return None
    place = block.body[load].operands[1]
    if not isinstance(place, Memory) or not place.index:
        return None
    label = _label(code, blocks, block, place.base)
    if label not in code.data:
        return None
    block.index = Register(place.index, 32 if place.extend else 64)
    gone = [block.body[add], block.body[load]]
    for each in blocks:
        each.body = [
            one
            for one in each.body
            if not any(one is other for other in gone) and not _names(one, label, code)
        ]
    return [word.lstrip("(").partition("-")[0] for _, _, word in code.data[label].words]


def bound(guard: Basic) -> tuple[int, Instruction] | None:
    """The number above which a block's branch is taken, and what compares with it."""
    if guard.jump is None or guard.jump.name not in ("b.hi", "b.hs"):
        return None
    for one in reversed(guard.body):
        if one.name == "cmp" and isinstance(one.operands[1], Immediate):
            return one.operands[1].value - (guard.jump.name == "b.hs"), one
        if one.name.startswith(("cmp", "cmn", "ccm", "tst", "fc")) or one.name[-1] == "s":
            break
    return None


def test(block: Basic) -> tuple[tuple[object, ...], bool, int] | None:
    """What a block's branch asks: about a register, or about what its last instruction set."""
    if block.jump is None:
        return None
    name, operands = block.jump.name, block.jump.operands[:-1]
    if name in _COMPARED:
        return (name.replace("n", ""), *operands), "n" not in name, 0
    last = block.body[-1] if block.body else None
    if last is None or last.name not in ("cmp", "cmn", "tst", "fcmp"):
        return None
    asked = name[2:]
    return (last, OPPOSITE.get(asked, asked)), asked not in OPPOSITE, 1


def _last(block: Basic, names: tuple[str, ...], family: str, before: int) -> int | None:
    """The last instruction of some that writes a register before another."""
    for number in range(before - 1, -1, -1):
        one = block.body[number]
        target = one.operands[0] if one.operands else None
        if one.name in names and isinstance(target, Register) and target.family == family:
            return number
    return None


def _label(code: Code, blocks: Sequence[Basic], block: Basic, family: str) -> str:
    """The table whose address a register holds."""
    for each in (block, *blocks):
        for one in reversed(each.body):
            target = one.operands[0] if one.operands else None
            last = one.operands[-1] if one.operands else None
            if (
                one.name == "add"
                and isinstance(target, Register)
                and target.family == family
                and isinstance(last, Immediate)
                and last.symbol in code.data
                and code.data[last.symbol].words
            ):
                return last.symbol
    return ""


def _names(one: Instruction, label: str, code: Code) -> bool:
    """Whether an instruction only computes the address of a table, or of code."""
    last = one.operands[-1] if one.operands else None
    if not isinstance(last, Immediate) or not last.symbol:
        return False
    inside = one.name == "adr" and any(block.label == last.symbol for block in code.blocks)
    return last.symbol == label or inside
