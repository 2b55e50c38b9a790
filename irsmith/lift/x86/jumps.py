"""Instructions that jump: where they lead, and the tables that they use."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.lift.code import Code, Immediate, Instruction, Memory, Register, Target
from irsmith.lift.graph import Basic


def end(one: Instruction) -> str:
    """How an instruction ends a block; empty: not at all."""
    if one.name in ("retq", "ret"):
        return "return"
    if one.name in ("ud2", "hlt"):
        return "unreachable"
    if one.name in ("jmp", "jmpq"):
        return "jump"
    return "branch" if one.name.startswith("j") else ""


def table(code: Code, blocks: Sequence[Basic], block: Basic) -> list[str] | None:
    """Labels that a block's last jump leads to by a table; None if it uses none.

    ``leaq table, %b; movslq (%b,%i,4), %r; addq %b, %r; jmpq *%r``, with other instructions
    between them, or ``jmpq *table(,%i,8)``.
    """
    assert block.jump
    (target,) = block.jump.operands
    assert isinstance(target, Target)
    through, label = target.through, ""
    if isinstance(through, Memory) and through.index and through.scale == 8:
        label = through.symbol
        block.index = Register(through.index, 64)
    elif isinstance(through, Register) and (found := _relative(blocks, block, through.family)):
        label, block.index = found[0], Register(found[1], 64)
    if label not in code.data:
        return None
    return [word.partition("-")[0] for _, _, word in code.data[label].words]


def bound(guard: Basic) -> tuple[int, Instruction] | None:
    """The number above which a block's branch is taken, and what compares with it."""
    if guard.jump is None or guard.jump.name != "ja" or not guard.body:
        return None
    last = guard.body[-1]
    number = last.operands[0] if last.name.startswith("cmp") else None
    return (number.value, last) if isinstance(number, Immediate) else None


def _relative(blocks: Sequence[Basic], block: Basic, result: str) -> tuple[str, str] | None:
    """The table of distances that a register's value comes from, and the index's register.

    What computes the address is taken out: the register keeps the index.
    """
    whole = Register(result, 64)
    adds = [n for n, one in enumerate(block.body) if one.operands[-1:] == (whole,)]
    if len(adds) < 2 or block.body[adds[-1]].name != "addq":
        return None
    load, add = block.body[adds[-2]], block.body[adds[-1]]
    base, where = add.operands[0], load.operands[0]
    if load.name != "movslq" or not isinstance(base, Register) or not isinstance(where, Memory):
        return None
    if (where.base, where.scale) != (base.family, 4) or not where.index:
        return None
    for other in (block, *blocks):
        for one in reversed(other.body):
            source = one.operands[0] if one.operands else None
            if one.name == "leaq" and one.operands[1] == base and isinstance(source, Memory):
                index = Register(where.index, 64)
                other.body = [each for each in other.body if each is not one]
                moved = Instruction("movq", (index, whole))
                block.body = [moved if e is load else e for e in block.body if e is not add]
                return source.symbol, result
    return None
