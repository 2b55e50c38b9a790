"""Which tokens may come next in IR so that LLVM can still read it.

The text is judged line by line against the module as it stands: numbers of values and blocks
count up, operands have the type that is asked for and are in reach, calls match declarations,
phis name the blocks that branch to them, blocks end. That much of IR is told by rules; a small
model that has to learn it from examples breaks a rule in most of its answers. What is too rare
to be worth a rule is let through: LLVM judges the whole answer in any case.

Whether a token may come is only looked at once it has been drawn (:meth:`WellFormed.after`),
since the model is nearly always right and there are thousands of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from irsmith.infer.constants import constant
from irsmith.infer.cursor import ANY, KEPT, Cursor, Free, Open, Wrong
from irsmith.infer.instructions import Line, attributes
from irsmith.infer.names import Spelled, Spelling, Spells, Symbols
from irsmith.infer.scope import Body, Scope, Signature
from irsmith.infer.words import CONVENTIONS, FUNCTION, GLOBAL, LINKAGE, MOST_PARAMS, RESULT

_STRUCTURES = 16
"""Named types of a module at most: no object keeps them, and a model may find no end."""
_LONGEST_STRING = 20
"""Bits of a string's length, with its sign."""
_LONGEST = 512
"""Characters of a line that is not judged to its end."""
_CLAUSES = ("cleanup", "catch", "filter")


@dataclass(frozen=True, slots=True)
class Written:
    """A place in an answer.

    Attributes:
        spelled: the place by the names in it.
        scope: the module up to the last whole line.
        line: what there is of the next.
        begun: whether there is text.
    """

    spelled: Spelled
    scope: Scope
    line: str = ""
    begun: bool = False

    @property
    def over(self) -> bool:
        """Whether the answer has ended."""
        return self.spelled.over


class WellFormed:
    """Answers that LLVM can read, with names that a grammar spells.

    Args:
        tokenizer: see :class:`irsmith.infer.names.Spells`.
        end: id that ends an answer.
        symbols: what is known of the names and of the size.

    Attributes:
        start: where an answer begins.
    """

    def __init__(self, tokenizer: Spells, end: int, symbols: Symbols) -> None:
        self._texts = tokenizer.texts()
        self._end = end
        self._spelling = Spelling(tokenizer, end, symbols)
        scope = Scope(most=symbols.most, lines=symbols.lines, strings=symbols.strings)
        self.start = Written(self._spelling.start, scope)

    def allowed(self, place: Written) -> NDArray[np.int64]:
        """Tokens of which the names are right; :meth:`after` says whether the rest is."""
        return self._spelling.allowed(place.spelled)

    def after(self, place: Written, token: int) -> Written | None:
        """The place behind a token; None if the token may not come."""
        text = self._texts[token]
        scope, line = place.scope, place.line
        if not text:
            if place.begun and (token != self._end or line or not scope.closed or scope.body):
                return None
            spelled = self._spelling.after(place.spelled, token)
            return replace(place, spelled=spelled) if spelled else None
        spelled = self._spelling.after(place.spelled, token)
        made = written(scope, line + text) if spelled else None
        return Written(spelled, *made, True) if spelled and made else None


def written(scope: Scope, text: str) -> tuple[Scope, str] | None:
    """What more text says.

    Args:
        scope: the module in front of it.
        text: from the beginning of a line on.

    Returns:
        The module with the lines that are whole, and the one that is not; None if there is
        an error in them.
    """
    *whole, line = text.split("\n")
    if '"' not in line and ("  " in line or " ," in line):
        return None  # no line has such spaces; behind them a model finds nothing to say
    try:
        for one in whole:
            scope = _read(scope, one, True)
        _read(scope, line, False)
    except Open:
        pass
    except Wrong:
        return None
    return scope, line


def _read(scope: Scope, line: str, whole: bool) -> Scope:
    """The module behind a line.

    Raises:
        Open: it is not finished; of a whole line: wrong.
        Wrong: it cannot become right.
    """
    cursor = Cursor(line, whole)
    if line.startswith(" "):
        raise Wrong
    if cursor.ended():
        raise Wrong
    if scope.body is None:
        return _module_line(cursor, scope)
    if line.startswith("}"):
        body = scope.body
        if not body.over or body.waiting or body.promised or body.cases or body.unwinding:
            raise Wrong
        cursor.sign("}")
        if not cursor.ended():
            raise Wrong
        return replace(scope, body=None, closed=True)
    try:
        return replace(scope, body=_body_line(cursor, scope, scope.body))
    except Free:
        if len(line) > _LONGEST:
            raise Wrong from None
        return scope


def _body_line(cursor: Cursor, scope: Scope, body: Body) -> Body:
    if body.cases:
        return _case(cursor, scope, body, *body.cases)
    if body.unwinding:
        return _unwinding(cursor, scope, body, body.unwinding)
    if body.over:
        if not body.waiting:
            raise Wrong
        cursor.numbered((body.next,))
        cursor.sign(":")
        if not cursor.ended():
            raise Wrong
        return body.with_block()
    if body.clauses:
        if cursor.maybe(_CLAUSES):
            if cursor.whole:
                return body
            raise Open
        body = replace(body, clauses=False)
    made = Line(cursor, scope, body).read()
    return replace(made, left=body.left - 1)


