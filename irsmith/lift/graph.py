"""Basic blocks of a function: straight code, and where each leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from irsmith.lift.code import Code, Instruction, Register, Target
from irsmith.lift.unliftable import UnliftableError

if TYPE_CHECKING:
    from irsmith.lift.rules import Rules


@dataclass(slots=True)
class Basic:
    """A basic block.

    Attributes:
        number: its place; the first is where the function begins.
        body: instructions, without the jump at its end.
        ends: ``jump``, ``branch``, ``switch``, ``return``, ``tail``, ``unreachable`` or
            ``trap``.
        jump: instruction that ends it; None: nothing does.
        index: register of a switch, which holds the number of its entry in ``next``.
        other: of a switch, the block for all other numbers; None: there are none.
        next: blocks that may follow; of a branch the one that is jumped to first.
        target: of a tail call.
    """

    number: int
    body: list[Instruction] = field(default_factory=list)
    ends: str = ""
    jump: Instruction | None = None
    index: Register | None = None
    other: int | None = None
    next: tuple[int, ...] = ()
    target: Target | None = None


def graph(code: Code, rules: Rules) -> list[Basic]:
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
            kind = rules.end(one)
            if not kind:
                at.body.append(one)
                continue
            at.ends, at.jump = kind, one
            if kind in ("jump", "branch"):
                target = one.operands[-1]
                assert isinstance(target, Target)
                jumps[at.number] = [target]
                if kind == "branch":
                    jumps[at.number].append(at.number + 1)
        if not at.ends:
            at.ends = "jump"
            jumps[at.number] = [at.number + 1]
    tables = {number for number in jumps if _switch(code, rules, blocks, blocks[number], labels)}
    for number, targets in jumps.items():
        if number not in tables:
            _link(blocks, labels, code.name, number, targets)
    for number in tables:
        _unguard(rules, blocks, blocks[number])
    for made in blocks:
        if any(number >= len(blocks) for number in made.next):
            # Code that ends with a call that does not come back.
            made.ends, made.next = "unreachable", ()
    return _reached(blocks)


def joined(blocks: list[Basic], rules: Rules) -> bool:
    """Give loops their heads back: compilers copy a head's question to the loop's end.

    Args:
        blocks: are changed.
        rules: of the target.

    Returns:
        Whether anything was changed.
    """
    found = False
    for latch in list(blocks):
        for first in blocks[: latch.number]:
            if _same(first, latch, rules):
                asked = rules.test(latch)
                assert asked
                count = len(latch.body) - asked[2]
                head = Basic(len(blocks), latch.body[count:], "branch", latch.jump, next=latch.next)
                for block in (first, latch):
                    del block.body[len(block.body) - asked[2] :]
                    block.ends, block.jump, block.next = "jump", None, (head.number,)
                blocks.append(head)
                found = True
                break
    return found


def _same(first: Basic, latch: Basic, rules: Rules) -> bool:
    """Whether two blocks, the second at a loop's end, ask the same and lead to the same."""
    if first.ends != "branch" or latch.ends != "branch":
        return False
    if set(first.next) != set(latch.next) or not min(latch.next) <= latch.number:
        return False
    if first.number < min(latch.next) - 1:
        return False
    one, other = rules.test(first), rules.test(latch)
    if one is None or other is None or one[0] != other[0]:
        return False
    return (first.next == latch.next) == (one[1] == other[1])


def _begin(blocks: list[Basic]) -> Basic:
    blocks.append(Basic(len(blocks)))
    return blocks[-1]


def _switch(
    code: Code, rules: Rules, blocks: list[Basic], block: Basic, labels: dict[str, int]
) -> bool:
    """Whether a block ends with a jump through a table, which then is a switch."""
    if block.ends != "jump" or block.jump is None:
        return False
    entries = rules.table(code, blocks, block)
    if entries is None:
        return False
    if not entries or any(entry not in labels for entry in entries):
        raise UnliftableError("a table of jumps that lead elsewhere")
    block.ends, block.next = "switch", tuple(labels[entry] for entry in entries)
    return True


def _unguard(rules: Rules, blocks: list[Basic], block: Basic) -> None:
    """Make the comparison that keeps a switch within its table the switch's own.

    Compilers write it for every switch; without it, the one that comes back has it again.
    """
    before = [one for one in blocks if block.number in one.next]
    if len(before) != 1 or before[0].ends != "branch":
        return
    (guard,) = before
    bound = rules.bound(guard)
    if bound and bound[0] == len(block.next) - 1 and guard.next[0] != block.number:
        block.other = guard.next[0]
        guard.ends, guard.jump, guard.next = "jump", None, (block.number,)
        block.next = (*block.next, block.other)
        guard.body = [one for one in guard.body if one is not bound[1]]


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
