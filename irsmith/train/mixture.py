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
from irsmith.train.packing import ANSWERS, Learning, Plan, pack

IGNORED = -100
"""The target of a place that does not count, as torch's cross-entropy has it."""


@dataclass(frozen=True)
class Batch:
    """Sequences, ready for the network; arrays are (sequences, context).

    Attributes:
        tokens: input ids; the end id where a sequence is not full.
        targets: the ids that follow, or :data:`IGNORED`.
        documents: number of the document within the sequence.
        counts: how much each place's loss counts: 0 or 1, more behind a prompt whose
            answer is probabilities.
        groups: task and target of each place, as :attr:`PIECE` numbers them; -1: empty.
        soft_places: (sequences, some), places with probabilities; filled up with 0.
        soft: (sequences, some, choices), the probabilities; zeros where filled up.
        choices: ids that these are the probabilities of.
        pairs: sum over places in use of the places that each attends to.
        used: places in use.
    """

    tokens: NDArray[np.int64]
    targets: NDArray[np.int64]
    documents: NDArray[np.int64]
    counts: NDArray[np.float32]
    groups: NDArray[np.int64]
    soft_places: NDArray[np.int64]
    soft: NDArray[np.float32]
    choices: NDArray[np.int64]
    pairs: float
    used: int


_SOFT_ROOM = 32
"""``Batch.soft`` grows by so many places: few shapes, so that compiled code is reused."""


def assemble(
    chosen: Iterable[tuple[PackedData, NDArray[np.void]]],
    context: int,
    end: int,
    ranking: float = 1.0,
) -> Batch:
    """Read sequences.

    Args:
        chosen: for each sequence, the data and its pieces.
        context: places in a sequence.
        end: fills up.
        ranking: how much probabilities count.
    """
    rows = list(chosen)
    shape = (len(rows), context)
    tokens = np.full(shape, end, np.int64)
    targets = np.full(shape, IGNORED, np.int64)
    documents = np.zeros(shape, np.int64)
    counts = np.zeros(shape, np.float32)
    groups = np.full(shape, -1, np.int64)
    soft_places, soft, choices = _soft_room(rows)
    pairs, used = 0.0, 0
    for row, (data, pieces) in enumerate(rows):
        at = given = 0
        for number, piece in enumerate(pieces):
            length, learned, likely = (int(piece[name]) for name in ("inputs", "learned", "soft"))
            ids = data.read(int(piece["start"]), length + 1)
            tokens[row, at : at + length] = ids[:-1]
            stop = length - bool(likely)
            targets[row, at + learned : at + stop] = ids[1 + learned : 1 + stop]
            counts[row, at + learned : at + stop] = 1
            if likely:
                counts[row, at + stop] = ranking
                soft_places[row, given] = at + stop
                soft[row, given] = data.soft[likely - 1]
                given += 1
            documents[row, at : at + length] = number
            groups[row, at : at + length] = int(piece["group"])
            pairs += length * (length + 1) / 2
            at += length
        documents[row, at:] = len(pieces)
        used += at
    return Batch(
        tokens, targets, documents, counts, groups, soft_places, soft, choices, pairs, used
    )


def _soft_room(
    rows: Sequence[tuple[PackedData, NDArray[np.void]]],
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Empty places and probabilities for some sequences, and the choices."""
    most = max((int((pieces["soft"] > 0).sum()) for _, pieces in rows), default=0)
    room = -(-most // _SOFT_ROOM) * _SOFT_ROOM
    choices = next((data.meta.choices for data, pieces in rows if pieces["soft"].any()), ())
    soft = np.zeros((len(rows), room, len(choices)), np.float32)
    return np.zeros((len(rows), room), np.int64), soft, np.array(choices, np.int64)


class Mixture:
    """An endless stream of sequences from weighted sources.

    Args:
        sources: folders and their weights; weights need not sum to 1.
        context: places in a sequence.
        seed: decides the order.
        learning: what counts.

    Attributes:
        places: for each source its epoch, the sequences given of it, and of all epochs: the
            whole state of the stream, which may be set.

    Raises:
        IrsmithError: the sources were made with different tokenizers.
    """

    def __init__(
        self,
        sources: Sequence[tuple[PackedData, float]],
        context: int,
        seed: int,
        learning: Learning = ANSWERS,
    ) -> None:
        self._data = [data for data, _ in sources]
        first = self._data[0]
        for data in self._data[1:]:
            one, two = (
                (meta.tokenizer, meta.vocabulary, meta.end, meta.choices)
                for meta in (data.meta, first.meta)
            )
            if one != two:
                raise IrsmithError(
                    f"{data.folder} and {first.folder} were made with different tokenizers"
                )
        weights = np.array([weight for _, weight in sources])
        self._weights = weights / weights.sum()
        self.context, self._seed, self._learning = context, seed, learning
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
            held = (epoch, pack(self._data[source], self.context, seed, self._learning))
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

    def batch(self, sequences: int, rank: int = 0, world: int = 1) -> tuple[Batch, float]:
        """The next sequences of the stream.

        Args:
            sequences: of the whole batch, over all processes; a multiple of ``world``.
            rank: this process.
            world: number of processes.

        Returns:
            This process's share, and what the counts of the whole batch come to.
        """
        chosen, learned = [], 0.0
        share = sequences // world
        for place in range(sequences):
            source, plan, index = self._next()
            learned += float(plan.learned[index])
            if place // share == rank:
                chosen.append((self._data[source], plan.sequence(index)))
        end, ranking = self._data[0].meta.end, self._learning.ranking
        return assemble(chosen, self.context, end, ranking), learned
