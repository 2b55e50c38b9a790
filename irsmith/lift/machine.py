"""Registers, memory and stack as instructions see them, as slots and places in IR.

A register is a slot on the stack of the IR, whose parts are read and written at their own
width, and so is each word of the function's frame: LLVM's passes make values of them. What
is read and written is logged, for what must be known of a function before it is written
(:mod:`irsmith.lift.flow`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from irsmith.lift.builder import Builder
from irsmith.lift.flags import Flags, condition
from irsmith.lift.syntax import Immediate, Memory, Operand, Register
from irsmith.lift.unliftable import UnliftableError

Place = tuple[int, int]
"""An instruction: its block, and its number there; behind the last of a block: its end."""
Access = tuple[Place, int, str]
"""What an instruction does with a register: its place, the number of the event, the register."""
Event = tuple[str, str, int | str]
"""What an instruction does: ``read``, ``write``, ``const`` (with the number that it leaves),
``base`` (read as an address) and ``near`` (with what is added), ``save``, ``restore`` or
``cancel`` of a register, with a width or type; ``flag`` (asked for) and ``flags`` (left);
``load``, ``store``, ``popped`` and ``taken`` of a place of the frame, with its size."""
FLOATS = {"double": 8, "float": 4, "<4 x float>": 16, "<2 x i64>": 16}
"""Types that vector registers are read as, and their bytes."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A part of the frame that has a slot of its own.

    Attributes:
        name: of the slot.
        start: offset of its first byte from where the stack pointer was at the beginning.
        end: offset behind its last.
    """

    name: str
    start: int
    end: int


@dataclass(slots=True)
class Symbols:
    """Names that code refers to.

    Attributes:
        called: those that are called.
        direct: those that the module reaches without a table of addresses.
        tabled: those that it reaches through one.
        eager: those whose address is looked up when the program starts.
        data: local labels that are used.
    """

    called: dict[str, None] = field(default_factory=dict)
    direct: dict[str, None] = field(default_factory=dict)
    tabled: dict[str, None] = field(default_factory=dict)
    eager: dict[str, None] = field(default_factory=dict)
    data: dict[str, None] = field(default_factory=dict)

    def address(self, name: str, table: bool = False) -> str:
        """A constant that is the symbol's address."""
        if name.startswith(".L"):
            self.data[name] = None
        else:
            (self.tabled if table else self.direct)[name] = None
        return ir_name(name)


