"""The space of candidates: what may be drawn, and how one candidate becomes another.

A candidate is a sequence of *atoms* at module level (``globalopt``,
``function(gvn)``, ``default<Oz>``) with a set of code generation options. Whole
levels composed with passes before them win most (docs/log.md), so most draws have
one; some are passes alone.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterable
from dataclasses import dataclass

from irsmith.passlist import PassList
from irsmith.records import Candidate
from irsmith.toolchain.codegen import OPTIONS, one_value
from irsmith.toolchain.passes import Pass, load_passes, search_space

LEVELS = ("default<O1>", "default<O2>", "default<Os>", "default<Oz>", "default<Oz>")
"""Levels to draw from; -Oz twice as often."""

_SHARES = {"module": 0.25, "cgscc": 0.05, "function": 0.55, "loop": 0.15}
_MAX_ATOMS = 60


@dataclass(frozen=True, slots=True)
class Space:
    """Atoms by level, and code generation options.

    Attributes:
        atoms: for each level, the passes, each with its variants: the bare pass, then
            one for each of its switches. All are nested so that they stand at module level.
        codegen: options that may be combined.
    """

    atoms: dict[str, tuple[tuple[str, ...], ...]]
    codegen: tuple[str, ...]

    def atom(self, rng: random.Random) -> str:
        """One atom: a level by its share, each of its passes alike, three in ten with a switch."""
        levels = [level for level in _SHARES if self.atoms.get(level)]
        level = rng.choices(levels, [_SHARES[level] for level in levels])[0]
        variants = rng.choice(self.atoms[level])
        return rng.choice(variants) if rng.random() < 0.3 else variants[0]

    def draw(self, rng: random.Random) -> Candidate:
        """A random candidate without code generation options.

        15 % are 10 to 50 atoms alone; the others are a level (sometimes two) with
        up to eight atoms before it and five after.
        """
        if rng.random() < 0.15:
            return join(self.atom(rng) for _ in range(rng.randint(10, 50)))
        before = [self.atom(rng) for _ in range(rng.choice([0, 0, 1, 2, 3, 5, 8]))]
        after = [self.atom(rng) for _ in range(rng.choice([0, 0, 1, 2, 3, 5]))]
        levels = [rng.choice(LEVELS)]
        if rng.random() < 0.3:
            levels.append(rng.choice(LEVELS))
        return join([*before, *levels, *after])

    def draw_with_codegen(self, rng: random.Random) -> Candidate:
        """A random candidate; half have one to three code generation options."""
        candidate = self.draw(rng)
        if rng.random() < 0.5:
            return candidate
        count = min(rng.choice([1, 1, 2, 3]), len(self.codegen))
        return Candidate(candidate.passes, one_value(rng.sample(self.codegen, count)))

    def mutate(self, rng: random.Random, candidate: Candidate) -> Candidate:
        """A neighbour: one to three of insert, drop, replace, swap, or an option flipped."""
        atoms, codegen = split(candidate), set(candidate.codegen)
        for _ in range(rng.choice([1, 1, 2, 3])):
            kind = rng.random()
            at = rng.randrange(len(atoms) + 1)
            if kind < 0.35 and len(atoms) < _MAX_ATOMS:
                atoms.insert(at, self.atom(rng) if rng.random() < 0.9 else rng.choice(LEVELS))
            elif kind < 0.55 and atoms:
                atoms.pop(rng.randrange(len(atoms)))
            elif kind < 0.7 and atoms:
                atoms[rng.randrange(len(atoms))] = self.atom(rng)
            elif kind < 0.8 and len(atoms) > 1:
                first, second = rng.sample(range(len(atoms)), 2)
                atoms[first], atoms[second] = atoms[second], atoms[first]
            elif self.codegen:
                flipped = rng.choice(self.codegen)
                kept = sorted(codegen - {flipped})
                codegen = set(kept if flipped in codegen else one_value([*kept, flipped]))
        return Candidate(",".join(atoms), tuple(codegen))

    def cross(self, rng: random.Random, first: Candidate, second: Candidate) -> Candidate:
        """The head of one list and the tail of another; options from either."""
        head, tail = split(first), split(second)
        atoms = head[: rng.randint(0, len(head))] + tail[rng.randint(0, len(tail)) :]
        codegen = [
            option
            for option in sorted({*first.codegen, *second.codegen})
            if option in (first if rng.random() < 0.5 else second).codegen
        ]
        return Candidate(",".join(atoms[:_MAX_ATOMS]), one_value(codegen))


def join(atoms: Iterable[str]) -> Candidate:
    """A candidate of atoms, without code generation options."""
    return Candidate(",".join(atoms))


def split(candidate: Candidate) -> list[str]:
    """The atoms of a candidate."""
    return [element.text for element in PassList.parse(candidate.passes).elements]


def nested(known: Pass, params: str = "") -> str:
    """A pass with its adaptors, so that it stands at module level."""
    return PassList.parse(known.name + params).canonical(load_passes()).text


def flag_params(known: Pass) -> list[str]:
    """Parameters that are plain switches, each alone: ``<memssa>``, ``<sink-common-insts>``."""
    return [
        f"<{param}>"
        for param in known.params
        if param and not set("=<>#| ") & set(param) and param.islower()
    ]


@functools.cache
def default_space(codegen: bool = True) -> Space:
    """All passes that the table allows, with their switches; vetted code generation options."""
    atoms: dict[str, tuple[tuple[str, ...], ...]] = {}
    for level, passes in search_space().items():
        group = "loop" if level == "loop-mssa" else level
        variants = tuple(
            (nested(known), *(nested(known, params) for params in flag_params(known)))
            for known in passes
        )
        atoms[group] = (*atoms.get(group, ()), *variants)
    options = tuple(option.text for option in OPTIONS) if codegen else ()
    return Space(atoms, options)
