"""The portfolio's lists in an order for one module: what did well on modules like it goes first.

A forest of randomised trees (Geurts, Ernst, Wehenkel 2006, "Extremely randomized trees"),
grown on modules of the train split whose sizes under every list of the portfolio were
measured, says which of them a new module is like: each tree shares one vote out among the
modules in the leaf that the new one falls into (the weights of Meinshausen 2006, "Quantile
regression forests"). Lists are then chosen greedily: the next is the one that saves those
modules, by their votes, most beyond what the lists before it save. So the order is one
for compiling *several* lists and keeping the best, where a ranking by what each list is
expected to save puts near copies side by side.

Whole numbers and comparisons only: the same answer on every machine, in some milliseconds,
without any package.
"""

from __future__ import annotations

import functools
import hashlib
import heapq
import json
import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from irsmith.records import Candidate, IrsmithError, Size
from irsmith.toolchain.census import NAMES, Census
from irsmith.toolchain.llvm import arch_of

LEAF = 0xFF
"""Stands for the feature of a node that asks for none."""
UNIT = 1 << 16
"""One vote, shared out in whole numbers."""
SCALE = 10_000
"""What a list saves is kept in shares of -Oz of one in so many."""
_SIZES = ("text", "rodata", "data", "unwind", "total", "instructions")
FEATURES = (
    *NAMES,
    *(f"{name} an instruction" for name in NAMES),
    *(f"-Oz {name}" for name in _SIZES),
    "-Oz bytes an instruction",
)
"""What trees may ask: the census, the same in shares, and what -Oz gave."""


