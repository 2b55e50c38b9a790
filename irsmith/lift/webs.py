"""Values that a register holds in turn: each gets a slot of its own.

Accesses belong together where one reads what the other left. So a register that a compiler
gave to a counter, and later to an address, is two variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from irsmith.lift.machine import Access, Slots

if TYPE_CHECKING:
    from irsmith.lift.flow import Held


class Webs:
    """Puts accesses together.

    Attributes:
        links: accesses of which both are addresses or none is.
    """

    def __init__(self) -> None:
        self.links: list[tuple[Access, Access]] = []
        self._parent: dict[Access, Access] = {}
        self._wide: set[Access] = set()
        self._bases: set[Access] = set()
        self._parted: set[Access] = set()
        self._alone: set[Access] = set()

    def write(self, access: Access, part: bool = False, alone: bool = False) -> None:
        """Note an access that leaves something.

        Args:
            access: that writes.
            part: whether only a byte or two are written.
            alone: whether nothing is known to stand above them.
        """
        self._parent.setdefault(access, access)
        if part:
            self._parted.add(access)
        if alone:
            self._alone.add(access)

    def read(self, access: Access, held: Held, bits: int, base: bool = False) -> None:
        """Note an access that reads what others left.

        Args:
            access: that reads.
            held: what the register holds.
            bits: that are read.
            base: whether it is read as an address.
        """
        self.write(access)
        narrow = isinstance(held.width, int) and bits <= held.width
        for other in sorted(held.writers if narrow else held.writers | held.under):
            self.write(other)
            self._parent[self._root(other)] = self._root(access)
        if bits > 32:
            self._wide.add(access)
        if base:
            self._bases.add(access)

    def slots(self) -> Slots:
        """The slots, numbered by their first access."""
        numbers: dict[Access, str] = {}
        names = {}
        for access in sorted(self._parent):
            root = self._root(access)
            family = access[2].rstrip("'")
            if root not in numbers:
                numbers[root] = f"%{family}.{len(numbers)}"
            names[access] = numbers[root]
        pointers = {names[access] for access in self._bases}
        changed = True
        while changed:
            changed = False
            for one, other in self.links:
                pair = {names.get(one, ""), names.get(other, "")} - {""}
                if pair & pointers and not pair <= pointers:
                    pointers |= pair
                    changed = True
        wide = {names[access] for access in self._wide} | pointers
        parted = frozenset(names[access] for access in self._parted)
        alone = {names[access] for access in self._alone}
        narrow = frozenset(alone - {names[access] for access in self._parted - self._alone})
        return Slots(names, parted, narrow - pointers, frozenset(wide), frozenset(pointers))

    def _root(self, access: Access) -> Access:
        while self._parent[access] != access:
            self._parent[access] = self._parent[self._parent[access]]
            access = self._parent[access]
        return access
