"""A cache that only grows, so that old states stay good: the tree of one text.

Keys and values of a prompt and of all its continuations lie in one buffer, in the order in
which they were computed. A state knows the places of its own tokens there, and attention is
masked to them: tree attention, as in Miao et al., "SpecInfer", arXiv 2305.09781. So sixteen
samples read the prompt's part once and not sixteen times, and nothing is copied when a
state forks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irsmith.infer.engine import State, check_ids, check_window, log_probabilities
from irsmith.model.config import ModelConfig

HIDDEN = np.float32(-1e9)
"""Added to the score of a token that may not be seen."""
CHUNK = 256
"""Tokens read at a time: scores of attention are then small enough to stay near the core."""
LATER = 4
"""Whoever forks rows as they grow does so again when their own texts are so many times as long."""
SHARED = 4.0
"""A score in a tree costs a third of one in a row of its own, where each key is read from
memory for one token only (measured: benchmarks/bench_infer.py); a quarter, with copying."""


_NONE = np.empty(0, np.int32)


class Tree:
    """The buffer of one text and its continuations.

    Attributes:
        length: tokens in it.
        held: the engine's own arrays.
        capacity: tokens that they have room for.
    """

    def __init__(self) -> None:
        self.length = 0
        self.capacity = 0
        self.held: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Tokens that another tree holds: the first ``start``, then ``rest``."""

    held: Any
    start: int
    rest: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """The places of a text's tokens: the first ``start`` of the tree, then ``rest``."""

    tree: Tree
    start: int
    rest: NDArray[np.int32]

    def __len__(self) -> int:
        return self.start + len(self.rest)

    def slots(self) -> NDArray[np.int32]:
        """The places of all its tokens."""
        return np.concatenate((np.arange(self.start, dtype=np.int32), self.rest))

    def then(self, first: int, count: int) -> Branch:
        """With some tokens more, which lie from ``first`` on."""
        if not len(self.rest) and first == self.start:
            return Branch(self.tree, self.start + count, self.rest)
        more = np.arange(first, first + count, dtype=np.int32)
        return Branch(self.tree, self.start, np.concatenate((self.rest, more)))


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """New tokens of one tree.

    Attributes:
        tree: with room for them at ``tree.length``.
        ids: (new,).
        positions: (new,), each token's place in its own text.
        bias: (new, tree.length + new), 0 where a token may look, :data:`HIDDEN` elsewhere.
        places: which of the new tokens get logits.
    """

    tree: Tree
    ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    bias: NDArray[np.float32]
    places: NDArray[np.int64]