def features(census: Census, baseline: Size) -> tuple[float, ...]:
    """A number for each of :data:`FEATURES`.

    Args:
        census: of the unoptimised module.
        baseline: what clang's own -Oz makes of it.
    """
    instructions = max(1, census[NAMES.index("instructions")])
    sizes = [float(getattr(baseline, name)) for name in _SIZES]
    shares = [count / instructions for count in census]
    return (*map(float, census), *shares, *sizes, baseline.total / instructions)


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree, its nodes in preorder: the branch taken where the answer is yes comes next.

    Attributes:
        feature: by node, or :data:`LEAF`.
        threshold: by node: whether the feature is at most this is what it asks.
        other: by node: the node where the answer is no; of a leaf, where its modules begin.
        members: modules, leaf by leaf.
        ends: by node: where a leaf's modules end.
    """

    feature: Sequence[int]
    threshold: Sequence[float]
    other: Sequence[int]
    members: Sequence[int]
    ends: Sequence[int]

    def leaf(self, numbers: Sequence[float]) -> Sequence[int]:
        """The modules of the leaf that a module of these features falls into."""
        node = 0
        while (feature := self.feature[node]) != LEAF:
            node = node + 1 if numbers[feature] <= self.threshold[node] else self.other[node]
        return self.members[self.other[node] : self.ends[node]]


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees, and what every list saves on each module that they were grown on.

    Attributes:
        trees: of the forest.
        saved: by module, then by list: share of -Oz in :data:`SCALE`; 0 where it is larger.
        portfolio: digest of the portfolio that the lists are (:func:`digest_of`).
        provenance: how it was made, for people.
    """

    trees: tuple[Tree, ...]
    saved: tuple[Sequence[int], ...]
    portfolio: str
    provenance: dict[str, Any]

    def alike(self, numbers: Sequence[float]) -> dict[int, int]:
        """Votes for the modules that one of these features is like."""
        votes: dict[int, int] = {}
        for tree in self.trees:
            members = tree.leaf(numbers)
            share = UNIT // len(members)
            for module in members:
                votes[module] = votes.get(module, 0) + share
        return votes

    def order(self, numbers: Sequence[float], count: int) -> list[int]:
        """The first ``count`` lists for a module, by index in the portfolio.

        Args:
            numbers: its :func:`features`.
            count: at most all lists; the portfolio's own order where nothing more is won.
        """
        votes = self.alike(numbers)
        rows = [self.saved[module] for module in votes]
        weights = list(votes.values())
        columns = list(zip(*rows, strict=True))
        best = [0] * len(rows)

        def gain(one: int) -> int:
            """What a list saves beyond those chosen; never more than it did before them."""
            return sum(
                weight * (saved - known)
                for weight, saved, known in zip(weights, columns[one], best, strict=True)
                if saved > known
            )

        # So a gain of an earlier step bounds today's, and most need not be counted again.
        bounds = [(-gain(one), one, 0) for one in range(len(columns))]
        heapq.heapify(bounds)
        chosen: list[int] = []
        while bounds and len(chosen) < count:
            bound, winner, step = heapq.heappop(bounds)
            if not bound:  # nothing more is won
                rest = sorted([winner, *(one for _, one, _ in bounds)])
                return chosen + rest[: count - len(chosen)]
            if step < len(chosen):
                heapq.heappush(bounds, (-gain(winner), winner, len(chosen)))
                continue
            chosen.append(winner)
            best = [max(pair) for pair in zip(best, columns[winner], strict=True)]
        return chosen

    def to_bytes(self) -> bytes:
        """As a file: a line of JSON with the lengths, then the arrays, compressed."""
        head = {
            "features": len(FEATURES),
            "trees": [[len(tree.feature), len(tree.members)] for tree in self.trees],
            "modules": len(self.saved),
            "lists": len(self.saved[0]),
            "portfolio": self.portfolio,
            "provenance": self.provenance,
        }
        parts = [json.dumps(head, sort_keys=True).encode() + b"\n"]
        for tree in self.trees:
            for (_, code), values in zip(_TREE, _values(tree), strict=True):
                parts.append(_packed(code, values))
        parts += [_packed("H", row) for row in self.saved]
        return zlib.compress(b"".join(parts), 9)

    @staticmethod
    def from_bytes(data: bytes) -> Forest:
        """Read what :meth:`to_bytes` wrote.

        Raises:
            IrsmithError: it is something else, or made by another version.
        """
        try:
            line, _, body = zlib.decompress(data).partition(b"\n")
            head = json.loads(line)
            reader = _Reader(body)
            trees = []
            for nodes, members in head["trees"]:
                lengths = {"nodes": nodes, "members": members}
                trees.append(Tree(*(reader.take(code, lengths[kind]) for kind, code in _TREE)))
            saved = tuple(reader.take("H", head["lists"]) for _ in range(head["modules"]))
        except (zlib.error, ValueError, KeyError, TypeError) as error:
            raise IrsmithError(f"not a forest that this irsmith reads: {error}") from error
        if head["features"] != len(FEATURES):
            raise IrsmithError("a forest of another irsmith: it knows other features")
        return Forest(tuple(trees), saved, head["portfolio"], head["provenance"])


_TREE = (("nodes", "B"), ("nodes", "d"), ("nodes", "H"), ("members", "H"), ("nodes", "H"))
"""Length and type of each array of a tree, in the order of its fields."""


def _values(tree: Tree) -> tuple[Sequence[float], ...]:
    return tree.feature, tree.threshold, tree.other, tree.members, tree.ends


def _packed(code: str, values: Sequence[float]) -> bytes:
    packed = array(code, values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, code: str, count: int) -> Any:
        values = array(code)
        end = self.place + count * values.itemsize
        if end > len(self.data):
            raise ValueError("it ends too early")
        values.frombytes(self.data[self.place : end])
        self.place = end
        if sys.byteorder == "big":
            values.byteswap()
        return values


def digest_of(candidates: Sequence[Candidate]) -> str:
    """Names a portfolio, order included."""
    texts = "\n".join(json.dumps(candidate.to_json(), sort_keys=True) for candidate in candidates)
    return hashlib.blake2b(texts.encode(), digest_size=8).hexdigest()


@functools.cache
def load_forest(triple: str) -> Forest | None:
    """The forest that ships for a target, or None."""
    name = {"X86": "x86_64", "AArch64": "aarch64"}[arch_of(triple)]
    file = resources.files("irsmith.search").joinpath(f"data/forest-{name}.bin")
    return Forest.from_bytes(file.read_bytes()) if file.is_file() else None
