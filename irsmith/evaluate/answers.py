"""A model's answers on modules with labels, compiled, checked and scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irsmith.corpus.rows import Row
from irsmith.corpus.split import split_of
from irsmith.infer.draw import draw, rules_of_assembly, rules_of_ir
from irsmith.infer.judged import GRADES, Judged
from irsmith.infer.load import Model
from irsmith.infer.sample import Rules, Settings
from irsmith.infer.tuning import Tuner
from irsmith.labels.gains import Gain, Saved, gain
from irsmith.lift.answers import answers
from irsmith.records import Candidate, IrsmithError, Objective, Verdict
from irsmith.search.evaluate import Evaluator
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks import disassemble, emulate, tune
from irsmith.tasks.example import DisassembleLabel, EmulateLabel, Part
from irsmith.tasks.objects import Code
from irsmith.tasks.render import Renders, Request, at_level
from irsmith.tasks.text import AssemblyText, IRText
from irsmith.tasks.tune import TuneAnswer, TunePrompt

Judge = Callable[[Candidate], Verdict]


@dataclass(frozen=True, slots=True)
class Tuned:
    """What tuning gave on one module.

    Attributes:
        package: of the module.
        file: of the module.
        target: LLVM triple.
        baseline: of -Oz, in what is minimised.
        best: by proposer (``model``, ``portfolio``) and number of compilations besides -Oz,
            the smallest that passed the checks.
        seconds: of the model's answers.
        reason: why the model gave none; empty if it did.
    """

    package: str
    file: str
    target: str
    baseline: int
    best: dict[str, dict[int, int]]
    seconds: float
    reason: str = ""


def tune_module(
    renders: Renders,
    evaluator: Evaluator,
    model: Model,
    row: Row,
    portfolio: Sequence[Candidate],
    judge: Judge,
    counts: Sequence[int] = tune.COUNTS,
    objective: Objective = "size",
    lists: bool = True,
) -> Tuned:
    """Compare the model's first answers with the static portfolio's.

    A module whose prompt does not fit the window has no answers of the model: it counts,
    with -Oz, and the reason is told.

    Args:
        renders: compiles, in a worker that may die.
        evaluator: measures.
        model: answers.
        row: the module.
        portfolio: the list of each of the model's slots.
        judge: says whether a candidate may be used.
        counts: of compilations, ascending.
        objective: what is minimised.
        lists: whether the model may write lists of its own.

    Raises:
        IrsmithError: LLVM refuses the module itself.
    """
    made = renders.render(Request(row.content, ir=True, normal=True))
    assert made.ir is not None
    began = time.perf_counter()
    reason, answers = "", list[TuneAnswer]()
    try:
        tuner = Tuner(model, TunePrompt(made.ir, objective), portfolio)
        chosen = tuner.best(counts[-1]) if lists else tuner.rank()[: counts[-1]]
        answers = [TuneAnswer(one.candidate) for one in chosen]
    except IrsmithError as error:
        reason = str(error)
    seconds = time.perf_counter() - began
    shipped = [TuneAnswer(c) for c in load_portfolio(row.target).candidates]
    scores = {
        name: tune.score(evaluator, judge, made.normal, some, objective, counts)
        for name, some in (("model", answers), ("portfolio", shipped))
    }
    best = {name: score.best for name, score in scores.items()}
    return Tuned(row.package, row.file, row.target, scores["model"].baseline, best, seconds, reason)


def tune_gain(results: Sequence[Tuned], proposer: str, count: int) -> Gain:
    """The mean share of -Oz that is saved, with an interval by package."""
    return gain(
        [
            Saved(
                split_of(one.package),
                one.target,
                one.package,
                one.baseline,
                one.baseline - one.best[proposer][count],
            )
            for one in results
        ]
    )


@dataclass(frozen=True, slots=True)
class Read:
    """What a model read back from assembly, or said that a pass list gives.

    Attributes:
        package: of the module.
        file: of the module.
        tokens: of the prompt.
        grade: ``exact``, ``compiles`` or ``failed``; of emulation, ``same bytes`` too.
        samples: answers drawn until the first exact one.
        seconds: of the model.
        reason: why it failed.
    """

    package: str
    file: str
    tokens: int
    grade: str
    samples: int
    seconds: float
    reason: str = ""


def lift_module(
    renders: Renders, model: Model, row: Row, label: DisassembleLabel, version: str
) -> Read:
    """Lift a function from its assembly by rules, without a model; the first exact one ends it.

    Args:
        renders: compiles, in a worker that may die.
        model: whose tokens the prompt is measured in.
        row: the function.
        label: level and form of the assembly.
        version: of LLVM.

    Raises:
        IrsmithError: LLVM refuses the function itself.
    """
    assembly, truth = _asked(renders, row, label, version)
    tokens = len(model.packer.ids(disassemble.prompt_parts(assembly)))
    began = time.perf_counter()

    def optimise(text: IRText, candidate: Candidate) -> IRText:
        made = renders.render(Request(text, candidate, ir=True)).ir
        assert made is not None
        return made

    grade, reason, tried = "failed", "", 0
    try:
        for answer in answers(assembly, optimise, version):
            tried += 1
            found = disassemble.score(renders, assembly, answer, truth)
            if GRADES.index(found.grade) < GRADES.index(grade):
                grade, reason = found.grade, found.reason
            if grade == "exact":
                break
    except IrsmithError as error:
        reason = str(error)
    seconds = time.perf_counter() - began
    return Read(row.package, row.file, tokens, grade, tried, seconds, reason)


def disassemble_module(
    renders: Renders,
    model: Model,
    row: Row,
    label: DisassembleLabel,
    version: str,
    settings: Settings,
    samples: int = 1,
) -> Read:
    """Read a function back from its assembly; the first exact answer of some ends it.

    Args:
        renders: compiles, in a worker that may die.
        model: answers.
        row: the function.
        label: level and form of the assembly.
        version: of LLVM.
        settings: how to draw.
        samples: answers at most.

    Raises:
        IrsmithError: LLVM refuses the function itself.
    """
    assembly, truth = _asked(renders, row, label, version)

    def judge(parts: Sequence[Part]) -> Judged[None]:
        answer = disassemble.parse_answer(assembly, parts)
        found = disassemble.score(renders, assembly, answer, truth)
        return Judged(found.grade, found.reason)

    prompt = disassemble.prompt_parts(assembly)
    rules = rules_of_assembly(model, assembly.text)
    return _read(model, row, prompt, judge, settings, samples, rules)


def _asked(
    renders: Renders, row: Row, label: DisassembleLabel, version: str
) -> tuple[AssemblyText, Code]:
    """What is asked about, and the code that an answer should give."""
    source = renders.render(Request(row.content, ir=True)).ir
    assert source is not None
    made = renders.render(at_level(source, version, label.level, label.form))
    assembly, ir = made.assembly, made.ir
    assert assembly is not None and ir is not None
    return assembly, disassemble.code_of_answer(
        renders, disassemble.DisassembleAnswer(label.level, ir)
    )


def emulate_module(
    renders: Renders,
    model: Model,
    row: Row,
    label: EmulateLabel,
    settings: Settings,
    samples: int = 1,
) -> Read:
    """Say what a pass list gives; the first exact answer of some ends it.

    Args:
        renders: compiles, in a worker that may die.
        model: answers.
        row: the function.
        label: the list, and what the answer shows.
        settings: how to draw.
        samples: answers at most.

    Raises:
        IrsmithError: LLVM refuses the function itself.
    """
    source = renders.render(Request(row.content, ir=True)).ir
    want_ir = label.output == "ir"
    made = renders.render(Request(row.content, label.candidate, ir=want_ir, assembly=not want_ir))
    output = made.ir if want_ir else made.assembly
    assert source is not None and output is not None
    prompt = emulate.EmulatePrompt(source, label.candidate, label.before, label.output)
    truth = emulate.EmulateAnswer(label.after, output)

    def judge(parts: Sequence[Part]) -> Judged[None]:
        found = emulate.score(renders, prompt, emulate.parse_answer(prompt, parts), truth)
        if found.exact:
            return Judged("exact")
        if found.same_bytes:
            return Judged("same bytes")
        return Judged("compiles" if found.parses else "failed", found.reason)

    rules = rules_of_ir(model, source.text, label.candidate.passes) if want_ir else None
    return _read(model, row, emulate.prompt_parts(prompt), judge, settings, samples, rules)


def _read(
    model: Model,
    row: Row,
    prompt: Sequence[Part],
    judge: Callable[[Sequence[Part]], Judged[None]],
    settings: Settings,
    samples: int,
    rules: Rules | None = None,
) -> Read:
    """Draw answers to a prompt and keep the best grade."""
    drawn = draw(model, prompt, judge, [(samples, settings)], rules=rules)
    best = drawn.best
    return Read(
        row.package, row.file, drawn.tokens, best.grade, drawn.samples, drawn.seconds, best.reason
    )
