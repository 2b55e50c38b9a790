"""Which accesses may meet, by the types that clang marks them with.

Passes may take it that two accesses whose marks do not match never touch the same bytes,
so an input on which they do is undefined. The rule is LLVM's own, in
``TypeBasedAliasAnalysis.cpp`` (matchAccessTags, for the struct-path format):
https://llvm.org/docs/LangRef.html#tbaa-metadata
"""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.toolchain.instructions import Instructions, instructions_of
from irsmith.toolchain.llvm import IRModule


@dataclass(frozen=True, slots=True)
class _Tag:
    base: int
    access: int
    offset: int


class Tags:
    """The marks of a module, numbered from 1 as they are met.

    Args:
        module: whose instructions carry the marks.
    """

    def __init__(self, module: IRModule) -> None:
        self._module = module
        self._llvm: Instructions = instructions_of(module.llvm)
        self._numbers: dict[int, int] = {}
        self._tags: list[_Tag | None] = [None]
        self._fields: dict[int, list[tuple[int, int]]] = {}

    def number(self, instruction: int) -> int:
        """The number of an access's mark, 0 for none."""
        node = self._llvm.metadata(self._module, instruction, "tbaa")
        if not node:
            return 0
        if node not in self._numbers:
            operands = self._llvm.node_operands(node)
            if len(operands) < 3 or not self._llvm.is_node(operands[0]):
                return 0
            offset = self._llvm.constant_value(operands[2])
            self._numbers[node] = len(self._tags)
            self._tags.append(_Tag(operands[0], operands[1], offset))
        return self._numbers[node]

    def table(self) -> bytes:
        """One byte a pair of marks: whether they may meet. Row and column 0 are no mark."""
        count = len(self._tags)
        reached = [self._reached(tag) if tag else set() for tag in self._tags]
        parents = {t.access: self._ancestors(t.access) for t in self._tags if t}
        out = bytearray(b"\1" * (count * count))
        for a in range(1, count):
            for b in range(a + 1, count):
                if not self._meet(a, b, reached, parents):
                    out[a * count + b] = out[b * count + a] = 0
        return bytes(out)

    @property
    def count(self) -> int:
        """Marks met, and one for none."""
        return len(self._tags)

    def _meet(
        self,
        a: int,
        b: int,
        reached: list[set[tuple[int, int]]],
        parents: dict[int, list[int]],
    ) -> bool:
        one, two = self._tags[a], self._tags[b]
        assert one and two
        ours, theirs = parents[one.access], parents[two.access]
        if not ours or not theirs or ours[-1] != theirs[-1]:
            return True  # types of two languages: nothing is known
        common = next(node for node in ours if node in theirs)
        for base, other, places in ((one, two, reached[a]), (two, one, reached[b])):
            if base.access == base.base == common:
                return True
            if (other.base, other.offset) in places:
                return True
        return False

    def _ancestors(self, node: int) -> list[int]:
        found = [node]
        while True:
            fields = self._of(node)
            if not fields or fields[0][0] in found:
                return found
            node = fields[0][0]
            found.append(node)

    def _reached(self, tag: _Tag) -> set[tuple[int, int]]:
        """The types that lie at the place of an access, from the outermost in."""
        places: set[tuple[int, int]] = set()
        node, offset = tag.base, tag.offset
        while (node, offset) not in places:
            places.add((node, offset))
            fields = [field for field in self._of(node) if field[1] <= offset]
            if not fields:
                break
            node, start = fields[-1]
            offset -= start
        return places

    def _of(self, node: int) -> list[tuple[int, int]]:
        """Fields of a type node with their offsets; a scalar's one field is its parent."""
        if node not in self._fields:
            operands = self._llvm.node_operands(node)[1:]
            pairs = []
            for k in range(0, len(operands) - 1, 2):
                if operands[k] and self._llvm.is_node(operands[k]):
                    pairs.append((operands[k], self._llvm.constant_value(operands[k + 1])))
            if len(operands) == 1 and operands[0] and self._llvm.is_node(operands[0]):
                pairs = [(operands[0], 0)]
            self._fields[node] = pairs
        return self._fields[node]
