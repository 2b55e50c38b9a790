"""Search for the best candidate for one module, within a budget of compilations.

Two strategies. ``random`` draws. ``portfolio`` compiles the shipped portfolio first
and then changes the best candidates found so far (mutate, cross, drop). Same seed,
same result, whatever the number of worker processes: candidates are proposed in
batches of a fixed size, and ties go to the shorter, then the canonical text.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from irsmith.passlist import PassList
from irsmith.records import Candidate, Evaluation, Objective
from irsmith.search.evaluate import Evaluator
from irsmith.search.reduce import minimise
from irsmith.search.space import Space, join, split

Strategy = Literal["random", "portfolio"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

_BATCH = 16
_ELITE = 12
_SWAPS = 40
_INSERTIONS = 24


@dataclass(frozen=True, slots=True)
class Point:
    """One step of the curve: the best value after so many compilations."""

    compilations: int
    value: int


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search found.

    Attributes:
        ranked: candidates with a size, best first; ties by length, then text.
        curve: best value against compilations, one point an improvement.
        compilations: how many candidates were compiled.
        refused: how many of them LLVM refused, crashed on, or did not finish.
    """

    ranked: tuple[Evaluation, ...]
    curve: tuple[Point, ...]
    compilations: int
    refused: int


class Ledger:
    """Everything compiled for one module in one search: counted, never compiled twice."""

    def __init__(
        self,
        evaluator: Evaluator,
        bitcode: bytes,
        objective: Objective,
        progress: Callable[[int], None] = lambda _: None,
        output: str = "",
    ) -> None:
        self.evaluator, self.bitcode, self.objective = evaluator, bitcode, objective
        self.progress, self.output = progress, output
        self.seen: dict[Candidate, Evaluation] = {}
        self.curve: list[Point] = []
        self.refused = 0

    def __len__(self) -> int:
        """Compilations so far."""
        return len(self.seen)

    def measure(self, candidates: Sequence[Candidate]) -> list[Evaluation]:
        """Compile those that are new; the evaluations of all, in order."""
        new = [c for c in dict.fromkeys(candidates) if c not in self.seen]
        for evaluation in self.evaluator.measure(self.bitcode, new, self.output):
            self.seen[evaluation.candidate] = evaluation
            self.progress(len(self.seen))
            if evaluation.size is None:
                self.refused += 1
                continue
            value = evaluation.size.value(self.objective)
            if not self.curve or value < self.curve[-1].value:
                self.curve.append(Point(len(self.seen), value))
        return [self.seen[candidate] for candidate in candidates]

    def value(self, candidate: Candidate) -> float:
        """The objective of a candidate, infinite if it has no size."""
        (evaluation,) = self.measure([candidate])
        if evaluation.size is None:
            return float("inf")
        return evaluation.size.value(self.objective)

    def ranked(self) -> list[Evaluation]:
        """Evaluations with a size, best first."""
        sized = [evaluation for evaluation in self.seen.values() if evaluation.size]
        return sorted(sized, key=lambda evaluation: rank(evaluation, self.objective))


def rank(evaluation: Evaluation, objective: Objective) -> tuple[int, int, str]:
    """Order of evaluations: value, then shorter list, then text."""
    assert evaluation.size is not None
    candidate = evaluation.candidate
    length = len(PassList.parse(candidate.passes)) + len(candidate.codegen)
    return evaluation.size.value(objective), length, candidate.key()


