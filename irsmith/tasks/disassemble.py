"""Disassembling: the IR that machine code was made from.

- prompt: ``<|disassemble|> <|x86-64|> <|asm|> text <|answer|>``
- answer: ``<|level:Oz|> <|header|>… <|ir|> text <|end|>``

The answer says at which level its IR is to be compiled (code generation and ``-O0`` differ)
and which header it has: machine code shows neither. Recompiled, an answer is ``exact`` if
code, data and relocations are those of the object; unwind tables, which assembly as models
see it leaves out, are compared apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from irsmith.records import IrsmithError, State
from irsmith.tasks.bleu import bleu
from irsmith.tasks.example import DisassembleLabel, Example, NoAnswer, Part, Special
from irsmith.tasks.form import Reader, assembly_parts, header_parts, ir_parts, parse
from irsmith.tasks.objects import Code
from irsmith.tasks.render import Renders, Request, at_level
from irsmith.tasks.text import AssemblyText, IRText, counted
from irsmith.tasks.vocabulary import ANSWER, END, LEVELS, TARGETS, TASKS
from irsmith.toolchain.llvm import CODEGEN_LEVELS, arch_of

Grade = Literal["exact", "compiles", "failed"]


@dataclass(frozen=True, slots=True)
class DisassembleAnswer:
    """What is answered: IR, and the level at which it gives the code."""

    level: str
    ir: IRText


@dataclass(frozen=True, slots=True)
class DisassembleScore:
    """What an answer is worth.

    Attributes:
        grade: ``exact``: it recompiles to the same code, data and relocations;
            ``compiles``: to other code; ``failed``: there is no answer, or LLVM refuses it.
        equivalent: ``passed`` if exact; else ``unknown`` where it compiles, for no one has
            run it, and ``failed`` where it does not.
        unwind: whether unwind tables are the same too; None if only assembly is known.
        bleu: of its assembly against the assembly that was asked about; None if it does
            not compile or was not asked for.
        reason: why it failed.
    """

    grade: Grade
    equivalent: State
    unwind: bool | None = None
    bleu: float | None = None
    reason: str = ""


def build(renders: Renders, module: bytes, label: DisassembleLabel, version: str) -> Example:
    """The example of a label.

    Args:
        renders: compiles.
        module: bitcode of the label's row.
        label: the level, and as which tool prints the assembly.
        version: of LLVM.

    Raises:
        IrsmithError: LLVM refuses the module, there is no code in it, its IR cannot be
            written out, or its object cannot be written as assembly.
    """
    source = renders.render(Request(module, ir=True)).ir
    assert source is not None
    made = renders.render(at_level(source, version, label.level, label.form))
    assert made.ir is not None and made.assembly is not None
    if not made.size.text:
        raise IrsmithError("no machine code to read back")
    if not made.faithful:
        raise IrsmithError("the IR cannot be written out as text")
    answer = DisassembleAnswer(label.level, made.ir)
    target = arch_of(made.assembly.triple)
    return Example("disassemble", target, prompt_parts(made.assembly), answer_parts(answer))


def prompt_parts(assembly: AssemblyText) -> tuple[Part, ...]:
    """The prompt, up to where the answer begins."""
    target = Special(TARGETS[arch_of(assembly.triple)])
    head = (Special(TASKS["disassemble"]), target)
    return (*head, *assembly_parts(assembly), Special(ANSWER))


def answer_parts(answer: DisassembleAnswer) -> tuple[Part, ...]:
    """The answer, its end included."""
    header = header_parts(answer.ir.header)
    ir = ir_parts(answer.ir, answer.ir.header)
    return (Special(LEVELS[answer.level]), *header, *ir, Special(END))


def parse_answer(assembly: AssemblyText, parts: Sequence[Part]) -> DisassembleAnswer | NoAnswer:
    """What a model answered; the inverse of :func:`answer_parts`."""
    names = {token: level for level, token in LEVELS.items()}

    def read(reader: Reader) -> DisassembleAnswer:
        level = names[reader.take(*LEVELS.values())]
        ir = reader.ir()
        if arch_of(ir.header.triple) != arch_of(assembly.triple):
            raise IrsmithError(f"IR for another target: {ir.header.triple}")
        reader.end()
        return DisassembleAnswer(level, replace(ir, text=counted(ir.text)))

    return parse(read, parts)


def code_of_answer(renders: Renders, answer: DisassembleAnswer) -> Code:
    """The code that an answer recompiles to; of an example's answer, the truth.

    Raises:
        IrsmithError: LLVM refuses it.
    """
    return renders.render(_recompile(answer)).code


def score(
    renders: Renders,
    assembly: AssemblyText,
    answer: DisassembleAnswer | NoAnswer,
    truth: Code | None = None,
    with_bleu: bool = False,
) -> DisassembleScore:
    """Recompile an answer and compare.

    Args:
        renders: compiles; where the answer comes from a model, a worker that may die.
        assembly: what was asked about.
        answer: as parsed.
        truth: of the object: :func:`irsmith.tasks.objects.code_of` a person's own,
            :func:`code_of_answer` of an example. None where there is only assembly: then
            the answer's assembly is compared, assembled by the same assembler (compilers
            and assemblers pad functions with different instructions).
        with_bleu: whether to compute BLEU (needs sacrebleu).

    Raises:
        IrsmithError: there is no ``truth`` and LLVM does not assemble ``assembly``.
    """
    if isinstance(answer, NoAnswer):
        return DisassembleScore("failed", "failed", reason=answer.reason)
    true = truth or renders.render(Request(assembly)).code
    try:
        made = renders.render(_recompile(answer, with_bleu or truth is None))
        printed = made.assembly
        code = renders.render(Request(printed)).code if truth is None and printed else made.code
    except IrsmithError as error:
        return DisassembleScore("failed", "failed", reason=str(error).splitlines()[0])
    likeness = bleu(printed.text, assembly.text) if with_bleu and printed else None
    unwind = made.code.unwind == true.unwind if truth else None
    if code.code == true.code:
        return DisassembleScore("exact", "passed", unwind, likeness)
    return DisassembleScore("compiles", "unknown", unwind, likeness)


def _recompile(answer: DisassembleAnswer, assembly: bool = False) -> Request:
    return Request(answer.ir, level=CODEGEN_LEVELS[answer.level], assembly=assembly)