class TreeEngine(ABC):
    """An engine whose states share a buffer a text; see :class:`irsmith.infer.engine.Engine`.

    Args:
        shape: of the network.
    """

    def __init__(self, shape: ModelConfig) -> None:
        self._shape = shape

    @property
    def shape(self) -> ModelConfig:
        """The network's."""
        return self._shape

    @abstractmethod
    def compute(self, calls: Sequence[Call]) -> list[NDArray[np.float32]]:
        """Write keys and values of new tokens into their trees; (places, vocabulary) of each."""

    @abstractmethod
    def hold(self, capacity: int, source: Source | None) -> Any:
        """Arrays with room for ``capacity`` tokens, which begin with those of ``source``."""

    def hold_rows(self, capacity: int, sources: Sequence[Source]) -> list[Any]:
        """Arrays of several trees at once, which will be stepped together."""
        return [self.hold(capacity, source) for source in sources]

    def prefill(self, ids: Sequence[int], after: State | None = None) -> State:
        """See :meth:`irsmith.infer.engine.Engine.prefill`."""
        length = after.length if after else 0
        array = check_ids(ids, length, self._shape)
        branch = after.cache if after else Branch(Tree(), 0, _NONE)
        logits = np.empty(0, np.float32)
        for at in range(0, len(array), CHUNK):
            part = array[at : at + CHUNK]
            ends = at + CHUNK >= len(array)
            places = np.arange(len(part) - 1, len(part)) if ends else np.empty(0, np.int64)
            found, branch = self._read(branch, part, length + at, places)
            logits = found[-1] if ends else logits
        return State(logits, length + len(array), branch)

    def fork(self, states: Sequence[State]) -> list[State]:
        """See :meth:`irsmith.infer.engine.Engine.fork`."""
        rows: dict[Tree, list[int]] = {}
        for row, state in enumerate(states):
            rows.setdefault(state.cache.tree, []).append(row)
        moved: dict[int, Branch] = {}
        alone: list[int] = []
        for of in rows.values():
            branches = [states[row].cache for row in of]
            if len(of) == 1 or _long(branches):
                alone += of
            else:
                moved |= dict(zip(of, _together(self, branches), strict=True))
        apart = _apart(self, [states[row].cache for row in alone])
        moved |= dict(zip(alone, apart, strict=True))
        return [State(s.logits, s.length, moved[row]) for row, s in enumerate(states)]

    def step(self, states: Sequence[State], ids: Sequence[int]) -> list[State]:
        """See :meth:`irsmith.infer.engine.Engine.step`."""
        if not states:
            return []
        array = check_ids(ids, 0, self._shape)
        check_window(max(state.length for state in states) + 1, self._shape)
        rows: dict[Tree, list[int]] = {}
        for row, state in enumerate(states):
            rows.setdefault(state.cache.tree, []).append(row)
        calls = [
            self._widen(tree, array[of], [states[row] for row in of]) for tree, of in rows.items()
        ]
        after: list[State | None] = [None] * len(states)
        for call, of, logits in zip(calls, rows.values(), self.compute(calls), strict=True):
            for new, row in enumerate(of):
                branch = states[row].cache.then(call.tree.length + new, 1)
                after[row] = State(logits[new], states[row].length + 1, branch)
            call.tree.length += len(of)
        return [state for state in after if state is not None]

    def scores(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """See :meth:`irsmith.infer.engine.Engine.scores`."""
        array = check_ids(ids, 0, self._shape)
        branch = Branch(Tree(), 0, _NONE)
        found = np.empty(len(array) - 1, np.float32)
        for at in range(0, len(array) - 1, CHUNK):
            part = array[at : min(at + CHUNK, len(array) - 1)]
            logits, branch = self._read(branch, part, at, np.arange(len(part)))
            next_ = array[at + 1 : at + 1 + len(part)]
            found[at : at + len(part)] = log_probabilities(logits)[np.arange(len(part)), next_]
        return found

    def _read(
        self, branch: Branch, ids: NDArray[np.int64], before: int, places: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], Branch]:
        """Tokens that follow each other behind a branch."""
        tree, new = branch.tree, len(ids)
        bias = self._bias(tree, [branch] * new, new)
        bias[:, tree.length :] = np.triu(np.full((new, new), HIDDEN), 1)
        positions = np.arange(before, before + new)
        (logits,) = self.compute([Call(tree, ids, positions, bias, places)])
        branch = branch.then(tree.length, new)
        tree.length += new
        return logits, branch

    def _widen(self, tree: Tree, ids: NDArray[np.int64], states: Sequence[State]) -> Call:
        """Tokens that do not see each other, one behind each state."""
        new = len(states)
        bias = self._bias(tree, [state.cache for state in states], new)
        bias[np.arange(new), tree.length + np.arange(new)] = 0
        positions = np.array([state.length for state in states], np.int64)
        return Call(tree, ids, positions, bias, np.arange(new))

    def _bias(self, tree: Tree, branches: Sequence[Branch], new: int) -> NDArray[np.float32]:
        """Each branch sees its own tokens; the new ones are hidden."""
        total = tree.length + new
        if total > tree.capacity:
            # With room to go on: buffers are copied when they grow.
            room = total + max(CHUNK, total // 2)
            source = Source(tree.held, tree.length, _NONE) if tree.held is not None else None
            tree.held = self.hold(room, source)
            tree.capacity = room
        start = min(branch.start for branch in branches)
        bias = np.full((new, total), HIDDEN, np.float32)
        bias[:, :start] = 0
        for row, branch in enumerate(branches):
            bias[row, start : branch.start] = 0
            bias[row, branch.rest] = 0
        return bias


def _long(branches: Sequence[Branch]) -> bool:
    """Whether rows of one tree are faster in trees of their own.

    In a tree each token looks at all of it, seen or not.
    """
    shared = min(branch.start for branch in branches)
    # As long as they will be on average until somebody asks again.
    own = (1 + LATER) / 2 * sum(len(branch) - shared for branch in branches)
    count = len(branches)
    return count * (shared + own) > SHARED * (count * shared + own)


def _together(engine: TreeEngine, branches: Sequence[Branch]) -> list[Branch]:
    """Branches of one tree in a new tree, which holds nothing else."""
    start = min(branch.start for branch in branches)
    every = np.unique(np.concatenate([branch.slots() for branch in branches]))
    tree = Tree()
    tree.length = len(every)
    tree.capacity = tree.length + max(CHUNK, tree.length // 2)
    source = Source(branches[0].tree.held, start, every[start:])
    tree.held = engine.hold(tree.capacity, source)
    moved = []
    for branch in branches:
        slots = np.searchsorted(every, branch.slots()).astype(np.int32)
        moved.append(Branch(tree, start, slots[start:]))
    return moved


def _apart(engine: TreeEngine, branches: Sequence[Branch]) -> list[Branch]:
    """Each branch in a tree of its own."""
    if not branches:
        return []
    longest = max(map(len, branches))
    # Room until somebody asks again, but not more: memory is slow to touch for the first time.
    own = max(len(branch.rest) for branch in branches)
    later = (LATER - 1) * own if own else max(longest, LATER * CHUNK)
    capacity = longest + max(CHUNK, min(later, engine.shape.context - longest))
    rows = [Source(branch.tree.held, branch.start, branch.rest) for branch in branches]
    moved = []
    for branch, held in zip(branches, engine.hold_rows(capacity, rows), strict=True):
        tree = Tree()
        tree.length, tree.capacity, tree.held = len(branch), capacity, held
        moved.append(Branch(tree, len(branch), _NONE))
    return moved
