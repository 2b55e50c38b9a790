"""Examples, labels and parts: what the four tasks share.

Prompts and answers are sequences of parts: special tokens and text. Text is never searched
for special tokens, so a program that contains ``<|end|>`` in a string stays a program.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from irsmith.records import Candidate, IrsmithError, Objective, Size, Verdict
from irsmith.tasks.vocabulary import special_tokens

Task = Literal["pretrain-ir", "pretrain-asm", "emulate", "tune", "rank", "disassemble"]
Output = Literal["ir", "assembly"]
"""What an emulated compilation prints."""
Form = Literal["compiler", "object"]
"""How assembly is printed: as the compiler does, or as a disassembled object is."""


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(special_tokens())


@dataclass(frozen=True, slots=True)
class Special:
    """A special token of the vocabulary, such as ``<|answer|>``.

    Raises:
        IrsmithError: the vocabulary has no such token.
    """

    token: str

    def __post_init__(self) -> None:
        if self.token not in _known():
            raise IrsmithError(f"{self.token[:60]!r} is no special token")


@dataclass(frozen=True, slots=True)
class Text:
    """Text, whatever it looks like."""

    text: str


Part = Special | Text


def specials(tokens: Iterable[str]) -> tuple[Part, ...]:
    """Special tokens as parts."""
    return tuple(Special(token) for token in tokens)


@dataclass(frozen=True, slots=True)
class Example:
    """One document to learn from.

    Attributes:
        task: which of the tasks.
        target: LLVM's name of the architecture: ``X86`` or ``AArch64``.
        prompt: not learned; empty for pretraining.
        answer: learned; ends with the token that ends a document.
        slots: of ranking: how likely each portfolio slot should be behind the prompt; the
            answer then is nothing but its end, and is not learned.
    """

    task: Task
    target: str
    prompt: tuple[Part, ...]
    answer: tuple[Part, ...]
    slots: tuple[float, ...] = ()

    @property
    def answer_bytes(self) -> int:
        """UTF-8 bytes of the text in the answer; special tokens count nothing."""
        texts = (part.text for part in self.answer if isinstance(part, Text))
        return sum(len(text.encode()) for text in texts)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A model's answer that means nothing; never an exception.

    Attributes:
        reason: why, in one line.
    """

    reason: str


_NOT_CHECKED = Verdict()


@dataclass(frozen=True, slots=True)
class EmulateLabel:
    """One compilation of a module, measured on its normalised form.

    Attributes:
        module: sha256 of the row's bitcode.
        candidate: what ran.
        output: whether the example shows the IR after the passes or the assembly.
        before: sizes of the module without passes.
        after: sizes with the candidate.
        toolchain: fingerprint of the LLVM that measured.
    """

    module: str
    candidate: Candidate
    output: Output
    before: Size
    after: Size
    toolchain: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate that a search measured.

    Attributes:
        candidate: what was tried.
        size: what it gave; None if the compiler failed.
    """

    candidate: Candidate
    size: Size | None


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A candidate that is smaller than the best one and that no check has accepted.

    Attributes:
        candidate: as the search found it.
        size: what it gave.
        reason: why it is not the best: not judged, or what refused it, in one line.
    """

    candidate: Candidate
    size: Size
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TuneLabel:
    """The best checked list that was found for a module, and all that were tried.

    Attributes:
        module: sha256 of the row's bitcode.
        best: minimised and canonical; None if nothing beats clang's own -Oz.
        before: sizes of the module without passes.
        baseline: sizes of -Oz.
        after: sizes with ``best``; the baseline's if there is none.
        toolchain: fingerprint of the LLVM that measured.
        objective: what was minimised.
        tried: every candidate measured, so that ranking can be learned.
        strategy: what searched.
        compilations: how many it took.
        seconds: how long it took.
        verdict: what the checks said of ``best``.
        unchecked: the smallest candidate that beats ``best`` and was not accepted; None if
            there is none. What checking costs.
    """

    module: str
    best: Candidate | None
    before: Size
    baseline: Size
    after: Size
    toolchain: str
    objective: Objective = "size"
    tried: tuple[Tried, ...] = ()
    strategy: str = ""
    compilations: int = 0
    seconds: float = 0.0
    verdict: Verdict = _NOT_CHECKED
    unchecked: Unchecked | None = None


@dataclass(frozen=True, slots=True)
class DisassembleLabel:
    """Which code of a module to read back.

    Attributes:
        module: sha256 of the row's bitcode.
        level: at which it is compiled: ``O0`` to ``O3``, ``Os``, ``Oz``.
        toolchain: fingerprint of the LLVM that compiles.
        form: how the assembly that is asked about is printed.
    """

    module: str
    level: str
    toolchain: str
    form: Form = "compiler"
