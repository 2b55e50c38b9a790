"""Operands of AArch64 as places in IR."""

from __future__ import annotations

from irsmith.lift.code import Immediate, Memory, Operand, Register, Shifted
from irsmith.lift.machine import Machine
from irsmith.lift.unliftable import UnliftableError

SCALARS = {32: "float", 64: "double", 128: "<2 x i64>"}
"""What vector registers hold, by the bits that are named."""
KEPT = frozenset((*(f"x{number}" for number in range(19, 31)), *(f"q{n}" for n in range(8, 16))))
"""Registers that a function leaves as they were; of vector registers the lower half."""
_FRAME = "x29"
_EXTENSIONS = {"b": 8, "h": 16, "w": 32, "x": 64}
_SHIFTS = {"lsl": "shl", "lsr": "lshr", "asr": "ashr"}


class A64Machine(Machine):
    """What instructions of AArch64 read and write."""

    stack_register = "sp"
    vector_letters = "q"

    def place_of(self, family: str) -> int | None:
        """The place of the frame that a register is known to point to."""
        if family == "sp":
            return self.depth
        return self.fixed if family == _FRAME else None

    def register(self, family: str, bits: int, high: bool = False) -> str:
        """An integer that a register holds."""
        if family == "xzr":
            return "0"
        place = self.place_of(family)
        if place is not None:
            where = self.frame(place, 0, "taken")
            return self.to.value(f"ptrtoint ptr {where} to i{bits}")
        return super().register(family, bits, high)

    def put_register(self, family: str, bits: int, value: str, high: bool = False) -> None:
        """Leave an integer in a register; 32 bits of it clear the others."""
        if family == "xzr":
            return
        if family == _FRAME:
            self.fixed = None
        super().put_register(family, bits, value, high)

    def put_pointer(self, family: str, value: str) -> None:
        """Leave an address in a register."""
        if family == _FRAME:
            self.fixed = None
        super().put_pointer(family, value)

    def restore(self, family: str, place: int, value: str, type_: str = "i64") -> None:
        """Leave what lay in a place of the frame in a register, as it was or to be used."""
        if family == _FRAME:
            self.fixed = None
        super().restore(family, place, value, type_)

    def base(self, family: str) -> str:
        """An address that a register holds."""
        place = self.place_of(family)
        return super().base(family) if place is None else self.frame(place, 0, "taken")

    def addressed(self, family: str) -> bool:
        """Whether what is read or written next, in a whole register, is an address."""
        return self.place_of(family) is not None or self.next_slot(family) in self.slots.pointers

    def get(self, operand: Operand, bits: int) -> str:
        """An integer that an operand holds."""
        if isinstance(operand, Immediate):
            return self._immediate(operand, bits)
        if isinstance(operand, Register):
            if operand.bits > bits or operand.family.startswith("q"):
                raise UnliftableError("a register of another width")
            return self.register(operand.family, bits)
        if isinstance(operand, Shifted):
            return self._shifted(operand, bits)
        raise UnliftableError("a word as an operand")

    def put(self, operand: Operand, value: str) -> None:
        """Leave an integer in a register."""
        if not isinstance(operand, Register) or operand.family.startswith("q"):
            raise UnliftableError("a result that is not kept")
        self.put_register(operand.family, operand.bits, value)

    def vector(self, operand: Operand) -> tuple[str, str]:
        """The type and the value that a vector register holds."""
        if not isinstance(operand, Register) or not operand.family.startswith("q"):
            raise UnliftableError("a vector in a general register")
        type_ = vector_type(operand)
        return type_, self.vector_register(operand.family, type_)

    def put_vector(self, operand: Operand, value: str) -> None:
        """Leave a value in a vector register; what is above it becomes zero."""
        if not isinstance(operand, Register) or not operand.family.startswith("q"):
            raise UnliftableError("a vector in a general register")
        self.put_vector_register(operand.family, vector_type(operand), value, clear=True)

    def address(self, operand: Memory, size: int, how: str) -> str:
        """Where an operand of memory lies; a base that is moved is moved.

        Args:
            operand: the place.
            size: bytes that are read or written.
            how: ``load`` or ``store``.
        """
        place = self.place_of(operand.base)
        if place is not None and not operand.symbol:
            return self._in_frame(operand, place, size, how)
        if operand.modifier not in ("", "lo12"):
            raise UnliftableError(f":{operand.modifier}:")
        where = self.base(operand.base)
        if operand.symbol:
            # Only of what is aligned so, a part of the address stands in the instruction.
            known = self.symbols.aligned.get(operand.symbol, 1)
            self.symbols.aligned[operand.symbol] = max(size, known)
            return self.symbol(operand.symbol, operand.disp)
        if operand.index:
            return self._indexed(where, operand)
        moved = where
        if operand.disp:
            moved = self.to.value(f"getelementptr i8, ptr {where}, i64 {operand.disp}")
        if operand.moves:
            self.put_pointer(operand.base, moved)
            return moved if operand.moves == "before" else where
        self.note("near", operand.base, operand.disp)
        return moved

    def symbol(self, name: str, addend: int = 0, table: bool = False) -> str:
        """The address of a symbol."""
        where = self.symbols.address(name, table)
        return self.to.value(f"getelementptr i8, ptr {where}, i64 {addend}") if addend else where

    def _in_frame(self, operand: Memory, place: int, size: int, how: str) -> str:
        if operand.index:
            return self._indexed(self.frame(place, 0, "taken"), operand)
        if operand.moves and operand.base != "sp":
            raise UnliftableError("the frame pointer is computed")
        if operand.moves == "before":
            self.move_stack(operand.disp)
        where = self.frame(place + (operand.disp if operand.moves != "after" else 0), size, how)
        if operand.moves == "after":
            self.move_stack(operand.disp)
        return where

    def _indexed(self, where: str, operand: Memory) -> str:
        if operand.extend:
            number = self.register(operand.index, 32)
            kind = "zext" if operand.extend == "uxtw" else "sext"
            number = self.to.value(f"{kind} i32 {number} to i64")
        else:
            number = self.register(operand.index, 64)
        return self.step(where, number, operand.scale)

    def _immediate(self, operand: Immediate, bits: int) -> str:
        if operand.symbol:
            raise UnliftableError("a symbol as a number")
        value = operand.value % (1 << bits)
        return str(value - (1 << bits) if value >> (bits - 1) else value)

    def _shifted(self, operand: Shifted, bits: int) -> str:
        family, how, by = operand.register.family, operand.how, operand.by
        if how in _SHIFTS:
            value = self.register(family, bits)
            return self.to.value(f"{_SHIFTS[how]} i{bits} {value}, {by}") if by else value
        if how == "ror":
            return self.rotated(self.register(family, bits), bits, str(by))
        small = min(_EXTENSIONS[how[-1]], bits)
        value = self.register(family, small)
        if small < bits:
            kind = "zext" if how[0] == "u" else "sext"
            value = self.to.value(f"{kind} i{small} {value} to i{bits}")
        return self.to.value(f"shl i{bits} {value}, {by}") if by else value

    def rotated(self, value: str, bits: int, by: str) -> str:
        """A number turned right."""
        type_ = f"i{bits}"
        values = f"{type_} {value}, {type_} {value}, {type_} {by}"
        return self.to.value(f"call {type_} @llvm.fshr.{type_}({values})")


def vector_type(operand: Register) -> str:
    """What a vector register holds.

    Raises:
        UnliftableError: that is not known.
    """
    if operand.bits not in SCALARS:
        raise UnliftableError(f"a vector register of {operand.bits} bits")
    return SCALARS[operand.bits]
