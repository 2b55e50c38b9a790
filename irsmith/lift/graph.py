"""Basic blocks of a function: straight code, and where each leads."""

from __future__ import annotations

from dataclasses import dataclass, field

from irsmith.lift.syntax import Code, Immediate, Instruction, Memory, Register, Target
from irsmith.lift.unliftable import UnliftableError

CONDITIONS = {
    **{name: name for name in ("e", "ne", "l", "le", "g", "ge", "b", "be", "a", "ae")},
    **{name: name for name in ("s", "ns", "o", "no", "p", "np")},
    **{"z": "e", "nz": "ne", "c": "b", "nc": "ae"},
}
"""Names of conditions behind ``j``, ``set`` and ``cmov``, and what they are called here."""


@dataclass(slots=True)
class Basic:
    """A basic block.

    Attributes:
        number: its place; the first is where the function begins.
        body: instructions, without the jump at its end.
        ends: ``jump``, ``branch``, ``switch``, ``return``, ``tail`` or ``unreachable``.
        condition: of a branch.
        index: register of a switch, which is the number of its entry in ``next``.
        other: of a switch, the block for all other numbers; None: there are none.
        next: blocks that may follow; of a branch the one that is jumped to first.
        target: of a tail call.
    """

    number: int
    body: list[Instruction] = field(default_factory=list)
    ends: str = ""
    condition: str = ""
    index: str = ""
    other: int | None = None
    next: tuple[int, ...] = ()
    target: Target | None = None


def graph(code: Code) -> list[Basic]:
    """The basic blocks of a function that can be reached.

    Raises:
        UnliftableError: a jump leads where nothing is known to be.
    """
    blocks: list[Basic] = []
    labels: dict[str, int] = {}
    jumps: dict[int, list[Target | int]] = {}
    for block in code.blocks:
        labels[block.label] = len(blocks)
        at = _begin(blocks)
        for one in block.body:
            if at.ends:
                at = _begin(blocks)
            kind = _end(one)
            if not kind:
                at.body.append(one)
                continue
            at.ends = kind
            if kind == "return" or kind == "unreachable":
                continue
            (target,) = one.operands
            assert isinstance(target, Target)
            if kind == "branch":
                at.condition = _condition(one.name[1:])
                jumps[at.number] = [target, at.number + 1]
            else:
                jumps[at.number] = [target]
        if not at.ends:
            at.ends = "jump"
            jumps[at.number] = [at.number + 1]
    tables = {number for number in jumps if _switch(code, blocks, blocks[number], jumps, labels)}
    for number, targets in jumps.items():
        if number not in tables:
            _link(blocks, labels, code.name, number, targets)
    for number in tables:
        _unguard(blocks, blocks[number])
    for made in blocks:
        if any(number >= len(blocks) for number in made.next):
            # Code that ends with a call that does not come back.
            made.ends, made.next = "unreachable", ()
    return _reached(blocks)


def _begin(blocks: list[Basic]) -> Basic:
    blocks.append(Basic(len(blocks)))
    return blocks[-1]


def _end(one: Instruction) -> str:
    """How an instruction ends a block; empty: not at all."""
    if one.name in ("retq", "ret"):
        return "return"
    if one.name in ("ud2", "hlt"):
        return "unreachable"
    if one.name in ("jmp", "jmpq"):
        return "jump"
    return "branch" if one.name.startswith("j") else ""


def _condition(name: str) -> str:
    found = CONDITIONS.get(name)
    if found is None:
        raise UnliftableError(f"jump j{name}")
    return found


def _switch(
    code: Code,
    blocks: list[Basic],
    block: Basic,
    jumps: dict[int, list[Target | int]],
    labels: dict[str, int],
) -> bool:
    """Whether a block ends with a jump through a table, which then is a switch.

    ``leaq table, %b; movslq (%b,%i,4), %r; addq %b, %r; jmpq *%r``, with other instructions
    between them, or ``jmpq *table(,%i,8)``.
    """
    (target, *_) = jumps[block.number]
    if block.ends != "jump" or not isinstance(target, Target):
        return False
    through, label = target.through, ""
    if isinstance(through, Memory) and through.index and through.scale == 8:
        label = through.symbol
        block.index = through.index
    elif isinstance(through, Register) and (found := _relative(blocks, block, through.family)):
        label, block.index = found
    if label not in code.data:
        return False
    entries = [word.partition("-")[0] for _, _, word in code.data[label].words]
    if not entries or any(entry not in labels for entry in entries):
        raise UnliftableError("a table of jumps that lead elsewhere")
    block.ends, block.next = "switch", tuple(labels[entry] for entry in entries)
    return True


def _unguard(blocks: list[Basic], block: Basic) -> None:
    """Make the comparison that keeps a switch within its table the switch's own.

    Compilers write it for every switch; without it, the one that comes back has it again.
    """
    before = [one for one in blocks if block.number in one.next]
    if len(before) != 1 or before[0].ends != "branch" or before[0].condition != "a":
        return
    (guard,) = before
    last = guard.body[-1] if guard.body else None
    bound = last.operands[0] if last and last.name.startswith("cmp") else None
    if isinstance(bound, Immediate) and bound.value == len(block.next) - 1:
        block.other = guard.next[0]
        guard.ends, guard.condition, guard.next = "jump", "", (block.number,)
        block.next = (*block.next, block.other)
        del guard.body[-1]


def _relative(blocks: list[Basic], block: Basic, result: str) -> tuple[str, str] | None:
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


def _link(
    blocks: list[Basic],
    labels: dict[str, int],
    name: str,
    number: int,
    targets: list[Target | int],
) -> None:
    block = blocks[number]
    found = []
    for target in targets:
        if isinstance(target, int):
            found.append(target)
        elif target.name in labels and target.name != name:
            found.append(labels[target.name])
        elif target.name.startswith(".L"):
            raise UnliftableError(f"jump to {target.name}, which is not in the function")
        elif block.ends == "jump":
            block.ends, block.target = "tail", target
            return
        else:
            # A conditional tail call: the jump to it gets a block of its own, at the end.
            blocks.append(Basic(len(blocks), ends="tail", target=target))
            found.append(-len(blocks))
    block.next = tuple(-one - 1 if one < 0 else one for one in found)


def _reached(blocks: list[Basic]) -> list[Basic]:
    """Blocks that can be reached, in their order, numbered anew."""
    seen, left = {0}, [0]
    while left:
        for number in blocks[left.pop()].next:
            if number not in seen:
                seen.add(number)
                left.append(number)
    order = {number: place for place, number in enumerate(sorted(seen))}
    kept = [blocks[number] for number in sorted(seen)]
    for block in kept:
        block.number = order[block.number]
        block.next = tuple(order[number] for number in block.next)
        block.other = None if block.other is None else order[block.other]
    return kept
