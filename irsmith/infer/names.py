"""Which tokens may come next in IR that is read back from assembly, by the names in it.

A small model writes IR that parses and gets the names wrong: it writes ``@gsl_matrix_set`` for
``@gsl_matrix_uint_set``. But nothing about names has to be guessed. Assembly shows the name of
its function and of every symbol that it uses; on 964 functions of the validation split every
name in the true IR is one of these, an intrinsic's, or that of a private constant, which no
object file keeps. So the names are spelled by this grammar, and the model only chooses:

- the function that is defined has the name of the assembly's label;
- what is declared has a name that the assembly shows, each once;
- every symbol that the assembly calls or points to is declared before the definition, but for
  those that code generation brings in by itself (``memcpy``);
- constants that no object names stand in the IR as often as the assembly shows data at most,
  and what is in their strings is what the assembly shows;
- the body uses what was declared.

What instructions say is another matter (:mod:`irsmith.infer.wellformed`). An answer still has
to compile to the same code to count.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

_NAME = re.compile(r"[\w.$-]*", re.ASCII)
_LABEL = re.compile(r"^([A-Za-z_$][\w.$]*):$", re.MULTILINE | re.ASCII)
_SHOWN = re.compile(r"(?<![\w.%#@])\$?([A-Za-z_][\w.$]*)", re.ASCII)
_DOTTED = re.compile(r"(?<![\w.$])(\.(?!L)[\w.$]+)(?=[+-]\d|@|\()", re.ASCII)
_MNEMONIC = re.compile(
    r"^(?:(?:rep\w*|lock|notrack|data16) )?[a-z][\w.]* ?(?![\w.$]*:)", re.MULTILINE
)
_REGISTERS = re.compile(r"(?:[xwvbhsdqrp]\d+(?:\.\d*\w+)?|sp|wsp|[wx]zr|nzcv)(?![\w.$])", re.ASCII)
_DATA = re.compile(r"^\.L\w+:(?=\n\.(?!p2align))", re.MULTILINE | re.ASCII)
_TEXTS = re.compile(r'^\.asci(i|z) "((?:[^"\\\n]|\\.)*)"', re.MULTILINE)
_ESCAPED = re.compile(r"\\([0-7]{1,3}|.)")
_SIGNS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_USED = re.compile(
    r"(?<![\w.$@])([A-Za-z_][\w.$]*)(?:@[A-Z]\w*|(?:[+-]\d+)?\(%rip\))"
    r"|^(?:call[lq]|jmp|bl|b) ([A-Za-z_][\w.$]*)$"
    r"|:(?:got|lo12|got_lo12):([A-Za-z_][\w.$]*)",
    re.MULTILINE | re.ASCII,
)
_NAMED = re.compile(r'@(?:"([\w.$-]+)"|([\w.$-]+))', re.ASCII)
_DEFINED = re.compile(r'^define [^@\n]*@(?:"([\w.$-]+)"|([\w.$-]+))', re.MULTILINE | re.ASCII)
_NUMBERED = re.compile(r"^%?(\d+)(?: =|:)", re.MULTILINE)
_INTRINSIC = "llvm."
_PRIVATE = (
    *(".", "str.", "switch.table.", "__const.", "reltable."),
    *("__func__.", "__FUNCTION__.", "__PRETTY_FUNCTION__."),
)
"""Beginnings of names that end in no object."""
_PRIVATE_WHOLE = frozenset(["str"])
_OUTLINERS = ("iroutliner", "hotcoldsplit", "partial-inliner", "mergefunc", "coro-")
_BY_ITSELF = re.compile(
    r"_*(?:mem(?:cpy|move|set|cmp)|bcmp|strlen|stack_chk_(?:fail|guard)|GLOBAL_OFFSET_TABLE_|"
    r"tls_get_addr|aarch64_\w+|u?(?:div|mod|mul|ash[lr]|lshr)[sdt]i[34]|powi[sd]f2|Unwind_Resume|"
    r"(?:abs|ceil|copysign|cos|exp2?|fabs|floor|fma|fmod|fmax|fmin|log2?|log10|nearbyint|pow|"
    r"rint|round|roundeven|sin|sqrt|trunc|ldexp|frexp)[fl]?)",
    re.ASCII,
)
"""Symbols that the code generator calls without a declaration in the IR."""
_UNSEEN = ("__gxx_personality_v0", "__gcc_personality_v0")
"""Named by unwind tables only, which the assembly of a prompt leaves out."""
_UNWINDS = ("_Unwind_Resume", "__cxa_", "__clang_call_terminate", "_ZSt9terminatev")
_MOST, _LINES, _FEW = 2, 3, 16
"""IR of n instructions of machine code numbers fewer than 2 n + 16 values and blocks, in fewer
than 3 n + 16 lines: of 28,771 functions of the train split, fewer than one in a thousand numbers
more than 2 n + 4 or has more than 3 n + 2 lines."""
_QUOTE = '"'
_DEFINE, _DECLARE, _OTHER = "define", "declare", "~"
_DECLARES = "dec"
"""By which a declaration differs from a definition."""


class Spells(Protocol):
    """What this needs of a tokenizer: every token's text, and which ids are special."""

    def texts(self) -> Sequence[str]:
        """The text of each id; of special tokens the empty text."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """What assembly says of names.

    Attributes:
        own: of the function; empty if that is not known.
        shown: all that stand in it.
        needed: those that its IR must declare.
        hidden: constants that its IR may have with names that no object keeps, at most.
        strings: that these may hold, as IR writes them; None: any.
        most: values and blocks that its IR may number.
        lines: that the function may have, but for those that end it.
    """

    own: str
    shown: frozenset[str]
    needed: frozenset[str]
    hidden: int = 1 << 16
    strings: frozenset[str] | None = None
    most: int = 1 << 16
    lines: int = 1 << 16


def symbols_of(assembly: str) -> Symbols:
    """The names in normalised assembly of one function."""
    labels = _LABEL.findall(assembly)
    own = labels[0] if labels else ""
    operands = _MNEMONIC.sub("", assembly)
    shown = {name for name in _SHOWN.findall(operands) if not _REGISTERS.fullmatch(name)}
    shown |= set(_DOTTED.findall(operands))
    used = {name for found in _USED.findall(assembly) for name in found if name}
    needed = {name for name in used - set(labels) if not _BY_ITSELF.fullmatch(name)}
    strings = [_constant(text, kind == "z") for kind, text in _TEXTS.findall(assembly)]
    unseen = _UNSEEN if any(name in assembly for name in _UNWINDS) else ()
    hidden = len(_DATA.findall(assembly))
    count = sum(
        1 for line in assembly.splitlines() if line[:1] not in (".", "") and line[-1] != ":"
    )
    return Symbols(
        own,
        frozenset([*shown, *used, *unseen, own]),
        frozenset(needed),
        hidden,
        frozenset(strings) if len(strings) == hidden else None,
        _MOST * count + _FEW,
        _LINES * count + _FEW,
    )


def _constant(text: str, ended: bool) -> str:
    """What a string of assembly is in IR."""

    def sign(found: re.Match[str]) -> str:
        said = found[1]
        return chr(int(said, 8) & 255) if said[0].isdigit() else _SIGNS.get(said, said)

    raw = _ESCAPED.sub(sign, text) + ("\0" if ended else "")
    return "c" + _QUOTE + "".join(map(_written, raw)) + _QUOTE


def _written(sign: str) -> str:
    if sign == "\\":
        return 2 * sign
    return sign if " " <= sign <= "~" and sign != _QUOTE else f"\\{ord(sign):02X}"


def symbols_of_ir(text: str, passes: str = "") -> Symbols | None:
    """The names in normalised IR of one function, of which passes make other IR.

    Returns:
        None if it defines more or less than one function, or if passes make functions of
        their own: then names may come in any order, and new ones.
    """
    if any(name in passes for name in _OUTLINERS):
        return None
    own = [quoted or plain for quoted, plain in _DEFINED.findall(text)]
    if len(own) != 1:
        return None
    shown = {quoted or plain for quoted, plain in _NAMED.findall(text)}
    numbered = _NUMBERED.findall(text)
    most = max(map(int, numbered), default=0)
    return Symbols(
        own[0],
        frozenset([*shown, *_UNSEEN]),
        frozenset(),
        most=_MOST * most + _FEW,
        lines=_LINES * text.count("\n") + _FEW,
    )


@dataclass(frozen=True, slots=True)
class Spelled:
    """A place in an answer.

    Attributes:
        line: what the line is: ``define``, ``declare``, a beginning of these, or ``~``.
        quoted: whether it is inside quotes.
        name: what is spelled of a name; None outside of names.
        declared: names that came before the definition.
        defined: whether the definition has begun, its name included.
        over: whether the answer has ended.
    """

    line: str = ""
    quoted: bool = False
    name: str | None = None
    declared: frozenset[str] = frozenset()
    defined: bool = False
    over: bool = False


class Spelling:
    """Answers in which names are those of the assembly.

    Args:
        tokenizer: see :class:`Spells`.
        end: id that ends an answer.
        symbols: of the assembly.

    Attributes:
        start: where an answer begins.
    """

    def __init__(self, tokenizer: Spells, end: int, symbols: Symbols) -> None:
        self._texts = tokenizer.texts()
        self._index = _index(tuple(self._texts))
        self._end = end
        shown = frozenset(map(_spelled, symbols.shown))
        self._own = frozenset([_spelled(symbols.own)]) if symbols.own else shown
        self._others = shown - {_spelled(symbols.own)}
        self._needed = frozenset(map(_spelled, symbols.needed))
        self._hidden = symbols.hidden
        self._any = np.arange(len(self._texts))
        self._cache: dict[Spelled, Ids] = {}
        self.start = Spelled()

    def allowed(self, place: Spelled) -> Ids:
        """The tokens that may come next, each once; none where the answer is over.

        Outside of names that is every token: what it begins is judged behind it.
        """
        if place.over:
            return np.empty(0, np.int64)
        found = self._cache.get(place)
        if found is None:
            found = self._any if place.name is None else self._named(place, place.name)
            self._cache[place] = found
        return found

    def after(self, place: Spelled, token: int) -> Spelled | None:
        """The place behind a token; None if it may not come after all."""
        if token == self._end:
            return replace(place, over=True)
        if not self._texts[token]:
            return replace(place, line="")
        return self._scan(place, self._texts[token])

    def _named(self, place: Spelled, name: str) -> Ids:
        """Inside a name: what goes on with one that may stand here, or ends it."""
        if any(name.startswith(p) and name != p for p in self._beginnings(place)):
            return self._any  # a name that no assembly shows
        index = self._index
        runs = {""}
        for whole in (*self._names(place), *self._beginnings(place)):
            if whole.startswith(name):
                left = whole[len(name) :]
                runs.update(left[:k] for k in range(1, len(left) + 1))
        for beginning in self._beginnings(place):
            if beginning.startswith(name):
                runs.update(_beyond(index, beginning[len(name) :]))
        chosen: list[int] = []
        for run in runs:
            pure, ending = index.runs.get(run, ((), ()))
            if run and self._begins(place, name + run):
                chosen += pure
            if self._is_name(place, name + run) or self._begins(place, name + run + _QUOTE):
                chosen += ending
        return np.array(sorted(set(chosen)), np.int64)

    def _scan(self, place: Spelled, text: str) -> Spelled | None:
        """The place behind text, or None if it may not stand here."""
        line, quoted, name = place.line, place.quoted, place.name
        declared, defined = place.declared, place.defined
        for sign in text:
            if quoted:
                quoted = sign not in (_QUOTE, "\n")
            elif name is not None:
                inside = name.startswith(_QUOTE) and (len(name) == 1 or name[-1] != _QUOTE)
                if inside or _NAME.fullmatch(sign) or (not name and sign == _QUOTE):
                    name += sign
                    continue
                if not self._is_name(Spelled(line, False, name, declared, defined), name):
                    return None
                if not defined and line == _DEFINE:
                    defined = True
                elif not defined and line in ("", _DECLARE):
                    declared |= {name}
                name = None
            elif sign == _QUOTE:
                quoted = True
            elif sign == "@":
                name = ""
                if not self._begins(Spelled(line, False, name, declared, defined), name):
                    return None
            if name is None:  # so that a line that begins with a name has no beginning yet
                before, line = line, _line(line, sign)
                begun = line == _DEFINE != before and not defined
                if begun and not self._needed <= declared:
                    return None
                if line == _DECLARES and before != line and not self._others - declared:
                    return None
        if defined:  # what the line is does not matter any more
            line = ""
        made = Spelled(line, quoted, name, declared, defined)
        return made if name is None or self._begins(made, name) else None

    def _names(self, place: Spelled) -> frozenset[str]:
        """Names that may stand here."""
        if place.defined:
            return place.declared | self._own
        if place.line == _DEFINE:
            return self._own
        new = place.line in (_DECLARE, "")
        return self._others - place.declared if new else self._others

    def _beginnings(self, place: Spelled) -> tuple[str, ...]:
        """What names that no assembly shows begin with."""
        if place.defined:
            return (_INTRINSIC,)
        if place.line in (_DEFINE, _DECLARE) or (not place.line and not self._room(place)):
            return ()
        return _PRIVATE

    def _room(self, place: Spelled) -> bool:
        """Whether another constant may come that no object names."""
        return sum(map(_is_private, place.declared)) < self._hidden

    def _is_name(self, place: Spelled, name: str) -> bool:
        if name in self._names(place):
            return True
        if not place.defined and not place.line and name in place.declared:
            return False
        if name in _PRIVATE_WHOLE and not place.defined and self._beginnings(place):
            return True
        return any(name.startswith(p) and name != p for p in self._beginnings(place))

    def _begins(self, place: Spelled, name: str) -> bool:
        if any(name.startswith(p) or p.startswith(name) for p in self._beginnings(place)):
            return True
        return any(whole.startswith(name) for whole in self._names(place))


def _is_private(name: str) -> bool:
    return name in _PRIVATE_WHOLE or name.startswith(_PRIVATE)


def _spelled(name: str) -> str:
    """A name as LLVM prints it."""
    return f'"{name}"' if "$" in name else name


def _line(line: str, sign: str) -> str:
    """What a line is, one character on."""
    if sign == "\n":
        return ""
    if line in (_DEFINE, _DECLARE, _OTHER):
        return line
    line += sign
    return line if _DEFINE.startswith(line) or _DECLARE.startswith(line) else _OTHER


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    """Tokens by what they may do to a name.

    Attributes:
        runs: by the characters of a name that a token begins with: the tokens that hold
            nothing else, and those that end a name there.
    """

    runs: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]


@functools.lru_cache(maxsize=2)
def _index(texts: tuple[str, ...]) -> _Index:
    pure: dict[str, list[int]] = defaultdict(list)
    ending: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        found = _NAME.match(text)
        run = found[0] if found else ""
        (pure if run == text and run else ending)[run].append(number)
    runs = {run: (tuple(pure.get(run, ())), tuple(ending.get(run, ()))) for run in {*pure, *ending}}
    return _Index(runs)


@functools.lru_cache(maxsize=256)
def _beyond(index: _Index, beginning: str) -> tuple[str, ...]:
    """Runs that begin so."""
    return tuple(run for run in index.runs if run.startswith(beginning))
