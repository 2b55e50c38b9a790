"""Integer instructions."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.lift.code import Immediate, Instruction, Memory, Operand, Register
from irsmith.lift.unliftable import UnliftableError
from irsmith.lift.x86.flags import CONDITIONS, Flags
from irsmith.lift.x86.machine import X86Machine

BITS = {"b": 8, "w": 16, "l": 32, "q": 64}
"""Widths by the letter at a mnemonic's end."""
_LOGIC = {"and": "and", "or": "or", "xor": "xor"}
_SHIFTS = {"shl": "shl", "sal": "shl", "shr": "lshr", "sar": "ashr"}
_EXTENSIONS = {
    f"mov{sign}{small}{large}": (kind, BITS[small], BITS[large])
    for sign, kind in (("z", "zext"), ("s", "sext"))
    for small, large in ("bw", "bl", "bq", "wl", "wq", "lq")
}
_WIDEN = {"cbtw": (8, 16), "cwtl": (16, 32), "cltq": (32, 64)}
_RAX, _RDX, _RCX = Register("rax", 64), Register("rdx", 64), Register("rcx", 64)


def integer(machine: X86Machine, one: Instruction) -> bool:
    """Write an instruction; False if it is none of these.

    Raises:
        UnliftableError: it is, in a form that is not known.
    """
    name, operands = one.name, one.operands
    if name in _EXTENSIONS:
        kind, small, large = _EXTENSIONS[name]
        value = machine.get(operands[0], small)
        wide = machine.to.value(f"{kind} i{small} {value} to i{large}")
        machine.put(operands[1], large, wide)
    elif name in _WIDEN:
        small, large = _WIDEN[name]
        value = machine.register("rax", small)
        machine.put(_RAX, large, machine.to.value(f"sext i{small} {value} to i{large}"))
    elif name in ("cltd", "cqto"):
        bits = 32 if name == "cltd" else 64
        value = machine.register("rax", bits)
        machine.put(_RDX, bits, machine.to.value(f"ashr i{bits} {value}, {bits - 1}"))
    elif name.startswith("set") and name[3:] in CONDITIONS:
        flag = machine.flag(CONDITIONS[name[3:]])
        machine.put(operands[0], 8, machine.to.value(f"zext i1 {flag} to i8"))
    elif name.startswith("rep ") and name[4:8] in ("stos", "movs") and name[8:] in BITS:
        _repeat(machine, name[4:8], BITS[name[8:]])
    elif name == "movabsq":
        machine.put(operands[1], 64, machine.get(operands[0], 64))
    elif name.startswith("cmov") and name[4:-1] in CONDITIONS and name[-1] in BITS:
        _choose(machine, CONDITIONS[name[4:-1]], operands, BITS[name[-1]])
    elif name[-1:] in BITS and name[:-1] in _WRITERS:
        _WRITERS[name[:-1]](machine, name[:-1], operands, BITS[name[-1]])
    else:
        return False
    return True


Writer = Callable[[X86Machine, str, tuple[Operand, ...], int], None]


def _choose(machine: X86Machine, flag: str, operands: tuple[Operand, ...], bits: int) -> None:
    new, old = machine.get(operands[0], bits), machine.get(operands[1], bits)
    chosen = machine.to.value(f"select i1 {machine.flag(flag)}, i{bits} {new}, i{bits} {old}")
    machine.put(operands[1], bits, chosen)


def _repeat(machine: X86Machine, what: str, bits: int) -> None:
    """Fill, or copy, memory; the registers that are moved on by it are read by none."""
    count = machine.register("rcx", 64)
    size = machine.to.value(f"mul i64 {count}, {bits // 8}") if bits > 8 else count
    target = machine.base("rdi")
    if what == "movs":
        source = machine.base("rsi")
        name, value = "llvm.memcpy.p0.p0.i64", f"ptr {source}"
    else:
        # Of a wider number all bytes are equal, or code that comes of this is not the same.
        name, value = "llvm.memset.p0.i64", f"i8 {machine.register('rax', 8)}"
    machine.to.do(f"call void @{name}(ptr {target}, {value}, i64 {size}, i1 false)")
    machine.put(_RCX, 64, "0")


