"""Integer instructions of AArch64."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.lift.aarch64.flags import CONDITIONS, Added, Chosen, Compared, Logic
from irsmith.lift.aarch64.machine import A64Machine
from irsmith.lift.code import Immediate, Instruction, Operand, Register, Shifted, Word
from irsmith.lift.unliftable import UnliftableError

Operands = tuple[Operand, ...]
Writer = Callable[[A64Machine, str, Operands, int], None]
_LOGIC = {"and": "and", "orr": "or", "eor": "xor", "bic": "and", "orn": "or", "eon": "xor"}
_SHIFTS = {"lsl": "shl", "lsr": "lshr", "asr": "ashr"}
_EXTENSIONS = {f"{sign}xt{w}": (sign, n) for sign in "us" for w, n in (("b", 8), ("h", 16))}
_EXTENSIONS |= {"sxtw": ("s", 32), "uxtw": ("u", 32)}


def integer(machine: A64Machine, one: Instruction) -> bool:
    """Write an instruction; False if it is none of these.

    Raises:
        UnliftableError: it is, in a form that is not known.
    """
    writer = _WRITERS.get(one.name)
    first = one.operands[0] if one.operands else None
    if writer is None or not isinstance(first, Register) or first.family.startswith("q"):
        return False
    writer(machine, one.name, one.operands, first.bits)
    return True


def flag(machine: A64Machine, operand: Operand) -> str:
    """Whether the condition that is an operand holds, as an i1.

    Raises:
        UnliftableError: it is none.
    """
    if not isinstance(operand, Word) or operand.text not in CONDITIONS:
        raise UnliftableError("a condition that is not known")
    return machine.flag(CONDITIONS[operand.text])


def number_of(operand: Operand) -> int:
    """A number that is an operand.

    Raises:
        UnliftableError: it is none.
    """
    if not isinstance(operand, Immediate) or operand.symbol:
        raise UnliftableError("a number that is not known")
    return operand.value


def whole(operand: Operand) -> Register | None:
    """The register that an operand is, if it is one of 64 bits; else None."""
    return operand if isinstance(operand, Register) and operand.bits == 64 else None


def _move(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    target, source = operands
    assert isinstance(target, Register)
    copied = whole(source)
    if copied is None or copied.family == "xzr":
        value = machine.get(source, bits)
        machine.put(target, value)
        return
    place = machine.place_of(copied.family)
    if target.family == "x29" and copied.family == "sp":
        machine.fixed = machine.depth
        return
    if target.family == "sp":
        raise UnliftableError("the stack pointer is computed")
    if place is not None:
        machine.put_pointer(target.family, machine.base(copied.family))
        machine.note("frame", target.family, place)
        return
    if machine.addressed(copied.family):
        machine.put_pointer(target.family, machine.base(copied.family))
    else:
        machine.put(target, machine.get(copied, bits))
    machine.note("copy", target.family, copied.family)
    machine.note("link")


def _keep(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    """Put sixteen bits into a number."""
    target, value = operands[0], number_of(operands[1])
    by = number_of(operands[2]) if len(operands) > 2 else 0
    mask = ((1 << bits) - 1) & ~(0xFFFF << by)
    old = machine.to.value(f"and i{bits} {machine.get(target, bits)}, {_signed(mask, bits)}")
    machine.put(target, machine.to.value(f"or i{bits} {old}, {_signed(value << by, bits)}"))


def _signed(value: int, bits: int) -> int:
    value %= 1 << bits
    return value - (1 << bits) if value >> (bits - 1) else value


def _put_number(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    value = number_of(operands[1])
    machine.put(operands[0], str(_signed(~value if name == "movn" else value, bits)))


def _add(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    target, left, right = operands
    assert isinstance(target, Register)
    what, flags = name.rstrip("s") if name != "subs" else "sub", name.endswith("s")
    source = whole(left)
    if isinstance(right, Immediate) and not flags and source:
        place = machine.place_of(source.family)
        by = right.value if what == "add" else -right.value
        if place is not None:
            _frame_address(machine, target, place, by, source.family)
            return
        if target.family == "sp":
            raise UnliftableError("the stack pointer is computed")
        if machine.addressed(source.family):
            where = machine.base(source.family)
            moved = machine.to.value(f"getelementptr i8, ptr {where}, i64 {by}")
            machine.put_pointer(target.family, moved)
        else:
            value = machine.get(source, 64)
            machine.put(target, machine.to.value(f"add i64 {value}, {by}"))
        machine.note("near", source.family, by)
        machine.note("link")
        return
    if target.family == "sp":
        raise UnliftableError("the stack pointer is computed")
    if what == "add" and not flags and source and source.family != "xzr":
        _sum(machine, target, source, right)
        return
    one, other = machine.get(left, bits), machine.get(right, bits)
    result = machine.to.value(f"{what} i{bits} {one}, {other}")
    machine.put(target, result)
    if flags:
        _set(machine, what, right, bits, one, other, result)


def _sum(machine: A64Machine, target: Register, left: Register, right: Operand) -> None:
    """The sum of registers, one of which may be an address."""
    if machine.addressed(left.family):
        where, size = machine.base(left.family), 1
        if isinstance(right, Shifted) and right.how[1:3] in ("sl", "xt") and right.by:
            right, size = Shifted(right.register, right.how, 0), 1 << right.by
        machine.put_pointer(target.family, machine.step(where, machine.get(right, 64), size))
    else:
        one = machine.get(left, 64)
        other = whole(right)
        if other and other.family != "xzr" and machine.addressed(other.family):
            where = machine.base(other.family)
            moved = machine.to.value(f"getelementptr i8, ptr {where}, i64 {one}")
            machine.put_pointer(target.family, moved)
        else:
            by = machine.get(right, 64)
            machine.put(target, machine.to.value(f"add i64 {one}, {by}"))
    if isinstance(right, Shifted):
        machine.note("link", left.family, 1)


def _frame_address(machine: A64Machine, target: Register, place: int, by: int, source: str) -> None:
    """An address in the frame, or the stack pointer moved."""
    if target.family == "sp":
        if source == "sp":
            machine.move_stack(by)
        else:
            machine.move_stack(place + by - machine.depth)
    elif target.family == "x29" and source == "sp":
        machine.fixed = place + by
    else:
        machine.put_pointer(target.family, machine.frame(place + by, 0, "taken"))
        machine.note("frame", target.family, place + by)


def _set(
    machine: A64Machine,
    what: str,
    right: Operand,
    bits: int,
    one: str,
    other: str,
    result: str = "",
) -> None:
    """Leave the flags of a sum or a difference."""
    type_ = f"i{bits}"
    if what == "sub":
        machine.set_flags(Compared(type_, one, other))
    elif isinstance(right, Immediate) and right.value:
        # The same as a comparison with the negative number.
        machine.set_flags(Compared(type_, one, str(-right.value)))
    else:
        if machine.wanted and not result:
            result = machine.to.value(f"add {type_} {one}, {other}")
        machine.set_flags(Added(type_, one, other, result))


def _compare(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    one, other = machine.get(operands[0], bits), machine.get(operands[1], bits)
    _set(machine, "sub" if name == "cmp" else "add", operands[1], bits, one, other)


def _compare_if(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    left, right, bits_, condition = operands
    one, other = machine.get(left, bits), machine.get(right, bits)
    before = flag(machine, condition)
    type_ = f"i{bits}"
    what: Compared | Added
    if name == "ccmp":
        what = Compared(type_, one, other)
    elif isinstance(right, Immediate) and right.value:
        what = Compared(type_, one, str(-right.value))
    else:
        what = Added(type_, one, other, machine.to.value(f"add {type_} {one}, {other}"))
    machine.set_flags(Chosen(before, what, number_of(bits_)))


def _logic(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    what = name[:-1] if name in ("ands", "bics") else name
    one, other = machine.get(operands[1], bits), machine.get(operands[2], bits)
    if what in ("bic", "orn", "eon"):
        other = machine.to.value(f"xor i{bits} {other}, -1")
    result = machine.to.value(f"{_LOGIC[what]} i{bits} {one}, {other}")
    machine.put(operands[0], result)
    if what != name:
        machine.set_flags(Logic(f"i{bits}", result))


def _test(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    one = machine.get(operands[0], bits)
    result = one
    if operands[0] != operands[1]:
        result = machine.to.value(f"and i{bits} {one}, {machine.get(operands[1], bits)}")
    machine.set_flags(Logic(f"i{bits}", result))


def _negate(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    value = machine.get(operands[1], bits)
    if name == "mvn":
        machine.put(operands[0], machine.to.value(f"xor i{bits} {value}, -1"))
        return
    machine.put(operands[0], machine.to.value(f"sub i{bits} 0, {value}"))
    if name == "negs":
        machine.set_flags(Compared(f"i{bits}", "0", value))


def _shift(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    value, type_ = machine.get(operands[1], bits), f"i{bits}"
    if isinstance(operands[2], Immediate):
        by = str(operands[2].value)
    else:
        by = machine.to.value(f"and {type_} {machine.get(operands[2], bits)}, {bits - 1}")
    if name == "ror":
        machine.put(operands[0], machine.rotated(value, bits, by))
    else:
        machine.put(operands[0], machine.to.value(f"{_SHIFTS[name]} {type_} {value}, {by}"))


def _extend(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    sign, small = _EXTENSIONS[name]
    source = operands[1]
    if not isinstance(source, Register):
        raise UnliftableError(f"{name} of no register")
    value = machine.register(source.family, small)
    if small < bits:
        value = machine.to.value(f"{'z' if sign == 'u' else 's'}ext i{small} {value} to i{bits}")
    machine.put(operands[0], value)


def _field(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    """Bits of one register that are put elsewhere in another."""
    target, source = operands[:2]
    low, width = number_of(operands[2]), number_of(operands[3])
    type_, to, mask = f"i{bits}", machine.to, (1 << width) - 1
    if name in ("sbfiz", "ubfiz") and width in (8, 16, 32) and isinstance(source, Register):
        value = machine.register(source.family, width)
        kind = "sext" if name[0] == "s" else "zext"
        value = to.value(f"{kind} i{width} {value} to {type_}") if width < bits else value
        machine.put(target, to.value(f"shl {type_} {value}, {low}"))
        return
    value = machine.get(source, bits)
    if name == "ubfx":
        value = to.value(f"lshr {type_} {value}, {low}")
        machine.put(target, to.value(f"and {type_} {value}, {_signed(mask, bits)}"))
    elif name == "ubfiz":
        value = to.value(f"and {type_} {value}, {_signed(mask, bits)}")
        machine.put(target, to.value(f"shl {type_} {value}, {low}"))
    elif name in ("sbfx", "sbfiz"):
        left = bits - width - (low if name == "sbfx" else 0)
        value = to.value(f"shl {type_} {value}, {left}")
        right = bits - width - (low if name == "sbfiz" else 0)
        machine.put(target, to.value(f"ashr {type_} {value}, {right}"))
    else:
        into = low if name in ("bfi", "bfc") else 0
        hole = _signed(~(mask << into), bits)
        old = to.value(f"and {type_} {machine.get(target, bits)}, {hole}")
        if name == "bfxil":
            value = to.value(f"lshr {type_} {value}, {low}")
        value = to.value(f"and {type_} {value}, {_signed(mask, bits)}")
        if name == "bfi":
            value = to.value(f"shl {type_} {value}, {low}")
        machine.put(target, to.value(f"or {type_} {old}, {value}"))


def _double(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    """Bits from the middle of two registers side by side."""
    type_ = f"i{bits}"
    one, other = machine.get(operands[1], bits), machine.get(operands[2], bits)
    values = f"{type_} {one}, {type_} {other}, {type_} {number_of(operands[3])}"
    machine.put(operands[0], machine.to.value(f"call {type_} @llvm.fshr.{type_}({values})"))


def _multiply(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    type_, to = f"i{bits}", machine.to
    wide = name[0] in "su" and name not in ("smulh", "umulh")
    if name in ("smulh", "umulh"):
        kind = "sext" if name[0] == "s" else "zext"
        one, other = (
            to.value(f"{kind} i64 {machine.get(each, 64)} to i128") for each in operands[1:]
        )
        product = to.value(f"mul i128 {one}, {other}")
        upper = to.value(f"lshr i128 {product}, 64")
        machine.put(operands[0], to.value(f"trunc i128 {upper} to i64"))
        return
    factors = []
    for each in operands[1:3]:
        value = machine.get(each, 32 if wide else bits)
        if wide:
            kind = "sext" if name[0] == "s" else "zext"
            value = to.value(f"{kind} i32 {value} to i64")
        factors.append(value)
    product = to.value(f"mul {type_} {factors[0]}, {factors[1]}")
    if len(operands) == 4:
        _add_product(machine, name, operands, product, bits)
        return
    if name.endswith("neg") or name.endswith("negl"):
        product = to.value(f"sub {type_} 0, {product}")
    machine.put(operands[0], product)


def _add_product(
    machine: A64Machine, name: str, operands: Operands, product: str, bits: int
) -> None:
    target, other = operands[0], operands[3]
    assert isinstance(target, Register)
    subtracts = "sub" in name
    base = whole(other)
    if base and base.family != "xzr" and not subtracts and machine.addressed(base.family):
        where = machine.base(base.family)
        moved = machine.to.value(f"getelementptr i8, ptr {where}, i64 {product}")
        machine.put_pointer(target.family, moved)
        return
    what = "sub" if subtracts else "add"
    machine.put(target, machine.to.value(f"{what} i{bits} {machine.get(other, bits)}, {product}"))


def _divide(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    one, other = machine.get(operands[1], bits), machine.get(operands[2], bits)
    machine.put(operands[0], machine.to.value(f"{name} i{bits} {one}, {other}"))


def _bits(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    type_, to = f"i{bits}", machine.to
    value = machine.get(operands[1], bits)
    if name == "clz":
        result = to.value(f"call {type_} @llvm.ctlz.{type_}({type_} {value}, i1 false)")
    elif name == "rbit":
        result = to.value(f"call {type_} @llvm.bitreverse.{type_}({type_} {value})")
    else:
        result = to.value(f"call {type_} @llvm.bswap.{type_}({type_} {value})")
        if name == "rev16":
            if bits != 32:
                raise UnliftableError("rev16 of 64 bits")
            result = machine.rotated(result, 32, "16")
        elif name == "rev32":
            result = machine.rotated(result, 64, "32")
    machine.put(operands[0], result)


def _choose(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    target, left, right, condition = operands
    assert isinstance(target, Register)
    if name == "csel" and bits == 64:
        _choose_address(machine, target, left, right, condition)
        return
    one, other = machine.get(left, bits), machine.get(right, bits)
    chosen = flag(machine, condition)
    if name == "csinc":
        other = machine.to.value(f"add i{bits} {other}, 1")
    elif name == "csinv":
        other = machine.to.value(f"xor i{bits} {other}, -1")
    elif name == "csneg":
        other = machine.to.value(f"sub i{bits} 0, {other}")
    value = machine.to.value(f"select i1 {chosen}, i{bits} {one}, i{bits} {other}")
    machine.put(target, value)


def _choose_address(
    machine: A64Machine, target: Register, left: Operand, right: Operand, condition: Operand
) -> None:
    """Choose between two numbers, or two addresses."""
    read = []
    for each in (left, right):
        if not isinstance(each, Register):
            raise UnliftableError("a choice of something else")
        address = each.family == "xzr" or machine.addressed(each.family)
        if each.family == "xzr":
            value = "null"
        else:
            value = machine.base(each.family) if address else machine.register(each.family, 64)
        read.append((address, value))
    chosen = flag(machine, condition)
    if all(address for address, _ in read) and any(value != "null" for _, value in read):
        one, other = (value for _, value in read)
        value = machine.to.value(f"select i1 {chosen}, ptr {one}, ptr {other}")
        machine.put_pointer(target.family, value)
    else:
        one, other = (
            "0"
            if value == "null"
            else machine.to.value(f"ptrtoint ptr {value} to i64")
            if address
            else value
            for address, value in read
        )
        value = machine.to.value(f"select i1 {chosen}, i64 {one}, i64 {other}")
        machine.put(target, value)
    machine.note("link")


def _change_if(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    """One register as it is, or changed."""
    value = machine.get(operands[1], bits)
    chosen = flag(machine, operands[2])
    if name == "cinc":
        other = machine.to.value(f"add i{bits} {value}, 1")
    elif name == "cinv":
        other = machine.to.value(f"xor i{bits} {value}, -1")
    else:
        other = machine.to.value(f"sub i{bits} 0, {value}")
    value = machine.to.value(f"select i1 {chosen}, i{bits} {other}, i{bits} {value}")
    machine.put(operands[0], value)


def _say(machine: A64Machine, name: str, operands: Operands, bits: int) -> None:
    """One, or all bits, if a condition holds."""
    kind = "zext" if name == "cset" else "sext"
    chosen = flag(machine, operands[1])
    machine.put(operands[0], machine.to.value(f"{kind} i1 {chosen} to i{bits}"))


_WRITERS: dict[str, Writer] = {
    "mov": _move,
    "movk": _keep,
    "movz": _put_number,
    "movn": _put_number,
    **dict.fromkeys(("add", "sub", "adds", "subs"), _add),
    **dict.fromkeys(("cmp", "cmn"), _compare),
    **dict.fromkeys(("ccmp", "ccmn"), _compare_if),
    **dict.fromkeys((*_LOGIC, "ands", "bics"), _logic),
    "tst": _test,
    **dict.fromkeys(("neg", "negs", "mvn"), _negate),
    **dict.fromkeys((*_SHIFTS, "ror"), _shift),
    **dict.fromkeys(_EXTENSIONS, _extend),
    **dict.fromkeys(("ubfx", "sbfx", "ubfiz", "sbfiz", "bfi", "bfxil"), _field),
    "extr": _double,
    **dict.fromkeys(("mul", "mneg", "madd", "msub", "smulh", "umulh"), _multiply),
    **dict.fromkeys(("smull", "umull", "smaddl", "umaddl", "smsubl", "umsubl"), _multiply),
    **dict.fromkeys(("smnegl", "umnegl"), _multiply),
    **dict.fromkeys(("sdiv", "udiv"), _divide),
    **dict.fromkeys(("clz", "rbit", "rev", "rev16", "rev32"), _bits),
    **dict.fromkeys(("csel", "csinc", "csinv", "csneg"), _choose),
    **dict.fromkeys(("cinc", "cinv", "cneg"), _change_if),
    **dict.fromkeys(("cset", "csetm"), _say),
}
