"""What a module and a function say so far: names, types, blocks, and which values are in reach.

Values and blocks share their numbers, which count up; so every number is known before it is
written. A block's dominators are found from the branches that are known when it begins: ones
that come later can only take some away, so nothing that is right is ever out of reach.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from irsmith.infer.cursor import kind_of


@dataclass(frozen=True, slots=True)
class Signature:
    """Of a function.

    Attributes:
        result: type.
        params: types.
        more: whether others may follow.
    """

    result: str
    params: tuple[str, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """A module, as far as it is written.

    Attributes:
        structures: named types, by what they are.
        functions: that may be called, by name (with ``@``).
        most: the largest number that values and blocks may have.
        lines: that a function may have, but for those that end it.
        strings: that private constants may hold; None: any.
        body: the function that is open.
        closed: whether a function has been defined.
    """

    structures: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Signature] = field(default_factory=dict)
    most: int = 1 << 16
    lines: int = 1 << 16
    strings: frozenset[str] | None = None
    body: Body | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Phis:
    """What the phis of a block have said.

    Attributes:
        sources: blocks, in any order, with how often; None as long as there is no phi.
    """

    sources: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A function, as far as it is written.

    Attributes:
        result: type.
        next: the number of the next value or block.
        block: the number of this one.
        most: the largest number that there may be.
        left: lines that may still come, but for those that end blocks.
        types: of values; None where it is not known.
        homes: blocks of values; arguments have none.
        doms: of each block, those that every way to it goes through, itself among them.
        edges: of each block, those that branch to it, one for each time.
        waiting: blocks that were branched to and do not exist yet.
        promised: types of values that were used in a phi and do not exist yet.
        phis: of each block that has some: the blocks that they come from.
        owed: of each block that a phi waits for: those that it has to branch to.
        heading: whether phis may still come.
        over: whether the block has ended.
        cases: what the lines of a switch are: its type and the numbers used.
        clauses: whether clauses of a landing pad may follow.
        stack: values that are memory of this function.
        said: phis of this block, as they are written.
        unwinding: the result type of an invoke whose second line is due.
    """

    result: str
    next: int
    block: int
    most: int
    left: int
    types: dict[int, str | None]
    homes: dict[int, int] = field(default_factory=dict)
    doms: dict[int, frozenset[int]] = field(default_factory=dict)
    edges: dict[int, tuple[int, ...]] = field(default_factory=dict)
    waiting: frozenset[int] = frozenset()
    promised: dict[int, str] = field(default_factory=dict)
    phis: dict[int, tuple[int, ...]] = field(default_factory=dict)
    owed: dict[int, frozenset[int]] = field(default_factory=dict)
    heading: bool = False
    over: bool = False
    cases: tuple[str, frozenset[str]] | None = None
    clauses: bool = False
    unwinding: str | None = None
    stack: frozenset[int] = frozenset()
    said: frozenset[str] = frozenset()

    def coming(self, first: int) -> range:
        """Numbers that are still to come, from one on."""
        return range(first, max(self.most, self.next + 1) + 1)

    def reach(self, type_: str | None) -> list[int]:
        """Values of a type (None: any) that may be used here."""
        here = self.doms[self.block]
        return [
            number
            for number, known in self.types.items()
            if (known == type_ or known is None or type_ is None)
            and (number not in self.homes or self.homes[number] in here)
        ]

    def reaches(self, number: int, block: int) -> bool:
        """Whether a value may be used at the end of a block."""
        if block not in self.doms:
            return True
        if number not in self.types:
            return block == self.block  # it is still to come, and others have ended
        return number not in self.homes or self.homes[number] in self.doms[block]

    def typed(self, type_: str) -> list[int]:
        """Values of a type, whether written or promised."""
        written = [n for n, known in self.types.items() if known in (type_, None)]
        return written + [n for n, known in self.promised.items() if known == type_]

    def targets(self) -> list[int]:
        """Blocks that exist and may be branched to from here."""
        entry = min(self.doms)
        return [b for b in self.doms if b != entry and self._welcome(b)]

    def _welcome(self, block: int) -> bool:
        """Whether a branch from here agrees with the phis of a block."""
        sources = self.phis.get(block)
        if sources is None:
            return True
        return self.edges.get(block, ()).count(self.block) < sources.count(self.block)

    def sources(self) -> list[int]:
        """Blocks that are known to branch here."""
        return list(self.edges.get(self.block, ()))

    def with_value(self, type_: str | None) -> Body:
        """With the next number as a value of this block."""
        promised = dict(self.promised)
        promised.pop(self.next, None)
        return replace(
            self,
            next=self.next + 1,
            types={**self.types, self.next: type_},
            homes={**self.homes, self.next: self.block},
            promised=promised,
        )

    def with_block(self) -> Body:
        """With the next number as a block."""
        number = self.next
        doms: frozenset[int] | None = None
        for source in self.edges.get(number, ()):
            known = self.doms.get(source)
            if known is not None:
                doms = known if doms is None else doms & known
        if doms is None:
            doms = frozenset(self.doms)
        return replace(
            self,
            next=number + 1,
            block=number,
            doms={**self.doms, number: doms | {number}},
            waiting=self.waiting - {number},
            heading=True,
            over=False,
            said=frozenset(),
        )

    def with_edges(self, targets: list[int], *, over: bool = True) -> Body:
        """With branches from this block, which they end."""
        edges = dict(self.edges)
        for target in targets:
            edges[target] = (*edges.get(target, ()), self.block)
        new = frozenset(t for t in targets if t not in self.doms)
        owed = {**self.owed}
        owed[self.block] = owed.get(self.block, frozenset()) - set(targets)
        return replace(self, edges=edges, waiting=self.waiting | new, owed=owed, over=over)

    def with_phi(self, type_: str, operands: list[tuple[int | None, int]]) -> Body:
        """With a phi: pairs of a value (None: a constant) and the block that it comes from."""
        promised, owed = dict(self.promised), dict(self.owed)
        waiting = set(self.waiting)
        for value, source in operands:
            if value is not None and value not in self.types and value != self.next:
                promised[value] = type_
            if source not in self.doms:
                waiting.add(source)
        known = Counter(self.sources())
        for source in {source for _, source in operands}:
            if source not in known:
                owed[source] = owed.get(source, frozenset()) | {self.block}
        phis = dict(self.phis)
        phis.setdefault(self.block, tuple(source for _, source in operands))
        made = replace(self, promised=promised, owed=owed, waiting=frozenset(waiting), phis=phis)
        return made.with_value(type_)


