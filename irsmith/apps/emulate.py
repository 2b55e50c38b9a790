"""What a model says that a pass list makes of a file: IR or assembly, and sizes.

It is a guess, whatever it looks like. ``compare`` runs the passes and grades it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from irsmith.apps.sampling import LOOPS, Sampling, longest_answer
from irsmith.corpus.functions import cut_units
from irsmith.records import Candidate, IrsmithError, Module, Size
from irsmith.tasks import emulate as task
from irsmith.tasks.emulate import EmulateAnswer, EmulatePrompt
from irsmith.tasks.example import NoAnswer, Output, Part
from irsmith.tasks.form import canonical
from irsmith.tasks.render import RenderWorker, Request
from irsmith.tasks.text import IRText
from irsmith.toolchain.find import Toolchain

if TYPE_CHECKING:
    from irsmith.infer.judged import Judged
    from irsmith.infer.load import Model
    from irsmith.infer.wellformed import WellFormed

GRADES = ("exact", "same bytes", "compiles", "failed")
"""Best first; without comparison only the last two are known."""
_SHARE = 0.5
"""Of the window that a whole file may take: the answer is about as long as the prompt."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a file.

    Attributes:
        candidate: the pass list and code generation options.
        output: ``ir`` or ``assembly``.
        compare: whether to run the passes too.
        sampling: how answers are drawn.
    """

    candidate: Candidate
    output: Output = "ir"
    compare: bool = False
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Emulation:
    """A function, or a file that fits the window as a whole.

    Attributes:
        name: of the function; of the file if it was asked about as a whole.
        grade: one of :data:`GRADES`.
        ir: what the model said: IR, or assembly where that was asked for. LLVM refuses it
            where the grade is ``failed``; empty if the model gave no answer.
        samples: answers drawn.
        seconds: that it took.
        reason: why the grade is no better.
        predicted: sizes that the model said; None without an answer.
        actual: sizes that the passes gave, where compared.
    """

    name: str
    grade: str
    ir: str
    samples: int
    seconds: float
    reason: str = ""
    predicted: Size | None = None
    actual: Size | None = None

    @property
    def size_error(self) -> float | None:
        """How far the predicted total is from the actual one, as a share of that."""
        if self.predicted is None or self.actual is None:
            return None
        return abs(self.predicted.total - self.actual.total) / max(self.actual.total, 1)

    def to_json(self) -> dict[str, Any]:
        """One of ``functions`` of the command's ``--json``."""
        error = self.size_error
        return {
            "name": self.name,
            "grade": self.grade,
            "ir": self.ir,
            "samples": self.samples,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
            "predicted": self.predicted.to_json() if self.predicted else None,
            "actual": self.actual.to_json() if self.actual else None,
            "size_error": None if error is None else round(error, 4),
        }


@dataclass(frozen=True, slots=True)
class Emulated:
    """What came of a file.

    Attributes:
        name: of the file.
        target: LLVM triple.
        model: that was asked.
        candidate: what was emulated, canonical.
        output: ``ir`` or ``assembly``.
        compared: whether the passes ran too.
        functions: each, or the one file.
        seconds: in all.
    """

    name: str
    target: str
    model: str
    candidate: Candidate
    output: Output
    compared: bool
    functions: tuple[Emulation, ...]
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
            "pass_list": self.candidate.passes,
            "codegen": list(self.candidate.codegen),
            "output": self.output,
            "compared": self.compared,
            "functions": [one.to_json() for one in self.functions],
            "seconds": round(self.seconds, 3),
        }


def emulate(
    toolchain: Toolchain,
    module: Module,
    model: Callable[[], Model],
    name: str,
    wish: Wish,
    progress: Callable[[int], None] = lambda _: None,
) -> Emulated:
    """Ask a model what a pass list makes of a file.

    Args:
        toolchain: where LLVM is.
        module: the file, unoptimised.
        model: opens the model that is asked.
        name: of the model.
        wish: what is asked.
        progress: told the number of functions done.

    Raises:
        IrsmithError: a pass or option that does not exist, no model, a module that LLVM
            refuses.
    """
    began = time.monotonic()
    wish = replace(wish, candidate=canonical(wish.candidate))
    opened = model()
    found: list[Emulation] = []
    with RenderWorker(toolchain, module.target) as worker:
        asking = _Asking(worker, opened, wish)
        for part in _parts(toolchain, asking, module):
            found.append(part if isinstance(part, Emulation) else asking.ask(*part))
            progress(len(found))
    if not found:
        raise IrsmithError(f"{module.name}: it defines no function, so there is nothing to emulate")
    return Emulated(
        module.name,
        module.target,
        name,
        wish.candidate,
        wish.output,
        wish.compare,
        tuple(found),
        time.monotonic() - began,
    )


