"""Emulating the compiler: what a pass list makes of a module, as IR or as assembly.

- prompt: ``<|emulate|> <|header|>… <|ir|> text <|passes|>… <|before|>sizes <|ir|> <|answer|>``
  (the last but one says which output is wanted: ``<|ir|>`` or ``<|asm|>``; the module comes
  before the list, so that many lists share its computation)
- answer: ``<|after|>sizes <|ir|> text <|end|>`` or ``<|after|>sizes <|asm|> text <|end|>``;
  a header stands before the IR where the passes changed it. Sizes come first: who wants no
  more can stop there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from irsmith.records import Candidate, IrsmithError, Size
from irsmith.tasks.example import EmulateLabel, Example, NoAnswer, Output, Part, Special
from irsmith.tasks.form import (
    Reader,
    assembly_parts,
    header_parts,
    ir_parts,
    list_parts,
    parse,
    size_parts,
)
from irsmith.tasks.render import Rendered, Renders, Request
from irsmith.tasks.text import AssemblyText, IRText, counted
from irsmith.tasks.vocabulary import AFTER, ANSWER, ASM, BEFORE, END, IR, TASKS
from irsmith.toolchain.llvm import arch_of


@dataclass(frozen=True, slots=True)
class EmulatePrompt:
    """What is asked.

    Attributes:
        source: the unoptimised module.
        candidate: what would run.
        before: sizes of the module without passes.
        output: what is wanted.
    """

    source: IRText
    candidate: Candidate
    before: Size
    output: Output


@dataclass(frozen=True, slots=True)
class EmulateAnswer:
    """What is answered: sizes, and the module after the passes or its assembly."""

    after: Size
    output: IRText | AssemblyText


@dataclass(frozen=True, slots=True)
class EmulateScore:
    """What an answer is worth.

    Attributes:
        parses: it is IR that the verifier takes, or assembly that assembles.
        same_bytes: it gives the true object's code, data, relocations and, from IR,
            unwind tables.
        exact: its text is the true text, character by character.
        size_error: of the total, as a share of the true total; None without an answer.
        instructions_error: of IR instructions, as a share; None if they were not said.
        reason: why it does not parse.
    """

    parses: bool
    same_bytes: bool
    exact: bool
    size_error: float | None = None
    instructions_error: float | None = None
    reason: str = ""


def label(
    renders: Renders, sha256: str, module: bytes, candidate: Candidate, output: Output, by: str
) -> EmulateLabel:
    """Measure a candidate on a module.

    Args:
        renders: compiles.
        sha256: of the row's bitcode.
        module: the bitcode.
        candidate: what to run.
        output: what the example shall show.
        by: the toolchain's fingerprint.

    Raises:
        IrsmithError: LLVM refuses it or dies of it.
    """
    before = renders.render(Request(module)).size
    after = renders.render(Request(module, candidate)).size
    return EmulateLabel(sha256, candidate, output, before, after, by)


def build(renders: Renders, module: bytes, label: EmulateLabel) -> Example:
    """The example of a label.

    Args:
        renders: compiles.
        module: bitcode of the label's row.
        label: what was measured.

    Raises:
        IrsmithError: the label's sizes do not come out again, LLVM refuses, or the IR after
            the passes holds something that its text leaves out and that changes the code.
    """
    source = renders.render(Request(module, ir=True))
    want_ir = label.output == "ir"
    made = renders.render(
        Request(module, label.candidate, ir=want_ir, assembly=not want_ir),
    )
    if (source.size, made.size) != (label.before, label.after):
        raise IrsmithError("the label's sizes do not come out again: made with another LLVM?")
    if not made.faithful:
        raise IrsmithError("the IR after the passes cannot be written out as text")
    output = made.ir if want_ir else made.assembly
    assert source.ir is not None and output is not None
    prompt = EmulatePrompt(source.ir, label.candidate, label.before, label.output)
    answer = EmulateAnswer(label.after, output)
    target = arch_of(source.ir.header.triple)
    return Example("emulate", target, prompt_parts(prompt), answer_parts(prompt, answer))


def prompt_parts(prompt: EmulatePrompt) -> tuple[Part, ...]:
    """The prompt, up to where the answer begins."""
    return (
        Special(TASKS["emulate"]),
        *header_parts(prompt.source.header),
        *ir_parts(prompt.source, prompt.source.header),
        *list_parts(prompt.candidate),
        *size_parts(BEFORE, prompt.before),
        Special(IR if prompt.output == "ir" else ASM),
        Special(ANSWER),
    )


def answer_parts(prompt: EmulatePrompt, answer: EmulateAnswer) -> tuple[Part, ...]:
    """The answer, its end included."""
    output = answer.output
    if isinstance(output, IRText):
        text = ir_parts(output, prompt.source.header)
    else:
        text = assembly_parts(output)
    return (*size_parts(AFTER, answer.after), *text, Special(END))


def parse_answer(prompt: EmulatePrompt, parts: Sequence[Part]) -> EmulateAnswer | NoAnswer:
    """What a model answered; the inverse of :func:`answer_parts`."""

    def read(reader: Reader) -> EmulateAnswer:
        after = reader.size(AFTER)
        output: IRText | AssemblyText
        if prompt.output == "ir":
            output = reader.ir(prompt.source.header)
            output = replace(output, text=counted(output.text))
        else:
            output = reader.assembly(prompt.source.header.triple)
        reader.end()
        return EmulateAnswer(after, output)

    return parse(read, parts)


def score(
    renders: Renders, prompt: EmulatePrompt, answer: EmulateAnswer | NoAnswer, truth: EmulateAnswer
) -> EmulateScore:
    """Compare an answer with the truth.

    Args:
        renders: compiles both; where the answer comes from a model, a worker that may die.
        prompt: its code generation options are used for both.
        answer: as parsed.
        truth: the example's answer.

    Raises:
        IrsmithError: the truth itself does not compile.
    """
    if isinstance(answer, NoAnswer):
        return EmulateScore(False, False, False, reason=answer.reason)
    errors = _errors(answer.after, truth.after)
    if answer.output == truth.output:
        return EmulateScore(True, True, True, *errors)
    true = _compile(renders, prompt, truth.output)
    try:
        made = _compile(renders, prompt, answer.output)
    except IrsmithError as error:
        return EmulateScore(False, False, False, *errors, reason=str(error).splitlines()[0])
    return EmulateScore(True, made.code == true.code, False, *errors)


def _compile(renders: Renders, prompt: EmulatePrompt, output: IRText | AssemblyText) -> Rendered:
    if isinstance(output, AssemblyText):
        return renders.render(Request(output))
    return renders.render(Request(output, replace(prompt.candidate, passes="")))


def _errors(said: Size, true: Size) -> tuple[float, float | None]:
    counted = said.instructions is not None and true.instructions is not None
    instructions = _share(said.instructions or 0, true.instructions or 0) if counted else None
    return _share(said.total, true.total), instructions


def _share(said: int, true: int) -> float:
    return abs(said - true) / max(true, 1)