def narrower(type_: str, than: str) -> bool:
    """Whether one type of numbers has fewer bits than another of the same shape."""
    return shape(type_) == shape(than) and bits(type_) < bits(than)


def shape(type_: str) -> str:
    """A vector's length, empty for what is none."""
    return type_.split(" x ")[0][1:] if kind_of(type_) == "vector" else ""


def element(type_: str) -> str:
    """A vector's element, or the type itself."""
    return type_.split(" x ", 1)[1][:-1] if kind_of(type_) == "vector" else type_


def shaped(like: str, of: str) -> str:
    """A type of elements in the shape of another type."""
    return f"<{shape(like)} x {of}>" if kind_of(like) == "vector" else of


def bits(type_: str) -> int:
    """Of a number's type, or of a vector's element."""
    inner = element(type_)
    if inner[0] == "i":
        return int(inner[1:])
    return {"half": 16, "bfloat": 16, "float": 32, "double": 64, "x86_fp80": 80}.get(inner, 128)


def fields(type_: str) -> list[str] | None:
    """The types in a structure or an array; None where they are not known."""
    kind = kind_of(type_)
    if kind == "array":
        count, inner = type_[1:-1].split(" x ", 1)
        return [inner] * int(count) if int(count) <= 1 << 16 else None
    if type_[0] not in "{<":
        return None
    inside = type_.strip("<>")[1:-1].strip()
    found, depth, begun = [], 0, 0
    for at, sign in enumerate(inside):
        if sign in "{[<":
            depth += 1
        elif sign in "}]>":
            depth -= 1
        elif sign == "," and not depth:
            found.append(inside[begun:at].strip())
            begun = at + 1
    return [*found, inside[begun:].strip()] if inside else []
