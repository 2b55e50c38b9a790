"""Loads and stores."""

from __future__ import annotations

from dataclasses import replace

from irsmith.lift.aarch64.machine import KEPT, A64Machine, vector_type
from irsmith.lift.code import Immediate, Instruction, Memory, Operand, Register
from irsmith.lift.unliftable import UnliftableError

_LOADS = {"b": ("zext", 8), "h": ("zext", 16), "sb": ("sext", 8), "sh": ("sext", 16)}
_NARROW = {**_LOADS, "sw": ("sext", 32)}
_PAIRS = {"ldp": "ldr", "ldnp": "ldr", "stp": "str", "stnp": "str", "ldpsw": "ldrsw"}
_ORDERED = {"ldar": "ldr", "ldapr": "ldr", "stlr": "str"}


def memory(machine: A64Machine, one: Instruction) -> bool:
    """Write an instruction that loads, stores, or computes a symbol's address.

    Returns:
        False if it is none of these.

    Raises:
        UnliftableError: it is, in a form that is not known.
    """
    name, operands = one.name, one.operands
    if name in _PAIRS:
        _pair(machine, _PAIRS[name], operands)
        return True
    if name.rstrip("bh") in _ORDERED:
        _ordered(machine, name, operands)
        return True
    kind, width = _kind(name)
    if not kind or len(operands) != 2:
        return False
    register, place = operands
    if not isinstance(register, Register) or not isinstance(place, Memory):
        raise UnliftableError(f"{name} of something else than memory")
    (_load if kind == "ldr" else _store)(machine, register, place, width)
    return True


def _kind(name: str) -> tuple[str, str]:
    """Whether an instruction loads or stores, and the width that its name says."""
    for begin in ("ldur", "ldr", "ldtr", "stur", "str"):
        if name.startswith(begin):
            width = name[len(begin) :]
            kind = "ldr" if begin[0] == "l" else "str"
            known = width in _NARROW if kind == "ldr" else width in ("b", "h")
            return (kind, width) if not width or known else ("", "")
    return "", ""


def _pair(machine: A64Machine, name: str, operands: tuple[Operand, ...]) -> None:
    """Two registers that lie side by side."""
    first, second, place = operands
    if not (
        isinstance(first, Register) and isinstance(second, Register) and isinstance(place, Memory)
    ):
        raise UnliftableError("a pair of something else")
    kind, width = _kind(name)
    size = 4 if width == "sw" else first.bits // 8
    do = _load if kind == "ldr" else _store
    if place.moves == "after":
        still = replace(place, moves="", disp=0)
        do(machine, first, still, width)
        do(machine, second, replace(still, disp=size), width)
        if place.base == "sp":
            machine.move_stack(place.disp)
        else:
            where = machine.base(place.base)
            moved = machine.to.value(f"getelementptr i8, ptr {where}, i64 {place.disp}")
            machine.put_pointer(place.base, moved)
        return
    do(machine, first, place, width)
    other = replace(place, disp=place.disp + size)
    if place.moves:
        other = Memory(size, base=place.base)
    if place.symbol:
        raise UnliftableError("a pair behind a symbol")
    do(machine, second, other, width)


