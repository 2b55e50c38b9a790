"""x86-64, as lifting must be told of it (System V ABI)."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.lift.code import Code, Immediate, Instruction, Memory, Register, Target
from irsmith.lift.graph import Basic
from irsmith.lift.machine import Machine, Slots, Symbols, Thing
from irsmith.lift.rules import Convention, Rules
from irsmith.lift.unliftable import UnliftableError
from irsmith.lift.x86 import jumps
from irsmith.lift.x86.flags import CONDITIONS
from irsmith.lift.x86.floating import floating, packed
from irsmith.lift.x86.integer import integer
from irsmith.lift.x86.machine import X86Machine
from irsmith.lift.x86.syntax import parse

_INTEGERS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
_VECTORS = tuple(f"xmm{number}" for number in range(16))


class X86(Rules):
    """x86-64."""

    convention = Convention(
        integers=_INTEGERS,
        vectors=_VECTORS[:8],
        results=("rax", "rdx"),
        floating="xmm0",
        saved=frozenset(("rbx", "rbp", "r12", "r13", "r14", "r15")),
        clobbered=(*_INTEGERS, "rax", "r10", "r11", *_VECTORS),
        counter="rax",
        above=X86Machine.above,
        array=16,
    )

    def parse(self, text: str) -> Code:
        """The function that a text is."""
        return parse(text)

    def machine(
        self, symbols: Symbols, things: tuple[Thing, ...] = (), slots: Slots | None = None
    ) -> Machine:
        """What instructions read and write."""
        return X86Machine(symbols, things, slots)

    def end(self, one: Instruction) -> str:
        """How an instruction ends a block."""
        return jumps.end(one)

    def table(self, code: Code, blocks: Sequence[Basic], block: Basic) -> list[str] | None:
        """Labels that a block's last jump leads to by a table."""
        return jumps.table(code, blocks, block)

    def bound(self, guard: Basic) -> tuple[int, Instruction] | None:
        """The number above which a block's branch is taken, and what compares with it."""
        return jumps.bound(guard)

    def callee(self, one: Instruction) -> Target | None:
        """What an instruction calls."""
        target = one.operands[0] if one.name.startswith("call") else None
        return target if isinstance(target, Target) else None

    def write(self, machine: Machine, one: Instruction, scalar: str) -> None:
        """Write an instruction other than a call or the end of a block."""
        assert isinstance(machine, X86Machine)
        if not integer(machine, one) and not floating(machine, one, scalar):
            raise UnliftableError(f"instruction {one.name}")
        _trace(machine, one)

    def taken(self, machine: Machine, branch: Instruction) -> str:
        """Whether a branch is taken."""
        found = CONDITIONS.get(branch.name[1:])
        if found is None:
            raise UnliftableError(f"jump {branch.name}")
        return machine.flag(found)

    def through(self, machine: Machine, target: Target) -> str:
        """The address that a call through an operand leads to."""
        assert isinstance(machine, X86Machine)
        if target.through is None:
            return ""
        if isinstance(target.through, Memory) and target.through.modifier:
            return ""
        return machine.get(target.through, 64)

    def packed(self, one: Instruction) -> bool:
        """Whether an instruction takes a vector register as a whole."""
        return packed(one)

    def scalar(self, every: Sequence[Instruction]) -> str:
        """What vector registers hold, where no vectors are used."""
        if not any(one.name.endswith("ss") for one in every):
            return "double"
        return "double" if any(one.name.endswith("sd") for one in every) else "float"


def _trace(machine: X86Machine, one: Instruction) -> None:
    """Note where what an instruction leaves comes from."""
    source = one.operands[0] if one.operands else None
    target = one.operands[-1] if one.operands else None
    name = target.family if isinstance(target, Register) else ""
    copies = isinstance(source, Register) and bool(name)
    if copies and one.name in ("movq", "movl"):
        assert isinstance(source, Register)
        if source.family != "rsp":
            machine.note("copy" if one.name == "movq" else "narrow copy", name, source.family)
        elif one.name == "movq":
            machine.note("frame", name, machine.depth)
    moved = one.name in ("incq", "decq") or (one.name == "movq" and copies)
    if one.name in ("addq", "subq") and isinstance(source, Immediate):
        moved = True
    if isinstance(source, Memory) and one.name == "leaq":
        if source.base == "rsp" and not source.index and name != "rsp":
            machine.note("frame", name, machine.depth + source.disp)
        moved = bool(source.base) and not source.index
    if moved:
        machine.note("link")
