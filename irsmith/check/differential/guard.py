"""The guarded reference: a check before whatever may be undefined, a counter in each block.

Written into a copy of the unoptimised reference, which runs without any pass after it. A
check that fires ends the run: its input is dropped, so that passes are only held to what
they promise. Being strict costs reach and never a false alarm: poison counts as undefined
where it is made, not where it is used.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from irsmith.check.differential.library import Site
from irsmith.check.differential.writer import Guarded, Writer
from irsmith.toolchain import instructions as op
from irsmith.toolchain.llvm import IRModule

_CONTRACT = 32
_SLOPPY_FLOATS = 0x7F & ~_CONTRACT
_RELATIONAL = range(34, 42)
"""LLVMIntPredicate beyond equality."""
_MOST_CONSTANTS = 96
_VA_LIST_BYTES = 24
_KINDS = {op.POINTER_TYPE: "p", op.FLOAT_TYPE: "f", op.DOUBLE_TYPE: "d"}
_INTEGER_OPS = {
    **{op.ADD: 0, op.SUB: 1, op.MUL: 2, op.SHL: 3, op.LSHR: 4, op.ASHR: 5},
    **{op.UDIV: 6, op.SDIV: 7, op.UREM: 8, op.SREM: 9},
}
_OF_CHARACTERS = frozenset(
    b"isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper "
    b"isxdigit tolower toupper".split()
)
"""Undefined for what is no character: C++ and -O0 call them, where C's macros read a table."""
_FLOATS = (op.FLOAT_TYPE, op.DOUBLE_TYPE, op.FP80_TYPE)
_FLOAT_OPS = (op.FADD, op.FSUB, op.FMUL, op.FDIV, op.FREM, op.FPTRUNC, op.FPEXT)


def guard(module: IRModule, signature_number: Callable[[int, int], int]) -> Guarded:
    """Write the checks into a module.

    Args:
        module: changed in place.
        signature_number: a number for a function type, equal for equal types, and for a
            call through a pointer that has it.
    """
    writer = _Guard(module, signature_number)
    for index, (name, function) in enumerate(list(module.functions())):
        writer.function(index, name, function)
    writer.close()
    writer.found.tags = writer.tags.table()
    writer.found.tag_count = writer.tags.count
    return writer.found


