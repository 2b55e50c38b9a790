"""Basic blocks of a function: straight code, and where each leads."""

from __future__ import annotations

from dataclasses import dataclass, field

from irsmith.lift.syntax import Code, Instruction, Target
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
        ends: ``jump``, ``branch``, ``return``, ``tail`` or ``unreachable``.
        condition: of a branch.
        next: blocks that may follow; of a branch the one that is jumped to first.
        target: of a tail call.
    """

    number: int
    body: list[Instruction] = field(default_factory=list)
    ends: str = ""
    condition: str = ""
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
    for number, targets in jumps.items():
        _link(blocks, labels, code.name, number, targets)
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
    return kept
