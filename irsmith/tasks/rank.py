"""Ranking: one prompt, one token a list of the portfolio, learned from every size measured.

The prompt is that of tuning; the first token of the answer may be a portfolio slot, and
the probabilities of the slots at that place order the whole portfolio with one prefill.
What they should be follows from all sizes that a search kept (:func:`soft_targets`), and
is learned as it stands: a document of this task has probabilities of slots in place of an
answer, so every list that was measured teaches, not only the best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from irsmith.records import Candidate, IrsmithError
from irsmith.tasks.example import Example, Part, Special, TuneLabel
from irsmith.tasks.vocabulary import END, PORTFOLIO

TEMPERATURE = 0.01
"""Share of -Oz by which a list must be larger to be e times less likely."""


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


def example(target: str, prompt: tuple[Part, ...], weights: tuple[float, ...]) -> Example:
    """The document that teaches to rank.

    Args:
        target: LLVM's name of the architecture.
        prompt: that of tuning, up to the place of the slot.
        weights: of each slot, summing to 1.
    """
    return Example("rank", target, prompt, (Special(END),), weights)


def order(log_probabilities: Mapping[str, float], portfolio: Sequence[Candidate]) -> list[int]:
    """Slots by probability, most likely first; ties in the portfolio's own order.

    Args:
        log_probabilities: of the special tokens at the place behind the prompt.
        portfolio: the list of each slot.
    """
    least = -math.inf
    slots = range(min(len(portfolio), len(PORTFOLIO)))
    return sorted(slots, key=lambda slot: -log_probabilities.get(PORTFOLIO[slot], least))
