"""Which documents share a sequence: a seeded order, packed best-fit.

A document of ``n`` tokens takes ``n - 1`` places: each but the last is an input, each but
the first a target, so that no document predicts another's beginning.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irsmith.records import IrsmithError
from irsmith.train.data import PackedData

OPEN_SEQUENCES = 64
"""Sequences that wait for a document that fits: with 64, under 2 % of places stay empty on
the lengths of functions; the most that is remembered, so that order stays random."""

PIECE = np.dtype(
    [
        ("start", "<i8"),  # first input token
        ("inputs", "<i4"),  # places taken
        ("learned", "<i4"),  # first place whose target counts
        ("group", "<i4"),  # task and target, as one number
        ("bytes", "<f8"),  # bytes of text that the counted targets stand for
        ("soft", "<u4"),  # row of probabilities behind the last place, from 1; 0: none
    ]
)


@dataclass(frozen=True, slots=True)
class Learning:
    """What counts.

    Attributes:
        prompts: whether prompts are learned too, not only answers.
        ranking: how many tokens the probabilities behind a prompt count as.
    """

    prompts: bool = False
    ranking: float = 1.0


ANSWERS = Learning()
"""Answers alone, as validation measures them."""


@dataclass(frozen=True)
class Plan:
    """The sequences of one epoch.

    Attributes:
        pieces: rows of :data:`PIECE`: documents, or parts of long ones.
        members: places in ``pieces``, sequence after sequence.
        bounds: sequence ``i`` is ``members[bounds[i]:bounds[i + 1]]``.
        left_out: documents that were longer than the context and may not be cut.
        learning: what counts.
    """

    pieces: NDArray[np.void]
    members: NDArray[np.int64]
    bounds: NDArray[np.int64]
    left_out: int
    learning: Learning

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.bounds) - 1

    def sequence(self, index: int) -> NDArray[np.void]:
        """The pieces of one sequence."""
        rows: NDArray[np.void] = self.pieces[
            self.members[self.bounds[index] : self.bounds[index + 1]]
        ]
        return rows

    @cached_property
    def learned(self) -> NDArray[np.float64]:
        """Targets that count, a sequence; probabilities as much as :attr:`learning` says."""
        soft = self.pieces["soft"] > 0
        hard = self.pieces["inputs"] - self.pieces["learned"] - soft
        counted = (hard + soft * self.learning.ranking)[self.members]
        total = np.concatenate(([0.0], np.cumsum(counted)))
        return total[self.bounds[1:]] - total[self.bounds[:-1]]


def cut(
    data: PackedData, context: int, learning: Learning = ANSWERS
) -> tuple[NDArray[np.void], int]:
    """Documents as pieces that fit a context.

    Where every token is learned a long document is cut; where an answer is, half an
    example teaches the wrong thing, so it is left out.

    Returns:
        Rows of :data:`PIECE` in the data's order, and the number of documents left out.
    """
    rows = data.documents
    inputs = rows["tokens"].astype(np.int64) - 1
    fits = inputs <= context
    whole = fits | (rows["answer"] == 0)
    kept, inputs = rows[whole], inputs[whole]
    parts = np.maximum(1, -(-inputs // context))
    which = np.repeat(np.arange(len(kept)), parts)
    part = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    pieces = np.zeros(len(which), PIECE)
    pieces["start"] = kept["start"][which].astype(np.int64) + part * context
    pieces["inputs"] = np.minimum(inputs[which] - part * context, context)
    # The target of place p is token p + 1, so learning begins one place before the answer.
    if not learning.prompts:
        pieces["learned"] = np.maximum(kept["answer"].astype(np.int64) - 1, 0)[which]
    pieces["soft"] = kept["soft"][which]
    pieces["group"] = (kept["task"].astype(np.int32) * 256 + kept["target"])[which]
    learned = np.maximum(inputs - np.maximum(kept["answer"].astype(np.int64) - 1, 0), 1)
    share = (pieces["inputs"] - pieces["learned"]) / learned[which]
    pieces["bytes"] = kept["bytes"][which] * share
    return pieces, int((~whole).sum())


def pack(data: PackedData, context: int, seed: int | None, learning: Learning = ANSWERS) -> Plan:
    """Pack all documents into sequences.

    Args:
        data: the documents.
        context: places in a sequence.
        seed: decides the order; equal seeds give equal plans on every machine. None: the
            data's own order.
        learning: what counts.

    Raises:
        IrsmithError: no document fits.
    """
    pieces, left_out = cut(data, context, learning)
    random = None if seed is None else np.random.default_rng([0x1A5, seed])
    order = np.arange(len(pieces)) if random is None else random.permutation(len(pieces))
    closed: list[list[int]] = []
    waiting: list[tuple[int, int, list[int]]] = []  # places free, a number, members
    for number, piece in enumerate(order.tolist()):
        need = int(pieces["inputs"][piece])
        if need == 0:
            continue
        at = bisect_left(waiting, (need, -1, []))
        if at < len(waiting):
            free, first, members = waiting.pop(at)
        else:
            free, first, members = context, number, []
            if len(waiting) == OPEN_SEQUENCES:
                closed.append(waiting.pop(0)[2])
        members.append(piece)
        if free == need:
            closed.append(members)
        else:
            insort(waiting, (free - need, first, members))
    closed += [members for _, _, members in waiting]
    if not closed:
        raise IrsmithError(f"{data.folder}: no document fits a context of {context} tokens")
    if random is not None:
        closed = [closed[i] for i in random.permutation(len(closed)).tolist()]
    bounds = np.concatenate(([0], np.cumsum([len(members) for members in closed])))
    flat = np.concatenate([np.array(part, np.int64) for part in closed])
    return Plan(pieces, flat, bounds.astype(np.int64), left_out, learning)
