"""Samples of an answer: many rows behind one prompt, each with its own chance.

The prompt is computed once. A row that ends leaves, and where more are wanted than are
computed together the next one takes its seat. Row number i draws from a generator that is
made of the seed and i alone, so its tokens do not depend on the rows beside it (but for
draws at the very edge between two tokens: logits differ in their last digits between batch
sizes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from irsmith.infer.engine import Engine, State, log_probabilities
from irsmith.infer.tree import LATER
from irsmith.records import IrsmithError

_APART = 64
"""Tokens after which rows may be laid apart for the first time."""
_LIKELY = 512
"""Tokens that are sorted at first to find those within top-p."""
_TRIES = 256
"""Tokens that are drawn for one place at most, where rules refuse them."""
_BACK = 64
"""Tokens of an answer that can be taken back, one after the other."""
_TAKEN_BACK = 128
"""Tokens that are taken back in one answer at most."""


class Rules(Protocol):
    """What answers are allowed: a grammar of lists, or of names."""

    @property
    def start(self) -> Any:
        """Where an answer begins."""

    def allowed(self, place: Any) -> NDArray[np.int64]:
        """The tokens that may come next, each once."""

    def after(self, place: Any, token: int) -> Any:
        """The place behind a token; its ``over`` says whether the answer has ended.

        None if the token may not come after all: what is dear to know is only looked at here,
        for tokens that were drawn, and another one is drawn instead.
        """


@dataclass(frozen=True, slots=True)
class Settings:
    """How to draw.

    Attributes:
        temperature: logits are divided by it; 0 takes the likeliest token.
        top_p: the likeliest tokens that together have this probability, drawn from alone.
        longest: tokens of an answer at most.
        loops: an answer is given up once so many tokens at its end are one phrase, of at most
            an eighth of them, over and over; 0: never.
        seed: of all rows.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    longest: int = 512
    loops: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn with."""
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.longest < 1 or self.loops < 0:
            raise IrsmithError(
                "sampling: temperature must be at least 0, top-p above 0 and at most 1, "
                "the longest answer at least 1 token, the length of a loop not negative"
            )


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer that was drawn.

    Attributes:
        row: its number.
        ids: its tokens, the one that ended it included.
        log_probability: natural, of the model as it is (temperature 1, no grammar).
        ended: whether it ended by itself; else it was cut at the longest length, or
            repeated itself.
        stuck: whether rules left no way to go on.
    """

    row: int
    ids: tuple[int, ...]
    log_probability: float
    ended: bool
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class _Past:
    """A row in front of a token.

    Attributes:
        state: of the engine.
        place: of the rules.
        log_probability: of what stands before.
        refused: tokens that led nowhere.
    """

    state: State
    place: Any
    log_probability: float
    refused: frozenset[int]


@dataclass(slots=True)
class _Row:
    number: int
    state: State
    chance: np.random.Generator
    place: Any
    ids: list[int] = field(default_factory=list)
    log_probability: float = 0.0
    refused: frozenset[int] = frozenset()
    past: deque[_Past] = field(default_factory=lambda: deque(maxlen=_BACK))
    left: int = _TAKEN_BACK

    def take_back(self) -> bool:
        """Undo the last token, which may not come again; False if that cannot be."""
        if not self.past or not self.left:
            return False
        last = self.past.pop()
        self.left -= 1
        self.state, self.place, self.log_probability = last.state, last.place, last.log_probability
        self.refused = last.refused | {self.ids.pop()}
        return True


