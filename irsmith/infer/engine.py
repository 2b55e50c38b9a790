"""The contract of an engine: prefill, fork, step, scores.

A :class:`State` is a place in a text: what comes next there, and whatever the engine keeps
of the tokens before. States are values: stepping one leaves it as it was, so it may be
stepped again, later or many times at once, and a search may go back to any place that it
has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from irsmith.model.config import ModelConfig
from irsmith.records import IrsmithError

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A place in a text.

    Attributes:
        logits: (vocabulary,) of the next token. An engine that knows only log-probabilities
            gives those, and minus infinity for tokens that it was not told of.
        length: tokens so far.
        cache: the engine's own.
    """

    logits: Logits
    length: int
    cache: Any


class Engine(Protocol):
    """What runs the network."""

    @property
    def shape(self) -> ModelConfig:
        """The network's."""

    def prefill(self, ids: Sequence[int], after: State | None = None) -> State:
        """Read tokens.

        Args:
            ids: at least one.
            after: the place where they stand; None: they begin a text.

        Raises:
            IrsmithError: there are none, one is out of range, or the text does not fit
                the window.
        """

    def fork(self, states: Sequence[State]) -> list[State]:
        """The same states in memory of their own.

        What is computed behind them depends to the last bit on them alone, not on what else
        was asked of the states that were given. Rows whose own texts have grown long are
        laid apart where that is faster. Sixteen rows of one prompt: ``fork([state] * 16)``
        copies the prompt's part once.

        Args:
            states: of this engine, any of them any number of times.
        """

    def step(self, states: Sequence[State], ids: Sequence[int]) -> list[State]:
        """One more token for each of some states, computed together.

        Args:
            states: of this engine, any of them any number of times, of any texts.
            ids: the token behind each.

        Raises:
            IrsmithError: as :meth:`prefill`.
        """

    def scores(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Log-probability of each token but the first, given those before it.

        Returns:
            (tokens - 1,).

        Raises:
            IrsmithError: as :meth:`prefill`; or the engine cannot tell.
        """


def log_probabilities(logits: Logits) -> Logits:
    """Log-probabilities of logits, along the last axis; minus infinity stays.

    Sums are taken in float64: those of 16 k small numbers lose digits otherwise.
    """
    most = logits.max(axis=-1, keepdims=True)
    shifted = logits - most
    total = np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float64)
    result: Logits = shifted - np.log(total).astype(np.float32)
    return result


def check_ids(ids: Sequence[int], before: int, shape: ModelConfig) -> NDArray[np.int64]:
    """Tokens as an array.

    Args:
        ids: that are to be read.
        before: tokens before them.
        shape: of the network.

    Raises:
        IrsmithError: there are none, one is out of range, or they do not fit the window.
    """
    array = np.asarray(ids, np.int64)
    if not array.size:
        raise IrsmithError("no tokens to read")
    if array.min() < 0 or array.max() >= shape.vocabulary:
        raise IrsmithError(
            f"token id {int(array.max())} is not within the vocabulary of {shape.vocabulary}: "
            "not this model's tokenizer"
        )
    check_window(before + array.size, shape)
    return array


def check_window(tokens: int, shape: ModelConfig) -> None:
    """Refuse a text that does not fit.

    Raises:
        IrsmithError: it has more tokens than the window.
    """
    if tokens > shape.context:
        raise IrsmithError(
            f"a text of {tokens} tokens does not fit the model's window of {shape.context}"
        )
