"""IR from machine code: each function asked back from a model, recompiled and compared.

A grade says what is known of an answer and nothing more: ``exact`` code is the function's
own, byte for byte (:func:`irsmith.corpus.piece.same`); ``equivalent`` code did the same in
differential execution; what ``compiles`` is a guess. What could not be had has no IR.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irsmith.apps.equivalent import compare
from irsmith.apps.machine_code import MachineCode
from irsmith.apps.pieces import PieceWorker
from irsmith.apps.sampling import LOOPS, Sampling, longest_answer
from irsmith.corpus.piece import Piece, same
from irsmith.records import IrsmithError
from irsmith.tasks.disassemble import parse_answer, prompt_parts
from irsmith.tasks.example import NoAnswer, Part
from irsmith.tasks.text import AssemblyText
from irsmith.toolchain.find import Toolchain

if TYPE_CHECKING:
    from irsmith.infer.draw import Drawn, Judged
    from irsmith.infer.load import Model

GRADES = ("exact", "equivalent", "compiles", "failed")
"""Best first."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """One function.

    Attributes:
        name: its symbol.
        grade: one of :data:`GRADES`.
        ir: a module that LLVM compiles; empty if there is none.
        samples: answers drawn.
        seconds: that it took.
        reason: why the grade is no better.
        level: at which the IR is to be compiled (``O0`` and the others generate code
            differently); empty without IR.
    """

    name: str
    grade: str
    ir: str
    samples: int
    seconds: float
    reason: str = ""
    level: str = ""

    def to_json(self) -> dict[str, Any]:
        """One of ``functions`` of the command's ``--json``."""
        return {
            "name": self.name,
            "grade": self.grade,
            "ir": self.ir,
            "level": self.level,
            "samples": self.samples,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Disassembled:
    """What came of a file.

    Attributes:
        name: of the file.
        target: LLVM triple.
        model: that was asked.
        functions: in the file's order.
        seconds: in all, the model's loading included.
    """

    name: str
    target: str
    model: str
    functions: tuple[Recovered, ...]
    seconds: float

    def count(self, grade: str) -> int:
        """Functions of a grade."""
        return sum(one.grade == grade for one in self.functions)

    def to_json(self) -> dict[str, Any]:
        """The object of the command's ``--json``."""
        return {
            "input": self.name,
            "target": self.target,
            "model": self.model,
            "functions": [one.to_json() for one in self.functions],
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of an answer."""

    ir: str
    level: str


@dataclass(slots=True)
class Reader:
    """Reads functions of one file back.

    Attributes:
        toolchain: where LLVM is.
        worker: of the file's target.
        model: answers.
        code: the file.
        sampling: how answers are drawn.
    """

    toolchain: Toolchain
    worker: PieceWorker
    model: Model
    code: MachineCode
    sampling: Sampling = field(default_factory=Sampling)

    def read(self, index: int, name: str) -> Recovered:
        """One function, by its number."""
        from irsmith.infer.draw import draw, greedy_first, rules_of_assembly
        from irsmith.infer.sample import Settings

        began = time.monotonic()
        try:
            piece = self.worker.cut(self.code.data, index)
        except IrsmithError as error:
            return Recovered(name, "failed", "", 0, time.monotonic() - began, str(error))
        assembly = AssemblyText(self.code.triple, piece.text)
        prompt = prompt_parts(assembly)
        longest = longest_answer(len(self.model.packer.ids(prompt)))
        how = Settings(
            self.sampling.temperature, longest=longest, loops=LOOPS, seed=self.sampling.seed
        )
        drawn: Drawn[_Kept] = draw(
            self.model,
            prompt,
            lambda parts: self._judge(assembly, piece, parts),
            greedy_first(self.sampling.samples, how),
            rules=rules_of_assembly(self.model, assembly.text),
        )
        best, kept = drawn.best, drawn.best.kept or _Kept("", "")
        seconds = time.monotonic() - began
        return Recovered(name, best.grade, kept.ir, drawn.samples, seconds, best.reason, kept.level)

    def _judge(self, assembly: AssemblyText, piece: Piece, parts: Sequence[Part]) -> Judged[_Kept]:
        """What one answer is worth."""
        from irsmith.infer.draw import Judged

        answer = parse_answer(assembly, parts)
        if isinstance(answer, NoAnswer):
            return Judged("failed", f"the model's answer is none: {answer.reason}")
        try:
            code = self.code
            made = self.worker.recompile(answer, piece.name, code.assembled, code.defined)
        except IrsmithError as error:
            return Judged("failed", f"LLVM refuses the model's answer: {error}")
        kept = _Kept(made.ir, answer.level)
        if not made.pieces:
            return Judged("compiles", f"to something else: {made.reason}", kept)
        if any(same(piece, one) for one in made.pieces):
            return Judged("exact", kept=kept)
        compared = compare(self.toolchain, code.triple, piece, made.ir)
        if compared.state == "passed":
            return Judged("equivalent", "other code, which did the same on all inputs", kept)
        said = "differs" if compared.state == "failed" else "not known to do the same"
        return Judged("compiles", f"to other code, {said}: {compared.reason}", kept)


def disassemble(
    toolchain: Toolchain,
    code: MachineCode,
    model: Callable[[], Model],
    name: str,
    sampling: Sampling | None = None,
    functions: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Disassembled:
    """Read functions of a file back as IR.

    Args:
        toolchain: where LLVM is.
        code: the file.
        model: opens the model that is asked.
        name: of the model.
        sampling: how answers are drawn.
        functions: names; empty: all.
        progress: told the number of functions done.

    Raises:
        IrsmithError: no such function, or the model cannot be opened.
    """
    began = time.monotonic()
    chosen = code.chosen(functions)
    opened = model()
    found: list[Recovered] = []
    with PieceWorker(toolchain, code.triple) as worker:
        reader = Reader(toolchain, worker, opened, code, sampling or Sampling())
        for index, symbol in chosen:
            found.append(reader.read(index, symbol))
            progress(len(found))
    return Disassembled(code.name, code.triple, name, tuple(found), time.monotonic() - began)