def ir_name(symbol: str) -> str:
    """A symbol as IR writes it.

    Raises:
        UnliftableError: its name has signs that both languages write in their own ways.
    """
    plain = symbol[1:-1] if symbol.startswith('"') else symbol
    if "\\" in plain or '"' in plain:
        raise UnliftableError(f"symbol {symbol}")
    return f'@"{plain}"'


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots of registers: a register has one for each of the values that it holds in turn.

    Attributes:
        names: by access; those that are missing have none but the register itself.
        wide: those of which more than 32 bits are read.
        pointers: those that hold addresses.
        parted: those of which a byte or two are written apart.
        narrow: those of them that hold nothing else.
    """

    names: dict[Access, str] = field(default_factory=dict)
    parted: frozenset[str] = frozenset()
    narrow: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()
    pointers: frozenset[str] = frozenset()


class Machine:
    """What instructions read and write.

    Args:
        symbols: takes up the names that are used.
        things: parts of the frame; empty while they are being looked for.
        slots: of registers; empty while they are being looked for.

    Attributes:
        at: the instruction that is written.
        to: where IR is written.
        depth: bytes that the stack pointer stands above where it was at the beginning; not
            positive.
        events: what was done since the list was emptied.
        wanted: conditions that instructions further on ask of this one's flags.
        packed: whether vector registers are used as such.
    """

    def __init__(
        self, symbols: Symbols, things: tuple[Thing, ...] = (), slots: Slots | None = None
    ) -> None:
        self.to = Builder()
        self.symbols, self.things, self.slots = symbols, things, slots or Slots()
        self.at: Place = (0, 0)
        self.depth = 0
        self.events: list[Event] = []
        self.wanted: frozenset[str] = frozenset()
        self.packed = False

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
            place = self._place(operand, bits // 8, "load")
            return self.to.value(f"load i{bits}, ptr {place}, align 1")
        raise UnliftableError("a label as an operand")

    def put(self, operand: Operand, bits: int, value: str) -> None:
        """Leave an integer in an operand; 32 bits of a register clear the others."""
        if isinstance(operand, Memory):
            place = self._place(operand, bits // 8, "store")
            self.to.do(f"store i{bits} {value}, ptr {place}, align 1")
            return
        if not isinstance(operand, Register) or operand.bits > 64:
            raise UnliftableError("a result that is not kept")
        family = operand.family
        if family == "rsp":
            raise UnliftableError("the stack pointer is computed")
        slot = self._event("write", family, bits)
        if value.isdigit():
            self.events.append(("const", family, int(value)))
        if bits == 32 and slot in self.slots.wide:
            value, bits = self.to.value(f"zext i32 {value} to i64"), 64
        if bits == 64 and slot in self.slots.pointers:
            self.to.do(f"store ptr {self.to.value(f'inttoptr i64 {value} to ptr')}, ptr {slot}")
            return
        if operand.high:
            slot = self.to.value(f"getelementptr i8, ptr {slot}, i64 1")
        self.to.do(f"store i{bits} {value}, ptr {slot}")

    def register(self, family: str, bits: int, high: bool = False) -> str:
        """An integer that a register holds."""
        if family == "rsp":
            place = self._frame(self.depth, 0, "taken")
            return self.to.value(f"ptrtoint ptr {place} to i64")
        slot = self._event("read", family, bits)
        if bits == 64 and slot in self.slots.pointers:
            return self.to.value(f"ptrtoint ptr {self.to.value(f'load ptr, ptr {slot}')} to i64")
        if high:
            slot = self.to.value(f"getelementptr i8, ptr {slot}, i64 1")
        return self.to.value(f"load i{bits}, ptr {slot}")

    def addressed(self, operand: Operand) -> bool:
        """Whether what is read or written next, in a whole register, is an address."""
        if not isinstance(operand, Register) or operand.bits != 64:
            return False
        return self.slot((self.at, len(self.events), operand.family)) in self.slots.pointers

    def whole(self, operand: Operand) -> bool:
        """Whether the byte that is read next belongs to a number of at least 32 bits."""
        if not isinstance(operand, Register) or operand.high:
            return False
        slot = self.slot((self.at, len(self.events), operand.family))
        return bool(self.slots.names) and slot not in self.slots.parted

    def narrow(self, operand: Operand) -> bool:
        """Whether the register that is read next holds a byte and nothing else."""
        if not isinstance(operand, Register):
            return False
        slot = self.slot((self.at, len(self.events), operand.family))
        return slot in self.slots.narrow

    def load_pointer(self, operand: Memory) -> str:
        """An address that lies in memory."""
        return self.to.value(f"load ptr, ptr {self._place(operand, 8, 'load')}, align 1")

    def store_pointer(self, operand: Memory, value: str) -> None:
        """Leave an address in memory."""
        self.to.do(f"store ptr {value}, ptr {self._place(operand, 8, 'store')}, align 1")

    def base(self, family: str) -> str:
        """An address that a register holds."""
        return self.to.value(f"load ptr, ptr {self._event('base', family, 64)}")

    def put_pointer(self, family: str, value: str) -> None:
        """Leave an address in a register."""
        slot = self._event("write", family, 64)
        if slot in self.slots.pointers:
            self.to.do(f"store ptr {value}, ptr {slot}")
        else:
            self.to.do(f"store i64 {self.to.value(f'ptrtoint ptr {value} to i64')}, ptr {slot}")

    def slot(self, access: Access) -> str:
        """The slot of a register where it is accessed."""
        return self.slots.names.get(access, f"%{access[2]}")

    def held(self, access: Access, type_: str) -> str:
        """What a register holds where it is accessed, as a type."""
        slot = self.slot(access)
        if type_ == "i64" and slot in self.slots.pointers:
            return self.to.value(f"ptrtoint ptr {self.to.value(f'load ptr, ptr {slot}')} to i64")
        if type_ == "ptr" and slot not in self.slots.pointers:
            return self.to.value(f"inttoptr i64 {self.to.value(f'load i64, ptr {slot}')} to ptr")
        return self.to.value(f"load {type_}, ptr {slot}")

    def leave(self, access: Access, type_: str, value: str) -> None:
        """Leave a value of a type in a register where it is accessed."""
        slot = self.slot(access)
        if type_ == "i64" and slot in self.slots.pointers:
            type_, value = "ptr", self.to.value(f"inttoptr i64 {value} to ptr")
        if type_ == "i32" and slot in self.slots.wide:
            type_, value = "i64", self.to.value(f"zext i32 {value} to i64")
        self.to.do(f"store {type_} {value}, ptr {slot}")

    def vector(self, operand: Operand, type_: str, align: int = 1) -> str:
        """What an operand holds of a type of :data:`FLOATS`."""
        if isinstance(operand, Register) and operand.bits == 128:
            slot = self._event("read", operand.family, type_)
            return self.to.value(f"load {type_}, ptr {slot}")
        if not isinstance(operand, Memory):
            raise UnliftableError("a vector in a general register")
        place = self._place(operand, FLOATS[type_], "load")
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
            place = self._place(operand, FLOATS[type_], "store")
            self.to.do(f"store {type_} {value}, ptr {place}, align {align}")
            return
        if not isinstance(operand, Register) or operand.bits != 128:
            raise UnliftableError("a vector in a general register")
        slot = self._event("write", operand.family, type_)
        if clear and self.packed:
            self.to.do(f"store <4 x float> zeroinitializer, ptr {slot}")
        self.to.do(f"store {type_} {value}, ptr {slot}")

    def pointer(self, operand: Memory) -> str:
        """The address that an operand of memory names."""
        return self._place(operand, 0, "taken")

    def _place(self, operand: Memory, size: int, how: str) -> str:
        """Where an operand of memory lies."""
        if operand.segment:
            raise UnliftableError(f"segment %{operand.segment}")
        if operand.modifier:
            raise UnliftableError(f"@{operand.modifier}")
        disp = operand.disp
        if operand.base == "rsp":
            offset = self.depth + disp
            where = self._frame(offset, size, "taken" if operand.index else how)
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

    def set_flags(self, flags: Flags) -> None:
        """Say what an instruction leaves in the flags."""
        self.events.append(("flags", "", 0))
        for name in sorted(self.wanted):
            self.to.do(f"store i1 {condition(self.to, flags, name)}, ptr %cc.{name}")

    def flag(self, name: str) -> str:
        """Whether a condition holds, as an i1."""
        self.events.append(("flag", name, 0))
        return self.to.value(f"load i1, ptr %cc.{name}")

    def push(self, operand: Operand) -> None:
        """Put eight bytes on the stack."""
        if isinstance(operand, Register):
            value = self.to.value(f"load i64, ptr {self._event('save', operand.family, 64)}")
        else:
            value = self.get(operand, 64)
        self.depth -= 8
        self.to.do(f"store i64 {value}, ptr {self._frame(self.depth, 8, 'store')}")

    def pop(self, operand: Operand) -> None:
        """Take eight bytes from the stack."""
        value = self.to.value(f"load i64, ptr {self._frame(self.depth, 8, 'popped')}")
        if self.depth >= 0:
            raise UnliftableError("the stack is left below where it was")
        self.depth += 8
        if isinstance(operand, Register):
            slot = self._event("restore", operand.family, 64)
            if slot in self.slots.pointers:
                value = self.to.value(f"inttoptr i64 {value} to ptr")
            kind = "ptr" if slot in self.slots.pointers else "i64"
            self.to.do(f"store {kind} {value}, ptr {slot}")
        else:
            self.put(operand, 64, value)

    def move_stack(self, by: int) -> None:
        """Move the stack pointer."""
        self.depth += by
        if self.depth > 0:
            raise UnliftableError("the stack is left below where it was")

    def _event(self, kind: str, family: str, how: int | str) -> str:
        """Note what is done with a register, and say which slot it is done with."""
        vector = family.startswith("xmm")
        if vector != isinstance(how, str):
            raise UnliftableError("a vector register as an integer")
        self.events.append((kind, family, how))
        return self.slot((self.at, len(self.events) - 1, family))

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

    def _frame(self, offset: int, size: int, how: str) -> str:
        """A place of the frame, by its offset from the stack pointer at the beginning."""
        self.events.append((how, str(offset), size))
        if offset >= 8:
            return f"%in.{(offset - 8) // 8}" if offset % 8 == 0 else self._bad(offset)
        for thing in self.things:
            if thing.start <= offset < thing.end:
                by = offset - thing.start
                where = thing.name
                return self.to.value(f"getelementptr i8, ptr {where}, i64 {by}") if by else where
        return "%frame" if not self.things and offset < 0 else self._bad(offset)

    @staticmethod
    def _bad(offset: int) -> str:
        raise UnliftableError(f"a place {offset} bytes from where the stack was")