def _move(machine: X86Machine, _: str, operands: tuple[Operand, ...], bits: int) -> None:
    source, target = operands
    vector = any(isinstance(one, Register) and one.bits == 128 for one in operands)
    if vector:
        type_ = {32: "float", 64: "double"}.get(bits, "")
        if not type_:
            raise UnliftableError("a move of an odd width")
        if isinstance(source, Register) and source.bits == 128:
            value = machine.vector(source, type_)
            if isinstance(target, Register) and target.bits < 128:
                number = machine.to.value(f"bitcast {type_} {value} to i{bits}")
                machine.put(target, bits, number)
            else:
                machine.put_vector(target, type_, value, clear=True)
        elif isinstance(source, Memory):
            machine.put_vector(target, type_, machine.vector(source, type_), clear=True)
        else:
            number = machine.get(source, bits)
            value = machine.to.value(f"bitcast i{bits} {number} to {type_}")
            machine.put_vector(target, type_, value, clear=True)
        return
    if isinstance(target, Register) and target.family == "rsp":
        raise UnliftableError("the stack pointer is computed")
    if isinstance(source, Memory) and not source.modifier and isinstance(target, Register):
        _load(machine, source, target, bits)
    elif bits == 32 and isinstance(target, Register) and machine.narrow(source):
        machine.put(target, 8, machine.get(source, 8))
    elif isinstance(target, Memory) and machine.addressed(source):
        assert isinstance(source, Register)
        machine.store_pointer(target, machine.base(source.family))
    elif isinstance(target, Register) and machine.addressed(source):
        assert isinstance(source, Register)
        machine.put_pointer(target.family, machine.base(source.family))
    else:
        machine.put(target, bits, machine.get(source, bits))


def _load(machine: X86Machine, source: Memory, target: Register, bits: int) -> None:
    """Read memory into a register, as an address if that is what it is used as."""
    lines, events = len(machine.to.lines), len(machine.events)
    value = machine.get(source, bits)
    if machine.addressed(target):
        del machine.to.lines[lines:], machine.events[events:]
        machine.put_pointer(target.family, machine.load_pointer(source))
    else:
        machine.put(target, bits, value)


def _address(machine: X86Machine, _: str, operands: tuple[Operand, ...], bits: int) -> None:
    source, target = operands
    assert isinstance(source, Memory) and isinstance(target, Register)
    if target.family == "rsp":
        if source.base != "rsp" or source.index or source.symbol:
            raise UnliftableError("the stack pointer is computed")
        machine.move_stack(source.disp)
        return
    fixed = bool(source.symbol) or source.base == "rsp"
    based = bool(source.base) and machine.addressed(Register(source.base, 64))
    if bits == 64 and (fixed or based):
        machine.put_pointer(target.family, machine.pointer(source))
    else:
        machine.put(target, bits, _sum(machine, source, bits))


def _sum(machine: X86Machine, source: Memory, bits: int) -> str:
    """An address that is only a number."""
    if source.symbol or source.base == "rsp" or source.segment:
        raise UnliftableError("a narrow address")
    type_ = f"i{bits}"
    total = ""
    if source.base:
        total = machine.register(source.base, bits)
        if not source.index:
            machine.events.append(("near", source.base, source.disp))
    if source.index:
        number = machine.register(source.index, bits)
        if source.scale > 1:
            number = machine.to.value(f"shl {type_} {number}, {source.scale.bit_length() - 1}")
        total = machine.to.value(f"add {type_} {total}, {number}") if total else number
    if source.disp or not total:
        total = machine.to.value(f"add {type_} {total or 0}, {source.disp}")
    return total


