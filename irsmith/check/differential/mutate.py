"""Planted faults: one instruction of a module changed, as a wrong pass would.

For measuring what the checkers miss (``benchmarks/check_mutants.py``). Each kind of fault
is a rewriting of textual IR, so that a reader sees what was planted.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_DEFINE = re.compile(r"^define .*?@(?P<name>\"[^\"]+\"|[\w.$-]+)\(")
_OPPOSITE = {
    **{"eq": "ne", "ne": "eq", "slt": "sge", "sge": "slt", "sgt": "sle", "sle": "sgt"},
    **{"ult": "uge", "uge": "ult", "ugt": "ule", "ule": "ugt"},
}
_NEIGHBOUR = {
    **{"slt": "sle", "sle": "slt", "sgt": "sge", "sge": "sgt"},
    **{"ult": "ule", "ule": "ult", "ugt": "uge", "uge": "ugt"},
    **{"eq": "sge", "ne": "slt"},
}
_UNSIGNED = {"slt": "ult", "sle": "ule", "sgt": "ugt", "sge": "uge", "ult": "slt", "ugt": "sgt"}
_ICMP = re.compile(r"(= icmp (?:samesign )?)(\w+)( )(?!ptr)")
_ANY_ICMP = re.compile(r"(= icmp (?:samesign )?)(\w+)( )")
_SWAPPABLE = re.compile(
    r"(= (?:sub|sdiv|udiv|srem|urem|shl|lshr|ashr|fsub|fdiv)(?: \w+)* (?:i\d+|float|double)) "
    r"(%?[\w.-]+), (%?[\w.-]+)"
)
_CONSTANT = re.compile(
    r"(= (?:add|sub|mul|and|or|xor|shl|lshr|ashr|icmp|sdiv|udiv|srem|urem)(?: \w+)* "
    r"i(\d+) [^,]+, )(-?\d+)(?![\w.])"
)
_STORE_CONSTANT = re.compile(r"(^\s*store i(?:8|16|32|64) )(-?\d+)(, ptr)")
_BRANCH = re.compile(r"(br i1 [^,]+, )(label %[\w.\"-]+)(, )(label %[\w.\"-]+)")
_GEP = re.compile(
    r"(= getelementptr (?:inbounds |nuw |nusw )*(?:[^,]+), ptr [^,]+(?:, i\d+ [^,]+)*, i\d+ )"
    r"(-?\d+)(?=$|, !|\s*$)"
)
_EXTEND = re.compile(r"= (sext|zext)( nneg)? ")
_ARITHMETIC = re.compile(r"(= )(add|sub|and|or|mul)( (?:nsw |nuw |disjoint )*i\d+ )")
_OTHER = {"add": "sub", "sub": "add", "and": "or", "or": "and", "mul": "add"}
_VOID_CALL = re.compile(r"^\s*(?:tail |musttail |notail )?call (?:\w+ )*void @(?!llvm\.)")
_STORE = re.compile(r"^\s*store (?!.*volatile)")
_SELECT = re.compile(r"(= select i1 [^,]+, )(\S+ [^,]+)(, )(\S+ [^,\s]+)")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one fault.

    Attributes:
        text: the whole module.
        function: where the fault is.
        kind: which fault.
        line: the instruction as it was.
        changed: the instruction as it is, empty if it was dropped.
    """

    text: str
    function: str
    kind: str
    line: str
    changed: str


def _predicate(line: str, rng: random.Random) -> str:
    def change(match: re.Match[str]) -> str:
        other = _OPPOSITE.get(match[2], match[2])
        return match[1] + other + match[3]

    return _ANY_ICMP.sub(change, line, count=1)


def _bound(line: str, rng: random.Random) -> str:
    """A comparison that is off by one."""

    def change(match: re.Match[str]) -> str:
        return match[1] + _NEIGHBOUR.get(match[2], match[2]) + match[3]

    return _ICMP.sub(change, line, count=1) if "samesign" not in line else line


def _signedness(line: str, rng: random.Random) -> str:
    def change(match: re.Match[str]) -> str:
        return match[1] + _UNSIGNED.get(match[2], match[2]) + match[3]

    return _ICMP.sub(change, line, count=1) if "samesign" not in line else line


def _swapped(line: str, rng: random.Random) -> str:
    def change(match: re.Match[str]) -> str:
        return f"{match[1]} {match[3]}, {match[2]}"

    return _SWAPPABLE.sub(change, line, count=1)


