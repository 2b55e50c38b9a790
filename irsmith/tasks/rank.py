"""Ranking: one prompt, one token a list of the portfolio, learned from every size measured.

The prompt is that of tuning; the first token of the answer may be a portfolio slot, and
the probabilities of the slots at that place order the whole portfolio with one prefill.
What they should be follows from all sizes that a search kept (:func:`soft_targets`).
Training data in packed shards have one answer a document, so a label becomes a few
documents whose slots are drawn in proportion (:func:`examples`): the expected loss is that
of the soft targets, and the spread is small because the draws are spaced evenly.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from irsmith.records import Candidate, IrsmithError
from irsmith.tasks.example import Example, Part, Special, TuneLabel
from irsmith.tasks.vocabulary import END, PORTFOLIO

TEMPERATURE = 0.01
"""Share of -Oz by which a list must be larger to be e times less likely."""


@dataclass(frozen=True, slots=True)
class RankTarget:
    """What the slots' probabilities should be after a prompt.

    Attributes:
        target: LLVM's name of the architecture.
        prompt: up to the place of the slot.
        weights: of each slot, summing to 1.
    """

    target: str
    prompt: tuple[Part, ...]
    weights: tuple[float, ...]


def soft_targets(
    values: Sequence[int | None], baseline: int, temperature: float = TEMPERATURE
) -> tuple[float, ...]:
    """What each slot's probability should be.

    Args:
        values: of each list on one module; None where it failed or was not measured.
        baseline: of -Oz, above 0.
        temperature: in shares of the baseline.

    Returns:
        Weights that sum to 1: ``exp(-(value - best) / (temperature * baseline))``, scaled.

    Raises:
        IrsmithError: no list has a value, or the baseline is not above 0.
    """
    known = [value for value in values if value is not None]
    if not known or baseline <= 0:
        raise IrsmithError("nothing to rank: no list of the portfolio was measured")
    best = min(known)
    scale = temperature * baseline
    raw = [0.0 if value is None else math.exp((best - value) / scale) for value in values]
    total = math.fsum(raw)
    return tuple(weight / total for weight in raw)


def weights_of(
    label: TuneLabel, portfolio: Sequence[Candidate], temperature: float = TEMPERATURE
) -> tuple[float, ...] | None:
    """What each slot's probability should be, by what a label measured.

    Args:
        label: its ``tried`` lists are looked up in the portfolio.
        portfolio: the list of each slot.
        temperature: see :func:`soft_targets`.

    Returns:
        Weights, or None if none of the portfolio was measured.

    Raises:
        IrsmithError: the portfolio has more lists than slots.
    """
    if len(portfolio) > len(PORTFOLIO):
        raise IrsmithError(f"a portfolio of {len(portfolio)} lists, but {len(PORTFOLIO)} slots")
    sizes = {tried.candidate: tried.size for tried in label.tried}
    found = [sizes.get(candidate) for candidate in portfolio]
    values = [None if size is None else size.value(label.objective) for size in found]
    baseline = label.baseline.value(label.objective)
    if not any(value is not None for value in values) or baseline <= 0:
        return None
    return soft_targets(values, baseline, temperature)


def examples(target: RankTarget, seed: str, count: int = 4) -> Iterator[Example]:
    """Documents whose slots are drawn in proportion to the weights.

    Draws are spaced evenly over the sum of the weights (systematic sampling), so a slot of
    weight w stands in ``count * w`` documents, give or take one.

    Args:
        target: what to learn.
        seed: decides the draws: the module's sha256.
        count: of documents.
    """
    digest = hashlib.blake2b(seed.encode(), digest_size=8).digest()
    offset = int.from_bytes(digest, "big") / 2**64
    likely = [(slot, weight) for slot, weight in enumerate(target.weights) if weight > 0]
    at, reached = 0, likely[0][1]
    for draw in range(count):
        place = (draw + offset) / count
        while reached <= place and at + 1 < len(likely):
            at += 1
            reached += likely[at][1]
        answer = (Special(PORTFOLIO[likely[at][0]]), Special(END))
        yield Example("tune", target.target, target.prompt, answer)


def order(log_probabilities: Mapping[str, float], portfolio: Sequence[Candidate]) -> list[int]:
    """Slots by probability, most likely first; ties in the portfolio's own order.

    Args:
        log_probabilities: of the special tokens at the place behind the prompt.
        portfolio: the list of each slot.
    """
    least = -math.inf
    slots = range(min(len(portfolio), len(PORTFOLIO)))
    return sorted(slots, key=lambda slot: -log_probabilities.get(PORTFOLIO[slot], least))