def _case(cursor: Cursor, scope: Scope, body: Body, type_: str, used: frozenset[str]) -> Body:
    """A line of a switch."""
    if cursor.take("]"):
        if not cursor.ended() or body.owed.get(body.block):
            raise Wrong
        return replace(body, cases=None, over=True)
    if body.left <= 0:
        raise Wrong
    body = replace(body, left=body.left - 1)
    cursor.type_of(type_)
    at = cursor.at
    constant(cursor, type_, scope)
    value = cursor.text[at : cursor.at]
    if value in used:
        raise Wrong
    cursor.sign(",")
    target = Line(cursor, scope, body).label()
    if not cursor.ended():
        raise Wrong
    return replace(body.with_edges([target], over=False), cases=(type_, used | {value}))


def _unwinding(cursor: Cursor, scope: Scope, body: Body, type_: str) -> Body:
    """The second line of an invoke."""
    cursor.word(("to",))
    made = body if type_ == "void" else body.with_value(type_)
    line = Line(cursor, scope, made)
    targets = [line.label()]
    cursor.word(("unwind",))
    targets.append(line.label())
    if not cursor.ended():
        raise Wrong
    return replace(made.with_edges(targets), unwinding=None)


def _module_line(cursor: Cursor, scope: Scope) -> Scope:
    """A line outside of functions."""
    if cursor.take("%"):
        return _structure(cursor, scope)
    if cursor.take("@"):
        cursor.at -= 1
        return _variable(cursor, scope)
    if cursor.take("$"):
        return scope
    words = ("declare",) if scope.closed else ("declare", "define")
    return _function(cursor, scope, cursor.word(words) == "define")


def _structure(cursor: Cursor, scope: Scope) -> Scope:
    cursor.at -= 1
    name = cursor.name("%")
    if name in scope.structures:
        raise Wrong
    cursor.sign("=")
    cursor.word(("type",))
    made = cursor.type(frozenset({"struct", "opaque"}))
    if not cursor.ended() or len(scope.structures) >= _STRUCTURES:
        raise Wrong
    return replace(scope, structures={**scope.structures, name: made})


def _variable(cursor: Cursor, scope: Scope) -> Scope:
    cursor.name("@")
    cursor.sign("=")
    said = cursor.words(GLOBAL)
    if cursor.word(("global", "constant", "alias", "ifunc")) in ("alias", "ifunc"):
        return scope
    if "private" in said and scope.strings is not None:
        cursor.sign("[")
        cursor.number(_LONGEST_STRING)
        cursor.word(("x",))
        cursor.type_of("i8")
        cursor.sign("]")
        cursor.literal(scope.strings)
        if cursor.take(","):
            cursor.word(("align",))
            cursor.number(_LONGEST_STRING)
        if not cursor.ended():
            raise Wrong
        return scope
    type_ = cursor.type(ANY, scope.structures)
    try:
        if "external" not in said and "extern_weak" not in said:
            constant(cursor, type_, scope)
        while cursor.take(","):
            cursor.words(("section", "align", "comdat", "partition"))
        if cursor.maybe(("comdat",)) is None and not cursor.ended():
            raise Wrong
    except Free:
        pass
    return scope


def _function(cursor: Cursor, scope: Scope, defined: bool) -> Scope:
    cursor.words(LINKAGE)
    cursor.words(CONVENTIONS)
    said = cursor.words(RESULT)
    result = cursor.type(ANY if said else KEPT, scope.structures)
    name = cursor.name("@")
    cursor.sign("(")
    params: list[str] = []
    more = False
    if not cursor.take(")"):
        while True:
            if cursor.sees("."):
                cursor.sign("...")
                cursor.sign(")")
                more = True
                break
            type_ = cursor.type(ANY, scope.structures)
            params.append(type_)
            if len(params) > MOST_PARAMS:
                raise Wrong
            attributes(cursor, type_)
            if defined:
                cursor.sign("%")
                cursor.numbered((len(params) - 1,))
            if not cursor.take(","):
                cursor.sign(")")
                break
    cursor.words(FUNCTION)
    while cursor.sees('"'):
        cursor.string()
        if cursor.take("="):
            cursor.string()
        cursor.words(FUNCTION)
    made = Signature(result, tuple(params), more)
    scope = replace(scope, functions={**scope.functions, name: made})
    if not defined:
        if not cursor.ended():
            raise Wrong
        return scope
    cursor.sign("{")
    if not cursor.ended():
        raise Wrong
    entry = len(params)
    types: dict[int, str | None] = dict(enumerate(params))
    body = Body(
        result, entry + 1, entry, scope.most, scope.lines, types, doms={entry: frozenset([entry])}
    )
    return replace(scope, body=body)
