"""Inputs for a function: drawn, run under guard, kept if they reach something new.

A small evolutionary loop. An input is a seed for the numbers that the guard draws and a
few of those numbers overridden; a child is its parent with a few more overridden. Equal
modules and seeds give equal inputs.
"""

from __future__ import annotations

import ctypes
import random
import struct
import zlib
from collections.abc import Callable
from ctypes import c_uint64
from dataclasses import dataclass, field
from typing import Any

from irsmith.check.differential.library import (
    ENDED,
    REASONS,
    RETURNED,
    SIGNALLED,
    TIMED_OUT,
    UNDEFINED,
    UNSUPPORTED,
    RawOutcome,
    Runtime,
    Suggestion,
    Word,
)

FUEL = 5_000
"""Blocks that one run may enter."""
RUNS, LONGEST, QUIET = 110, 400, 70
"""Runs of a function: at least, at most, and how many without anything new end the search.
A run on much memory counts for several."""
KEPT, PLAIN = 64, 24
"""Inputs kept of a function; of those that set no hidden variables, and of those that do, so
many may reach nothing new."""
STRAY = 6
"""Inputs of a function that are noted of each kind that is no good in a way that shows."""
_MOST_WORDS = 4096
_MOST_OVERRIDES = 64
_EXACT = 1 << 31
_MOST_SUGGESTIONS = 32
_NOTHING_GOOD = 60
"""Runs without a good one after which larger objects are tried."""
_SUGGESTION, _HASHES = struct.Struct("<I4xQ"), struct.Struct("<16x4Q")
_TRIES = 3
"""How often a suggestion is taken up."""


@dataclass(frozen=True, slots=True)
class Found:
    """An input that is good under guard.

    Attributes:
        words: see :class:`irsmith.check.differential.data.Input`.
        used: likewise.
        outcome: what the guarded run came to.
    """

    words: bytes
    used: int
    outcome: tuple[int, ...]


@dataclass(slots=True)
class Search:
    """What a search found.

    Attributes:
        found: good inputs, in the order in which they came up.
        tried: runs.
        reasons: why the others were no good.
        stray: the first of those that took too long, or followed a null pointer.
    """

    found: list[Found] = field(default_factory=list)
    tried: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    stray: list[Found] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Target:
    """A function under guard.

    Attributes:
        name: its name.
        index: its number in the guarded module.
        caller: address of the harness's function.
        address: its own.
        results: kinds of its results.
        parameters: array of ``struct parameter``.
        count: how many.
    """

    name: str
    index: int
    caller: int
    address: int
    results: bytes
    parameters: Any
    count: int