def _load(machine: A64Machine, register: Register, place: Memory, width: str) -> None:
    to = machine.to
    if place.modifier == "got_lo12":
        machine.base(place.base)
        machine.put_pointer(register.family, machine.symbol(place.symbol, place.disp, True))
        return
    if register.family.startswith("q"):
        type_ = vector_type(register)
        align = 1
        where = machine.address(place, register.bits // 8, "load")
        value = to.value(f"load {type_}, ptr {where}, align {align}")
        kept = _kept(machine, register, place)
        if kept is not None:
            machine.restore(register.family, kept, value, type_)
        else:
            machine.put_vector(register, value)
        return
    bits = register.bits
    if width:
        kind, small = _NARROW[width]
        where = machine.address(place, small // 8, "load")
        value = to.value(f"load i{small}, ptr {where}, align 1")
        if small < bits:
            value = to.value(f"{kind} i{small} {value} to i{bits}")
        machine.put(register, value)
        return
    kept = _kept(machine, register, place)
    where = machine.address(place, bits // 8, "load")
    if kept is not None:
        machine.restore(register.family, kept, to.value(f"load i64, ptr {where}"))
    elif bits == 64 and machine.addressed(register.family):
        machine.put_pointer(register.family, to.value(f"load ptr, ptr {where}, align 1"))
    else:
        machine.put(register, to.value(f"load i{bits}, ptr {where}, align 1"))


def _store(machine: A64Machine, register: Register, place: Memory, width: str) -> None:
    to = machine.to
    if register.family.startswith("q"):
        kept = _kept(machine, register, place)
        type_ = vector_type(register)
        if kept is not None:
            value = machine.save(register.family, kept, type_)
        else:
            value = machine.vector_register(register.family, type_)
        where = machine.address(place, register.bits // 8, "store")
        to.do(f"store {type_} {value}, ptr {where}, align 1")
        return
    bits = {"b": 8, "h": 16}.get(width, register.bits)
    kept = _kept(machine, register, place) if not width else None
    if kept is not None:
        type_ = "ptr" if machine.addressed(register.family) else "i64"
        value = machine.save(register.family, kept, type_)
    elif bits == 64 and register.family != "xzr" and machine.addressed(register.family):
        type_, value = "ptr", machine.base(register.family)
    else:
        type_, value = f"i{bits}", machine.register(register.family, bits)
    where = machine.address(place, bits // 8, "store")
    to.do(f"store {type_} {value}, ptr {where}, align 1")


def _kept(machine: A64Machine, register: Register, place: Memory) -> int | None:
    """Where in the frame a register may be kept for the caller; None: it is not."""
    at = machine.place_of(place.base)
    if at is None or register.bits != 64 or register.family not in KEPT or place.index:
        return None
    if place.moves == "after":
        return at
    return at + place.disp


def _ordered(machine: A64Machine, name: str, operands: tuple[Operand, ...]) -> None:
    """Loads and stores that other threads see in their order."""
    register, place = operands
    if not isinstance(register, Register) or not isinstance(place, Memory):
        raise UnliftableError(f"{name} of something else")
    bits = {"b": 8, "h": 16}.get(name[-1], register.bits)
    if name.startswith("st"):
        value = machine.register(register.family, bits)
        where = machine.address(place, bits // 8, "store")
        machine.to.do(f"store atomic i{bits} {value}, ptr {where} release, align {bits // 8}")
        return
    where = machine.address(place, bits // 8, "load")
    value = machine.to.value(f"load atomic i{bits}, ptr {where} acquire, align {bits // 8}")
    if bits < register.bits:
        value = machine.to.value(f"zext i{bits} {value} to i{register.bits}")
    machine.put(register, value)


def address(machine: A64Machine, one: Instruction) -> bool:
    """Write an instruction that computes a symbol's address; False if it does not."""
    last = one.operands[-1] if one.operands else None
    target = one.operands[0] if one.operands else None
    if not isinstance(last, Immediate) or not last.symbol or not isinstance(target, Register):
        return False
    if one.name == "adrp" and last.modifier in ("", "got"):
        # The page alone: what is added to it, or read behind it, names the symbol again.
        machine.put_pointer(target.family, machine.symbol(last.symbol, 0, bool(last.modifier)))
    elif one.name == "add" and last.modifier == "lo12":
        source = one.operands[1]
        assert isinstance(source, Register)
        machine.base(source.family)
        machine.put_pointer(target.family, machine.symbol(last.symbol, last.value))
    elif one.name == "adr" and not last.modifier:
        machine.put_pointer(target.family, machine.symbol(last.symbol, last.value))
    else:
        raise UnliftableError(f"{one.name} with :{last.modifier}:")
    return True
