"""Scalar floating point instructions of AArch64, and copies of vectors."""

from __future__ import annotations

from irsmith.lift.aarch64.flags import Chosen, Floats
from irsmith.lift.aarch64.integer import flag, number_of
from irsmith.lift.aarch64.machine import A64Machine, vector_type
from irsmith.lift.code import Instruction, Operand, Register, Word
from irsmith.lift.unliftable import UnliftableError

Operands = tuple[Operand, ...]
_ARITHMETIC = {"fadd": "fadd", "fsub": "fsub", "fmul": "fmul", "fdiv": "fdiv"}
_CALLS = {
    "fabs": "fabs",
    "fsqrt": "sqrt",
    "frintz": "trunc",
    "frintp": "ceil",
    "frintm": "floor",
    "frinta": "round",
    "frintx": "rint",
    "frinti": "nearbyint",
    "frintn": "roundeven",
    "fminnm": "minnum",
    "fmaxnm": "maxnum",
    "fmin": "minimum",
    "fmax": "maximum",
}
_FUSED = {"fmadd": ("", ""), "fmsub": ("a", ""), "fnmadd": ("a", "c"), "fnmsub": ("", "c")}
"""Which of a product and what is added to it are negative."""
_SHORT = {"float": "f32", "double": "f64"}


def packed(one: Instruction) -> bool:
    """Whether an instruction takes a vector register as a whole."""
    if one.name == "movi":
        return False
    return any(
        (isinstance(each, Register) and each.bits == 128)
        or (isinstance(each, Word) and each.text[0] == "v" and "." in each.text)
        for each in one.operands
    )


def floating(machine: A64Machine, one: Instruction, scalar: str) -> bool:
    """Write an instruction; False if it is none of these.

    Args:
        machine: is changed.
        one: the instruction.
        scalar: what vector registers hold, where no vectors are used.

    Raises:
        UnliftableError: it is, in a form that is not known.
    """
    name, operands, to = one.name, one.operands, machine.to
    if name == "movi":
        _zero(machine, operands, scalar)
    elif name == "fmov":
        _move(machine, operands)
    elif name in _ARITHMETIC:
        type_, left = machine.vector(operands[1])
        right = machine.vector(operands[2])[1]
        machine.put_vector(operands[0], to.value(f"{_ARITHMETIC[name]} {type_} {left}, {right}"))
    elif name == "fnmul":
        type_, left = machine.vector(operands[1])
        right = machine.vector(operands[2])[1]
        product = to.value(f"fmul {type_} {left}, {right}")
        machine.put_vector(operands[0], to.value(f"fneg {type_} {product}"))
    elif name == "fneg":
        type_, value = machine.vector(operands[1])
        machine.put_vector(operands[0], to.value(f"fneg {type_} {value}"))
    elif name in _CALLS:
        read = [machine.vector(each) for each in operands[1:]]
        type_ = read[0][0]
        values = ", ".join(f"{type_} {value}" for _, value in read)
        call = f"call {type_} @llvm.{_CALLS[name]}.{_SHORT[type_]}({values})"
        machine.put_vector(operands[0], to.value(call))
    elif name in _FUSED:
        _fused(machine, name, operands)
    elif name in ("fcmp", "fcmpe", "fccmp", "fccmpe"):
        _compare(machine, name, operands)
    elif name == "fcsel":
        type_, left = machine.vector(operands[1])
        right = machine.vector(operands[2])[1]
        chosen = flag(machine, operands[3])
        value = to.value(f"select i1 {chosen}, {type_} {left}, {type_} {right}")
        machine.put_vector(operands[0], value)
    elif name == "fcvt":
        _convert(machine, operands)
    elif name in ("scvtf", "ucvtf"):
        _from_integer(machine, name, operands)
    elif name in ("fcvtzs", "fcvtzu"):
        _to_integer(machine, name, operands)
    else:
        return False
    return True


def _zero(machine: A64Machine, operands: Operands, scalar: str) -> None:
    target, value = operands
    if number_of(value):
        raise UnliftableError("movi of a number")
    if isinstance(target, Register) and target.bits == 64:
        machine.put_vector(target, "0.0")
    elif isinstance(target, Word) and target.text[0] == "v":
        family = f"q{target.text[1:].partition('.')[0]}"
        type_ = "<2 x i64>" if machine.packed else scalar
        zero = "zeroinitializer" if machine.packed else "0.0"
        machine.put_vector_register(family, type_, zero)
    else:
        raise UnliftableError("movi of something else")


