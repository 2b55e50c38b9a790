"""Registers, memory and stack as instructions see them, as slots and places in IR.

A register is a slot on the stack of the IR, whose parts are read and written at their own
width, and so is each word of the function's frame: LLVM's passes make values of them. What
is read and written is logged, for what must be known of a function before it is written
(:mod:`irsmith.lift.flow`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from irsmith.lift.builder import Builder
from irsmith.lift.unliftable import UnliftableError

Place = tuple[int, int]
"""An instruction: its block, and its number there; behind the last of a block: its end."""
Access = tuple[Place, int, str]
"""What an instruction does with a register: its place, the number of the event, the register."""
Event = tuple[str, str, int | str]
"""What an instruction does.

- ``read``, ``write`` or ``cancel`` of a register, with a width or type; ``base``: read as an
  address, and ``near``: with what is added;
- ``const``: the number that it leaves; ``copy`` and ``narrow copy``: the register that it leaves
  the value of; ``frame``: the place of the frame that it leaves the address of; ``link``: of all
  that it reads (1: of what it reads first) and writes, all are addresses or none is;
- ``save`` and ``restore`` of a register, with the place of the frame; ``pushed``: a number, or
  something else;
- ``flag`` (asked for) and ``flags`` (left);
- ``load``, ``store``, ``popped`` and ``taken`` of a place of the frame, with its size."""
FLOATS = {"double": 8, "float": 4, "half": 2, "<4 x float>": 16, "<2 x i64>": 16}
"""Types that vector registers are read as, and their bytes."""
_ELEMENTS = {1: "i8", 2: "i16", 4: "i32", 8: "i64"}
Stack = tuple[int, int | None]
"""Where the stack stands: how far from where it was at the beginning, and where in the frame
the register points that is kept for that; None: no register is."""


class Flags(Protocol):
    """What an instruction leaves in the flags."""

    def condition(self, to: Builder, name: str) -> str:
        """An i1 that says whether a condition holds.

        Raises:
            UnliftableError: nothing that is known says so.
        """
        ...


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
        aligned: bytes of which the address of what is defined elsewhere is a multiple.
    """

    called: dict[str, None] = field(default_factory=dict)
    direct: dict[str, None] = field(default_factory=dict)
    tabled: dict[str, None] = field(default_factory=dict)
    eager: dict[str, None] = field(default_factory=dict)
    data: dict[str, None] = field(default_factory=dict)
    aligned: dict[str, int] = field(default_factory=dict)

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
        fixed: place of the frame that the frame pointer points to; None: it does not.
        events: what was done since the list was emptied.
        wanted: conditions that instructions further on ask of this one's flags.
        packed: whether vector registers are used as such.
        stack_register: name of the stack pointer.
        vector_letters: how names of vector registers begin.
        reads_whole: whether a part of a number is cut from the whole number.
        above: bytes between the stack pointer at the beginning and the first argument there.
    """

    stack_register = ""
    vector_letters = ""
    reads_whole = True
    above = 0

    def __init__(
        self, symbols: Symbols, things: tuple[Thing, ...] = (), slots: Slots | None = None
    ) -> None:
        self.to = Builder()
        self.symbols, self.things, self.slots = symbols, things, slots or Slots()
        self.at: Place = (0, 0)
        self.depth = 0
        self.fixed: int | None = None
        self.events: list[Event] = []
        self.wanted: frozenset[str] = frozenset()
        self.packed = False

    @property
    def stack(self) -> Stack:
        """Where the stack stands."""
        return self.depth, self.fixed

    @stack.setter
    def stack(self, where: Stack) -> None:
        self.depth, self.fixed = where

    def register(self, family: str, bits: int, high: bool = False) -> str:
        """An integer that a register holds."""
        if family == self.stack_register:
            place = self.frame(self.depth, 0, "taken")
            return self.to.value(f"ptrtoint ptr {place} to i64")
        slot = self._event("read", family, bits)
        if bits == 64 and slot in self.slots.pointers:
            return self.to.value(f"ptrtoint ptr {self.to.value(f'load ptr, ptr {slot}')} to i64")
        if self.reads_whole and slot in self.slots.wide and bits < 64:
            # As a whole, or SROA takes the number apart.
            pointer = slot in self.slots.pointers
            value = self.to.value(f"load {'ptr' if pointer else 'i64'}, ptr {slot}")
            what = "ptrtoint ptr" if pointer else "trunc i64"
            return self.to.value(f"{what} {value} to i{bits}")
        if high:
            slot = self.to.value(f"getelementptr i8, ptr {slot}, i64 1")
        return self.to.value(f"load i{bits}, ptr {slot}")

    def put_register(self, family: str, bits: int, value: str, high: bool = False) -> None:
        """Leave an integer in a register; 32 bits of it clear the others."""
        if family == self.stack_register:
            raise UnliftableError("the stack pointer is computed")
        slot = self._event("write", family, bits)
        if value.isdigit():
            self.events.append(("const", family, int(value)))
        if bits == 32 and slot in self.slots.wide:
            value, bits = self.to.value(f"zext i32 {value} to i64"), 64
        if bits == 64 and slot in self.slots.pointers:
            self.to.do(f"store ptr {self.to.value(f'inttoptr i64 {value} to ptr')}, ptr {slot}")
            return
        if high:
            slot = self.to.value(f"getelementptr i8, ptr {slot}, i64 1")
        self.to.do(f"store i{bits} {value}, ptr {slot}")

    def next_slot(self, family: str) -> str:
        """The slot of the register that is read or written next."""
        return self.slot((self.at, len(self.events), family))

    def base(self, family: str) -> str:
        """An address that a register holds."""
        return self.to.value(f"load ptr, ptr {self._event('base', family, 64)}")

    def step(self, where: str, number: str, size: int) -> str:
        """An address, moved on by a number of elements of some bytes.

        A number that counts bytes is not the same to LLVM's passes as one that counts elements.
        """
        kind = _ELEMENTS.get(size, f"[{size} x i8]")
        return self.to.value(f"getelementptr {kind}, ptr {where}, i64 {number}")

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

    def vector_register(self, family: str, type_: str) -> str:
        """What a vector register holds of a type of :data:`FLOATS`."""
        return self.to.value(f"load {type_}, ptr {self._event('read', family, type_)}")

    def put_vector_register(self, family: str, type_: str, value: str, clear: bool = False) -> None:
        """Leave a value in a vector register.

        Args:
            family: which.
            type_: of the value.
            value: what.
            clear: whether what is above it in the register becomes zero.
        """
        slot = self._event("write", family, type_)
        if clear and self.packed:
            self.to.do(f"store <4 x float> zeroinitializer, ptr {slot}")
        self.to.do(f"store {type_} {value}, ptr {slot}")

    def save(self, family: str, place: int, type_: str = "i64") -> str:
        """What a register holds that is put into a place of the frame, to be kept or used."""
        self.events.append(("save", family, place))
        slot = self.slot((self.at, len(self.events) - 1, family))
        return self.to.value(f"load {type_}, ptr {slot}")

    def restore(self, family: str, place: int, value: str, type_: str = "i64") -> None:
        """Leave what lay in a place of the frame in a register, as it was or to be used."""
        self.events.append(("restore", family, place))
        slot = self.slot((self.at, len(self.events) - 1, family))
        if slot in self.slots.pointers and type_ == "i64":
            type_, value = "ptr", self.to.value(f"inttoptr i64 {value} to ptr")
        self.to.do(f"store {type_} {value}, ptr {slot}")

    def note(self, kind: str, name: str = "", how: int | str = 0) -> None:
        """Add an event that is no access."""
        self.events.append((kind, name, how))

    def set_flags(self, flags: Flags) -> None:
        """Say what an instruction leaves in the flags."""
        self.events.append(("flags", "", 0))
        for name in sorted(self.wanted):
            self.to.do(f"store i1 {flags.condition(self.to, name)}, ptr %cc.{name}")

    def flag(self, name: str) -> str:
        """Whether a condition holds, as an i1."""
        self.events.append(("flag", name, 0))
        return self.to.value(f"load i1, ptr %cc.{name}")

    def move_stack(self, by: int) -> None:
        """Move the stack pointer."""
        self.depth += by
        if self.depth > 0:
            raise UnliftableError("the stack is left below where it was")

    def _event(self, kind: str, family: str, how: int | str) -> str:
        """Note what is done with a register, and say which slot it is done with."""
        vector = family.startswith(self.vector_letters)
        if vector != isinstance(how, str):
            raise UnliftableError("a vector register as an integer")
        self.events.append((kind, family, how))
        return self.slot((self.at, len(self.events) - 1, family))

    def frame(self, offset: int, size: int, how: str) -> str:
        """A place of the frame, by its offset from the stack pointer at the beginning.

        Args:
            offset: of the place.
            size: bytes that are read or written there; 0: its address is taken.
            how: ``load``, ``store``, ``popped`` or ``taken``.
        """
        self.events.append((how, str(offset), size))
        if offset >= self.above:
            number, rest = divmod(offset - self.above, 8)
            return f"%in.{number}" if not rest else self._bad(offset)
        for thing in self.things:
            if thing.start <= offset < thing.end:
                by = offset - thing.start
                where = thing.name
                return self.to.value(f"getelementptr i8, ptr {where}, i64 {by}") if by else where
        return "%frame" if not self.things and offset < 0 else self._bad(offset)

    @staticmethod
    def _bad(offset: int) -> str:
        raise UnliftableError(f"a place {offset} bytes from where the stack was")
