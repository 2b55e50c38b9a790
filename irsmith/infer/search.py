"""The k most likely answers, in order: best-first search over a grammar.

An answer's probability is the model's own for its tokens, not scaled to what the grammar
allows; so the order is that of the model's probabilities given that the answer is valid.
Each further token can only make a text less likely: a partial answer's log-probability
bounds every completion (A* with the bound 0; Hart, Nilsson and Raphael, 1968). What is found
first is therefore provably the most likely, what is found next the next, and no answer is
found twice.

Where the model is unsure that may take for ever, so work is bounded. Then the best partial
answers are completed by beam search, and these answers are marked as not proven.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from irsmith.infer.engine import Engine, State, log_probabilities
from irsmith.infer.grammar import Grammar, Place

_UNLIKELY = -1e4
"""In place of minus infinity: an engine that was told only the likeliest tokens."""


@dataclass(frozen=True, slots=True)
class Found:
    """One answer.

    Attributes:
        ids: its tokens, the one that ends it included.
        log_probability: natural; of a list, of stopping there in either way.
        proven: whether no answer that is missing before it is more likely.
    """

    ids: tuple[int, ...]
    log_probability: float
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Search:
    """What was found.

    Attributes:
        found: most likely first.
        steps: tokens that were computed.
        exhausted: whether there are no more answers.
    """

    found: tuple[Found, ...]
    steps: int
    exhausted: bool


@dataclass(frozen=True, slots=True)
class _Partial:
    """A partial answer whose last token was not computed yet.

    Attributes:
        ids: so far.
        before: the state in front of the last one.
        place: in the grammar, behind the last one.
        log_probability: of ``ids``.
    """

    ids: tuple[int, ...]
    before: State
    place: Place
    log_probability: float


def best_answers(
    engine: Engine,
    state: State,
    grammar: Grammar,
    count: int,
    steps: int = 1024,
    width: int = 4,
    same: Callable[[tuple[int, ...]], object] | None = None,
) -> Search:
    """The most likely answers.

    Args:
        engine: computes.
        state: behind the prompt.
        grammar: says what an answer is.
        count: of answers wanted.
        steps: tokens to compute at most before the rest is found by beam search.
        width: partial answers that are computed together; the order does not depend on it.
        same: a key by which answers with different tokens are one answer; the first counts.

    Returns:
        Up to ``count`` answers; fewer only if there are no more.
    """
    found: list[Found] = []
    seen: set[object] = set()

    def add(partial: _Partial, proven: bool) -> None:
        key = same(partial.ids) if same else partial.ids
        if key not in seen:
            seen.add(key)
            found.append(Found(partial.ids, partial.log_probability, proven))

    (state,) = engine.fork([state])
    heap = [(-p.log_probability, p.ids, p) for p in _first(state, grammar)]
    heapq.heapify(heap)
    spent = 0
    while heap and len(found) < count:
        if heap[0][2].place.over:
            add(heapq.heappop(heap)[2], proven=True)
            continue
        if spent >= steps:
            break
        chosen: list[_Partial] = []
        while heap and len(chosen) < min(width, steps - spent) and not heap[0][2].place.over:
            chosen.append(heapq.heappop(heap)[2])
        spent += len(chosen)
        for partial in _expand(engine, grammar, chosen):
            heapq.heappush(heap, (-partial.log_probability, partial.ids, partial))
    exhausted = not heap and len(found) < count
    if len(found) < count and heap:
        wanted = count - len(found)
        partials = [entry[2] for entry in heapq.nsmallest(4 * wanted, heap)]
        finished, more = _beam(engine, grammar, partials, wanted)
        spent += more
        for partial in finished:
            if len(found) < count:
                add(partial, proven=False)
    return Search(tuple(found), spent, exhausted)


def _beam(
    engine: Engine, grammar: Grammar, partials: list[_Partial], width: int
) -> tuple[list[_Partial], int]:
    """Complete partial answers, the likeliest ``width`` of each length."""
    over: list[_Partial] = []
    spent = 0
    while partials:
        over += [partial for partial in partials if partial.place.over]
        over = sorted(over, key=_order)[:width]
        open_ = sorted((p for p in partials if not p.place.over), key=_order)[:width]
        if len(over) == width:
            # What is less likely than all that are over cannot come to be among them.
            open_ = [p for p in open_ if p.log_probability > over[-1].log_probability]
        spent += len(open_)
        partials = _expand(engine, grammar, open_)
    return over, spent


def _order(partial: _Partial) -> tuple[float, tuple[int, ...]]:
    return -partial.log_probability, partial.ids


def _first(state: State, grammar: Grammar) -> list[_Partial]:
    return _children(grammar, (), state, grammar.start, 0.0)


def _expand(engine: Engine, grammar: Grammar, partials: Sequence[_Partial]) -> list[_Partial]:
    """Compute the last token of partial answers; all that may follow each."""
    after = engine.step([p.before for p in partials], [p.ids[-1] for p in partials])
    return [
        child
        for partial, state in zip(partials, after, strict=True)
        for child in _children(grammar, partial.ids, state, partial.place, partial.log_probability)
    ]


def _children(
    grammar: Grammar, ids: tuple[int, ...], state: State, place: Place, so_far: float
) -> list[_Partial]:
    """Every token that may follow; both ways to end a list are one child."""
    allowed = grammar.allowed(place)
    likely = np.maximum(log_probabilities(state.logits)[allowed], _UNLIKELY).astype(np.float64)
    children, stop = [], -np.inf
    for token, value in zip(allowed.tolist(), likely.tolist(), strict=True):
        if token in grammar.stops:
            stop = float(np.logaddexp(stop, value))
            continue
        after = grammar.after(place, token)
        if value > _UNLIKELY:
            children.append(_Partial((*ids, token), state, after, so_far + value))
    if stop > -np.inf:
        end = grammar.stops[-1]
        children.append(_Partial((*ids, end), state, grammar.after(place, end), so_far + stop))
    return children