def sample(
    engine: Engine,
    state: State,
    count: int,
    ends: Collection[int],
    settings: Settings | None = None,
    *,
    grammar: Rules | None = None,
    batch: int = 16,
    stop: Callable[[Sample], bool] | None = None,
) -> list[Sample]:
    """Draw answers behind a prompt.

    Args:
        engine: computes.
        state: behind the prompt.
        count: of answers.
        ends: ids that end one.
        settings: how to draw.
        grammar: allows only answers of its own; these end where it says so.
        batch: rows that are computed together.
        stop: called with each answer when it is there; True ends everything.

    Returns:
        The answers by their number; those that were stopped are missing.

    Raises:
        IrsmithError: the engine knows no probability for any token that is allowed.
    """
    how = settings or Settings()
    room = min(how.longest, engine.shape.context - state.length)
    done: list[Sample] = []
    rows: list[_Row] = []
    begun = steps = 0
    apart = _APART
    if room <= 0:
        raise IrsmithError("the prompt fills the window: there is no room for an answer")
    (state,) = engine.fork([state])
    while True:
        while len(rows) < batch and begun < count:
            place = grammar.start if grammar else None
            rows.append(_Row(begun, state, _chance(how.seed, begun), place))
            begun += 1
        if not rows:
            break
        left = []
        for row in rows:
            token = _draw(row, how, grammar)
            ended = row.place.over if grammar and row.place else token in ends
            going = token is not None and not ended and len(row.ids) < room
            if going and not _loops(row.ids, how.loops):
                left.append(row)
                continue
            ids = tuple(row.ids)
            made = Sample(row.number, ids, row.log_probability, ended, token is None)
            done.append(made)
            if stop and stop(made):
                return sorted(done, key=lambda one: one.row)
        states = [row.state for row in left]
        steps += 1
        if steps == apart:
            states, apart = engine.fork(states), LATER * apart
        after = engine.step(states, [row.ids[-1] for row in left])
        for row, next_ in zip(left, after, strict=True):
            row.state = next_
        rows = left
    return sorted(done, key=lambda one: one.row)


def _loops(ids: list[int], length: int) -> bool:
    """Whether the last ids repeat a phrase; looked at now and then, since it costs time."""
    if not length or len(ids) < length or len(ids) % 16:
        return False
    tail = ids[-length:]
    return any(tail[phrase:] == tail[:-phrase] for phrase in range(1, length // 8 + 1))


def _chance(seed: int, row: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence((seed, row)))


def _draw(row: _Row, how: Settings, grammar: Rules | None) -> int | None:
    """The row's next token, noted in the row; None if rules leave none.

    Where they refuse all that are drawn, the token before led nowhere: it is taken back.
    """
    if grammar is None or not row.place:
        token = _pick(_possible(row.state.logits), how, row.chance)
    else:
        while (found := _fitting(row, how, grammar)) is None:
            if not row.take_back():
                return None
        token, place = found
        row.past.append(_Past(row.state, row.place, row.log_probability, row.refused))
        row.place, row.refused = place, frozenset()
    row.log_probability += float(log_probabilities(row.state.logits)[token])
    row.ids.append(token)
    return token


def _fitting(row: _Row, how: Settings, grammar: Rules) -> tuple[int, Any] | None:
    """A token that rules let stand here, and the place behind it."""
    allowed = grammar.allowed(row.place)
    choice = _possible(row.state.logits[allowed])
    for token in row.refused:
        choice[allowed == token] = -np.inf
    for _ in range(_TRIES):
        if not np.isfinite(choice).any():
            return None
        drawn = _pick(choice, how, row.chance)
        place = grammar.after(row.place, int(allowed[drawn]))
        if place is not None:
            return int(allowed[drawn]), place
        choice[drawn] = -np.inf
    return None


def _possible(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(logits).any():
        raise IrsmithError("the engine gives no token that may come next any probability")
    return logits


def _pick(logits: NDArray[np.float32], how: Settings, chance: np.random.Generator) -> int:
    """The place of a drawn token; one number of the generator is used whatever happens."""
    at = chance.random()
    if how.temperature == 0:
        return int(logits.argmax())
    weights = np.exp((logits - logits.max()) / np.float32(how.temperature), dtype=np.float64)
    if how.top_p == 1:
        return _place(weights, at)
    wanted = how.top_p * weights.sum()
    likely = np.arange(len(weights))
    if len(weights) > _LIKELY:
        likely = np.argpartition(-weights, _LIKELY)[:_LIKELY]
        if weights[likely].sum() < wanted:
            likely = np.arange(len(weights))
    # By weight, then by id, so that the order does not depend on how many were sorted.
    likely = likely[np.lexsort((likely, -weights[likely]))]
    kept = int(np.searchsorted(weights[likely].cumsum(), wanted)) + 1
    return int(likely[_place(weights[likely[:kept]], at)])


def _place(weights: NDArray[np.float64], at: float) -> int:
    """Where a number of 0 to 1 falls among weights laid side by side."""
    edges = weights.cumsum()
    found = int(np.searchsorted(edges, at * edges[-1], side="right"))
    return min(found, int(np.flatnonzero(weights)[-1]))
