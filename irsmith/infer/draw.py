"""Answers drawn until one is as good as can be: what evaluation and a person's own file share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic

from irsmith.infer.judged import GRADES, Judged, Kept
from irsmith.infer.load import Model
from irsmith.infer.names import Symbols, symbols_of, symbols_of_ir
from irsmith.infer.sample import Rules, Sample, Settings, sample
from irsmith.infer.wellformed import WellFormed
from irsmith.records import IrsmithError
from irsmith.tasks.example import Part


@dataclass(frozen=True, slots=True)
class Drawn(Generic[Kept]):
    """The best of some answers.

    Attributes:
        best: the first of those with the best grade.
        samples: answers drawn.
        tokens: of the prompt.
        seconds: of the model and of judging.
    """

    best: Judged[Kept]
    samples: int
    tokens: int
    seconds: float


def rules_of_assembly(model: Model, assembly: str) -> WellFormed:
    """What answers are allowed that read normalised assembly of one function back."""
    return _rules(model, symbols_of(assembly))


def rules_of_ir(model: Model, text: str, passes: str) -> WellFormed | None:
    """What IR is allowed as that which passes make of normalised IR; None: any."""
    symbols = symbols_of_ir(text, passes)
    return _rules(model, symbols) if symbols else None


def _rules(model: Model, symbols: Symbols) -> WellFormed:
    return WellFormed(model.tokenizer, model.packer.end, symbols)


def greedy_first(samples: int, settings: Settings) -> tuple[tuple[int, Settings], ...]:
    """Rounds of which the first is the likeliest answer and the other draws the rest."""
    rest = ((samples - 1, settings),) if samples > 1 else ()
    return (1, replace(settings, temperature=0.0)), *rest


def draw(
    model: Model,
    prompt: Sequence[Part],
    judge: Callable[[Sequence[Part]], Judged[Kept]],
    rounds: Sequence[tuple[int, Settings]],
    enough: str = "exact",
    rules: Rules | None = None,
) -> Drawn[Kept]:
    """Draw answers to a prompt, judge each, and keep the best; one that is enough ends it.

    Args:
        model: answers.
        prompt: up to where the answer begins.
        judge: says what an answer is worth.
        rounds: how many to draw, and how; one round after the other, the prompt read once.
        enough: the grade that no other answer is drawn behind.
        rules: what answers are allowed; None: any.

    Returns:
        What was best. Its grade is ``failed``, with the reason, where the prompt does not
        fit or the model cannot answer.
    """
    began = time.perf_counter()
    ids = model.packer.ids(prompt)
    window = model.engine.shape.context
    best: Judged[Kept] = Judged("failed", "no answer")
    drawn = 0
    most = window - len(ids)

    def stop(one: Sample) -> bool:
        nonlocal best, drawn
        drawn += 1
        if one.ended:
            got = judge(model.packer.parts(one.ids))
        else:
            why = "the answer was cut off" if len(one.ids) >= most else "it repeats itself"
            why = "nothing that LLVM could read was left to say" if one.stuck else why
            got = Judged("failed", f"{why} after {len(one.ids)} tokens")
        if drawn == 1 or GRADES.index(got.grade) < GRADES.index(best.grade):
            best = got
        return best.grade == enough

    if len(ids) >= window:
        best = Judged("failed", f"{len(ids)} tokens do not fit the window of {window}")
    else:
        try:
            state = model.engine.prefill(ids)
            for count, settings in rounds:
                most = min(settings.longest, window - len(ids))
                ends = (model.packer.end,)
                sample(model.engine, state, count, ends, settings, grammar=rules, stop=stop)
                if best.grade == enough:
                    break
        except IrsmithError as error:
            if not drawn:
                best = Judged("failed", str(error))
    return Drawn(best, drawn, len(ids), time.perf_counter() - began)
