"""Pipeline text: parsed, printed, and made explicit.

The text is what ``opt -passes=`` takes: passes with parameters, separated by
commas, nested in adaptors such as ``function(...)``. Reading and printing is pure
syntax. :meth:`PassList.canonical` also needs to know the passes: it takes the
table of :mod:`irsmith.toolchain.passes` (or anything shaped like it).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

from irsmith.records import IrsmithError

_NAME = re.compile(r"[A-Za-z0-9_.+-]+")
_SPACE = re.compile(r"[ \t\r\n]*")
# LLVM cuts the text at these before it looks at angle brackets, so no parameter can hold them.
_NEVER_IN_PARAMS = re.compile(r"[,()\s\x00-\x1f]")
# LLVM's own pipelines nest five deep.
_MAX_DEPTH = 32


class PassListError(IrsmithError, ValueError):
    """A pass list that cannot be read, or that LLVM would refuse; the message is one line."""


class KnownPass(Protocol):
    """What :meth:`PassList.canonical` has to know of a pass."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels at which the name is a pass, highest first; empty for a mere analysis."""

    @property
    def analysis_levels(self) -> tuple[str, ...]:
        """Levels at which the name is an analysis, for ``require<...>``."""

    @property
    def params(self) -> tuple[str, ...]:
        """Accepted parameters, as ``opt --print-passes`` prints them."""

    @property
    def params_required(self) -> bool:
        """Whether the bare name is refused."""

    @property
    def memory_ssa(self) -> str:
        """Of a loop pass: ``needed``, ``accepted`` or ``refused``; else empty."""


@dataclass(frozen=True, slots=True)
class Element:
    """A pass, or an adaptor with the passes inside its parentheses.

    Attributes:
        name: text before the first angle bracket.
        params: the rest, verbatim and with its brackets: ``<>`` is not nothing.
        children: what stands in parentheses; LLVM knows no empty parentheses, so
            an element without children is a pass.
    """

    name: str
    params: str = ""
    children: tuple[Element, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would not read back.

        Raises:
            PassListError: name or parameters are no such thing.
        """
        if not _NAME.fullmatch(self.name):
            raise PassListError(f"{self.name!r} is no name of a pass")
        if _end_of_params(self.params, 0) != len(self.params):
            raise PassListError(f"{self.params!r} are no parameters of a pass")

    @property
    def head(self) -> str:
        """Name and parameters, without what is inside."""
        return self.name + self.params

    @property
    def text(self) -> str:
        """The element as pipeline text."""
        if not self.children:
            return self.head
        return f"{self.head}({','.join(child.text for child in self.children)})"

    def __len__(self) -> int:
        """Number of passes: one for a pass, those inside for an adaptor."""
        return sum(map(len, self.children)) if self.children else 1


@dataclass(frozen=True, slots=True)
class PassList:
    """A pipeline; equal lists are equal values. Without elements, no pass is run."""

    elements: tuple[Element, ...] = ()

    @staticmethod
    def parse(text: str) -> PassList:
        """Read pipeline text. White space around elements is dropped; empty text is no pass.

        Raises:
            PassListError: says what is wrong, and in which column.
        """
        return PassList(_Reader(text).read())

    @property
    def text(self) -> str:
        """The list as ``opt -passes=`` takes it."""
        return ",".join(element.text for element in self.elements)

    def __str__(self) -> str:
        return self.text

    def __len__(self) -> int:
        """Number of passes, adaptors not counted."""
        return sum(map(len, self.elements))

    def leaves(self) -> Iterator[tuple[Element, tuple[str, ...]]]:
        """Each pass in order, with the heads of the adaptors around it, outermost first."""
        yield from _leaves(self.elements, ())

    def drop(self, index: int) -> PassList:
        """The list without its pass number ``index``, and without adaptors left empty.

        Raises:
            IndexError: there is no such pass.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"no pass {index} in a list of {len(self)}")
        return PassList(_without(self.elements, index))

    def canonical(self, table: Mapping[str, KnownPass]) -> PassList:
        """The same list, explicit and safe; canonical lists stay as they are.

        Adaptors that LLVM would add silently are written out. Loop passes that need
        MemorySSA get it, which LLVM leaves out for some texts and then aborts.
        ``instcombine`` is told not to abort when it does not reach its fixpoint.
        Nesting within one level, which means nothing, is removed. What LLVM reads
        as separate adaptors stays separate: merging them changes the order of work.

        Args:
            table: the passes by name.

        Raises:
            PassListError: LLVM would refuse the list; says why.
        """
        return PassList(_Placer(table).whole(self.elements))


