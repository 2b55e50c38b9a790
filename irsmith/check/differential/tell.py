"""Inputs and outcomes in words."""

from __future__ import annotations

import ctypes
import re
import signal
from collections.abc import Iterator, Sequence

from irsmith.check.differential.data import Difference, Prepared, Result
from irsmith.check.differential.library import (
    ARENA,
    ARGUMENT,
    ENDED,
    FILL,
    GLOBAL,
    GONE,
    RESULT,
    RETURNED,
    SEEN,
    SIGNALLED,
    TIMED_OUT,
    Word,
)

_CALL = re.compile(r"^call (\d+) ")
_PURE = 1 << 31


def named(log: str, externals: Sequence[str]) -> list[str]:
    """The lines of the runtime's log, external functions by their names."""

    def name(match: re.Match[str]) -> str:
        number = int(match[1])
        return f"call {externals[number] if number < len(externals) else 'through a pointer'} "

    return [_CALL.sub(name, line) for line in log.splitlines()]


def ended(result: Result) -> str:
    """How a run ended."""
    if result.status == SIGNALLED:
        return f"died of {signal.Signals(result.reason).name}"
    words = {RETURNED: "returned", ENDED: "ended in a call that does not return"}
    return words.get(
        result.status, "did not end in time" if result.status == TIMED_OUT else "ran on"
    )


def told_words(data: bytes, prepared: Prepared) -> Iterator[str]:
    """The words of an input, a line each."""
    variables = {number: name for name, number in prepared.tokens.items()}
    count = len(data) // ctypes.sizeof(Word)
    for word in (Word * count).from_buffer_copy(data):
        value = f"0x{word.value:x}"
        if word.kind == 1:
            value = f"pointer to memory+0x{word.value:x}"
        elif word.kind == 2:
            value = "pointer to a function"
        if word.segment == ARGUMENT:
            yield f"argument {word.where & 255} = {value}"
        elif word.segment == ARENA:
            yield f"memory+0x{word.where:x}: {word.size} bytes = {value}"
        elif word.segment == RESULT:
            which = "a pure function" if word.where & _PURE else f"external call {word.where}"
            yield f"{which} returns {value}"
        elif word.segment == FILL:
            what = f"{word.value >> 32} bytes" if word.kind == 0 else value_of(word)
            yield f"external call {word.where & 0xFFFF} writes {what} through argument {word.size}"
        elif word.segment >= GLOBAL:
            name = variables.get(word.segment - GLOBAL, "?")
            yield f"{name}+0x{word.where:x}: {word.size} bytes = {value}"
        else:
            assert word.segment in (SEEN, GONE)


def value_of(word: Word) -> str:
    """A number that an external call writes."""
    return f"{word.where >> 16} bytes = 0x{word.value:x}"


def difference_text(difference: Difference) -> str:
    """In what two versions differ, in a few words."""
    one, two = difference.expected, difference.found
    if one.status != two.status:
        what = f"reference {ended(one)}, candidate {ended(two)}"
    else:
        parts = (
            (one.result != two.result, "value returned"),
            (one.trace != two.trace, "external calls"),
            (one.memory != two.memory, "memory"),
            (one.internal != two.internal, "variables of the module"),
        )
        what = "different " + ", ".join(name for differs, name in parts if differs)
    return f"input {difference.number}: {what}"