def _move(machine: A64Machine, operands: Operands) -> None:
    target, source = operands
    if not isinstance(target, Register):
        raise UnliftableError("fmov of something else")
    vector = target.family.startswith("q")
    if isinstance(source, Word):
        try:
            value = float(source.text.lstrip("#"))
        except ValueError:
            raise UnliftableError(f"fmov of {source.text}") from None
        vector_type(target)
        machine.put_vector(target, f"{value:e}")
    elif not isinstance(source, Register):
        raise UnliftableError("fmov of something else")
    elif vector and source.family.startswith("q"):
        machine.put_vector(target, machine.vector(source)[1])
    elif vector:
        type_ = vector_type(target)
        value_ = machine.register(source.family, source.bits)
        cast = machine.to.value(f"bitcast i{source.bits} {value_} to {type_}")
        machine.put_vector(target, cast)
    else:
        type_, value_ = machine.vector(source)
        cast = machine.to.value(f"bitcast {type_} {value_} to i{target.bits}")
        machine.put(target, cast)


def _fused(machine: A64Machine, name: str, operands: Operands) -> None:
    type_, one = machine.vector(operands[1])
    other, added = (machine.vector(each)[1] for each in operands[2:])
    negative, negative_sum = _FUSED[name]
    if negative:
        one = machine.to.value(f"fneg {type_} {one}")
    if negative_sum:
        added = machine.to.value(f"fneg {type_} {added}")
    values = ", ".join(f"{type_} {each}" for each in (one, other, added))
    call = f"call {type_} @llvm.fmuladd.{_SHORT[type_]}({values})"
    machine.put_vector(operands[0], machine.to.value(call))


def _compare(machine: A64Machine, name: str, operands: Operands) -> None:
    type_, left = machine.vector(operands[0])
    # With zero alone, numbers are compared that stand in the instruction.
    right = machine.vector(operands[1])[1] if isinstance(operands[1], Register) else "0.0"
    floats = Floats(type_, left, right)
    if name.startswith("fccmp"):
        before = flag(machine, operands[3])
        machine.set_flags(Chosen(before, floats, number_of(operands[2])))
    else:
        machine.set_flags(floats)


def _convert(machine: A64Machine, operands: Operands) -> None:
    target, source = operands
    if not isinstance(target, Register):
        raise UnliftableError("fcvt of something else")
    type_, value = machine.vector(source)
    wanted = vector_type(target)
    what = "fpext" if wanted == "double" else "fptrunc"
    machine.put_vector(target, machine.to.value(f"{what} {type_} {value} to {wanted}"))


def _from_integer(machine: A64Machine, name: str, operands: Operands) -> None:
    target, source = operands[:2]
    if not isinstance(target, Register) or not isinstance(source, Register):
        raise UnliftableError(f"{name} of something else")
    type_ = vector_type(target)
    if source.family.startswith("q"):
        kind, held = machine.vector(source)
        value = machine.to.value(f"bitcast {kind} {held} to i{source.bits}")
    else:
        value = machine.register(source.family, source.bits)
    what = "sitofp" if name[0] == "s" else "uitofp"
    made = machine.to.value(f"{what} i{source.bits} {value} to {type_}")
    if len(operands) == 3:
        by = float(2 ** number_of(operands[2]))
        made = machine.to.value(f"fdiv {type_} {made}, {by:e}")
    machine.put_vector(target, made)


def _to_integer(machine: A64Machine, name: str, operands: Operands) -> None:
    target, source = operands[:2]
    if not isinstance(target, Register) or len(operands) == 3:
        raise UnliftableError(f"{name} of something else")
    type_, value = machine.vector(source)
    what = "fptosi" if name[-1] == "s" else "fptoui"
    made = machine.to.value(f"{what} {type_} {value} to i{target.bits}")
    if target.family.startswith("q"):
        cast = machine.to.value(f"bitcast i{target.bits} {made} to {vector_type(target)}")
        machine.put_vector(target, cast)
    else:
        machine.put(target, made)
