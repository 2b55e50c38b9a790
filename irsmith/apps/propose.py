"""Which candidates are compiled first: the contract, the portfolio by itself and in order.

What is proposed is only an order of what to try: compiling decides, and the checks.
:mod:`irsmith.apps.ask` asks a language model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from irsmith.records import Candidate, Module, Objective, Size
from irsmith.search.forest import digest_of, features, load_forest
from irsmith.search.portfolio import Portfolio
from irsmith.toolchain.census import Census
from irsmith.toolchain.find import Toolchain

NONE = "none"
"""The name that stands for the portfolio as it is."""
FOREST = "forest"
"""The name of :class:`ByForest`, the default: nothing that ships was measured to be better."""


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
        census: what the module is made of.
        baseline: what clang's own -Oz makes of it.
        count: of candidates, at most.
        effort: how much may be spent on asking.
    """

    toolchain: Toolchain
    module: Module
    objective: Objective
    portfolio: Portfolio
    census: Census
    baseline: Size
    count: int
    effort: str


class Proposes(Protocol):
    """Proposes candidates for one module after another."""

    @property
    def name(self) -> str:
        """Of who proposes."""

    def begin(self, target: str) -> None:
        """Load what is needed for any module of a target."""

    def propose(self, question: Question) -> Proposed:
        """Candidates for a module."""


class Static:
    """The portfolio in its own order."""

    name = NONE

    def begin(self, target: str) -> None:
        """Nothing is needed."""

    def propose(self, question: Question) -> Proposed:
        """The portfolio's first candidates."""
        return Proposed(question.portfolio.candidates[: question.count])


class ByForest:
    """The portfolio in the order that saves modules like this one most.

    In its own order where there is no forest for the target, for this portfolio and for what
    is to be minimised.
    """

    name = FOREST

    def begin(self, target: str) -> None:
        """Load the forest."""
        load_forest(target)

    def propose(self, question: Question) -> Proposed:
        """The lists that go first for this module."""
        lists, count = question.portfolio.candidates, question.count
        forest = load_forest(question.module.target) if question.objective == "size" else None
        if forest is None or forest.portfolio != digest_of(lists):
            return Proposed(lists[:count])
        order = forest.order(features(question.census, question.baseline), count)
        return Proposed(tuple(lists[place] for place in order))
