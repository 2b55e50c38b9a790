"""Which candidates are compiled first: the contract, and the portfolio by itself.

What is proposed is only an order of what to try: compiling decides, and the checks.
:mod:`irsmith.apps.ask` asks a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from irsmith.records import Candidate, Module, Objective
from irsmith.search.portfolio import Portfolio
from irsmith.toolchain.find import Toolchain

NONE = "none"
"""The name that stands for no model."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What to compile, in this order.

    Attributes:
        candidates: each once.
        by_model: those that a model put there.
        seconds: of the model, reading prompts included.
        prompts: how many it was asked.
        asked: share of the module that it was asked about, by unoptimised instructions.
        remark: why it could not be asked; usually empty.
    """

    candidates: tuple[Candidate, ...]
    by_model: frozenset[Candidate] = frozenset()
    seconds: float = 0.0
    prompts: int = 0
    asked: float = 0.0
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be proposed for.

    Attributes:
        toolchain: where LLVM is.
        module: unoptimised.
        objective: what to minimise.
        portfolio: of the module's target.
        count: of candidates, at most.
        effort: how much may be spent on asking.
    """

    toolchain: Toolchain
    module: Module
    objective: Objective
    portfolio: Portfolio
    count: int
    effort: str


class Proposes(Protocol):
    """Proposes candidates for one module after another."""

    @property
    def name(self) -> str:
        """Of the model that is asked; ``none`` without one."""

    def propose(self, question: Question) -> Proposed:
        """Candidates for a module."""


class Static:
    """The portfolio in its own order."""

    name = NONE

    def propose(self, question: Question) -> Proposed:
        """The portfolio's first candidates."""
        return Proposed(question.portfolio.candidates[: question.count])
