"""Static portfolios: the few candidates that do well on modules not seen.

They are chosen greedily from a matrix of sizes (candidates by modules), so that the
first k of them are the portfolio of size k. They ship as data with their
provenance, and they stay the yardstick of everything that learns.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from irsmith.records import Candidate
from irsmith.toolchain.llvm import arch_of


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A shipped portfolio.

    Attributes:
        candidates: best first: the first k are the portfolio of size k.
        toolchain: fingerprint under which every candidate passed PassListEval.
        suite: the suite that they passed, and the number of its programs.
        provenance: how it was made, for people.
    """

    candidates: tuple[Candidate, ...]
    toolchain: str
    suite: str
    provenance: dict[str, Any]


@functools.cache
def load_portfolio(triple: str) -> Portfolio:
    """The portfolio that ships for a target."""
    name = {"X86": "x86_64", "AArch64": "aarch64"}[arch_of(triple)]
    text = resources.files("irsmith.search").joinpath(f"data/portfolio-{name}.json").read_text()
    data = json.loads(text)
    return Portfolio(
        tuple(Candidate.from_json(entry) for entry in data["candidates"]),
        data["toolchain"],
        data["suite"],
        data["provenance"],
    )


def choose(
    sizes: Sequence[Sequence[int | None]],
    baseline: Sequence[int],
    count: int,
    weights: Sequence[float] | None = None,
) -> list[tuple[int, float]]:
    """Greedy choice: each next candidate wins most given those before it.

    What is won is the mean over modules of the share of the baseline that is saved, so
    that a few large modules do not decide; -Oz itself is always kept as an answer.

    Args:
        sizes: ``sizes[m][c]`` bytes of module m under candidate c; None where it failed.
        baseline: bytes of each module under -Oz.
        count: how many to choose.
        weights: of the modules in the mean; None: all alike.

    Returns:
        Index of each chosen candidate, and the mean share saved with it and those
        before it; fewer than ``count`` when nothing more is won.
    """
    if not sizes or not sizes[0]:
        return []
    best = list(baseline)
    chosen: list[tuple[int, float]] = []
    weights = weights or [1.0] * len(baseline)
    shares = [w / size if size else 0.0 for w, size in zip(weights, baseline, strict=True)]
    candidates = range(len(sizes[0]))
    while len(chosen) < count:
        gains = [0.0] * len(candidates)
        for m, row in enumerate(sizes):
            for c, size in enumerate(row):
                if size is not None and size < best[m]:
                    gains[c] += (best[m] - size) * shares[m]
        winner = max(candidates, key=lambda c: (gains[c], -c))
        if gains[winner] <= 0:
            break
        for m, row in enumerate(sizes):
            size = row[winner]
            if size is not None and size < best[m]:
                best[m] = size
        saved = sum((baseline[m] - best[m]) * shares[m] for m in range(len(baseline)))
        chosen.append((winner, saved / sum(weights)))
    return chosen


def choose_vetted(
    judge: Callable[[int], bool],
    sizes: Sequence[Sequence[int | None]],
    baseline: Sequence[int],
    count: int,
    weights: Sequence[float] | None = None,
) -> list[tuple[int, float]]:
    """The greedy choice of which every candidate passes a judge.

    Args:
        judge: whether the candidate of an index may be used; asked once for each that
            would be chosen.
        sizes: as for :func:`choose`.
        baseline: as for :func:`choose`.
        count: how many to choose.
        weights: as for :func:`choose`.

    Returns:
        As :func:`choose`: what is refused is taken out and the choice is made again.
    """
    kept = [list(row) for row in sizes]
    verdicts: dict[int, bool] = {}
    while True:
        chosen = choose(kept, baseline, count, weights)
        bad = set()
        for index, _ in chosen:
            if index not in verdicts:
                verdicts[index] = judge(index)
            if not verdicts[index]:
                bad.add(index)
        if not bad:
            return chosen
        for row in kept:
            for index in bad:
                row[index] = None
