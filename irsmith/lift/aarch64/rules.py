"""AArch64, as lifting must be told of it (AAPCS64)."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.lift.aarch64 import jumps
from irsmith.lift.aarch64.flags import CONDITIONS
from irsmith.lift.aarch64.floating import floating, packed
from irsmith.lift.aarch64.integer import integer, number_of
from irsmith.lift.aarch64.machine import KEPT, A64Machine
from irsmith.lift.aarch64.memory import address, memory
from irsmith.lift.aarch64.syntax import parse
from irsmith.lift.code import Code, Instruction, Register, Target
from irsmith.lift.graph import Basic
from irsmith.lift.machine import Machine, Slots, Symbols, Thing
from irsmith.lift.rules import Convention, Rules
from irsmith.lift.unliftable import UnliftableError

_VECTORS = tuple(f"q{number}" for number in range(32))


class AArch64(Rules):
    """AArch64."""

    # Of a variable of unknown size nothing would be added to the address.
    reach = 1 << 20
    convention = Convention(
        integers=tuple(f"x{number}" for number in range(8)),
        vectors=_VECTORS[:8],
        results=("x0", "x1"),
        floating="q0",
        saved=KEPT,
        clobbered=(
            *(f"x{number}" for number in range(19)),
            "x30",
            *(name for name in _VECTORS if name not in KEPT),
        ),
        hidden="x8",
    )

    def parse(self, text: str) -> Code:
        """The function that a text is."""
        return parse(text)

    def machine(
        self, symbols: Symbols, things: tuple[Thing, ...] = (), slots: Slots | None = None
    ) -> Machine:
        """What instructions read and write."""
        return A64Machine(symbols, things, slots)

    def end(self, one: Instruction) -> str:
        """How an instruction ends a block."""
        return jumps.end(one)

    def table(self, code: Code, blocks: Sequence[Basic], block: Basic) -> list[str] | None:
        """Labels that a block's last jump leads to by a table."""
        return jumps.table(code, blocks, block)

    def bound(self, guard: Basic) -> tuple[int, Instruction] | None:
        """The number above which a block's branch is taken, and what compares with it."""
        return jumps.bound(guard)

    def test(self, block: Basic) -> tuple[tuple[object, ...], bool, int] | None:
        """What a block's branch asks."""
        return jumps.test(block)

    def callee(self, one: Instruction) -> Target | None:
        """What an instruction calls."""
        target = one.operands[0] if one.name in ("bl", "blr") else None
        return target if isinstance(target, Target) else None

    def write(self, machine: Machine, one: Instruction, scalar: str) -> None:
        """Write an instruction other than a call or the end of a block."""
        assert isinstance(machine, A64Machine)
        if not (
            address(machine, one)
            or memory(machine, one)
            or integer(machine, one)
            or floating(machine, one, scalar)
        ):
            raise UnliftableError(f"instruction {one.name}")

    def taken(self, machine: Machine, branch: Instruction) -> str:
        """Whether a branch is taken."""
        assert isinstance(machine, A64Machine)
        if branch.name.startswith("b."):
            found = CONDITIONS.get(branch.name[2:])
            if found is None:
                raise UnliftableError(f"jump {branch.name}")
            return machine.flag(found)
        register = branch.operands[0]
        if not isinstance(register, Register):
            raise UnliftableError(f"jump {branch.name}")
        sign = "eq" if branch.name in ("cbz", "tbz") else "ne"
        bits = register.bits
        if branch.name.startswith("t"):
            value = machine.register(register.family, bits)
            mask = 1 << number_of(branch.operands[1])
            mask -= (1 << bits) if mask >> (bits - 1) else 0
            value = machine.to.value(f"and i{bits} {value}, {mask}")
        elif bits == 64 and machine.addressed(register.family):
            return machine.to.value(f"icmp {sign} ptr {machine.base(register.family)}, null")
        else:
            value = machine.register(register.family, bits)
        return machine.to.value(f"icmp {sign} i{bits} {value}, 0")

    def through(self, machine: Machine, target: Target) -> str:
        """The address that a call through an operand leads to."""
        assert isinstance(machine, A64Machine)
        if not isinstance(target.through, Register):
            return ""
        return machine.register(target.through.family, 64)

    def packed(self, one: Instruction) -> bool:
        """Whether an instruction takes a vector register as a whole."""
        return packed(one)

    def scalar(self, every: Sequence[Instruction]) -> str:
        """What vector registers hold, where no vectors are used."""
        widths = {
            each.bits
            for one in every
            for each in one.operands
            if isinstance(each, Register) and each.family.startswith("q")
        }
        return "float" if 32 in widths and 64 not in widths else "double"
