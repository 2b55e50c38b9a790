"""How a person wants answers drawn, and which model is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from irsmith.apps.ask import DEFAULT
from irsmith.infer.load import folder_of, open_named, shipped_models
from irsmith.records import IrsmithError

if TYPE_CHECKING:
    from irsmith.infer.load import Model

TEMPERATURE = 0.7
"""Of answers behind the first, unless the person says another."""
LOOPS = 128
"""Tokens at an answer's end that repeat one phrase, after which it is given up."""
_LEAST_ROOM, _ROOM = 256, 4
"""Tokens of the longest answer: so many, and so many for each token of the prompt."""


By = Literal["both", "lift", "model"]
"""Who reads code back: rules that lift it, a model, or a model what rules do not get right."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are had.

    Attributes:
        samples: answers a function at most; the first is the likeliest one, the others are
            drawn.
        temperature: of those that are drawn.
        seed: of those too: same seed, same answers.
        by: who is asked; only a disassembly has a choice.
    """

    samples: int = 1
    temperature: float = TEMPERATURE
    seed: int = 0
    by: By = "both"

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.samples < 1:
            raise IrsmithError("at least one sample is needed")
        if not 0 <= self.temperature <= 100 or self.seed < 0:
            raise IrsmithError("a temperature of 0 to 100 and a seed of at least 0 are needed")


def longest_answer(prompt: int) -> int:
    """Tokens after which an answer is given up.

    Args:
        prompt: its tokens.
    """
    return _LEAST_ROOM + _ROOM * prompt


def opener(name: str | None) -> tuple[Callable[[], Model], str]:
    """What opens the model that a person named.

    Args:
        name: what :func:`irsmith.infer.load.open_named` takes; None: the one that ships.

    Returns:
        A function that opens it, and its name.

    Raises:
        IrsmithError: none was named and none ships, or there is none of that name.
    """
    asked = name or DEFAULT
    if name is None and DEFAULT not in shipped_models():
        raise IrsmithError("no model ships with this irsmith: name one with --model FOLDER or URL")
    folder_of(asked)  # what is no model is said at once, even if none comes to be asked
    # One thread: the same sums in the same order on machines of any number of cores.
    return lambda: open_named(asked, threads=1), asked
