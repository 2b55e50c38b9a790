"""Operands of x86-64 as places in IR."""

from __future__ import annotations

from irsmith.lift.code import Immediate, Memory, Operand, Register
from irsmith.lift.machine import FLOATS, Machine
from irsmith.lift.unliftable import UnliftableError


class X86Machine(Machine):
    """What instructions of x86-64 read and write."""

    stack_register = "rsp"
    vector_letters = "xmm"
    # Here bytes are written by themselves, too.
    reads_whole = False
    above = 8

    def get(self, operand: Operand, bits: int) -> str:
        """An integer that an operand holds."""
        if isinstance(operand, Immediate):
            return self._immediate(operand, bits)
        if isinstance(operand, Register):
            return self.register(operand.family, bits, operand.high)
        if isinstance(operand, Memory):
            if operand.modifier in ("GOTPCREL", "GOTPCRELX"):
                name = self.symbols.address(operand.symbol, True)
                return self.to.value(f"ptrtoint ptr {name} to i64")
            place = self.place(operand, bits // 8, "load")
            return self.to.value(f"load i{bits}, ptr {place}, align 1")
        raise UnliftableError("a label as an operand")

    def put(self, operand: Operand, bits: int, value: str) -> None:
        """Leave an integer in an operand; 32 bits of a register clear the others."""
        if isinstance(operand, Memory):
            place = self.place(operand, bits // 8, "store")
            self.to.do(f"store i{bits} {value}, ptr {place}, align 1")
            return
        if not isinstance(operand, Register) or operand.bits > 64:
            raise UnliftableError("a result that is not kept")
        self.put_register(operand.family, bits, value, operand.high)

    def addressed(self, operand: Operand) -> bool:
        """Whether what is read or written next, in a whole register, is an address."""
        if not isinstance(operand, Register) or operand.bits != 64:
            return False
        return self.next_slot(operand.family) in self.slots.pointers

    def whole(self, operand: Operand) -> bool:
        """Whether the byte that is read next belongs to a number of at least 32 bits."""
        if not isinstance(operand, Register) or operand.high:
            return False
        slot = self.next_slot(operand.family)
        return bool(self.slots.names) and slot not in self.slots.parted

    def narrow(self, operand: Operand) -> bool:
        """Whether the register that is read next holds a byte and nothing else."""
        if not isinstance(operand, Register):
            return False
        slot = self.next_slot(operand.family)
        return slot in self.slots.narrow

    def load_pointer(self, operand: Memory) -> str:
        """An address that lies in memory."""
        return self.to.value(f"load ptr, ptr {self.place(operand, 8, 'load')}, align 1")

    def store_pointer(self, operand: Memory, value: str) -> None:
        """Leave an address in memory."""
        self.to.do(f"store ptr {value}, ptr {self.place(operand, 8, 'store')}, align 1")

    def vector(self, operand: Operand, type_: str, align: int = 1) -> str:
        """What an operand holds of a type of :data:`FLOATS`."""
        if isinstance(operand, Register) and operand.bits == 128:
            return self.vector_register(operand.family, type_)
        if not isinstance(operand, Memory):
            raise UnliftableError("a vector in a general register")
        place = self.place(operand, FLOATS[type_], "load")
        return self.to.value(f"load {type_}, ptr {place}, align {align}")

    def put_vector(
        self, operand: Operand, type_: str, value: str, clear: bool = False, align: int = 1
    ) -> None:
        """Leave a value in a vector register, or in memory.

        Args:
            operand: where.
            type_: of the value.
            value: what.
            clear: whether what is above it in the register becomes zero.
            align: of memory.
        """
        if isinstance(operand, Memory):
            place = self.place(operand, FLOATS[type_], "store")
            self.to.do(f"store {type_} {value}, ptr {place}, align {align}")
            return
        if not isinstance(operand, Register) or operand.bits != 128:
            raise UnliftableError("a vector in a general register")
        self.put_vector_register(operand.family, type_, value, clear)

    def pointer(self, operand: Memory) -> str:
        """The address that an operand of memory names."""
        return self.place(operand, 0, "taken")

    def place(self, operand: Memory, size: int, how: str) -> str:
        """Where an operand of memory lies."""
        if operand.segment:
            raise UnliftableError(f"segment %{operand.segment}")
        if operand.modifier:
            raise UnliftableError(f"@{operand.modifier}")
        disp = operand.disp
        if operand.base == "rsp":
            offset = self.depth + disp
            where = self.frame(offset, size, "taken" if operand.index else how)
            return self._indexed(where, operand)
        if operand.symbol:
            where = self.symbols.address(operand.symbol)
            if operand.base not in ("", "rip"):
                number = self.register(operand.base, 64)
                where = self.to.value(f"getelementptr i8, ptr {where}, i64 {number}")
        elif operand.base:
            where = self.base(operand.base)
            if not operand.index:
                self.events.append(("near", operand.base, disp))
        else:
            where = "null"
        where = self._indexed(where, operand)
        return self.to.value(f"getelementptr i8, ptr {where}, i64 {disp}") if disp else where

    def push(self, operand: Operand) -> None:
        """Put eight bytes on the stack."""
        at = self.depth - 8
        if isinstance(operand, Register):
            value = self.save(operand.family, at)
        else:
            value = self.get(operand, 64)
        self.depth = at
        self.to.do(f"store i64 {value}, ptr {self.frame(at, 8, 'store')}")
        if isinstance(operand, Immediate) and not operand.symbol:
            self.note("pushed", "number", operand.value)
        else:
            self.note("pushed")

    def pop(self, operand: Operand) -> None:
        """Take eight bytes from the stack."""
        at = self.depth
        value = self.to.value(f"load i64, ptr {self.frame(at, 8, 'popped')}")
        if at >= 0:
            raise UnliftableError("the stack is left below where it was")
        self.depth += 8
        if isinstance(operand, Register):
            self.restore(operand.family, at, value)
        else:
            self.put(operand, 64, value)

    def _immediate(self, operand: Immediate, bits: int) -> str:
        if not operand.symbol:
            value = operand.value % (1 << bits)
            return str(value - (1 << bits) if value >> (bits - 1) else value)
        name = self.symbols.address(operand.symbol)
        if operand.value:
            name = self.to.value(f"getelementptr i8, ptr {name}, i64 {operand.value}")
        return self.to.value(f"ptrtoint ptr {name} to i{bits}")

    def _indexed(self, where: str, operand: Memory) -> str:
        if not operand.index:
            return where
        number = self.register(operand.index, 64)
        if operand.scale > 1:
            number = self.to.value(f"shl i64 {number}, {operand.scale.bit_length() - 1}")
        return self.to.value(f"getelementptr i8, ptr {where}, i64 {number}")
