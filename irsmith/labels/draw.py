"""What is drawn for a module: by seed and the module's hash, so the same on every machine."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from irsmith.records import Candidate
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import Space, default_space, join
from irsmith.tasks.example import Form, Output
from irsmith.toolchain.codegen import one_value

LEVELS = ("O1", "O2", "O3", "Os", "Oz")
"""Whole levels among the lists of emulation."""
LONGEST_LIST = 50
"""Passes of the longest random list, as in the paper (arXiv 2309.07062)."""
_OTHER_LEVELS = ("O0", "O1", "O2", "O3", "Os")
_OZ_SHARE = 0.5
_KINDS = {"passes": 0.55, "search": 0.15, "level": 0.15, "portfolio": 0.15}
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Emulation:
    """Asks for the emulation of one compilation."""

    candidate: Candidate
    output: Output


@dataclass(frozen=True, slots=True)
class Disassembly:
    """Asks for the disassembly of one compilation."""

    level: str
    form: Form


Wish = Emulation | Disassembly


def draw(kind: str, module: str, target: str, count: int, seed: int) -> list[Wish]:
    """What to make of a module.

    Args:
        kind: ``emulate`` or ``disassemble``.
        module: its sha256.
        target: its triple.
        count: wishes, no two alike; fewer if that many cannot be found.
        seed: of the run.
    """
    rng = random.Random(f"{seed} {kind} {module}")
    found: dict[Wish, None] = {}
    for _ in range(count * _TRIES):
        if len(found) == count:
            break
        found[_emulation(rng, target) if kind == "emulate" else _disassembly(rng)] = None
    return list(found)


def _emulation(rng: random.Random, target: str) -> Emulation:
    candidate = draw_list(rng, default_space(), load_portfolio(target).candidates)
    return Emulation(candidate, "ir" if rng.random() < 0.5 else "assembly")


def _disassembly(rng: random.Random) -> Disassembly:
    level = "Oz" if rng.random() < _OZ_SHARE else rng.choice(_OTHER_LEVELS)
    return Disassembly(level, "compiler" if rng.random() < 0.5 else "object")


def draw_list(rng: random.Random, space: Space, portfolio: tuple[Candidate, ...]) -> Candidate:
    """A pass list to emulate.

    55 in 100 are 1 to 50 passes (log-uniform), 15 what a search draws (levels with passes
    around them), 15 a whole level, 15 a list of the portfolio. A fifth of those without
    code generation options get one or two.

    Args:
        rng: decides.
        space: of passes that may be drawn.
        portfolio: lists that win often.
    """
    kind = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    if kind == "portfolio" and portfolio:
        return rng.choice(portfolio)
    if kind == "level":
        candidate = Candidate(f"default<{rng.choice(LEVELS)}>")
    elif kind == "search":
        candidate = space.draw(rng)
    else:
        length = int(math.exp(rng.uniform(0, math.log(LONGEST_LIST + 1))))
        candidate = join(space.atom(rng) for _ in range(length))
    if space.codegen and rng.random() < 0.2:
        options = rng.sample(space.codegen, rng.choice([1, 1, 2]))
        candidate = Candidate(candidate.passes, one_value(options))
    return candidate
