"""A line of IR that may be unfinished, read from left to right.

Each method reads one thing. Where the line ends in it, or before it, what is there is only the
beginning of something: :class:`Open` says that it can still become right, :class:`Wrong` that
nothing written behind it makes it so. A line that is whole ends where it ends.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection

from irsmith.infer.words import BRACKETED

_WORD = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_NUMBER = re.compile(r"-?\d*", re.ASCII)
_INT = re.compile(r"i(?:[1-9]\d*)?", re.ASCII)
_NAME = re.compile(r'[%@](?:"[^"\n]*"?|[\w.$-]*)', re.ASCII)
_FLOAT = re.compile(r"-?\d\.\d{6}e[+-]\d\d+(?!\d)", re.ASCII)
_FLOAT_BEGUN = re.compile(r"-?(?:\d(?:\.\d{0,6}(?:(?<=\.\d{6})e(?:[+-]\d{0,3})?)?)?)?", re.ASCII)
_HEX = {"half": ("H", 4), "bfloat": ("R", 4), "x86_fp80": ("K", 20), "fp128": ("L", 32)}
_STRING = re.compile(r'c?"[^"\n]*"?')
_OPENING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_WIDEST = 512
"""Bits of a number: optimised code has odd ones, but no wide ones."""
_LARGEST = 32
"""Bits of an array's length, with its sign."""
_FIELDS = 32
"""Of a structure at most."""
_DEEPEST = 4
"""Structures and arrays in one another."""
LONGEST_NAME = 96
"""Characters of a structure's name: no object keeps it, and a model may find no end."""
FLOATS = ("float", "double", "half", "bfloat", "x86_fp80", "fp128")
_ATOMS = (*FLOATS, "ptr", "void", "label", "metadata", "token", "opaque")
ANY = frozenset({"int", "float", "ptr", "vector", "array", "struct"})
"""Kinds of types that a value may have."""
KEPT = frozenset({*ANY, "void"})
"""Kinds of types that a function may return."""


class Wrong(Exception):  # noqa: N818 (not an error)
    """Nothing that is written behind this makes it right."""


class Open(Exception):  # noqa: N818 (not an error)
    """The line ends in the middle, and can go on."""


class Free(Exception):  # noqa: N818 (not an error)
    """What follows is not judged."""


@functools.lru_cache(maxsize=4096)
def kind_of(type_: str) -> str:
    """What a type is: one of :data:`KEPT`, or another word for what no value has."""
    first = type_[0]
    if first == "i" and type_[1:].isdigit():
        return "int"
    if type_ in FLOATS:
        return "float"
    if type_.startswith("ptr"):
        return "ptr"
    if first == "<":
        return "struct" if type_.startswith("<{") else "vector"
    return {"[": "array", "{": "struct", "%": "struct"}.get(first, type_)


def _begins(digits: str, among: range) -> bool:
    """Whether digits begin a number of a range."""
    if not among or digits[:1] == "0":
        return digits == "0" and 0 in among
    low = high = int(digits or 0)
    if not digits:
        return True
    while low < among.stop:
        if high >= among.start:
            return True
        low, high = 10 * low, 10 * high + 9
    return False


