"""A version of a module, linked into this process, with its variables where we can reset them."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Mapping
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64

from irsmith.check.differential.expose import TABLE, complete
from irsmith.check.differential.library import (
    CONSTANT_DATA,
    FRESH,
    FUNCTION,
    INTERNAL_STATE,
    LAZY,
    VARIABLE,
    Runtime,
    Symbol,
)
from irsmith.toolchain.jit import Linked
from irsmith.toolchain.llvm import IRModule, LLVMError

MOST_STATE = 8 << 20
"""Bytes of variables that are reset before each run."""
_MOST_SPAN = 256 << 20
_MOST_LAZY = 1 << 16


class Build:
    """One linked version.

    Args:
        runtime: the loaded runtime.
        module: consumed.
        level: code generation level.
        addresses: of external functions.
        tokens: number of each global of the reference, by name.
        hidden: globals that no other module sees in the reference.
        signatures: number of each function's type, by name.
        padded: leave room behind variables (the guarded reference).

    Raises:
        LLVMError: no code, it does not link, or its variables are too large.
    """

    def __init__(
        self,
        runtime: Runtime,
        module: IRModule,
        level: int,
        addresses: Mapping[str, int],
        tokens: Mapping[str, int],
        hidden: Collection[str],
        signatures: Mapping[str, int],
        padded: bool = False,
    ) -> None:
        self.runtime = runtime
        entries = complete(module, padded)
        code = module.emit(level)
        own = {entry.name for entry in entries if entry.function}
        self.linked = Linked(
            module.llvm, code, {n: a for n, a in addresses.items() if n not in own}
        )
        where = self.linked.address(TABLE)
        table = (c_uint64 * len(entries)).from_address(where) if entries else ()
        found = sorted(zip(table, entries, strict=False), key=lambda pair: pair[0])
        self.functions = {entry.name: address for address, entry in found if entry.function}
        self.variables = {
            entry.name: entry.size
            for _, entry in found
            if not entry.function and not entry.constant
        }
        if sum(self.variables.values()) > MOST_STATE:
            raise LLVMError(f"its variables take {sum(self.variables.values())} bytes")
        self.symbols = (Symbol * max(len(found), 1))()
        self._by_token = (c_uint32 * (len(tokens) + 1))()
        self._snapshots = (ctypes.c_void_p * max(len(found), 1))()
        self._edited = (ctypes.c_void_p * max(len(found), 1))()
        self._kept: list[object] = []
        self.count, self.tokens = len(found), len(tokens)
        for index, (address, entry) in enumerate(found):
            kind = FUNCTION if entry.function else CONSTANT_DATA if entry.constant else VARIABLE
            token = tokens.get(entry.name, len(tokens))
            if (entry.name in hidden or entry.name not in tokens) and kind != CONSTANT_DATA:
                kind |= INTERNAL_STATE
            if kind & VARIABLE and entry.zero and entry.size <= _MOST_LAZY:
                kind |= LAZY
            if entry.declared:
                kind |= FRESH
            number = signatures.get(entry.name, 0) if entry.function else 0
            self.symbols[index] = Symbol(address, entry.size, token, kind, number)
            if entry.name in tokens:
                self._by_token[token] = index + 1
            if kind & VARIABLE:
                copy = ctypes.create_string_buffer(
                    ctypes.string_at(address, entry.size), entry.size
                )
                other = ctypes.create_string_buffer(max(entry.size, 1))
                self._kept += [copy, other]
                self._snapshots[index] = ctypes.addressof(copy)
                self._edited[index] = ctypes.addressof(other)
        self._shadows: tuple[object, ...] = ()

    def activate(self) -> None:
        """Make it the version that runs."""
        self.runtime.build(
            self.symbols, self.count, self._by_token, self.tokens, self._snapshots, self._edited
        )

    def add_shadows(self) -> None:
        """Room for what the guard knows of each byte of the variables.

        Raises:
            LLVMError: they lie too far apart.
        """
        data = [s for s in self.symbols if s.address and not s.kind & FUNCTION]
        low = min((s.address for s in data), default=0)
        high = max((s.address + s.size + 64 for s in data), default=0)
        if high - low > _MOST_SPAN:
            raise LLVMError("its variables lie too far apart")
        states, tags = (c_uint8 * (high - low + 1))(), (c_uint16 * (high - low + 1))()
        self._shadows = (states, tags)
        self.runtime.global_shadows(low, high, states, tags)

    def close(self) -> None:
        """Free its memory."""
        self.linked.close()
