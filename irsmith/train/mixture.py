"""Sequences for training from several folders, in an order that depends on the seed alone.

Which folder gives the next sequence is decided by weight, without chance: the one that is
furthest behind its share. So a run of any number of processes, killed and resumed
anywhere, sees the same sequences in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irsmith.records import IrsmithError
from irsmith.train.data import PackedData
from irsmith.train.packing import Plan, pack

IGNORED = -100
"""The target of a place that does not count, as torch's cross-entropy has it."""


@dataclass(frozen=True)
class Batch:
    """Sequences, ready for the network; every array is (sequences, context).

    Attributes:
        tokens: input ids; the end id where a sequence is not full.
        targets: the ids that follow, or :data:`IGNORED`.
        documents: number of the document within the sequence.
        groups: task and target of each place, as :attr:`PIECE` numbers them; -1: empty.
        pairs: sum over places in use of the places that each attends to.
        used: places in use.
    """

    tokens: NDArray[np.int64]
    targets: NDArray[np.int64]
    documents: NDArray[np.int64]
    groups: NDArray[np.int64]
    pairs: float
    used: int


def assemble(
    chosen: Iterable[tuple[PackedData, NDArray[np.void]]], context: int, end: int
) -> Batch:
    """Read sequences: for each, the data and its pieces."""
    rows = list(chosen)
    shape = (len(rows), context)
    tokens = np.full(shape, end, np.int64)
    targets = np.full(shape, IGNORED, np.int64)
    documents = np.zeros(shape, np.int64)
    groups = np.full(shape, -1, np.int64)
    pairs, used = 0.0, 0
    for row, (data, pieces) in enumerate(rows):
        at = 0
        for number, piece in enumerate(pieces):
            length, learned = int(piece["inputs"]), int(piece["learned"])
            ids = data.read(int(piece["start"]), length + 1)
            tokens[row, at : at + length] = ids[:-1]
            targets[row, at + learned : at + length] = ids[1 + learned :]
            documents[row, at : at + length] = number
            groups[row, at : at + length] = int(piece["group"])
            pairs += length * (length + 1) / 2
            at += length
        documents[row, at:] = len(pieces)
        used += at
    return Batch(tokens, targets, documents, groups, pairs, used)


class Mixture:
    """An endless stream of sequences from weighted sources.

    Args:
        sources: folders and their weights; weights need not sum to 1.
        context: places in a sequence.
        seed: decides the order.

    Attributes:
        places: for each source its epoch, the sequences given of it, and of all epochs: the
            whole state of the stream, which may be set.

    Raises:
        IrsmithError: the sources were made with different tokenizers.
    """

    def __init__(
        self, sources: Sequence[tuple[PackedData, float]], context: int, seed: int
    ) -> None:
        self._data = [data for data, _ in sources]
        first = self._data[0]
        for data in self._data[1:]:
            one, two = data.meta, first.meta
            if (one.tokenizer, one.vocabulary, one.end) != (two.tokenizer, two.vocabulary, two.end):
                raise IrsmithError(
                    f"{data.folder} and {first.folder} were made with different tokenizers"
                )
        weights = np.array([weight for _, weight in sources])
        self._weights = weights / weights.sum()
        self.context, self._seed = context, seed
        self.places = [(0, 0, 0)] * len(sources)
        self._plans: list[tuple[int, Plan] | None] = [None] * len(sources)

    def left_out(self) -> int:
        """Documents of all sources that are longer than the context and may not be cut."""
        return sum(self._plan(source, 0).left_out for source in range(len(self._data)))

    def _plan(self, source: int, epoch: int) -> Plan:
        held = self._plans[source]
        if held is None or held[0] != epoch:
            # One seed an epoch and source, so that no epoch repeats another's order.
            seed = int(np.random.SeedSequence([self._seed, source, epoch]).generate_state(1)[0])
            held = (epoch, pack(self._data[source], self.context, seed))
            self._plans[source] = held
        return held[1]

    def _next(self) -> tuple[int, Plan, int]:
        taken = np.array([total for _, _, total in self.places])
        source = int((self._weights * (taken.sum() + 1) - taken).argmax())
        epoch, index, total = self.places[source]
        plan = self._plan(source, epoch)
        if index == len(plan):
            epoch, index = epoch + 1, 0
            plan = self._plan(source, epoch)
        self.places[source] = (epoch, index + 1, total + 1)
        return source, plan, index

    def batch(self, sequences: int, rank: int = 0, world: int = 1) -> tuple[Batch, int]:
        """The next sequences of the stream.

        Args:
            sequences: of the whole batch, over all processes; a multiple of ``world``.
            rank: this process.
            world: number of processes.

        Returns:
            This process's share, and the number of counted targets in the whole batch.
        """
        chosen, learned = [], 0
        share = sequences // world
        for place in range(sequences):
            source, plan, index = self._next()
            learned += int(plan.learned[index])
            if place // share == rank:
                chosen.append((self._data[source], plan.sequence(index)))
        return assemble(chosen, self.context, self._data[0].meta.end), learned
