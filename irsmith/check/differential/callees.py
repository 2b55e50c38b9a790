"""What preparing a reference asks of its functions."""

from __future__ import annotations

import ctypes
from typing import Any

from irsmith.check.differential.data import Exercise, Result
from irsmith.check.differential.harness import VARIADIC
from irsmith.check.differential.library import GLOBAL, Parameter, Word
from irsmith.check.differential.types import Signature
from irsmith.check.differential.writer import Guarded
from irsmith.toolchain.globals import globals_of
from irsmith.toolchain.instructions import instructions_of
from irsmith.toolchain.llvm import IRModule


def tokens_of(module: IRModule) -> dict[str, int]:
    """Numbers of the globals, variables first, by their names in order."""
    found = globals_of(module.llvm)
    variables = sorted(
        name
        for h in found.each(module, "Global")
        if not (name := found.name(h).decode(errors="replace")).startswith("llvm.")
    )
    functions = sorted(name for name, _ in module.functions())
    return {name: number for number, name in enumerate([*variables, *functions])}


def problems_of(guarded: Guarded) -> dict[str, str]:
    """Functions whose results may differ, or that must not run, and those that call them."""
    found = dict.fromkeys(guarded.sloppy, "fast-math flags")
    for name, text in guarded.assembly.items():
        if text.strip():
            # What an instruction leaves in a register may be open (bsr of 0).
            found[name] = "inline assembly"
    callers: dict[str, list[str]] = {}
    for name, called in guarded.calls.items():
        for each in called:
            callers.setdefault(each, []).append(name)
    queue = list(found)
    while queue:
        name = queue.pop()
        for caller in callers.get(name, ()):
            if caller not in found:
                found[caller] = found[name]
                queue.append(caller)
    return found


def parameters_of(module: IRModule, name: str, signature: Signature) -> Any:
    """How to draw the arguments of a function."""
    llvm = instructions_of(module.llvm)
    function = llvm.named_function(module.handle, name.encode())
    layout = llvm.layout(module.handle)
    drawn = []
    for k, group in enumerate(signature.scalars):
        by_value = llvm.attribute(function, k + 1, "byval")
        size = llvm.abi_size(layout, llvm.attribute_type(by_value)) if by_value else 0
        nonnull = any(
            llvm.attribute(function, k + 1, word) for word in ("nonnull", "dereferenceable", "sret")
        )
        apart = bool(llvm.attribute(function, k + 1, "noalias"))
        for scalar in group:
            drawn.append(Parameter(ord(scalar.kind), scalar.width, nonnull, apart, size, 0))
    if signature.variadic:
        drawn += [Parameter(ord(scalar.kind), scalar.width) for scalar in VARIADIC]
    return (Parameter * len(drawn))(*drawn)


def sets_any(words: bytes, internal: set[int]) -> bool:
    """Whether an input sets one of some variables."""
    count = len(words) // ctypes.sizeof(Word)
    every = (Word * count).from_buffer_copy(words)
    return any(w.segment >= GLOBAL and w.segment - GLOBAL in internal for w in every)


def count_reason(exercise: Exercise, reason: str) -> None:
    """One more run that was no good."""
    exercise.reasons[reason] = exercise.reasons.get(reason, 0) + 1


def agrees(outcome: tuple[int, ...], result: Result) -> bool:
    """Whether the guarded run came to the same as the plain one."""
    return outcome == (
        *(result.status, result.result, result.trace),
        *(result.memory, result.internal),
    )
