"""A language model is asked what to compile first.

It orders the lists that it was taught to rank, with one prompt (or one a function, where a
unit does not fit its window); the forest's order fills up.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from irsmith.apps.propose import FOREST, NONE, ByForest, Proposed, Proposes, Question, Static
from irsmith.records import IrsmithError, Module
from irsmith.toolchain.find import Toolchain

if TYPE_CHECKING:
    from irsmith.infer.load import Model

DEFAULT = "nano"
"""The model that is asked where nobody names one, by commands that need one."""
PROMPTS = {"fast": 0, "balanced": 16, "max": 64}
"""Functions, largest first, that it is asked about where a unit does not fit, by effort."""
One = TypeVar("One", bound=Hashable)
"""A candidate, or its place in a portfolio."""


def proposer(name: str | None = None) -> Proposes:
    """Who proposes.

    Args:
        name: what :func:`irsmith.infer.load.open_named` takes, or ``none`` or ``forest``;
            None: the forest, which was measured to be better than the model that ships.

    Raises:
        IrsmithError: the model that was named cannot be opened.
    """
    if name is None or name == FOREST:
        return ByForest()
    if name == NONE:
        return Static()
    asked = ByModel(name)
    _ = asked.model  # what a person named is opened before any work is done
    return asked


class ByModel:
    """Proposes what a model ranks first; it is opened when it is first asked.

    Args:
        name: what :func:`irsmith.infer.load.open_named` takes.

    Attributes:
        name: of the model.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @functools.cached_property
    def model(self) -> Model:
        """The model."""
        from irsmith.infer.load import open_named  # heavy, and the forest needs none of it

        # One thread: the same sums in the same order on machines of any number of cores.
        return open_named(self.name, threads=1)

    def begin(self, target: str) -> None:
        """Load the forest, which fills up."""
        ByForest().begin(target)

    def propose(self, question: Question) -> Proposed:
        """See :class:`irsmith.apps.propose.Proposes`.

        The forest alone where the model was not taught the objective or the target, and,
        with a remark, where it cannot be asked.
        """
        others, count = ByForest().propose(question).candidates, question.count
        if question.objective != "size":
            return Proposed(others)
        try:
            ranked = self.rank(question.toolchain, question.module, PROMPTS[question.effort])
        except IrsmithError as error:
            # A module that LLVM compiles is compiled, whatever becomes of the question.
            return Proposed(others, remark=f"the model was not asked: {error}")
        return replace(
            ranked,
            candidates=merged(ranked.candidates, others, count),
            by_model=frozenset(ranked.candidates[: model_share(count)]),
        )

    def rank(self, toolchain: Toolchain, module: Module, prompts: int) -> Proposed:
        """The lists that the model was taught to rank, likeliest first.

        None where it was not taught the target, or no function of the module fits.

        Args:
            toolchain: where LLVM is.
            module: unoptimised.
            prompts: functions to ask about where the module does not fit as a whole.

        Raises:
            IrsmithError: the model cannot be opened, a server does not answer, or the
                module cannot be written out as a prompt.
        """
        from irsmith.infer.window import propose  # brings numpy: only where a model is asked
        from irsmith.model.slots import read_portfolio

        began = time.monotonic()
        slots = read_portfolio(self.model.folder, module.target)
        if not slots:
            return Proposed(())
        answer = propose(
            self.model, toolchain, module, len(slots), slots, lists=False, most_functions=prompts
        )
        ranked = tuple(choice.candidate for choice in answer.choices if choice.candidate)
        return Proposed(
            ranked,
            frozenset(ranked),
            time.monotonic() - began,
            sum(not piece.left_out for piece in answer.pieces),
            answer.asked,
        )


def merged(ranked: Sequence[One], others: Sequence[One], count: int) -> tuple[One, ...]:
    """The model's order and another in one, each candidate once.

    Args:
        ranked: by the model, likeliest first.
        others: an order whose first lists go well together.
        count: of candidates.
    """
    first = ranked[: model_share(count)]
    return tuple(dict.fromkeys([*first, *others, *ranked]))[:count]


def model_share(count: int) -> int:
    """How many of some candidates the model names before the others fill up."""
    return -(-count // 2)
