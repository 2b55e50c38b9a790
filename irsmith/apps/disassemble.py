"""IR from machine code: each function lifted, or asked back from a model, and compared.

Rules come first (:mod:`irsmith.lift`), which take milliseconds; a model is asked for what
they do not get exact. What either says is recompiled and compared with the function.
A grade says what is known of an answer and nothing more: ``exact`` code is the function's
own, byte for byte (:func:`irsmith.corpus.piece.same`); ``equivalent`` code did the same in
differential execution; what ``compiles`` is a guess. What could not be had has no IR.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from irsmith.apps.equivalent import compare, returns_nothing
from irsmith.apps.machine_code import MachineCode
from irsmith.apps.pieces import PieceWorker, Recompiled
from irsmith.apps.sampling import LOOPS, Sampling, longest_answer
from irsmith.corpus.piece import Piece, same
from irsmith.infer.judged import Judged
from irsmith.lift.answers import LEVELS, answers
from irsmith.records import IrsmithError
from irsmith.tasks.disassemble import DisassembleAnswer, parse_answer, prompt_parts
from irsmith.tasks.example import NoAnswer, Part
from irsmith.tasks.text import AssemblyText
from irsmith.toolchain.find import Toolchain

if TYPE_CHECKING:
    from irsmith.infer.draw import Drawn
    from irsmith.infer.load import Model

GRADES = ("exact", "equivalent", "compiles", "failed")
"""Best first."""
_COMPARED = 2
"""Lifted modules that are run beside the function, the nearest first."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """One function.

    Attributes:
        name: its symbol.
        grade: one of :data:`GRADES`.
        ir: a module that LLVM compiles; empty if there is none.
        samples: answers drawn from the model.
        seconds: that it took.
        reason: why the grade is no better.
        level: at which the IR is to be compiled (``O0`` and the others generate code
            differently); empty without IR.
        source: whose the IR is: ``lift`` or ``model``; empty without IR.
        lifted: modules that lifting gave, and that were tried.
    """

    name: str
    grade: str
    ir: str
    samples: int
    seconds: float
    reason: str = ""
    level: str = ""
    source: str = ""
    lifted: int = 0

    def to_json(self) -> dict[str, Any]:
        """One of ``functions`` of the command's ``--json``."""
        return {
            "name": self.name,
            "grade": self.grade,
            "ir": self.ir,
            "level": self.level,
            "source": self.source,
            "lifted": self.lifted,
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


@dataclass(frozen=True, slots=True)
class _Lifted:
    """What lifting gave.

    Attributes:
        best: the best of it.
        tried: modules that were recompiled.
    """

    best: Judged[_Kept]
    tried: int


@dataclass(slots=True)
class Reader:
    """Reads functions of one file back.

    Attributes:
        toolchain: where LLVM is.
        worker: of the file's target.
        model: opens the one that is asked, once.
        code: the file.
        sampling: how answers are had.
        levels: at which code may have been generated, the likeliest first: functions of one
            file are as a rule of one level.
    """

    toolchain: Toolchain
    worker: PieceWorker
    model: Callable[[], Model]
    code: MachineCode
    sampling: Sampling = field(default_factory=Sampling)
    levels: tuple[str, ...] = LEVELS

    def read(self, index: int, name: str) -> Recovered:
        """One function, by its number."""
        began = time.monotonic()
        try:
            piece = self.worker.cut(self.code.data, index)
        except IrsmithError as error:
            return Recovered(name, "failed", "", 0, time.monotonic() - began, str(error))
        assembly = AssemblyText(self.code.triple, piece.text)
        tried, samples = 0, 0
        found: list[tuple[str, Judged[_Kept]]] = []
        if self.sampling.by != "model":
            lifted = self._lift(assembly, piece)
            tried = lifted.tried
            found.append(("lift", lifted.best))
        if self.sampling.by == "model" or (
            self.sampling.by == "both" and found[0][1].grade not in GRADES[:2]
        ):
            drawn = self._ask(assembly, piece)
            samples = drawn.samples
            found.append(("model", drawn.best))
        source, best = min(found, key=lambda one: GRADES.index(one[1].grade))
        reason = best.reason
        if best.grade == "failed" and len(found) > 1:
            reason = "; ".join(f"{who}: {one.reason}" for who, one in found)
        kept = best.kept or _Kept("", "")
        return Recovered(
            name, best.grade, kept.ir, samples, time.monotonic() - began, reason, kept.level,
            source if kept.ir else "", tried,
        )  # fmt: skip

    def _ask(self, assembly: AssemblyText, piece: Piece) -> Drawn[_Kept]:
        """Ask the model."""
        from irsmith.infer.draw import draw, greedy_first, rules_of_assembly
        from irsmith.infer.sample import Settings

        model = self.model()
        prompt = prompt_parts(assembly)
        longest = longest_answer(len(model.packer.ids(prompt)))
        how = Settings(
            self.sampling.temperature, longest=longest, loops=LOOPS, seed=self.sampling.seed
        )
        return draw(
            model,
            prompt,
            lambda parts: self._judge(assembly, piece, parts),
            greedy_first(self.sampling.samples, how),
            rules=rules_of_assembly(model, assembly.text),
        )

    def _lift(self, assembly: AssemblyText, piece: Piece) -> _Lifted:
        """Lift the function; of what is not exact the nearest is run beside it."""
        near: list[tuple[float, int, _Kept]] = []
        tried, refused = 0, "LLVM refuses what lifting gives"
        try:
            version = self.toolchain.version
            for answer in answers(assembly, self.worker.optimise, version, self.levels):
                tried += 1
                try:
                    made = self._recompile(piece, answer)
                except IrsmithError as error:
                    refused = f"LLVM refuses what lifting gives: {error}"
                    continue
                kept = _Kept(made.ir, answer.level)
                if any(same(piece, one) for one in made.pieces):
                    others = (level for level in self.levels if level != answer.level)
                    self.levels = (answer.level, *others)
                    return _Lifted(Judged("exact", kept=kept), tried)
                near.append((_distance(piece, made.pieces), tried, kept))
        except IrsmithError as error:
            if not near:
                refused = f"it cannot be lifted: {error}"
        if not near:
            return _Lifted(Judged("failed", refused), tried)
        near.sort(key=lambda one: one[:2])
        # What gives nothing back cannot be compared, so what gives something has its turn too.
        giving = [one for one in near if not returns_nothing(one[2].ir, piece.name)]
        chosen = dict.fromkeys(kept for _, _, kept in (*near[:_COMPARED], *giving[:_COMPARED]))
        judged = [self._compare(piece, kept) for kept in chosen]
        return _Lifted(min(judged, key=lambda one: GRADES.index(one.grade)), tried)

    def _recompile(self, piece: Piece, answer: DisassembleAnswer) -> Recompiled:
        code = self.code
        return self.worker.recompile(answer, piece.name, code.assembled, code.defined)

    def _compare(self, piece: Piece, kept: _Kept) -> Judged[_Kept]:
        """What IR is worth whose code is not the function's own."""
        compared = compare(self.toolchain, self.code.triple, piece, kept.ir)
        if compared.state == "passed":
            return Judged("equivalent", "other code, which did the same on all inputs", kept)
        said = "differs" if compared.state == "failed" else "not known to do the same"
        return Judged("compiles", f"to other code, {said}: {compared.reason}", kept)

    def _judge(self, assembly: AssemblyText, piece: Piece, parts: Sequence[Part]) -> Judged[_Kept]:
        """What one answer of the model is worth."""
        answer = parse_answer(assembly, parts)
        if isinstance(answer, NoAnswer):
            return Judged("failed", f"the model's answer is none: {answer.reason}")
        try:
            made = self._recompile(piece, answer)
        except IrsmithError as error:
            return Judged("failed", f"LLVM refuses the model's answer: {error}")
        kept = _Kept(made.ir, answer.level)
        if not made.pieces:
            return Judged("compiles", f"to something else: {made.reason}", kept)
        if any(same(piece, one) for one in made.pieces):
            return Judged("exact", kept=kept)
        return self._compare(piece, kept)


def _distance(piece: Piece, made: Sequence[Piece]) -> float:
    """How unlike a function's instructions those of others are, from 0 to 1."""
    return min(
        (
            1 - SequenceMatcher(None, piece.instructions, one.instructions, False).ratio()
            for one in made
        ),
        default=1.0,
    )


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
        model: opens the model; it is not opened before it is asked.
        name: of the model.
        sampling: how answers are drawn.
        functions: names; empty: all.
        progress: told the number of functions done.

    Raises:
        IrsmithError: no such function, or the model cannot be opened.
    """
    began = time.monotonic()
    chosen = code.chosen(functions)
    opened = functools.cache(model)
    if (sampling or Sampling()).by == "model":
        opened()  # if it cannot be opened, that is said at once
    found: list[Recovered] = []
    with PieceWorker(toolchain, code.triple) as worker:
        reader = Reader(toolchain, worker, opened, code, sampling or Sampling())
        for index, symbol in chosen:
            found.append(reader.read(index, symbol))
            progress(len(found))
    return Disassembled(code.name, code.triple, name, tuple(found), time.monotonic() - began)
