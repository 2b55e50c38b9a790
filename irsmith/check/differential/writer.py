"""Calls of the runtime's checks, written into a module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from irsmith.check.differential.library import Site
from irsmith.check.differential.tbaa import Tags
from irsmith.toolchain import instructions as op
from irsmith.toolchain.globals import globals_of
from irsmith.toolchain.instructions import Instructions, handles, instructions_of
from irsmith.toolchain.llvm import IRModule

_SIGNATURES = {
    "block": "4",
    "enter": "",
    "leave": "",
    "alloca": "88>p",
    "by_value": "p848>p",
    "load": "p4",
    "store": "p4",
    "copy": "pp84",
    "set": "p8",
    "read": "p84",
    "lifetime": "p4",
    "parameter": "p448",
    "apart": "pp",
    "order": "pp",
    "compare": "884",
    "switch": "84",
    "offset": "pp4",
    "index": "8",
    "arithmetic": "488",
    "float": "d",
    "convert": "d44",
    "assume": "4",
    "nonzero": "8",
    "character": "8",
    "unreachable": "",
    "fresh": "p",
    "call": "p4",
}
"""Parameters of each check: ``4`` and ``8`` bytes, ``p`` pointer, ``d`` double."""


@dataclass(slots=True)
class Guarded:
    """What the guard knows of a module that it was written into.

    Attributes:
        sites: loads, stores, copies and calls, by number.
        blocks: first number and count of each function's blocks.
        constants: numbers worth trying, by function.
        sloppy: functions with fast-math flags, whose results may differ.
        assembly: functions with inline assembly.
        calls: functions that each function calls by name.
        tags: which marks of types may meet.
        tag_count: rows of that table.
    """

    sites: list[Site] = field(default_factory=list)
    blocks: dict[str, tuple[int, int]] = field(default_factory=dict)
    constants: list[list[int]] = field(default_factory=list)
    sloppy: set[str] = field(default_factory=set)
    assembly: dict[str, bytes] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    tags: bytes = b""
    tag_count: int = 0


def check_names() -> list[str]:
    """Names of the runtime's functions that a guarded module calls."""
    return [f"guard_{name}" for name in _SIGNATURES]


class Writer:
    """Writes calls where its builder stands.

    Args:
        module: changed in place.
        signature_number: see :func:`irsmith.check.differential.guard.guard`.
    """

    def __init__(self, module: IRModule, signature_number: Callable[[int, int], int]) -> None:
        self.module, self.number = module, signature_number
        self.llvm: Instructions = instructions_of(module.llvm)
        self.names = globals_of(module.llvm)
        llvm, context = self.llvm, module.context.handle
        self.layout = llvm.layout(module.handle)
        self.tags = Tags(module)
        self.found = Guarded()
        self.index, self.block_count, self.comparisons = 0, 0, 0
        self.i1, self.i32, self.i64 = (llvm.int_type(context, n) for n in (1, 32, 64))
        self.double = llvm.double_type(context)
        pointer, void = llvm.pointer_type(context, 0), llvm.void_type(context)
        letters = {"4": self.i32, "8": self.i64, "p": pointer, "d": self.double}
        self.builder = llvm.builder_create(context)
        self.checks: dict[str, tuple[int, int]] = {}
        for name, text in _SIGNATURES.items():
            parameters, _, result = text.partition(">")
            types = [letters[letter] for letter in parameters]
            kind = llvm.function_type(letters.get(result, void), handles(types), len(types), 0)
            self.checks[name] = (
                kind,
                llvm.add_function(module.handle, f"guard_{name}".encode(), kind),
            )

    def close(self) -> None:
        """Free the builder."""
        self.llvm.builder_dispose(self.builder)

    def check(self, name: str, *arguments: int) -> int:
        """A call of the runtime where the builder stands."""
        kind, function = self.checks[name]
        made = self.llvm.build_call(
            self.builder, kind, function, handles(arguments), len(arguments), b""
        )
        return int(made)

    def small(self, value: int) -> int:
        """A constant of four bytes."""
        return int(self.llvm.const_int(self.i32, value, 0))

    def large(self, value: int) -> int:
        """A constant of eight bytes."""
        return int(self.llvm.const_int(self.i64, value & (1 << 64) - 1, 0))

    def wide(self, value: int, signed: bool = False) -> int:
        """An integer of at most 64 bits as i64."""
        width = self.llvm.int_width(self.llvm.type_of(value))
        if width == 64:
            return value
        extend = self.llvm.build_sext if signed else self.llvm.build_zext
        return int(extend(self.builder, value, self.i64, b""))

    def site(self, **fields: Any) -> int:
        """The number of a new site."""
        self.found.sites.append(Site(function=self.index, **fields))
        return len(self.found.sites) - 1

    def is_plain(self, value: int) -> bool:
        """Whether it is an integer that the checks can take."""
        kind = self.llvm.type_of(value)
        return bool(self.llvm.kind(kind) == op.INTEGER_TYPE and self.llvm.int_width(kind) <= 64)

    def lanes(self, value: int) -> list[int]:
        """The elements of a vector, or the value itself."""
        llvm, kind = self.llvm, self.llvm.type_of(value)
        if llvm.kind(kind) != op.VECTOR_TYPE:
            return [value]
        return [
            int(llvm.build_extract(self.builder, value, self.small(k), b""))
            for k in range(llvm.vector_length(kind))
        ]

    def is_address(self, value: int) -> bool:
        """Whether it is a pointer made a number."""
        llvm = self.llvm
        if not llvm.is_instruction(value):
            return False
        return int(llvm.opcode(value)) == op.PTRTOINT

    def as_double(self, value: int) -> int:
        """A floating-point number as a double."""
        kind = self.llvm.kind(self.llvm.type_of(value))
        if kind == op.DOUBLE_TYPE:
            return value
        change = self.llvm.build_fpext if kind == op.FLOAT_TYPE else self.llvm.build_fptrunc
        return int(change(self.builder, value, self.double, b""))