def _parts(
    toolchain: Toolchain, asking: _Asking, module: Module
) -> Iterator[tuple[str, bytes] | Emulation]:
    """The file as a whole if it fits, else its functions: name and bitcode."""
    whole = asking.prompt(module.bitcode)
    if asking.tokens(whole) <= _SHARE * asking.model.engine.shape.context:
        yield module.name, module.bitcode
        return
    (outcome,) = cut_units(toolchain, [module])
    if outcome.value is None:
        raise IrsmithError(f"{module.name}: functions cannot be cut out: {outcome.detail}")
    for cut in outcome.value:
        if cut.failure:
            reason = f"cannot be cut out: {cut.failure.splitlines()[0]}"
            yield Emulation(cut.name, "failed", "", 0, 0.0, reason)
        else:
            yield cut.name, cut.bitcode


@dataclass(frozen=True, slots=True)
class _Asking:
    """Everything that one question needs besides its module."""

    worker: RenderWorker
    model: Model
    wish: Wish

    def prompt(self, bitcode: bytes) -> EmulatePrompt:
        """The question about a module."""
        made = self.worker.render(Request(bitcode, ir=True))
        assert made.ir is not None
        return EmulatePrompt(made.ir, self.wish.candidate, made.size, self.wish.output)

    def tokens(self, prompt: EmulatePrompt) -> int:
        """How long it is."""
        return len(self.model.packer.ids(task.prompt_parts(prompt)))

    def ask(self, name: str, bitcode: bytes) -> Emulation:
        """What the model says of one module."""
        from irsmith.infer.draw import draw, greedy_first
        from irsmith.infer.sample import Settings

        began = time.monotonic()
        try:
            prompt = self.prompt(bitcode)
            truth = self._truth(prompt) if self.wish.compare else None
        except IrsmithError as error:
            reason = f"LLVM: {str(error).splitlines()[0]}"
            return Emulation(name, "failed", "", 0, time.monotonic() - began, reason)
        sampling = self.wish.sampling
        longest = longest_answer(self.tokens(prompt))
        how = Settings(sampling.temperature, longest=longest, loops=LOOPS, seed=sampling.seed)
        drawn = draw(
            self.model,
            task.prompt_parts(prompt),
            lambda parts: self._judge(prompt, truth, parts),
            greedy_first(sampling.samples, how),
            "exact" if truth else "compiles",
            self._rules(prompt),
        )
        best, answer = drawn.best, drawn.best.kept
        return Emulation(
            name,
            best.grade,
            _text(answer) if answer else "",
            drawn.samples,
            time.monotonic() - began,
            best.reason,
            answer.after if answer else None,
            truth.after if truth else None,
        )

    def _rules(self, prompt: EmulatePrompt) -> WellFormed | None:
        """What IR in the answer may say."""
        from irsmith.infer.draw import rules_of_ir

        if self.wish.output != "ir":
            return None
        return rules_of_ir(self.model, prompt.source.text, prompt.candidate.passes)

    def _truth(self, prompt: EmulatePrompt) -> EmulateAnswer:
        """What the passes really give."""
        want_ir = self.wish.output == "ir"
        request = Request(prompt.source, prompt.candidate, ir=want_ir, assembly=not want_ir)
        made = self.worker.render(request)
        output = made.ir if want_ir else made.assembly
        assert output is not None
        return EmulateAnswer(made.size, output)

    def _judge(
        self, prompt: EmulatePrompt, truth: EmulateAnswer | None, parts: Sequence[Part]
    ) -> Judged[EmulateAnswer]:
        """What one answer is worth."""
        from irsmith.infer.judged import Judged

        answer = task.parse_answer(prompt, parts)
        if isinstance(answer, NoAnswer):
            return Judged("failed", f"the model's answer is none: {answer.reason}")
        if truth is None:
            try:
                self.worker.render(Request(answer.output))
            except IrsmithError as error:
                return Judged("failed", _refused(error), answer)
            return Judged("compiles", "not compared with what the passes do", answer)
        found = task.score(self.worker, prompt, answer, truth)
        if found.exact:
            return Judged("exact", kept=answer)
        if found.same_bytes:
            return Judged("same bytes", "another text, the same code", answer)
        if found.parses:
            return Judged("compiles", "to other code than what the passes give", answer)
        return Judged("failed", f"LLVM refuses it: {found.reason}", answer)


def _refused(error: IrsmithError) -> str:
    return f"LLVM refuses it: {str(error).splitlines()[0]}"


def _text(answer: EmulateAnswer) -> str:
    """What the model said, in words that a person knows."""
    output = answer.output
    if isinstance(output, IRText):
        return f"; {output.header.line()}\n{output.text}"
    return output.text
