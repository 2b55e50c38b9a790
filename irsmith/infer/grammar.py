"""Which tokens may come next in an answer to a tuning prompt, so that it always parses.

The grammar writes canonical lists only (:func:`irsmith.tasks.form.canonical`): what labels
are, and one text for each list, so that a list's probability is that of its one text. It
asks :meth:`irsmith.passlist.PassList.canonical` itself what may stand where, and holds only
the answers. Passes and options are those that search may use and that have a token of their
own; nothing is spelled.

An answer is decided, and over, with ``<|before|>`` or ``<|end|>`` behind a list, or with the
token of a portfolio slot or of -Oz.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from irsmith.passlist import PassList, PassListError
from irsmith.records import IrsmithError
from irsmith.tasks.form import LONGEST_LIST
from irsmith.tasks.vocabulary import BEFORE, END, LEVELS, PASSES, PORTFOLIO, special_tokens
from irsmith.toolchain.codegen import OPTIONS
from irsmith.toolchain.passes import ALLOWED, Tier, load_passes

DEEPEST = 8
"""Adaptors within each other; LLVM's own pipelines have five."""
TOP = ""
"""The outermost level, in place of an adaptor."""
_CLOSE = "<|close|>"

Ids = NDArray[np.int64]


class Names(Protocol):
    """What the grammar needs of a tokenizer."""

    def special(self, name: str) -> int:
        """The id of a special token."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an answer.

    Attributes:
        adaptors: that are open, outermost first.
        empty: whether the innermost of them has nothing inside yet.
        option: how many code generation options may not come any more; -1 before the list.
        used: tokens of the list so far.
        over: whether the answer is decided.
    """

    adaptors: tuple[str, ...] = ()
    empty: bool = False
    option: int = -1
    used: int = 0
    over: bool = False


class Grammar:
    """The answers that are allowed.

    Args:
        names: gives tokens their ids.
        slots: lists of the portfolio that may be named; 0: none.
        lists: whether lists may be written out.
        baseline: whether the answer may be that nothing beats -Oz.
        longest: tokens of a list at most.
        tiers: of the passes that may stand in a list.

    Attributes:
        start: where an answer begins.
        stops: ids that may end a list.

    Raises:
        IrsmithError: nothing is allowed, or more slots than there are.
    """

    def __init__(
        self,
        names: Names,
        slots: int = 0,
        lists: bool = True,
        baseline: bool = True,
        longest: int = LONGEST_LIST,
        tiers: Sequence[Tier] = ALLOWED,
    ) -> None:
        if not 0 <= slots <= len(PORTFOLIO):
            raise IrsmithError(f"{slots} slots of a portfolio: there are {len(PORTFOLIO)}")
        if not 0 <= longest <= LONGEST_LIST:
            raise IrsmithError(f"lists of {longest} tokens: the longest that is read has 512")
        self._longest = longest
        self._names = names
        self._table = _table(tuple(tiers))
        first = [*PORTFOLIO[:slots], *([LEVELS["Oz"]] if baseline else [])]
        self._whole = frozenset(map(names.special, first))
        self._first = self._ids([*([PASSES] if lists else []), *first])
        if not len(self._first):
            raise IrsmithError("a grammar without answers: allow lists, a portfolio or -Oz")
        self.stops = tuple(map(names.special, (BEFORE, END)))
        self._tokens = {names.special(t): t for t in (*self._table.known, PASSES, _CLOSE)}
        self._cache: dict[tuple[str, bool, bool, bool, int], Ids] = {}
        self.start = Place()

    def slot(self, token: int) -> bool:
        """Whether a token is an answer by itself: a portfolio slot, or -Oz."""
        return token in self._whole

    def allowed(self, place: Place) -> Ids:
        """The tokens that may come next, each once; none where the answer is over."""
        if place.over:
            return np.empty(0, np.int64)
        if place.option < 0:
            return self._first
        inner = place.adaptors[-1] if place.adaptors else TOP
        left = self._longest - place.used - len(place.adaptors)
        key = (
            inner,
            not place.empty,
            left >= 1,
            left >= 3 and len(place.adaptors) < DEEPEST,
            place.option,
        )
        if key not in self._cache:
            self._cache[key] = self._ids(self._next(*key))
        return self._cache[key]

    def after(self, place: Place, token: int) -> Place:
        """The place behind a token that is allowed."""
        if token in self._whole or token in self.stops:
            return Place(place.adaptors, False, place.option, place.used, over=True)
        name = self._tokens[token]
        adaptors, used = place.adaptors, place.used + 1
        if name == PASSES:
            return Place(option=0)
        if name == _CLOSE:
            return Place(adaptors[:-1], False, place.option, used)
        if name in self._table.options:
            return Place(adaptors, False, self._table.behind(name), used)
        if name in self._table.adaptors[TOP if not adaptors else adaptors[-1]]:
            return Place((*adaptors, name), True, place.option, used)
        return Place(adaptors, False, place.option, used)

    def _next(self, inner: str, close: bool, one: bool, three: bool, option: int) -> list[str]:
        """Tokens inside an adaptor: what ends it, one pass more, an adaptor more."""
        found: list[str] = []
        if inner == TOP:
            found += [BEFORE, END]
            if one:
                found += self._table.options[option:]
        elif close:
            found.append(_CLOSE)
        if option == 0:
            found += self._table.passes[inner] if one else ()
            found += self._table.adaptors[inner] if three else ()
        return found

    def _ids(self, tokens: Sequence[str]) -> Ids:
        return np.array(sorted(map(self._names.special, tokens)), np.int64)