def _leaves(
    elements: tuple[Element, ...], path: tuple[str, ...]
) -> Iterator[tuple[Element, tuple[str, ...]]]:
    for element in elements:
        if element.children:
            yield from _leaves(element.children, (*path, element.head))
        else:
            yield element, path


def _without(elements: tuple[Element, ...], index: int) -> tuple[Element, ...]:
    kept: list[Element] = []
    for element in elements:
        if 0 <= index < len(element):
            children = _without(element.children, index)
            if children:
                kept.append(replace(element, children=children))
        else:
            kept.append(element)
        index -= len(element)
    return tuple(kept)


def _end_of_params(text: str, start: int) -> int:
    """Where the balanced angle brackets that begin at ``start`` end; -1 if they never close."""
    position, depth = start, 0
    while position < len(text):
        character = text[position]
        if depth == 0 and character != "<":
            break
        if _NEVER_IN_PARAMS.match(character):
            return -1
        depth += (character == "<") - (character == ">")
        position += 1
    return -1 if depth else position


class _Reader:
    """Reads one pipeline text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def read(self) -> tuple[Element, ...]:
        """The whole text."""
        self._skip_space()
        if not self._text[self._position :]:
            return ()
        elements = self._sequence(depth=0)
        if self._peek() == ")":
            self._fail("')' without '('")
        if self._peek():
            self._fail(f"stray {self._peek()!r}")
        return elements

    def _sequence(self, depth: int) -> tuple[Element, ...]:
        if depth > _MAX_DEPTH:
            self._fail(f"nested more than {_MAX_DEPTH} deep")
        elements = [self._element(depth)]
        while self._peek() == ",":
            self._position += 1
            elements.append(self._element(depth))
        return tuple(elements)

    def _element(self, depth: int) -> Element:
        self._skip_space()
        name = _NAME.match(self._text, self._position)
        if name is None:
            found = self._peek()
            if found and found not in ",()":
                self._fail(f"stray {found!r}")
            self._fail("a pass is missing")
        end = _end_of_params(self._text, name.end())
        if end < 0:
            self._position = name.end()
            self._fail("'<' is never closed")
        params = self._text[name.end() : end]
        self._position = end
        self._skip_space()
        if self._peek() != "(":
            return Element(name[0], params)
        opened = self._position
        self._position += 1
        children = self._sequence(depth + 1)
        if self._peek() == ")":
            self._position += 1
            self._skip_space()
            return Element(name[0], params, children)
        if self._peek():
            self._fail(f"stray {self._peek()!r}")
        self._position = opened
        self._fail("'(' is never closed")

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._position)
        if space:
            self._position = space.end()

    def _fail(self, message: str) -> NoReturn:
        raise PassListError(f"bad pass list, column {self._position + 1}: {message}")


@dataclass(frozen=True, slots=True)
class _Adaptor:
    """What LLVM knows of an adaptor: the level inside, and the levels it stands at.

    From above the first of those, adaptors can lead down to it, if that means the same.
    """

    inside: str
    stands: tuple[str, ...]
    from_above: bool = True


# Levels from the outside in; nothing stands inside a loop or a machine function.
_DEPTH = {"module": 0, "cgscc": 1, "function": 2, "loop": 3, "machine": 3}
_PLAIN = {
    "module": _Adaptor("module", ("module",)),
    "coro-cond": _Adaptor("module", ("module",)),
    "cgscc": _Adaptor("cgscc", ("module", "cgscc")),
    "function": _Adaptor("function", ("module", "cgscc", "function")),
    "loop": _Adaptor("loop", ("function", "loop")),
    "loop-mssa": _Adaptor("loop", ("function", "loop")),
    "machine-function": _Adaptor("machine", ("function", "machine")),
}
_DEVIRT = re.compile(r"devirt<[0-9]+>")
_FUNCTION = re.compile(r"function<((eager-inv|no-rerun)(;|(?=>)))*>")


def _adaptor(element: Element) -> _Adaptor | None:
    if element.head in _PLAIN:
        return _PLAIN[element.head]
    if _DEVIRT.fullmatch(element.head):
        return _Adaptor("cgscc", ("cgscc",))
    if _FUNCTION.fullmatch(element.head):
        if "no-rerun" in element.params:
            return _Adaptor("function", ("cgscc",), from_above=False)
        return _Adaptor("function", ("module", "cgscc"))
    return None


class _Placer:
    """Writes elements the way they have to stand at a level, given the table of passes."""

    def __init__(self, table: Mapping[str, KnownPass]) -> None:
        self._table = table

    def whole(self, elements: tuple[Element, ...]) -> tuple[Element, ...]:
        """A whole list, as LLVM reads it.

        LLVM looks at the first name alone: if that is no module pass, it puts *all*
        into one adaptor for it. Where that works, it is what the text means; where
        it does not, LLVM refuses the text, and each element gets its own adaptor.
        """
        level = self._natural_level(elements[0]) if elements else "module"
        if level != "module":
            try:
                return (self._wrap(self._all(elements, level), level, "module"),)
            except PassListError:
                pass
        return self._all(elements, "module")

    def _all(self, elements: tuple[Element, ...], context: str) -> tuple[Element, ...]:
        placed: list[Element] = []
        for element in elements:
            placed.extend(self._one(element, context))
        return tuple(placed)

    def _one(self, element: Element, context: str) -> tuple[Element, ...]:
        if not element.children:
            level = self._leaf_level(element, context)
            leaf = self._safe(element)
            return (leaf if level == context else self._wrap((leaf,), level, context),)
        adaptor = self._known_adaptor(element, context)
        children = self._all(element.children, adaptor.inside)
        if adaptor.inside == context and element.head in _PLAIN and element.name != "coro-cond":
            return children
        if adaptor.inside == "loop":
            element = self._loop_adaptor(children, element.head)
        else:
            element = replace(element, children=children)
        if context in adaptor.stands:
            return (element,)
        return (self._wrap((element,), adaptor.stands[0], context),)

    def _known_adaptor(self, element: Element, context: str) -> _Adaptor:
        adaptor = _adaptor(element)
        if adaptor is None:
            if element.name in self._table:
                raise PassListError(f"pass {element.head!r} takes no passes in parentheses")
            raise PassListError(f"unknown adaptor {element.head!r}{_nearest(element.name, _PLAIN)}")
        above = adaptor.from_above and _DEPTH[context] < _DEPTH[adaptor.stands[0]]
        if context not in adaptor.stands and not above:
            raise PassListError(f"{element.head!r} cannot stand {_where(context)}")
        return adaptor

    def _natural_level(self, element: Element) -> str:
        """The level that LLVM takes an element of the outermost list for."""
        if not element.children:
            return self._leaf_level(element, "module")
        adaptor = self._known_adaptor(element, "module")
        return "module" if "module" in adaptor.stands else adaptor.stands[0]

    def _leaf_level(self, element: Element, context: str) -> str:
        """The level of a pass when it stands at ``context``: that one, or the next one below."""
        if element.head in _PLAIN:
            raise PassListError(f"adaptor {element.head!r} needs passes in parentheses")
        levels = self._levels(element)
        if context in levels:
            return context
        below = [level for level in levels if _DEPTH[level] > _DEPTH[context]]
        if not below:
            raise PassListError(
                f"{element.head!r} is a {levels[0]} pass: it cannot stand {_where(context)}"
            )
        return below[0]

    def _levels(self, element: Element) -> tuple[str, ...]:
        if element.name in ("require", "invalidate") and element.head not in self._table:
            analysis = self._table.get(element.params[1:-1])
            if analysis is None or not analysis.analysis_levels:
                raise PassListError(f"unknown analysis in {element.head!r}")
            return analysis.analysis_levels
        known, name = self._lookup(element)
        if not known.levels:
            raise PassListError(f"{name!r} is an analysis: write 'require<{name}>'")
        return known.levels

    def _lookup(self, element: Element) -> tuple[KnownPass, str]:
        """Find the pass; in ``print<da><normalized-results>`` the name has brackets itself."""
        groups = _groups(element.params)
        for cut in range(len(groups), -1, -1):
            name = element.name + "".join(groups[:cut])
            known = self._table.get(name)
            if known is None:
                continue
            if len(groups) - cut > 1 or (groups[cut:] and self._begins_others(name, known)):
                break
            _check_params(name, "".join(groups[cut:]), known)
            return known, name
        # Against the whole head only where the head is a name: print<domtree>.
        wrong = element.head if self._begins_others(element.name, None) else element.name
        raise PassListError(f"unknown pass {wrong!r}{_nearest(wrong, self._table)}")

    def _begins_others(self, name: str, known: KnownPass | None) -> bool:
        """Whether ``name`` takes no parameters, but begins longer names, as ``print`` does."""
        if known is not None and known.params:
            return False
        return any(other.startswith(f"{name}<") for other in self._table)

    def _wrap(self, inner: tuple[Element, ...], level: str, context: str) -> Element:
        """Adaptors around elements of ``level`` so that they can stand at ``context``."""
        if level == "loop":
            element = self._loop_adaptor(inner, "loop")
        else:
            element = Element(_name(level), "", inner)
        if level in ("loop", "machine") and context != "function":
            element = Element("function", "", (element,))
        return element

    def _loop_adaptor(self, inner: tuple[Element, ...], head: str) -> Element:
        """``loop(...)``, or ``loop-mssa(...)`` if asked for or needed."""
        uses = {"needed": "", "refused": ""}
        for leaf in inner:
            known = self._table.get(leaf.name)
            if known is not None and known.memory_ssa in uses:
                uses[known.memory_ssa] = leaf.name
        if uses["needed"]:
            head = "loop-mssa"
        if head == "loop-mssa" and uses["refused"]:
            raise PassListError(
                f"{uses['refused']!r} breaks MemorySSA: it needs a loop(...) of its own"
            )
        return Element(head, "", inner)

    @staticmethod
    def _safe(element: Element) -> Element:
        """``instcombine`` that does not abort where it reaches no fixpoint."""
        if element.name != "instcombine":
            return element
        params = [p for p in element.params[1:-1].split(";") if p and p != "verify-fixpoint"]
        if "no-verify-fixpoint" in params:
            return replace(element, params=f"<{';'.join(params)}>")
        return replace(element, params=f"<{';'.join([*params, 'no-verify-fixpoint'])}>")


def _name(level: str) -> str:
    return "machine-function" if level == "machine" else level


def _where(context: str) -> str:
    return "at module level" if context == "module" else f"inside {_name(context)}(...)"


def _groups(params: str) -> list[str]:
    """``<a><b=<c>>`` cut into ``<a>`` and ``<b=<c>>``."""
    groups: list[str] = []
    depth = start = 0
    for position, character in enumerate(params, start=1):
        depth += (character == "<") - (character == ">")
        if depth == 0:
            groups.append(params[start:position])
            start = position
    return groups


def _check_params(name: str, text: str, known: KnownPass) -> None:
    """Refuse parameters (with their brackets) that the table does not list."""
    if text and not known.params:
        raise PassListError(f"pass {name!r} takes no parameters")
    given = text[1:-1].split(";")
    # Of some, LLVM itself prints a semicolon after the last one.
    if not given[-1]:
        given.pop()
    for param in given:
        if not any(_accepts(pattern, param) for pattern in known.params):
            raise PassListError(
                f"pass {name!r} has no parameter {param!r}{_nearest(param, known.params)}"
            )
    # The passes that need a parameter are whole pipelines: they need their level.
    if known.params_required and sum(map(_is_level, given)) != 1:
        levels = ";".join(filter(_is_level, known.params))
        raise PassListError(f"pass {name!r} needs one of <{levels}>")


def _is_level(param: str) -> bool:
    return re.fullmatch(r"O[0-3sz]", param) is not None


def _accepts(pattern: str, param: str) -> bool:
    """Whether ``bonus-inst-threshold=3`` is an instance of ``bonus-inst-threshold=N``."""
    key, equals, value = pattern.partition("=")
    given_key, given_equals, given = param.partition("=")
    if "[" in key:
        key, given_key = key.partition("[")[0], given_key.partition("[")[0]
    if key != given_key or equals != given_equals:
        return False
    return value != "N" or re.fullmatch(r"-?[0-9]+", given) is not None


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f": did you mean {near[0]!r}?" if near else ""
