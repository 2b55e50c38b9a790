"""Which functions of two optimised modules are the same IR, with all that they refer to.

What passes made alike needs no comparison by running: it is the same code before the code
generator. Two outlines are compared, and not two texts, since numbers of attribute groups and
of metadata are given module by module. A function is alike if its own text is, and the text of
every function, variable, type and comdat that it refers to, directly or through others.

Not looked at: debug information, comments, and the frame pointer attribute, which
``-frame-pointer=smallest`` decides after the passes. Where two texts cannot be told to be
equal (metadata in circles, unnamed variables that are counted otherwise), they are not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r'(?:"[^"]*"|[-\w.$]+)'
# Patterns are compiled when a module is first looked at: few commands get there.
_ENTITY = (
    rf"(?ms)^(?:define [^\n]*?(?P<function>@{_NAME})\(.*?^\}}$"
    rf"|declare [^\n]*?(?P<declared>@{_NAME})\([^\n]*$"
    rf"|(?P<line>[@%$]{_NAME}) = [^\n]*$"
    r"|(?P<node>!\d+) = [^\n]*$"
    r"|attributes (?P<group>#\d+) = \{[^\n]*$"
    r"|(?:target |module asm |!llvm\.module\.flags )[^\n]*$)"
)
_REFERENCE = rf"[@%$]{_NAME}"
_NUMBERED = r'"[^"]*"|#\d+|!\d+'
"""What is numbered module by module; strings are passed over."""
_IGNORED = (
    r'(?m)("[^"]*")|(?:, | )!(?:dbg|DIAssignID) !\d+|^ +#dbg_[^\n]*\n'
    r"| +; preds = [^\n]*|^; [^\n]*\n"
)
_FRAME_POINTER = r' "frame-pointer"="[^"]*"'
_EXTERNAL = rf"@{_NAME} = (?:extern_weak |external )"
_DEBUG = r'^!\d+ = (?:distinct )?!DI|!"debug-info-assignment-tracking"'
"""Metadata of debug information, and a flag that some pipelines add for its sake."""
_CIRCLE = "!circle"


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that a module names.

    Attributes:
        digest: of its own text; empty if that cannot be compared.
        refers: names in it.
        kind: ``function`` or ``variable`` if the module defines it, else empty.
    """

    digest: bytes
    refers: frozenset[str]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a module consists of.

    Attributes:
        header: digest of what holds for all of it: target, flags, assembly of its own.
        entities: by name, with the sign before it (``@main``, ``%struct.s``).
    """

    header: bytes
    entities: Mapping[str, Entity]


@dataclass(frozen=True, slots=True)
class Alike:
    """What two modules share.

    Attributes:
        functions: names of those that both define alike.
        whole: whether all that either defines is alike.
    """

    functions: frozenset[str] = frozenset()
    whole: bool = False


def outline(text: str) -> Outline:
    """The outline of a module.

    Args:
        text: textual IR as LLVM prints it, without names of local values.
    """
    found = list(re.finditer(_ENTITY, re.sub(_IGNORED, lambda match: match[1] or "", text)))
    groups = {
        match["group"]: re.sub(_FRAME_POINTER, "", match[0].partition("=")[2])
        for match in found
        if match["group"]
    }
    nodes = _Nodes(
        {
            match["node"]: "" if re.search(_DEBUG, match[0]) else match[0].partition(" = ")[2]
            for match in found
            if match["node"]
        }
    )
    named = {m["function"] or m["declared"] or m["line"] for m in found}
    header = hashlib.blake2b(digest_size=16)
    entities: dict[str, Entity] = {}
    for match in found:
        name = match["function"] or match["declared"] or match["line"]
        if name is None:
            if not match["group"] and not match["node"]:
                header.update(nodes.texts(match[0]).encode())
            continue
        own = _resolved(match[0], groups, nodes)
        digest = b"" if _CIRCLE in own else hashlib.blake2b(own.encode(), digest_size=16).digest()
        kind = "function" if match["function"] else ""
        if match["line"] and name[0] == "@" and not re.match(_EXTERNAL, own):
            kind = "variable"
        refers = frozenset(re.findall(_REFERENCE, own)) & named
        entities[name] = Entity(digest, refers - {name}, kind)
    return Outline(header.digest(), entities)


def _resolved(text: str, groups: Mapping[str, str], nodes: _Nodes) -> str:
    """A text with what its numbers stand for; nodes keep which of them are one and the same."""
    order: dict[str, int] = {}

    def meant(match: re.Match[str]) -> str:
        number = match[0]
        if number[0] == "#":
            return groups.get(number, number)
        if number[0] == "!":
            return f"!{order.setdefault(number, len(order))}:{nodes.text(number)}"
        return number

    return re.sub(_NUMBERED, meant, text)


def alike(first: Outline, second: Outline) -> Alike:
    """What two optimised modules of one source share."""
    if first.header != second.header:
        return Alike()
    names = first.entities.keys() | second.entities.keys()
    different = {name for name in names if not _equal(first, second, name)}
    users: dict[str, list[str]] = {}
    for each in (first, second):
        for name, entity in each.entities.items():
            for used in entity.refers:
                users.setdefault(used, []).append(name)
    waiting = list(different)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in different:
                different.add(user)
                waiting.append(user)
    defined = {
        name: entity.kind
        for each in (first, second)
        for name, entity in each.entities.items()
        if entity.kind
    }
    functions = frozenset(
        name[1:].strip('"')
        for name, kind in defined.items()
        if kind == "function" and name not in different
    )
    return Alike(functions, bool(defined) and not defined.keys() & different)


def _equal(first: Outline, second: Outline, name: str) -> bool:
    one, other = first.entities.get(name), second.entities.get(name)
    return bool(one and other and one.digest and one == other)


class _Nodes:
    """Metadata, each node as one text.

    Args:
        own: text of each, with numbers of others in it.
    """

    def __init__(self, own: Mapping[str, str]) -> None:
        self._own = own
        self._texts: dict[str, str] = {}
        self._open: list[str] = []

    def texts(self, line: str) -> str:
        """A line and what its numbers stand for; nothing for nodes that are left out."""
        kept = [n for n in re.findall(_NUMBERED, line) if n[0] != "!" or self._own.get(n)]
        return re.sub(_NUMBERED, "", line).replace(", ", "") + ",".join(
            self.text(n) if n[0] == "!" else n for n in kept
        )

    def text(self, number: str) -> str:
        """A node with all that is below it; loops name themselves, larger circles nothing."""
        if number in self._texts:
            return self._texts[number]
        if number in self._open:
            return "!itself" if number == self._open[-1] else _CIRCLE
        self._open.append(number)
        text = re.sub(
            _NUMBERED,
            lambda m: self.text(m[0]) if m[0][0] == "!" else m[0],
            self._own.get(number, number),
        )
        self._open.pop()
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        self._texts[number] = _CIRCLE if _CIRCLE in text else digest
        return self._texts[number]