class Cursor:
    """Where reading a line has come to.

    Args:
        text: the line.
        whole: whether it ends there.
    """

    __slots__ = ("at", "depth", "text", "whole")

    def __init__(self, text: str, whole: bool) -> None:
        self.text = text
        self.whole = whole
        self.at = 0
        self.depth = 0

    def ended(self) -> bool:
        """Whether nothing is left of a whole line; one that is not whole may go on.

        Raises:
            Open: nothing is left.
        """
        self._skip()
        if self.at < len(self.text):
            return False
        if not self.whole:
            raise Open
        return True

    def sees(self, sign: str) -> bool:
        """Whether this is next."""
        return not self.ended() and self.text.startswith(sign, self.at)

    def take(self, sign: str) -> bool:
        """Read a sign if it is next."""
        if not self.sees(sign):
            return False
        self.at += len(sign)
        return True

    def sign(self, sign: str) -> None:
        """Read a sign, of which no beginning may be left out."""
        self._need()
        rest = self.text[self.at : self.at + len(sign)]
        if rest == sign:
            self.at += len(sign)
        elif not self.whole and sign.startswith(rest) and self._last(rest):
            raise Open
        else:
            raise Wrong

    def word(self, among: Collection[str]) -> str:
        """Read one of some words."""
        self._need()
        found = self.maybe(among)
        if found is None:
            raise Wrong
        return found

    def maybe(self, among: Collection[str]) -> str | None:
        """Read one of some words if it is next."""
        if self.ended():
            return None
        found = _WORD.match(self.text, self.at)
        if not found:
            return None
        if self._last(found[0]):
            if any(word.startswith(found[0]) for word in among):
                raise Open
            return None
        if found[0] not in among:
            return None
        self.at = found.end()
        return found[0]

    def words(self, among: Collection[str]) -> list[str]:
        """Read as many of some words as there are, with what stands in brackets behind them."""
        found = []
        while (word := self.maybe([one for one in among if one not in found])) is not None:
            found.append(word)
            if word in BRACKETED and not self.text.startswith("(", self.at):
                raise Wrong
            if word in ("align", "alignstack", "section", "partition", "personality"):
                self._behind()
            elif self.text.startswith("(", self.at):
                self.balanced()
        return found

    def number(self, wide: int = 64) -> int:
        """Read a whole number of so many bits, with its sign."""
        self._need()
        found = _NUMBER.match(self.text, self.at)
        assert found
        digits = found[0].lstrip("-")
        if len(digits) > 1 and digits[0] == "0":
            raise Wrong
        if digits and int(digits) - (found[0][0] == "-") >= 1 << (wide - 1):
            raise Wrong
        if self._last(found[0]):
            raise Open
        if not digits:
            raise Wrong
        self.at = found.end()
        return int(found[0])

    def literal(self, among: Collection[str]) -> str:
        """Read one of some texts, none of which begins another."""
        self._need()
        for one in among:
            if self.text.startswith(one, self.at):
                self.at += len(one)
                return one
        rest = self.text[self.at :]
        if not self.whole and any(one.startswith(rest) for one in among):
            raise Open
        raise Wrong

    def numbered(self, among: Collection[int], beyond: range = range(0)) -> int:
        """Read the digits of one of some numbers, or of one in a range."""
        self._need()
        found = re.compile(r"\d*").match(self.text, self.at)
        assert found
        digits = found[0]
        if self._last(digits):
            if any(str(one).startswith(digits) for one in among) or _begins(digits, beyond):
                raise Open
            raise Wrong
        if not digits or (len(digits) > 1 and digits[0] == "0"):
            raise Wrong
        number = int(digits)
        if number not in among and number not in beyond:
            raise Wrong
        self.at = found.end()
        return number

    def name(self, sign: str) -> str:
        """Read a name with ``@`` or ``%``; returns it with its sign."""
        self.sign(sign)
        self.at -= 1
        found = _NAME.match(self.text, self.at)
        assert found
        if sign == "%" and len(found[0]) > LONGEST_NAME:
            raise Wrong
        if self._last(found[0]) and not (found[0].endswith('"') and len(found[0]) > 2):
            raise Open
        if len(found[0]) == 1:
            raise Wrong
        self.at = found.end()
        return found[0]

    def floating(self, type_: str) -> None:
        """Read a floating point constant of a type."""
        self._need()
        letter, digits = _HEX.get(type_, ("", 16))
        head = f"0x{letter}"
        rest = self.text[self.at : self.at + len(head)]
        if rest == head or (len(rest) > 1 and self._last(rest) and head.startswith(rest)):
            self._hex(head, digits)
            return
        begun = _FLOAT_BEGUN.match(self.text, self.at)
        assert begun
        if self._last(begun[0]):
            raise Open
        found = _FLOAT.match(self.text, self.at)
        if not found:
            raise Wrong
        self.at = found.end()

    def _hex(self, head: str, digits: int) -> None:
        """Read the bits of a floating point constant."""
        found = re.compile(r"[0-9A-F]*").match(self.text, self.at + len(head))
        length = len(found[0]) if found else 0
        if self._last(head + "0" * length) and length <= digits:
            raise Open
        if not 0 < length <= digits:
            raise Wrong
        self.at += len(head) + length

    def string(self) -> None:
        """Read text in quotes."""
        self._need()
        found = _STRING.match(self.text, self.at)
        if not found:
            if self.text[self.at :] == "c" and not self.whole:
                raise Open
            raise Wrong
        if not found[0].endswith('"') or len(found[0].lstrip("c")) < 2:
            raise Wrong if self.whole else Open
        self.at = found.end()

    def balanced(self) -> None:
        """Read brackets and what stands in them."""
        self._need()
        waiting = []
        quoted = False
        for at in range(self.at, len(self.text)):
            sign = self.text[at]
            if sign == '"':
                quoted = not quoted
            elif quoted:
                continue
            elif sign in _OPENING:
                waiting.append(_OPENING[sign])
            elif sign in ")]}>":
                if not waiting or waiting.pop() != sign:
                    raise Wrong
                if not waiting:
                    self.at = at + 1
                    return
        raise Wrong if self.whole else Open

    def type_of(self, want: str) -> str:
        """Read a type that is known."""
        self._need()
        rest = self.text[self.at :]
        if rest.startswith(want):
            behind = rest[len(want) : len(want) + 1]
            if behind and (behind.isalnum() or behind in "_."):
                raise Wrong
            self.at += len(want)
            return want
        if not self.whole and want.startswith(rest):
            raise Open
        raise Wrong

    def type(self, kinds: Collection[str], known: Collection[str] | None = None) -> str:
        """Read a type of some kinds.

        Args:
            kinds: see :func:`kind_of`.
            known: names of structures that there are; None: any.

        Returns:
            It as LLVM prints it.
        """
        self._need()
        sign = self.text[self.at]
        made = self._compound(sign, known) if sign in "<[{%" else self._atom(kinds)
        if kind_of(made) not in kinds:
            raise Wrong
        return made

    def _atom(self, kinds: Collection[str]) -> str:
        found = _WORD.match(self.text, self.at)
        if not found:
            raise Wrong
        word = found[0]
        if self._last(word):
            atoms = any(a.startswith(word) for a in _ATOMS if kind_of(a) in kinds)
            whole = _INT.fullmatch(word) and int(word[1:] or 1) <= _WIDEST
            if atoms or (whole and "int" in kinds):
                raise Open
            raise Wrong
        if word not in _ATOMS and not (_INT.fullmatch(word) and 0 < int(word[1:] or 0) <= _WIDEST):
            raise Wrong
        self.at = found.end()
        if word == "ptr" and self.text.startswith(" addrspace(", self.at):
            raise Free
        return word

    def _compound(self, sign: str, known: Collection[str] | None) -> str:
        if sign == "%":
            return self._structure(known)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Wrong
        made = self._inside(sign, known)
        self.depth -= 1
        return made

    def _inside(self, sign: str, known: Collection[str] | None) -> str:
        self.at += 1
        packed = sign == "<" and self.take("{")
        if sign == "{" or packed:
            end = "}>" if packed else "}"
            fields = []
            if not self.take(end):
                fields.append(self.type(ANY, known))
                while len(fields) < _FIELDS and self.take(","):
                    fields.append(self.type(ANY, known))
                self.sign(end)
            inside = f" {', '.join(fields)} " if fields else ""
            return f"<{{{inside}}}>" if packed else f"{{{inside}}}"
        if sign == "<" and self.maybe(("vscale",)):
            raise Free
        if self.sees("-"):
            raise Wrong
        count = self.number(_LARGEST)
        self.word(("x",))
        inner = ANY if sign == "[" else frozenset({"int", "float", "ptr"})
        made = self.type(inner, known)
        self.sign("]" if sign == "[" else ">")
        if count < 0 or (sign == "<" and not count):
            raise Wrong
        return f"[{count} x {made}]" if sign == "[" else f"<{count} x {made}>"

    def _structure(self, known: Collection[str] | None) -> str:
        found = _NAME.match(self.text, self.at)
        assert found
        name = found[0]
        if len(name) > LONGEST_NAME:
            raise Wrong
        if self._last(name):
            if known is None or any(one.startswith(name) for one in known):
                raise Open
            raise Wrong
        if known is not None and name not in known:
            raise Wrong
        self.at = found.end()
        return name

    def _behind(self) -> None:
        """Read what stands behind a word that has something behind it."""
        if self.sees("("):
            self.balanced()
        elif self.sees('"'):
            self.string()
        elif self.sees("p"):
            self.type_of("ptr")
            self.name("@")
        elif self.text[self.at : self.at + 1].isdigit():
            self.number()

    def _last(self, found: str) -> bool:
        """Whether what begins here is the end of a line that is not whole."""
        return not self.whole and self.at + len(found) == len(self.text)

    def _need(self) -> None:
        if self.ended():
            raise Wrong

    def _skip(self) -> None:
        while self.text.startswith(" ", self.at):
            self.at += 1
