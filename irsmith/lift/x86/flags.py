"""Conditions on what an instruction leaves in the flags, as comparisons of its operands."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.lift.builder import Builder
from irsmith.lift.unliftable import UnliftableError

CONDITIONS = {
    **{name: name for name in ("e", "ne", "l", "le", "g", "ge", "b", "be", "a", "ae")},
    **{name: name for name in ("s", "ns", "o", "no", "p", "np")},
    **{"z": "e", "nz": "ne", "c": "b", "nc": "ae"},
}
"""Names of conditions behind ``j``, ``set`` and ``cmov``, and what they are called here."""
_COMPARED = {
    "e": "eq",
    "ne": "ne",
    "l": "slt",
    "le": "sle",
    "g": "sgt",
    "ge": "sge",
    "b": "ult",
    "be": "ule",
    "a": "ugt",
    "ae": "uge",
}
_RESULT = {"e": "eq", "ne": "ne", "s": "slt", "ns": "sge"}
_LOGIC = {**_RESULT, "l": "slt", "ge": "sge", "le": "sle", "g": "sgt", "be": "eq", "a": "ne"}
_FLOAT = {
    "e": "ueq",
    "ne": "one",
    "b": "ult",
    "be": "ule",
    "a": "ogt",
    "ae": "oge",
    "p": "uno",
    "np": "ord",
}


@dataclass(frozen=True, slots=True)
class Flags:
    """What an instruction leaves.

    Attributes:
        kind: ``compare`` (of ``left`` with ``right``), ``logic``, ``byte`` (of a
            wider number), ``add``, ``result``, ``carry`` or ``float``.
        type: of the values.
        left: value; of ``add`` one that was added.
        right: value.
        result: of the instruction.
        carry: i1, where it is known by itself.
    """

    kind: str
    type: str
    left: str = ""
    right: str = ""
    result: str = ""
    carry: str = ""

    def condition(self, to: Builder, name: str) -> str:
        """An i1 that says whether a condition holds.

        Args:
            to: where instructions are added.
            name: one of those of :data:`CONDITIONS`.

        Raises:
            UnliftableError: no comparison of the operands says so.
        """
        return _condition(to, self, name)


def _condition(to: Builder, flags: Flags, name: str) -> str:
    kind, type_ = flags.kind, flags.type
    if flags.carry and name in ("b", "ae"):
        return flags.carry if name == "b" else to.value(f"xor i1 {flags.carry}, true")
    if kind == "float" and name in _FLOAT:
        return to.value(f"fcmp {_FLOAT[name]} {type_} {flags.left}, {flags.right}")
    if kind == "compare":
        if name in _COMPARED:
            return to.value(f"icmp {_COMPARED[name]} {type_} {flags.left}, {flags.right}")
        if name in ("s", "ns"):
            result = flags.result or to.value(f"sub {type_} {flags.left}, {flags.right}")
            return to.value(f"icmp {_RESULT[name]} {type_} {result}, 0")
        if name in ("o", "no"):
            return _overflow(to, "ssub", type_, flags, name)
    if kind == "byte" and name in ("e", "ne", "s", "ns"):
        result = flags.result
        if name in ("s", "ns"):
            result = to.value(f"and {type_} {result}, 128")
        sign = "eq" if name in ("e", "ns") else "ne"
        return to.value(f"icmp {sign} {type_} {result}, 0")
    if kind == "logic":
        if name in _LOGIC:
            return to.value(f"icmp {_LOGIC[name]} {type_} {flags.result}, 0")
        if name in ("b", "o"):
            return "false"
        if name in ("ae", "no"):
            return "true"
    if kind in ("add", "result") and name in _RESULT:
        return to.value(f"icmp {_RESULT[name]} {type_} {flags.result}, 0")
    if kind == "add":
        if name in ("b", "ae"):
            sign = "ult" if name == "b" else "uge"
            return to.value(f"icmp {sign} {type_} {flags.result}, {flags.left}")
        if name in ("o", "no"):
            return _overflow(to, "sadd", type_, flags, name)
    raise UnliftableError(f"condition {name} behind an instruction of the kind {kind}")


def _overflow(to: Builder, what: str, type_: str, flags: Flags, name: str) -> str:
    pair = f"{{ {type_}, i1 }}"
    values = f"{type_} {flags.left}, {type_} {flags.right}"
    both = to.value(f"call {pair} @llvm.{what}.with.overflow.{type_}({values})")
    over = to.value(f"extractvalue {pair} {both}, 1")
    return over if name == "o" else to.value(f"xor i1 {over}, true")
