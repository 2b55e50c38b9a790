"""Tuning: the pass list that makes a module smallest.

- prompt: ``<|tune|> <|header|>… <|ir|> text <|objective:size|> <|answer|>``
- answer: ``<|passes|>… <|before|>sizes <|level:Oz|>sizes <|after|>sizes``, then, if wanted,
  the IR after the passes, ``<|end|>``. In place of the list may stand ``<|portfolio:3|>``, a
  list of the portfolio that the model was trained with, or ``<|level:Oz|>``: nothing beats it.

The three sizes are of the module without passes, with clang's own -Oz, and with the list.
A list that is complete is an answer even where what follows is cut or garbled: it is
compiled and checked anyway, so a decoder may stop at ``<|before|>``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irsmith.records import Candidate, IrsmithError, Objective, Size, Verdict
from irsmith.search.evaluate import Evaluator
from irsmith.tasks.example import Example, NoAnswer, Part, Special, TuneLabel
from irsmith.tasks.form import Reader, header_parts, ir_parts, list_parts, parse, size_parts
from irsmith.tasks.render import Renders, Request
from irsmith.tasks.text import IRText
from irsmith.tasks.vocabulary import (
    AFTER,
    ANSWER,
    BEFORE,
    END,
    LEVELS,
    OBJECTIVES,
    PORTFOLIO,
    TASKS,
)
from irsmith.toolchain.llvm import arch_of

COUNTS = (1, 2, 4, 8, 16, 32)
"""Numbers of candidates at which results are reported."""
_BASELINE = LEVELS["Oz"]
"""Stands for clang's own -Oz: before its sizes, and in place of a list."""
_LIST_ENDS = frozenset((BEFORE, END))


@dataclass(frozen=True, slots=True)
class TunePrompt:
    """What is asked: the unoptimised module, and what to minimise."""

    source: IRText
    objective: Objective = "size"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of a module without passes, with clang's own -Oz, and with the list."""

    before: Size
    baseline: Size
    after: Size


@dataclass(frozen=True, slots=True)
class TuneAnswer:
    """What is answered.

    Attributes:
        candidate: the list; None says that -Oz is best.
        sizes: what the model expects, if it said so.
        ir: the module after the passes, if it was written out.
        slot: the list's place in the portfolio, if it was named so.
    """

    candidate: Candidate | None
    sizes: Sizes | None = None
    ir: IRText | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class TuneScore:
    """What some answers to one prompt are worth, in the order given.

    Attributes:
        baseline: value of clang's own -Oz.
        first: value of the first answer, checked or not; None if it is no answer or does
            not compile. Below zero-shot figures, it is the one that counts.
        best: for each of some counts k, the smallest value among -Oz and the first k
            answers, those that the checks refuse left out.
        winner: the candidate behind the last of these; None is -Oz.
        refused: candidates that were smaller and that the checks refused.
        failed: answers on which LLVM refused, died or ran out of time.
        no_answers: answers that mean nothing.
    """

    baseline: int
    first: int | None
    best: dict[int, int]
    winner: Candidate | None
    refused: tuple[Candidate, ...]
    failed: int
    no_answers: int


def build(renders: Renders, module: bytes, label: TuneLabel, with_ir: bool = False) -> Example:
    """The example of a label.

    Args:
        renders: compiles.
        module: bitcode of the label's row.
        label: what the search found.
        with_ir: whether the answer shows the IR after the passes too.

    Raises:
        IrsmithError: the checks have not accepted the list, the label's sizes do not come
            out again, or the IR cannot be written out.
    """
    if label.best is not None and not label.verdict.accepted:
        raise IrsmithError("the label's list has not passed its checks: nothing to learn from")
    source = renders.render(Request(module, ir=True))
    assert source.ir is not None
    ir, after = None, label.after
    if label.best is not None:
        made = renders.render(Request(module, label.best, ir=with_ir))
        if not made.faithful:
            raise IrsmithError("the IR after the passes cannot be written out as text")
        ir, after = made.ir, made.size
    if (source.size, after) != (label.before, label.after):
        raise IrsmithError("the label's sizes do not come out again: made with another LLVM?")
    prompt = TunePrompt(source.ir, label.objective)
    answer = TuneAnswer(label.best, Sizes(label.before, label.baseline, label.after), ir)
    target = arch_of(source.ir.header.triple)
    return Example("tune", target, prompt_parts(prompt), answer_parts(prompt, answer))


def prompt_parts(prompt: TunePrompt) -> tuple[Part, ...]:
    """The prompt, up to where the answer begins; ranking asks the same."""
    return (
        Special(TASKS["tune"]),
        *header_parts(prompt.source.header),
        *ir_parts(prompt.source, prompt.source.header),
        Special(OBJECTIVES[prompt.objective]),
        Special(ANSWER),
    )