def _constant(line: str, rng: random.Random) -> str:
    def change(match: re.Match[str]) -> str:
        return match[1] + str(int(match[3]) + rng.choice((1, -1)))

    def stored(match: re.Match[str]) -> str:
        return match[1] + str(int(match[2]) + 1) + match[3]

    changed = _CONSTANT.sub(change, line, count=1)
    return changed if changed != line else _STORE_CONSTANT.sub(stored, line, count=1)


def _branch(line: str, rng: random.Random) -> str:
    return _BRANCH.sub(r"\1\4\3\2", line, count=1)


def _select(line: str, rng: random.Random) -> str:
    return _SELECT.sub(r"\1\4\3\2", line, count=1)


def _index(line: str, rng: random.Random) -> str:
    def change(match: re.Match[str]) -> str:
        value = int(match[2])
        return match[1] + str(value + (1 if value <= 0 else rng.choice((1, -1))))

    return _GEP.sub(change, line, count=1)


def _extension(line: str, rng: random.Random) -> str:
    def change(match: re.Match[str]) -> str:
        return "= zext " if match[1] == "sext" else "= sext "

    return _EXTEND.sub(change, line, count=1) if " i1 " not in line else line


def _operation(line: str, rng: random.Random) -> str:
    def change(match: re.Match[str]) -> str:
        flags = re.sub("nsw |nuw |disjoint ", "", match[3])
        return match[1] + _OTHER[match[2]] + flags

    return _ARITHMETIC.sub(change, line, count=1)


def _dropped_store(line: str, rng: random.Random) -> str:
    return "" if _STORE.match(line) else line


def _dropped_call(line: str, rng: random.Random) -> str:
    return "" if _VOID_CALL.match(line) else line


def _no_signed_wrap(line: str, rng: random.Random) -> str:
    """Arithmetic done in a narrower type, as if it could not overflow there."""
    match = re.match(r"^(\s*)(%[\w.]+) = add i32 (%[\w.]+), (%[\w.]+|-?\d+)$", line.rstrip())
    if not match:
        return line
    space, name, left, right = match.groups()
    stem = "%irsmith." + name[1:]
    return "\n".join(
        [
            f"{space}{stem}.w = add i32 {left}, {right}",
            f"{space}{stem}.t = trunc i32 {stem}.w to i16",
            f"{space}{name} = sext i16 {stem}.t to i32",
        ]
    )


FAULTS: dict[str, Callable[[str, random.Random], str]] = {
    "predicate flipped": _predicate,
    "bound off by one": _bound,
    "signedness": _signedness,
    "operands swapped": _swapped,
    "constant off by one": _constant,
    "branch inverted": _branch,
    "select inverted": _select,
    "index off by one": _index,
    "extension": _extension,
    "operation": _operation,
    "store dropped": _dropped_store,
    "call dropped": _dropped_call,
    "wrap ignored": _no_signed_wrap,
}
"""Kinds of faults; each takes a line and gives it changed, or the same if it does not apply."""


def places(text: str) -> Iterator[tuple[int, str]]:
    """Line number and function of each instruction in a module's text."""
    function = ""
    for number, line in enumerate(text.split("\n")):
        match = _DEFINE.match(line)
        if match:
            function = match["name"].strip('"')
        elif line.startswith("}"):
            function = ""
        elif function and line.startswith("  "):
            yield number, function


def mutants(text: str, count: int, rng: random.Random) -> Iterator[Mutant]:
    """Different faults at places drawn at random, kinds in turn.

    Args:
        text: a module as textual IR.
        count: at most so many.
        rng: what is drawn with.
    """
    lines = text.split("\n")
    every = list(places(text))
    rng.shuffle(every)
    options: dict[str, list[tuple[int, str, str]]] = {kind: [] for kind in FAULTS}
    for number, function in every:
        for kind, fault in FAULTS.items():
            if len(options[kind]) < count:
                changed = fault(lines[number], rng)
                if changed != lines[number]:
                    options[kind].append((number, function, changed))
    made = 0
    while made < count and any(options.values()):
        for kind, waiting in options.items():
            if not waiting or made == count:
                continue
            number, function, changed = waiting.pop()
            rest = [changed] if changed else []
            mutated = [*lines[:number], *rest, *lines[number + 1 :]]
            made += 1
            yield Mutant("\n".join(mutated), function, kind, lines[number].strip(), changed.strip())
