"""Conditions on what an instruction of AArch64 leaves in the flags."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.lift.builder import Builder
from irsmith.lift.machine import Flags
from irsmith.lift.unliftable import UnliftableError

CONDITIONS = {
    **{name: name for name in ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc")},
    **{name: name for name in ("hi", "ls", "ge", "lt", "gt", "le")},
    **{"cs": "hs", "cc": "lo"},
}
"""Names of conditions, and what they are called here."""
OPPOSITE = {"ne": "eq", "lo": "hs", "pl": "mi", "vc": "vs", "ls": "hi", "lt": "ge", "le": "gt"}
"""Conditions that hold where others do not."""
_COMPARED = {
    **{"eq": "eq", "ne": "ne", "hs": "uge", "lo": "ult", "hi": "ugt", "ls": "ule"},
    **{"ge": "sge", "lt": "slt", "gt": "sgt", "le": "sle"},
}
_SIGNS = {"eq": "eq", "ne": "ne", "mi": "slt", "pl": "sge"}
_LOGIC = {**_SIGNS, "ge": "sge", "lt": "slt", "gt": "sgt", "le": "sle", "hi": "false", "ls": "true"}
_FLOAT = {
    **{"eq": "oeq", "ne": "une", "mi": "olt", "pl": "uge", "vs": "uno", "vc": "ord"},
    **{"ge": "oge", "lt": "ult", "gt": "ogt", "le": "ule"},
    **{"hs": "uge", "lo": "olt", "hi": "ugt", "ls": "ole"},
}


@dataclass(frozen=True, slots=True)
class Compared:
    """What a subtraction leaves.

    Attributes:
        type: of the values.
        left: value.
        right: value that was subtracted.
    """

    type: str
    left: str
    right: str

    def condition(self, to: Builder, name: str) -> str:
        """An i1 that says whether a condition holds."""
        if name in _COMPARED:
            return to.value(f"icmp {_COMPARED[name]} {self.type} {self.left}, {self.right}")
        if name in ("mi", "pl"):
            result = to.value(f"sub {self.type} {self.left}, {self.right}")
            return to.value(f"icmp {_SIGNS[name]} {self.type} {result}, 0")
        return _overflow(to, "ssub", self.type, self.left, self.right, name)


@dataclass(frozen=True, slots=True)
class Added:
    """What an addition leaves.

    Attributes:
        type: of the values.
        left: value.
        right: value.
        result: of the addition.
    """

    type: str
    left: str
    right: str
    result: str

    def condition(self, to: Builder, name: str) -> str:
        """An i1 that says whether a condition holds.

        Raises:
            UnliftableError: it is not known how to say so.
        """
        if name in _SIGNS:
            return to.value(f"icmp {_SIGNS[name]} {self.type} {self.result}, 0")
        if name in ("hs", "lo"):
            sign = "ult" if name == "hs" else "uge"
            return to.value(f"icmp {sign} {self.type} {self.result}, {self.left}")
        if name in ("vs", "vc"):
            return _overflow(to, "sadd", self.type, self.left, self.right, name)
        raise UnliftableError(f"condition {name} behind an addition")


@dataclass(frozen=True, slots=True)
class Logic:
    """What a logic instruction leaves: no carry, no overflow.

    Attributes:
        type: of the result.
        result: value.
    """

    type: str
    result: str

    def condition(self, to: Builder, name: str) -> str:
        """An i1 that says whether a condition holds."""
        sign = _LOGIC.get(name, "true" if name in ("lo", "vc") else "false")
        return (
            sign
            if sign in ("true", "false")
            else to.value(f"icmp {sign} {self.type} {self.result}, 0")
        )


@dataclass(frozen=True, slots=True)
class Floats:
    """What a comparison of floating point numbers leaves.

    Attributes:
        type: of the values.
        left: value.
        right: value.
    """

    type: str
    left: str
    right: str

    def condition(self, to: Builder, name: str) -> str:
        """An i1 that says whether a condition holds."""
        return to.value(f"fcmp {_FLOAT[name]} {self.type} {self.left}, {self.right}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a conditional comparison leaves.

    Attributes:
        flag: whether it compares, as an i1.
        flags: what it leaves then.
        bits: what it leaves else: negative, zero, carry, overflow.
    """

    flag: str
    flags: Flags
    bits: int

    def condition(self, to: Builder, name: str) -> str:
        """An i1 that says whether a condition holds."""
        compared = self.flags.condition(to, name)
        other = "true" if holds(name, self.bits) else "false"
        return to.value(f"select i1 {self.flag}, i1 {compared}, i1 {other}")


def holds(name: str, bits: int) -> bool:
    """Whether a condition holds of flags: negative, zero, carry, overflow, from the highest."""
    negative, zero, carry, over = (bool(bits & 8 >> place) for place in range(4))
    found = {
        "eq": zero,
        "hs": carry,
        "mi": negative,
        "vs": over,
        "hi": carry and not zero,
        "ge": negative == over,
        "gt": negative == over and not zero,
    }
    return found[name] if name in found else not found[OPPOSITE[name]]


def _overflow(to: Builder, what: str, type_: str, left: str, right: str, name: str) -> str:
    pair = f"{{ {type_}, i1 }}"
    values = f"{type_} {left}, {type_} {right}"
    both = to.value(f"call {pair} @llvm.{what}.with.overflow.{type_}({values})")
    over = to.value(f"extractvalue {pair} {both}, 1")
    return over if name == "vs" else to.value(f"xor i1 {over}, true")
