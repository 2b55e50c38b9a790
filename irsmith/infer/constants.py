"""Constants of a type, as LLVM prints them."""

from __future__ import annotations

from irsmith.infer.cursor import Cursor, Free, Wrong, kind_of
from irsmith.infer.scope import Scope, element, fields

_NONE = ("undef", "poison")
_EXPRESSIONS = ("getelementptr", "inttoptr", "addrspacecast", "blockaddress")
_NUMBERS = ("ptrtoint", "ptrtoaddr", "sub", "add", "trunc", "xor")
_FLAGS = ("inbounds", "nuw", "nusw", "nsw", "inrange")


def constant(cursor: Cursor, type_: str, scope: Scope) -> None:
    """Read one.

    Raises:
        Open: it is not finished.
        Wrong: it is none of this type.
        Free: what follows is not judged.
    """
    kind = kind_of(type_)
    if kind == "int":
        _whole(cursor, type_)
    elif kind == "float":
        if cursor.maybe(_NONE) is None:
            cursor.floating(type_)
    elif kind == "ptr":
        if cursor.sees("@"):
            if cursor.text.startswith("@ll", cursor.at) and "@llvm.".startswith(
                cursor.text[cursor.at : cursor.at + 6]
            ):
                raise Wrong  # an intrinsic can only be called
            cursor.name("@")
        elif cursor.word(("null", *_NONE, *_EXPRESSIONS)) in _EXPRESSIONS:
            cursor.words(_FLAGS)
            _expression(cursor)
    else:
        _together(cursor, type_, kind, scope)


def _whole(cursor: Cursor, type_: str) -> None:
    words: tuple[str, ...] = (*_NONE, *_NUMBERS)
    if type_ == "i1":
        words = (*words, "true", "false")
    word = cursor.maybe(words)
    if word is None:
        if type_ == "i1":
            raise Wrong
        cursor.number(int(type_[1:]))
    elif word in _NUMBERS:
        cursor.words(_FLAGS)
        _expression(cursor)


def _expression(cursor: Cursor) -> None:
    """What an expression is of; it is not judged."""
    if not cursor.sees("("):
        raise Wrong
    cursor.balanced()


def _together(cursor: Cursor, type_: str, kind: str, scope: Scope) -> None:
    """A constant of several parts."""
    if cursor.sees("c") and kind == "array" and element(f"<{type_[1:-1]}>") == "i8":
        cursor.string()  # its length is counted afterwards
        return
    if cursor.maybe(("zeroinitializer", *_NONE)):
        return
    if kind == "vector" and cursor.maybe(("splat",)):
        raise Free
    opening, closing = {"vector": ("<", ">"), "array": ("[", "]")}.get(kind, ("{", "}"))
    inside = fields(scope.structures.get(type_, type_)) if kind != "vector" else None
    if kind == "vector":
        inside = [element(type_)] * int(type_[1:].split(" ", 1)[0])
    packed = kind == "struct" and scope.structures.get(type_, type_).startswith("<")
    if packed:
        cursor.sign("<")
    cursor.sign(opening)
    if inside is None:
        raise Free
    for number, part in enumerate(inside):
        if number:
            cursor.sign(",")
        cursor.type_of(part)
        constant(cursor, part, scope)
    cursor.sign(closing)
    if packed:
        cursor.sign(">")