@dataclass(frozen=True, slots=True)
class _Table:
    """What may stand where: by the innermost adaptor's token.

    Attributes:
        passes: tokens of passes.
        adaptors: tokens of adaptors.
        options: of the code generator, in canonical order.
        known: all of these.
    """

    passes: dict[str, tuple[str, ...]]
    adaptors: dict[str, tuple[str, ...]]
    options: tuple[str, ...]
    known: frozenset[str]

    def behind(self, token: str) -> int:
        """Where options begin that may follow one: later in order, and no other value of it."""
        at = self.options.index(token)
        while at < len(self.options) and _option(self.options[at]) == _option(token):
            at += 1
        return at


@functools.cache
def _table(tiers: tuple[Tier, ...]) -> _Table:
    tokens = special_tokens()
    opens = [token for token in tokens if token.startswith("<|open:")]
    leaves = [t for t in tokens if t.startswith("<|pass:") and _tier(_text(t)) in tiers]
    # One pass of each kind is enough to try an adaptor with.
    kinds = {_kind(_text(token)): token for token in reversed(leaves)}
    paths: dict[str, tuple[str, ...]] = {TOP: ()}
    adaptors: dict[str, tuple[str, ...]] = {}
    waiting = [TOP]
    for inner in waiting:
        path = paths[inner]
        adaptors[inner] = tuple(
            token
            for token in opens
            if any(_stands((*path, token), leaf) for leaf in kinds.values())
        )
        for token in adaptors[inner]:
            if token not in paths:
                paths[token] = (*path, token)
                waiting.append(token)
    passes = {
        inner: tuple(leaf for leaf in leaves if _stands(path, leaf))
        for inner, path in paths.items()
    }
    named = {f"<|codegen:{option.text}|>" for option in OPTIONS}
    options = tuple(sorted(named & set(tokens), key=_text))
    return _Table(passes, adaptors, options, frozenset((*opens, *leaves, *options)))


def _option(token: str) -> str:
    """The option's name, without the value that it gets."""
    return _text(token).partition("=")[0]


def _stands(path: Sequence[str], leaf: str) -> bool:
    """Whether a list of one pass inside some adaptors is canonical."""
    text = _text(leaf)
    for token in reversed(path):
        text = f"{_text(token)}({text})"
    try:
        return PassList.parse(text).canonical(load_passes()).text == text
    except PassListError:
        return False


def _text(token: str) -> str:
    """``sroa<modify-cfg>`` of ``<|pass:sroa<modify-cfg>|>``."""
    return token[2:-2].partition(":")[2]


def _tier(head: str) -> Tier:
    """The tier of a pass with its parameters."""
    known = load_passes().get(head) or load_passes().get(head.partition("<")[0])
    if known is None:
        # What LLVM's own pipelines ask of analyses is no pass of the table.
        return "default" if head.startswith(("require<", "invalidate<")) else "excluded"
    return known.tier


def _kind(head: str) -> tuple[str, ...]:
    """Passes of a kind stand at the same places."""
    known = load_passes().get(head) or load_passes().get(head.partition("<")[0])
    return (*known.levels, known.memory_ssa) if known else (head,)