def _add(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    source, target = operands
    if isinstance(target, Register) and target.family == "rsp":
        if not isinstance(source, Immediate) or source.symbol:
            raise UnliftableError("the stack pointer is computed")
        machine.move_stack(source.value if name == "add" else -source.value)
        return
    right, left = machine.get(source, bits), machine.get(target, bits)
    type_ = f"i{bits}"
    result = machine.to.value(f"{name} {type_} {left}, {right}")
    machine.put(target, bits, result)
    kind = "add" if name == "add" else "compare"
    machine.set_flags(Flags(kind, type_, left, right, result))


def _logic(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    source, target = operands
    type_ = f"i{bits}"
    if name == "xor" and source == target:
        machine.put(target, bits, "0")
        machine.set_flags(Flags("logic", type_, result="0"))
        return
    right = machine.get(source, bits)
    result = machine.to.value(f"{name} {type_} {machine.get(target, bits)}, {right}")
    machine.put(target, bits, result)
    machine.set_flags(Flags("logic", type_, result=result))


def _compare(machine: X86Machine, _: str, operands: tuple[Operand, ...], bits: int) -> None:
    right, left = machine.get(operands[0], bits), machine.get(operands[1], bits)
    machine.set_flags(Flags("compare", f"i{bits}", left, right))


def _test(machine: X86Machine, _: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_ = f"i{bits}"
    if bits == 8 and isinstance(operands[0], Immediate) and machine.whole(operands[1]):
        left = machine.get(operands[1], 32)
        result = machine.to.value(f"and i32 {left}, {operands[0].value % 256}")
        machine.set_flags(
            Flags("logic" if operands[0].value >= 0 else "byte", "i32", result=result)
        )
        return
    if bits == 8 and operands[0] == operands[1] and machine.whole(operands[1]) and _signs(machine):
        left = machine.get(operands[1], 32)
        result = machine.to.value(f"and i32 {left}, 128")
        machine.set_flags(Flags("byte", "i32", result=result))
        return
    right = machine.get(operands[0], bits)
    if operands[0] == operands[1]:
        result = right
    else:
        result = machine.to.value(f"and {type_} {machine.get(operands[1], bits)}, {right}")
    machine.set_flags(Flags("logic", type_, result=result))


def _signs(machine: X86Machine) -> bool:
    """Whether only the sign of the next instruction's result is asked for."""
    return bool(machine.wanted) and machine.wanted <= {"s", "ns"}


def _step(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_ = f"i{bits}"
    left = machine.get(operands[0], bits)
    by = "1" if name == "inc" else "-1"
    result = machine.to.value(f"add {type_} {left}, {by}")
    machine.put(operands[0], bits, result)
    machine.set_flags(Flags("result", type_, result=result))


def _negate(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_ = f"i{bits}"
    left = machine.get(operands[0], bits)
    if name == "not":
        machine.put(operands[0], bits, machine.to.value(f"xor {type_} {left}, -1"))
        return
    result = machine.to.value(f"sub {type_} 0, {left}")
    machine.put(operands[0], bits, result)
    machine.set_flags(Flags("compare", type_, "0", left, result))


def _shift(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_, target = f"i{bits}", operands[-1]
    count = operands[0] if len(operands) > 1 else Immediate(1)
    if isinstance(count, Immediate):
        by = str(count.value % (64 if bits == 64 else 32))
    else:
        if machine.wanted:
            raise UnliftableError("flags of a shift by a number that may be zero")
        number = machine.get(count, max(bits, 32))
        by = machine.to.value(f"and i{max(bits, 32)} {number}, {63 if bits == 64 else 31}")
    left = machine.get(target, bits)
    if bits >= 32:
        result = machine.to.value(f"{_SHIFTS[name]} {type_} {left}, {by}")
    else:
        # Narrow numbers may be shifted by more than their width.
        kind = "sext" if name == "sar" else "zext"
        whole = machine.to.value(f"{kind} {type_} {left} to i32")
        whole = machine.to.value(f"{_SHIFTS[name]} i32 {whole}, {by}")
        result = machine.to.value(f"trunc i32 {whole} to {type_}")
    machine.put(target, bits, result)
    carry = ""
    if machine.wanted & {"b", "ae"}:
        out = int(by) - 1 if name in ("shr", "sar") else bits - int(by)
        if not 0 <= out < bits:
            raise UnliftableError("the carry of a shift by that much")
        bit = machine.to.value(f"lshr {type_} {left}, {out}")
        carry = machine.to.value(f"trunc {type_} {bit} to i1")
    machine.set_flags(Flags("result", type_, result=result, carry=carry))


def _rotate(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_, target = f"i{bits}", operands[-1]
    by = "1" if len(operands) == 1 else machine.get(operands[0], bits)
    left = machine.get(target, bits)
    what = "fshl" if name == "rol" else "fshr"
    call = f"call {type_} @llvm.{what}.{type_}({type_} {left}, {type_} {left}, {type_} {by})"
    machine.put(target, bits, machine.to.value(call))
    machine.events.append(("flags", "", 0))


def _double_shift(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    by, source, target = operands if len(operands) == 3 else (_RCX, *operands)
    type_ = f"i{bits}"
    count = machine.get(by, bits)
    other, left = machine.get(source, bits), machine.get(target, bits)
    what, pair = ("fshl", (left, other)) if name == "shld" else ("fshr", (other, left))
    values = ", ".join(f"{type_} {one}" for one in (*pair, count))
    machine.put(target, bits, machine.to.value(f"call {type_} @llvm.{what}.{type_}({values})"))
    machine.events.append(("flags", "", 0))


def _carry(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_ = f"i{bits}"
    flag = machine.flag("b")
    source, target = operands
    carry = machine.to.value(f"zext i1 {flag} to {type_}")
    if name == "sbb" and source == target:
        machine.put(target, bits, machine.to.value(f"sub {type_} 0, {carry}"))
        machine.events.append(("flags", "", 0))
        return
    what = "add" if name == "adc" else "sub"
    right, left = machine.get(source, bits), machine.get(target, bits)
    first = machine.to.value(f"{what} {type_} {left}, {right}")
    result = machine.to.value(f"{what} {type_} {first}, {carry}")
    machine.put(target, bits, result)
    machine.set_flags(Flags("result", type_, result=result))


def _multiply(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_ = f"i{bits}"
    if len(operands) == 1:
        _widening(machine, name, operands[0], bits)
        return
    left, right = machine.get(operands[-2], bits), machine.get(operands[0], bits)
    if len(operands) == 2:
        left = machine.get(operands[1], bits)
    machine.put(operands[-1], bits, machine.to.value(f"mul {type_} {left}, {right}"))
    if machine.wanted - {"o", "no"}:
        raise UnliftableError("flags of a multiplication")
    carry = ""
    if machine.wanted:
        pair = f"{{ {type_}, i1 }}"
        call = f"call {pair} @llvm.smul.with.overflow.{type_}({type_} {left}, {type_} {right})"
        carry = machine.to.value(f"extractvalue {pair} {machine.to.value(call)}, 1")
        other = machine.to.value(f"xor i1 {carry}, true")
        for flag, value in (("o", carry), ("no", other)):
            if flag in machine.wanted:
                machine.to.do(f"store i1 {value}, ptr %cc.{flag}")
    machine.events.append(("flags", "", 0))


def _widening(machine: X86Machine, name: str, operand: Operand, bits: int) -> None:
    """The product of rax, twice as wide."""
    if bits < 32:
        raise UnliftableError("a narrow product")
    kind, wide = ("zext" if name == "mul" else "sext"), f"i{2 * bits}"
    left = machine.to.value(f"{kind} i{bits} {machine.register('rax', bits)} to {wide}")
    right = machine.to.value(f"{kind} i{bits} {machine.get(operand, bits)} to {wide}")
    product = machine.to.value(f"mul {wide} {left}, {right}")
    machine.put(_RAX, bits, machine.to.value(f"trunc {wide} {product} to i{bits}"))
    upper = machine.to.value(f"lshr {wide} {product}, {bits}")
    machine.put(_RDX, bits, machine.to.value(f"trunc {wide} {upper} to i{bits}"))
    machine.events.append(("flags", "", 0))


def _divide(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    if bits < 32:
        raise UnliftableError("a narrow quotient")
    # What is divided is wider; that its upper half only repeats the sign, or is zero, is what
    # compilers see to. Where it is not so, the code that comes of this is not the same.
    machine.events.append(("cancel", "rdx", bits))
    type_, sign = f"i{bits}", "s" if name == "idiv" else "u"
    right, left = machine.get(operands[0], bits), machine.register("rax", bits)
    quotient = machine.to.value(f"{sign}div {type_} {left}, {right}")
    rest = machine.to.value(f"{sign}rem {type_} {left}, {right}")
    machine.put(_RAX, bits, quotient)
    machine.put(_RDX, bits, rest)
    machine.events.append(("flags", "", 0))


def _swap_bytes(machine: X86Machine, _: str, operands: tuple[Operand, ...], bits: int) -> None:
    value = machine.get(operands[0], bits)
    call = machine.to.value(f"call i{bits} @llvm.bswap.i{bits}(i{bits} {value})")
    machine.put(operands[0], bits, call)


def _count(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_ = f"i{bits}"
    value = machine.get(operands[0], bits)
    if name == "popcnt":
        result = machine.to.value(f"call {type_} @llvm.ctpop.{type_}({type_} {value})")
    else:
        what = "ctlz" if name in ("bsr", "lzcnt") else "cttz"
        zero = "true" if name[0] == "b" else "false"
        call = f"call {type_} @llvm.{what}.{type_}({type_} {value}, i1 {zero})"
        result = machine.to.value(call)
        if name == "bsr":
            result = machine.to.value(f"xor {type_} {result}, {bits - 1}")
    machine.put(operands[1], bits, result)
    machine.set_flags(Flags("logic", type_, result=value))


def _bit(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    type_ = f"i{bits}"
    if isinstance(operands[1], Memory) and not isinstance(operands[0], Immediate):
        raise UnliftableError("a bit of memory by number")
    number, left = machine.get(operands[0], bits), machine.get(operands[1], bits)
    if not isinstance(operands[0], Immediate):
        number = machine.to.value(f"and {type_} {number}, {bits - 1}")
    if name != "bt":
        mask = machine.to.value(f"shl {type_} 1, {number}")
        if name == "btr":
            mask = machine.to.value(f"xor {type_} {mask}, -1")
        what = {"bts": "or", "btr": "and", "btc": "xor"}[name]
        machine.put(operands[1], bits, machine.to.value(f"{what} {type_} {left}, {mask}"))
    bit = machine.to.value(f"lshr {type_} {left}, {number}")
    carry = machine.to.value(f"trunc {type_} {bit} to i1")
    machine.set_flags(Flags("carry", type_, carry=carry))


def _exchange(machine: X86Machine, _: str, operands: tuple[Operand, ...], bits: int) -> None:
    if not all(isinstance(one, Register) for one in operands):
        raise UnliftableError("an exchange with memory")
    left, right = machine.get(operands[0], bits), machine.get(operands[1], bits)
    machine.put(operands[0], bits, right)
    machine.put(operands[1], bits, left)


def _push(machine: X86Machine, name: str, operands: tuple[Operand, ...], bits: int) -> None:
    if bits != 64:
        raise UnliftableError("a narrow push")
    (machine.push if name == "push" else machine.pop)(operands[0])


_WRITERS: dict[str, Writer] = {
    "mov": _move,
    "lea": _address,
    "add": _add,
    "sub": _add,
    **dict.fromkeys(_LOGIC, _logic),
    "cmp": _compare,
    "test": _test,
    "inc": _step,
    "dec": _step,
    "neg": _negate,
    "not": _negate,
    **dict.fromkeys(_SHIFTS, _shift),
    "rol": _rotate,
    "ror": _rotate,
    "shld": _double_shift,
    "shrd": _double_shift,
    "adc": _carry,
    "sbb": _carry,
    "imul": _multiply,
    "mul": _multiply,
    "idiv": _divide,
    "div": _divide,
    "bswap": _swap_bytes,
    **dict.fromkeys(("popcnt", "bsr", "bsf", "tzcnt", "lzcnt"), _count),
    **dict.fromkeys(("bt", "bts", "btr", "btc"), _bit),
    "xchg": _exchange,
    "push": _push,
    "pop": _push,
}