def search(runtime: Runtime, target: Target, covered: Any, effort: float, seed: int) -> Search:
    """Look for inputs of one function.

    Args:
        runtime: with the guarded build active.
        target: the function.
        covered: a byte for each block of the module, set when a good run reaches it.
        effort: scales the number of runs.
        seed: of everything drawn.
    """
    rng = random.Random(zlib.crc32(target.name.encode()) + seed)
    runtime.forget_features(covered)
    out, result = RawOutcome(), Search()
    words, used = (Word * _MOST_WORDS)(), c_uint64()
    suggested = (Suggestion * _MOST_SUGGESTIONS)()
    # Read as bytes: ctypes makes an object of each field, which takes longer than a run.
    seen, asked = memoryview(out).cast("B"), memoryview(suggested).cast("B")
    arguments = (
        *(target.caller, target.address, target.index, len(target.results), target.results),
        *(target.parameters, target.count, FUEL, ctypes.byref(out)),
    )
    parents: list[tuple[int, dict[int, int], int]] = []
    waiting: list[tuple[int, dict[int, int]]] = []
    taken: dict[tuple[int, int], int] = {}
    outcomes: set[tuple[int, ...]] = set()
    quiet = cost = 0
    stray = dict.fromkeys(("time-out", "too long", "null pointer"), 0)
    plain = [0, 0]
    poor = True
    least, most = int(RUNS * effort), int(LONGEST * effort)
    kept_most = int(KEPT * max(1.0, effort**0.5))
    while cost < most and (result.tried < least or quiet < QUIET * effort or poor):
        if result.tried == _NOTHING_GOOD and not result.found:
            runtime.largest()
        base, overrides = _next(rng, parents, waiting)
        count = len(overrides)
        runtime.draws(
            *(base, count, struct.pack(f"<{count}I", *overrides)),
            struct.pack(f"<{count}Q", *overrides.values()),
        )
        status = runtime.explore(*arguments)
        result.tried += 1
        cost += 1 + (runtime.used() >> 15)
        good = status in (RETURNED, ENDED)
        fresh = runtime.new_features(1) if good else 0
        if fresh or not good:
            count = runtime.suggestions(suggested)
            every = list(_SUGGESTION.iter_unpack(asked[: count * _SUGGESTION.size]))
            _shuffle(every, rng.getrandbits)
            for at_draw, value in every[: 12 if good else 4]:
                if taken.get((at_draw, value), 0) < _TRIES and len(overrides) < _MOST_OVERRIDES:
                    taken[at_draw, value] = taken.get((at_draw, value), 0) + 1
                    waiting.append((base, overrides | {at_draw | _EXACT: value}))
        if status not in (RETURNED, ENDED):
            reason = _reason(status, out.reason)
            result.reasons[reason] = result.reasons.get(reason, 0) + 1
            if reason in stray and stray[reason] < STRAY:
                stray[reason] += 1
                count = runtime.input(words, ctypes.byref(used))
                held = ctypes.string_at(words, count * ctypes.sizeof(Word))
                result.stray.append(Found(held, used.value, (status, 0, 0, 0, 0)))
            quiet += 1
            continue
        outcome = (status, *_HASHES.unpack_from(seen))
        other = outcome not in outcomes
        if fresh:
            parents.append((base, overrides, max(out.draws, 1)))
            quiet = 0
        else:
            quiet += 1
        room = len(result.found) < kept_most
        hidden = runtime.hidden()
        if room and (fresh or (other and plain[hidden] < PLAIN * effort) or not result.found):
            plain[hidden] += not fresh
            outcomes.add(outcome)
            poor = len(outcomes) < 3
            count = runtime.input(words, ctypes.byref(used))
            result.found.append(
                Found(ctypes.string_at(words, count * ctypes.sizeof(Word)), used.value, outcome)
            )
        if out.draws <= 1 and result.tried >= 3 and not outcome[0]:
            break  # it reads nothing that could be chosen
    return result


def _shuffle(items: list[tuple[Any, ...]], bits: Callable[[int], int]) -> None:
    """What ``random.shuffle`` does, number for number, without its calls."""
    for last in range(len(items) - 1, 0, -1):
        width = (last + 1).bit_length()
        place = bits(width)
        while place > last:
            place = bits(width)
        items[last], items[place] = items[place], items[last]


def _next(
    rng: random.Random,
    parents: list[tuple[int, dict[int, int], int]],
    waiting: list[tuple[int, dict[int, int]]],
) -> tuple[int, dict[int, int]]:
    """What a comparison asked for, a new seed, or a child of what reached something new."""
    if waiting and rng.random() < 0.6:
        return waiting.pop(rng.randrange(max(0, len(waiting) - 24), len(waiting)))
    if not parents or rng.random() < 0.35:
        return rng.getrandbits(64), {}
    base, overrides, draws = parents[rng.randrange(len(parents))]
    child = dict(overrides)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = rng.randrange(draws)
        child.pop(at | _EXACT, None)
        child[at] = rng.getrandbits(64)
    while len(child) > _MOST_OVERRIDES:
        child.pop(next(iter(child)))
    return base, child


def _reason(status: int, reason: int) -> str:
    if status == UNDEFINED:
        return REASONS[reason]
    if status == SIGNALLED:
        return f"signal {reason}"
    if status == UNSUPPORTED:
        return "calls a function of unknown type"
    return "time-out" if status == TIMED_OUT else "too long"