def tune(
    ledger: Ledger,
    space: Space,
    budget: int,
    seed: int,
    strategy: Strategy = "portfolio",
    start: Sequence[Candidate] = (),
) -> Tuned:
    """Search until ``budget`` candidates were compiled.

    Args:
        ledger: for the module.
        space: what may be proposed.
        budget: compilations.
        seed: of everything random.
        strategy: ``random`` ignores ``start``.
        start: candidates to compile first, in order (the portfolio).
    """
    rng = random.Random(seed)
    if strategy == "portfolio":
        ledger.measure(list(start)[:budget])
    proposals = _random(space, rng) if strategy == "random" else _local(space, rng, ledger)
    # A space that is used up proposes nothing new: stop after so many empty batches.
    idle = 0
    while len(ledger) < budget and idle < 50:
        before = len(ledger)
        batch: list[Candidate] = []
        for _ in range(20 * _BATCH):
            candidate = next(proposals)
            if candidate not in ledger.seen and candidate not in batch:
                batch.append(candidate)
            if len(batch) == min(_BATCH, budget - before):
                break
        ledger.measure(batch)
        idle = 0 if len(ledger) > before else idle + 1
    return Tuned(tuple(ledger.ranked()), tuple(ledger.curve), len(ledger), ledger.refused)


def _random(space: Space, rng: random.Random) -> Iterator[Candidate]:
    while True:
        yield space.draw_with_codegen(rng)


def _local(space: Space, rng: random.Random, ledger: Ledger) -> Iterator[Candidate]:
    """Neighbours of the best candidates, with one draw in ten from the whole space."""
    while True:
        elite = _elite(ledger)
        for _ in range(_BATCH):
            kind = rng.random()
            if kind < 0.1 or not elite:
                yield space.draw_with_codegen(rng)
                continue
            # The better the rank, the likelier the parent.
            parent = elite[min(rng.randrange(len(elite)), rng.randrange(len(elite)))]
            if kind < 0.25 and len(elite) > 1:
                yield space.cross(rng, parent, rng.choice(elite))
            elif kind < 0.35:
                yield _drop_half(rng, parent)
            else:
                yield space.mutate(rng, parent)


def _elite(ledger: Ledger) -> list[Candidate]:
    """The best candidates, one for each IR that they lead to."""
    found: list[Candidate] = []
    irs: set[tuple[str, tuple[str, ...]]] = set()
    for evaluation in ledger.ranked():
        key = (evaluation.ir_hash, evaluation.candidate.codegen)
        if key not in irs:
            irs.add(key)
            found.append(evaluation.candidate)
        if len(found) == _ELITE:
            break
    return found


def _drop_half(rng: random.Random, candidate: Candidate) -> Candidate:
    kept = [atom for atom in split(candidate) if rng.random() < 0.6]
    return Candidate(join(kept).passes, candidate.codegen)


def refine(
    ledger: Ledger,
    space: Space,
    best: Candidate,
    seed: int,
    insertions: int = _INSERTIONS,
    swaps: int = _SWAPS,
) -> Candidate:
    """Make a candidate small and canonical without losing a byte.

    Redundant passes and options are dropped, neighbours are put into the order of
    their text where that costs nothing, a few single passes are inserted and kept if
    they win, and what became redundant is dropped again (the paper's minimisation).

    Args:
        ledger: for the module.
        space: where insertions are drawn.
        best: what the search found.
        seed: of the insertions.
        insertions: how many to try.
        swaps: of neighbours, at most.

    Returns:
        A candidate at most as large as ``best``; no pass of it can be dropped.
    """
    limit = ledger.value(best)

    def no_worse(candidate: Candidate) -> bool:
        return ledger.value(candidate) <= limit

    best = minimise(best, no_worse)
    rng = random.Random(seed)
    for _ in range(insertions):
        atoms = split(best)
        atoms.insert(rng.randrange(len(atoms) + 1), space.atom(rng))
        longer = Candidate(",".join(atoms), best.codegen)
        if ledger.value(longer) < limit:
            best, limit = longer, ledger.value(longer)
    best = minimise(best, no_worse)
    left, changed = swaps, True
    while changed and left:
        changed = False
        atoms = split(best)
        for k in range(len(atoms) - 1):
            if atoms[k] > atoms[k + 1] and left:
                left -= 1
                swapped = [*atoms[:k], atoms[k + 1], atoms[k], *atoms[k + 2 :]]
                candidate = Candidate(",".join(swapped), best.codegen)
                if no_worse(candidate):
                    best, atoms, changed = candidate, swapped, True
    return minimise(best, no_worse)