def answer_parts(prompt: TunePrompt, answer: TuneAnswer) -> tuple[Part, ...]:
    """The answer, its end included."""
    parts: tuple[Part, ...]
    if answer.slot is not None:
        parts = (Special(PORTFOLIO[answer.slot]),)
    elif answer.candidate is None:
        parts = (Special(_BASELINE),)
    else:
        parts = list_parts(answer.candidate)
    if answer.sizes is not None:
        parts += size_parts(BEFORE, answer.sizes.before)
        parts += size_parts(_BASELINE, answer.sizes.baseline)
        parts += size_parts(AFTER, answer.sizes.after)
        if answer.ir is not None:
            parts += ir_parts(answer.ir, prompt.source.header)
    return (*parts, Special(END))


def parse_answer(
    prompt: TunePrompt, parts: Sequence[Part], portfolio: Sequence[Candidate] = ()
) -> TuneAnswer | NoAnswer:
    """What a model answered; the inverse of :func:`answer_parts`.

    Args:
        prompt: what was asked.
        parts: what the model said.
        portfolio: the lists that the model knows by their slots.

    Returns:
        The answer; its list is canonical, and LLVM knows every pass in it.
    """

    def read(reader: Reader) -> TuneAnswer:
        named = _named(reader, portfolio)
        if reader.peek() not in _LIST_ENDS:
            reader.take(BEFORE)  # says what is there instead
        try:
            sizes, ir = _rest(reader, prompt)
        except IrsmithError:  # the list itself is whole
            sizes, ir = None, None
        return TuneAnswer(named.candidate, sizes, ir, named.slot)

    return parse(read, parts)


def _named(reader: Reader, portfolio: Sequence[Candidate]) -> TuneAnswer:
    """The list, in one of its three forms."""
    if reader.skip(_BASELINE):
        return TuneAnswer(None)
    if reader.peek() in PORTFOLIO:
        slot = PORTFOLIO.index(reader.take(*PORTFOLIO))
        if slot >= len(portfolio):
            raise IrsmithError(f"slot {slot} of a portfolio of {len(portfolio)} lists")
        return TuneAnswer(portfolio[slot], slot=slot)
    return TuneAnswer(reader.candidate(_LIST_ENDS))


def _rest(reader: Reader, prompt: TunePrompt) -> tuple[Sizes | None, IRText | None]:
    """What the model says of the list."""
    if reader.skip(END):
        return None, None
    sizes = Sizes(reader.size(BEFORE), reader.size(_BASELINE), reader.size(AFTER))
    ir = None if reader.peek() == END else reader.ir(prompt.source.header)
    reader.end()
    return sizes, ir


def score(
    evaluator: Evaluator,
    verdict: Callable[[Candidate], Verdict],
    module: bytes,
    answers: Sequence[TuneAnswer | NoAnswer],
    objective: Objective = "size",
    counts: Sequence[int] = COUNTS,
) -> TuneScore:
    """Compile answers and compare them with -Oz.

    Only what would win is checked, so that a check may be slow.

    Args:
        evaluator: compiles in workers that may die.
        verdict: says whether a candidate may be used.
        module: normalised bitcode, as the prompt shows it.
        answers: the first is the model's first choice; each counts as one compilation,
            those that mean nothing too.
        objective: what was asked for.
        counts: numbers of answers at which the best is told, ascending.

    Raises:
        IrsmithError: the module cannot be compiled with -Oz.
    """
    baseline = evaluator.baseline(module).size.value(objective)
    values = _values(evaluator, module, answers, objective, baseline)
    best, winner, refused = baseline, None, []
    at: dict[int, int] = {}
    for place, answer in enumerate(answers, 1):
        value = values[place - 1]
        if value is not None and value < best and isinstance(answer, TuneAnswer):
            candidate = answer.candidate
            if candidate is not None and candidate not in refused:
                if verdict(candidate).accepted:
                    best, winner = value, candidate
                else:
                    refused.append(candidate)
        if place in counts:
            at[place] = best
    for count in counts:
        if count > len(answers):
            at[count] = best
    none = sum(isinstance(answer, NoAnswer) for answer in answers)
    failed = sum(value is None for value in values) - none
    first = values[0] if values else None
    return TuneScore(baseline, first, at, winner, tuple(refused), failed, none)


def _values(
    evaluator: Evaluator,
    module: bytes,
    answers: Sequence[TuneAnswer | NoAnswer],
    objective: Objective,
    baseline: int,
) -> list[int | None]:
    """The value of each answer; None without one."""
    given = [a.candidate for a in answers if isinstance(a, TuneAnswer)]
    wanted = list(dict.fromkeys(candidate for candidate in given if candidate is not None))
    found: dict[Candidate | None, int | None] = {None: baseline}
    for candidate, made in zip(wanted, evaluator.measure(module, wanted), strict=True):
        found[candidate] = made.size.value(objective) if made.size else None
    return [found[a.candidate] if isinstance(a, TuneAnswer) else None for a in answers]
