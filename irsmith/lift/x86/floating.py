"""Instructions on vector registers: scalar floating point, moves, and logic."""

from __future__ import annotations

from irsmith.lift.code import Instruction, Memory, Operand, Register
from irsmith.lift.unliftable import UnliftableError
from irsmith.lift.x86.flags import Flags
from irsmith.lift.x86.integer import BITS
from irsmith.lift.x86.machine import X86Machine

_SCALAR = {"ss": "float", "sd": "double"}
_ARITHMETIC = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_CHOICES = {"min": "olt", "max": "ogt"}
_COPIES = frozenset(
    ("movaps", "movups", "movapd", "movupd", "movdqa", "movdqu", "movdqa64", "lddqu")
)
_XOR = frozenset(("xorps", "xorpd", "pxor"))
_LOGIC = {
    **dict.fromkeys(_XOR, "xor"),
    **dict.fromkeys(("andps", "andpd", "pand"), "and"),
    **dict.fromkeys(("orps", "orpd", "por"), "or"),
    **dict.fromkeys(("andnps", "andnpd", "pandn"), "andn"),
}
_WHOLE = "<4 x float>"


def packed(one: Instruction) -> bool:
    """Whether an instruction takes a vector register as a whole."""
    if one.name in _COPIES:
        return any(isinstance(operand, Memory) for operand in one.operands)
    if one.name in _XOR and one.operands[0] == one.operands[1]:
        return False
    return one.name in _LOGIC or one.name.startswith("p")


def floating(machine: X86Machine, one: Instruction, scalar: str) -> bool:
    """Write an instruction; False if it is none of these.

    Args:
        machine: is changed.
        one: the instruction.
        scalar: ``float`` or ``double``: what registers hold that are copied whole, where no
            vectors are used.

    Raises:
        UnliftableError: it is, in a form that is not known.
    """
    name, operands = one.name, one.operands
    operation, kind = name[:-2], name[-2:]
    whole = _WHOLE if machine.packed else scalar
    if name in ("movss", "movsd"):
        _move(machine, operands, _SCALAR[kind])
    elif name in _COPIES:
        align = 16 if machine.packed and name in ("movaps", "movapd", "movdqa") else 1
        value = machine.vector(operands[0], whole, align)
        machine.put_vector(operands[1], whole, value, align=align)
    elif name in _XOR and operands[0] == operands[1]:
        zero = "zeroinitializer" if machine.packed else "0.0"
        machine.put_vector(operands[1], whole, zero)
    elif name in _LOGIC:
        _logic(machine, _LOGIC[name], operands)
    elif kind in _SCALAR and operation in _ARITHMETIC:
        type_ = _SCALAR[kind]
        right, left = machine.vector(operands[0], type_), machine.vector(operands[1], type_)
        value = machine.to.value(f"{_ARITHMETIC[operation]} {type_} {left}, {right}")
        machine.put_vector(operands[1], type_, value)
    elif kind in _SCALAR and operation in _CHOICES:
        type_ = _SCALAR[kind]
        right, left = machine.vector(operands[0], type_), machine.vector(operands[1], type_)
        less = machine.to.value(f"fcmp {_CHOICES[operation]} {type_} {left}, {right}")
        value = machine.to.value(f"select i1 {less}, {type_} {left}, {type_} {right}")
        machine.put_vector(operands[1], type_, value)
    elif kind in _SCALAR and operation == "sqrt":
        type_ = _SCALAR[kind]
        value = machine.vector(operands[0], type_)
        short = "f32" if type_ == "float" else "f64"
        root = machine.to.value(f"call {type_} @llvm.sqrt.{short}({type_} {value})")
        machine.put_vector(operands[1], type_, root)
    elif name in ("ucomiss", "ucomisd", "comiss", "comisd"):
        type_ = _SCALAR[kind]
        right, left = machine.vector(operands[0], type_), machine.vector(operands[1], type_)
        machine.set_flags(Flags("float", type_, left, right))
    elif name in ("cvtss2sd", "cvtsd2ss"):
        source = _SCALAR[name[3:5]]
        target, what = ("double", "fpext") if source == "float" else ("float", "fptrunc")
        value = machine.vector(operands[0], source)
        machine.put_vector(
            operands[1], target, machine.to.value(f"{what} {source} {value} to {target}")
        )
    elif name.startswith("cvtsi2s"):
        _from_integer(machine, name, operands)
    elif name[:8] in ("cvttss2s", "cvttsd2s"):
        _to_integer(machine, name, operands)
    else:
        return False
    return True


def _move(machine: X86Machine, operands: tuple[Operand, ...], type_: str) -> None:
    source, target = operands
    between = isinstance(source, Register) and isinstance(target, Register)
    machine.put_vector(target, type_, machine.vector(source, type_), clear=not between)


def _logic(machine: X86Machine, what: str, operands: tuple[Operand, ...]) -> None:
    type_ = "<2 x i64>"
    right, left = machine.vector(operands[0], type_), machine.vector(operands[1], type_)
    if what == "andn":
        left = machine.to.value(f"xor {type_} {left}, splat (i64 -1)")
        what = "and"
    machine.put_vector(operands[1], type_, machine.to.value(f"{what} {type_} {left}, {right}"))


def _from_integer(machine: X86Machine, name: str, operands: tuple[Operand, ...]) -> None:
    type_ = _SCALAR[name[6:8]]
    source = operands[0]
    if name[8:]:
        bits = BITS[name[8:]]
    elif isinstance(source, Register):
        bits = source.bits
    else:
        bits = 32
    value = machine.get(source, bits)
    machine.put_vector(operands[1], type_, machine.to.value(f"sitofp i{bits} {value} to {type_}"))


def _to_integer(machine: X86Machine, name: str, operands: tuple[Operand, ...]) -> None:
    type_, target = _SCALAR[name[4:6]], operands[1]
    if not isinstance(target, Register) or target.bits < 32:
        raise UnliftableError("a number that is kept nowhere")
    value = machine.vector(operands[0], type_)
    bits = target.bits
    machine.put(target, bits, machine.to.value(f"fptosi {type_} {value} to i{bits}"))