class _Guard(Writer):
    def function(self, index: int, name: str, function: int) -> None:
        llvm = self.llvm
        self.index, self.name = index, name
        self.constants: dict[int, None] = {}
        self.found.calls[name] = set()
        self.returns_fresh = bool(llvm.attribute(function, op.RETURN_INDEX, "noalias"))
        blocks = llvm.blocks(function)
        self.found.blocks[name] = (self.block_count, len(blocks))
        contents = [llvm.of_block(block) for block in blocks]
        for position, block in enumerate(contents):
            # Before anything else is written, so that these stay the block's first.
            place = next(i for i in block if llvm.opcode(i) not in (op.PHI, op.LANDINGPAD))
            llvm.before(self.builder, place)
            if position == 0:
                self.check("enter")
            self.check("block", self.small(self.block_count + position))
            if position == 0:
                self.parameters(function)
            for k, instruction in enumerate(block):
                following = block[k + 1] if k + 1 < len(block) else 0
                self.instruction(instruction, following)
        self.block_count += len(blocks)
        self.found.constants.append(list(self.constants)[:_MOST_CONSTANTS])

    def parameters(self, function: int) -> None:
        """What a call promises of its arguments."""
        llvm = self.llvm
        types = llvm.parameter_types(llvm.value_type(function))
        pointers = [k for k, kind in enumerate(types) if llvm.kind(kind) == op.POINTER_TYPE]
        for k in pointers:
            value = llvm.parameter(function, k)
            by_value = llvm.attribute(function, k + 1, "byval")
            align = llvm.attribute(function, k + 1, "align")
            alignment = llvm.attribute_value(align) if align else 1
            if by_value:
                users = list(llvm.users(value))
                size = llvm.abi_size(self.layout, llvm.attribute_type(by_value))
                own = self.check(
                    "by_value", value, self.large(size), self.small(k), self.large(alignment)
                )
                for user in users:
                    for n in range(llvm.operand_count(user)):
                        if llvm.operand(user, n) == value:
                            llvm.set_operand(user, n, own)
                continue
            promised = llvm.attribute(function, k + 1, "dereferenceable")
            size = llvm.attribute_value(promised) if promised else 0
            nonnull = bool(promised) or bool(llvm.attribute(function, k + 1, "nonnull"))
            if nonnull or alignment > 1:
                self.check(
                    *("parameter", value, self.small(nonnull)),
                    *(self.small(alignment), self.large(size)),
                )
            if llvm.attribute(function, k + 1, "noalias"):
                for other in pointers:
                    if other != k and not llvm.attribute(function, other + 1, "byval"):
                        self.check("apart", value, llvm.parameter(function, other))

    def instruction(self, instruction: int, following: int) -> None:
        llvm, code = self.llvm, self.llvm.opcode(instruction)
        if code == op.PHI or code == op.LANDINGPAD:
            return
        llvm.before(self.builder, instruction)
        if llvm.can_be_fast(instruction) and llvm.fast_flags(instruction) & _SLOPPY_FLOATS:
            self.found.sloppy.add(self.name)
        if code == op.ALLOCA:
            self.alloca(instruction)
        elif code in (op.LOAD, op.STORE, op.RMW, op.CMPXCHG):
            self.access(instruction, code)
        elif code in (op.CALL, op.INVOKE):
            self.call(instruction, following)
        elif code in _INTEGER_OPS:
            self.arithmetic(instruction, code)
        elif code in _FLOAT_OPS:
            self.float_result(instruction, following)
        elif code in (op.FPTOSI, op.FPTOUI):
            self.conversion(instruction, code)
        elif code == op.GEP:
            self.offset(instruction, following)
        elif code == op.ICMP:
            self.comparison(instruction)
        elif code == op.SWITCH:
            if self.is_plain(llvm.operand(instruction, 0)):
                value = self.wide(llvm.operand(instruction, 0))
                self.check("switch", value, self.small(self.index))
        elif code == op.RET:
            if self.returns_fresh:
                self.check("fresh", llvm.operand(instruction, 0))
            self.check("leave")
        elif code == op.UNREACHABLE:
            self.check("unreachable")
        if code in (op.SWITCH, op.AND, op.SUB, op.ADD, op.ICMP, op.UREM, op.SREM):
            for k in range(llvm.operand_count(instruction)):
                self.constant(llvm.operand(instruction, k))

    def constant(self, value: int) -> None:
        if self.llvm.is_constant_int(value):
            kind = self.llvm.type_of(value)
            if 8 <= self.llvm.int_width(kind) <= 64:
                self.constants.setdefault(self.llvm.constant_signed(value) & (1 << 64) - 1)

    def alloca(self, instruction: int) -> None:
        llvm = self.llvm
        size = llvm.abi_size(self.layout, llvm.allocated_type(instruction))
        count = llvm.operand(instruction, 0)
        bytes_ = self.large(size)
        if not (llvm.is_constant_int(count) and llvm.constant_value(count) == 1):
            bytes_ = llvm.build_binary(self.builder, op.MUL, bytes_, self.wide(count), b"")
        own = self.check("alloca", bytes_, self.large(llvm.alignment(instruction)))
        llvm.replace(instruction, own)
        llvm.erase(instruction)

    def access(self, instruction: int, code: int) -> None:
        llvm = self.llvm
        value = (
            instruction
            if code == op.LOAD
            else llvm.operand(instruction, 0 if code == op.STORE else 1)
        )
        pointer = llvm.operand(instruction, 1 if code == op.STORE else 0)
        kind = llvm.type_of(value)
        size = llvm.store_size(self.layout, kind)
        alignment = llvm.alignment(instruction) if code in (op.LOAD, op.STORE) else size
        fields: dict[str, Any] = {
            "size": size,
            "tag": self.tags.number(instruction),
            "kind": ord(_KINDS.get(llvm.kind(self.element(kind)), "i")),
            "align": max(alignment, 1).bit_length() - 1,
        }
        if code == op.STORE:
            self.check("store", pointer, self.small(self.site(**fields)))
            return
        if code == op.LOAD:
            fields["tolerant"] = self.is_bit_field(instruction)
            fields["nonnull"] = bool(llvm.metadata(self.module, instruction, "nonnull"))
            bounds = llvm.metadata(self.module, instruction, "range")
            if bounds and size <= 8:
                # One interval only: clang makes no others.
                low, high = llvm.node_operands(bounds)[:2]
                fields["ranged"] = 1
                fields["low"], fields["high"] = map(self._bound, (low, high))
        number = self.small(self.site(**fields))
        self.check("load", pointer, number)
        if code != op.LOAD:
            self.check("store", pointer, number)

    def element(self, kind: int) -> int:
        """The type of a vector's elements, or the type itself."""
        is_vector = self.llvm.kind(kind) == op.VECTOR_TYPE
        return int(self.llvm.element_type(kind)) if is_vector else kind

    def _bound(self, value: int) -> int:
        number = int(self.llvm.constant_value(value))
        return number - (1 << 64) if number >> 63 else number

    def is_bit_field(self, load: int) -> bool:
        """Whether only some bits of what is loaded count."""
        users = list(self.llvm.users(load))
        return bool(users) and all(self.llvm.opcode(user) == op.AND for user in users)

    def call(self, call: int, following: int) -> None:
        llvm = self.llvm
        called = llvm.called(call)
        if llvm.is_inline_asm(called):
            text = self.found.assembly.get(self.name, b"") + llvm.asm_text(called)
            self.found.assembly[self.name] = text
            return
        name = self.names.name(called) if llvm.is_function(called) else b""
        if name.startswith(b"llvm."):
            self.intrinsic(call, name, following)
            return
        if name:
            self.found.calls[self.name].add(name.decode(errors="replace"))
            if name in _OF_CHARACTERS and llvm.argument_count(call) == 1:
                self.check("character", self.wide(llvm.operand(call, 0), signed=True))
        else:
            self.check("call", called, self.small(self.number(llvm.called_type(call), call)))
        for k in range(llvm.argument_count(call)):
            by_value = llvm.call_attribute(call, k + 1, "byval")
            if by_value:
                size = llvm.abi_size(self.layout, llvm.attribute_type(by_value))
                number = self.site(size=min(size, 1 << 31), kind=ord("i"), align=k & 31)
                self.check("read", llvm.operand(call, k), self.large(size), self.small(number))
        if llvm.opcode(call) == op.CALL:
            self.float_result(call, following)

    def intrinsic(self, call: int, name: bytes, following: int) -> None:
        llvm = self.llvm
        argument = [llvm.operand(call, k) for k in range(llvm.argument_count(call))]
        family = name.split(b".")[1]
        if family in (b"memcpy", b"memmove"):
            aligns = [llvm.call_attribute(call, k, "align") for k in (1, 2)]
            values = [llvm.attribute_value(a).bit_length() - 1 if a else 0 for a in aligns]
            number = self.site(
                size=0, align=min(values), tolerant=family == b"memcpy", kind=ord("i")
            )
            length = self.wide(argument[2])
            self.check("copy", argument[0], argument[1], length, self.small(number))
        elif family == b"memset":
            self.check("set", argument[0], self.wide(argument[2]))
        elif family == b"lifetime":
            starts = self.small(b"start" in name)
            self.check("lifetime", argument[-1], starts)
        elif family in (b"va_start", b"va_copy"):
            self.check("set", argument[0], self.large(_VA_LIST_BYTES))
        elif family == b"assume":
            self.check("assume", llvm.build_zext(self.builder, argument[0], self.i32, b""))
        elif family in (b"ctlz", b"cttz") and llvm.constant_value(argument[1]):
            if self.is_plain(argument[0]):
                self.check("nonzero", self.wide(argument[0]))
        elif family == b"abs" and llvm.constant_value(argument[1]):
            if self.is_plain(argument[0]):
                width = llvm.int_width(llvm.type_of(argument[0]))
                value = self.wide(argument[0], signed=True)
                self.check("arithmetic", self.small(width << 8 | 1 << 4 | 1), self.large(0), value)
        else:
            self.float_result(call, following)

    def arithmetic(self, instruction: int, code: int) -> None:
        llvm = self.llvm
        left, right = llvm.operand(instruction, 0), llvm.operand(instruction, 1)
        for one, two in zip(self.lanes(left), self.lanes(right), strict=True):
            self.arithmetic_of(instruction, code, one, two)

    def arithmetic_of(self, instruction: int, code: int, left: int, right: int) -> None:
        """The check of one lane."""
        llvm = self.llvm
        if not self.is_plain(left):
            return
        flags = 0
        if code in (op.ADD, op.SUB, op.MUL, op.SHL):
            flags = bool(llvm.nsw(instruction)) | bool(llvm.nuw(instruction)) << 1
            if not flags and code != op.SHL and not self.is_address(left):
                return
        else:
            exact = code in (op.UDIV, op.SDIV, op.LSHR, op.ASHR) and llvm.exact(instruction)
            flags = bool(exact) << 2
        if code == op.SUB and all(self.is_address(side) for side in (left, right)):
            sides = (llvm.operand(side, 0) for side in (left, right))
            self.check("order", *sides)
        width = llvm.int_width(llvm.type_of(left))
        if not flags and llvm.is_constant_int(right):
            number = llvm.constant_signed(right)
            if code in (op.SHL, op.LSHR, op.ASHR) and 0 <= number < width:
                return
            if code in (op.UDIV, op.UREM, op.SDIV, op.SREM) and number not in (0, -1):
                return
        number = self.small(width << 8 | flags << 4 | _INTEGER_OPS[code])
        self.check("arithmetic", number, self.wide(left, True), self.wide(right, True))

    def float_result(self, instruction: int, following: int) -> None:
        """Which NaN an operation gives is open, so none may be made."""
        kind = self.element(self.llvm.type_of(instruction))
        if self.llvm.kind(kind) in _FLOATS and following:
            self.llvm.before(self.builder, following)
            for each in self.lanes(instruction):
                self.check("float", self.as_double(each))

    def conversion(self, instruction: int, code: int) -> None:
        llvm = self.llvm
        value, kind = llvm.operand(instruction, 0), self.element(llvm.type_of(instruction))
        known = llvm.kind(self.element(llvm.type_of(value))) in _FLOATS
        if known and llvm.int_width(kind) <= 64:
            width, signed = self.small(llvm.int_width(kind)), self.small(code == op.FPTOSI)
            for each in self.lanes(value):
                self.check("convert", self.as_double(each), width, signed)

    def offset(self, instruction: int, following: int) -> None:
        llvm = self.llvm
        count = llvm.operand_count(instruction)
        # A field of a struct is at a constant offset, and reading it is guarded; p + 1 and p - 1
        # may only ever be compared, so they are looked at too.
        moving = count == 2 or any(
            not llvm.is_constant(llvm.operand(instruction, k)) for k in range(1, count)
        )
        if moving and llvm.kind(llvm.type_of(instruction)) == op.POINTER_TYPE and following:
            llvm.before(self.builder, following)
            flags = llvm.gep_flags(instruction)
            for k in range(1, count):
                index = llvm.operand(instruction, k)
                if flags and not llvm.is_constant(index) and self.is_plain(index):
                    self.check("index", self.wide(index, True))
            self.check("offset", llvm.operand(instruction, 0), instruction, self.small(flags))

    def comparison(self, instruction: int) -> None:
        llvm = self.llvm
        left, right = llvm.operand(instruction, 0), llvm.operand(instruction, 1)
        ordered = llvm.predicate(instruction) in _RELATIONAL
        if llvm.kind(llvm.type_of(left)) == op.POINTER_TYPE:
            if ordered:
                self.check("order", left, right)
            left, right = (
                llvm.build_ptrtoint(self.builder, side, self.i64, b"") for side in (left, right)
            )
        elif not self.is_plain(left):
            return
        width = llvm.int_width(llvm.type_of(left))
        self.comparisons += 1
        code = (self.comparisons & 0xFFFFFF) << 8 | width << 1 | (not ordered)
        self.check("compare", self.wide(left), self.wide(right), self.small(code))


def site_array(sites: Sequence[Site]) -> Any:
    """The sites side by side, as the runtime takes them."""
    return (Site * max(len(sites), 1))(*sites)


def constants_arrays(constants: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """All constants, and where those of each function start."""
    starts = [0]
    for each in constants:
        starts.append(starts[-1] + len(each))
    every = [number for each in constants for number in each]
    values = (ctypes.c_uint64 * max(len(every), 1))(*every)
    return values, (ctypes.c_uint32 * len(starts))(*starts)
