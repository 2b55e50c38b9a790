"""A frame pointer in each function that gets smaller with it.

With a frame pointer code addresses its stack with a byte less, and the unwind table need
not tell of every push: it costs 5 bytes of code on x86-64, so it pays in some functions and
not in others. Functions are compiled one by one, so each can be decided by itself: the module
is compiled without and with one everywhere, and each function keeps what was smaller, code
and unwind entry together. (What clang's ``-fno-omit-frame-pointer`` does to all of them.)
"""

from __future__ import annotations

import struct

from irsmith.toolchain.attributes import attributes_of
from irsmith.toolchain.elf import loaded_size
from irsmith.toolchain.elf_object import STT_FUNC, ElfObject, read_object
from irsmith.toolchain.llvm import LLVM

EVERYWHERE = '"frame-pointer"="all"'
"""The attribute of a function that has a frame pointer."""
_FIELD = struct.Struct("<I")
_LONG = 0xFFFFFFFF
"""An entry with a 64-bit length, which no compiler of ours writes."""


def choose(llvm: LLVM, bitcode: bytes, level: int) -> tuple[bytes, bytes]:
    """Decide for each function, and compile.

    Args:
        llvm: the loaded library, with the other code generation options set.
        bitcode: a module after its passes.
        level: of the code generator.

    Returns:
        The module with what was decided, as bitcode, and its object: the smallest of
        no frame pointer that was not there before, one everywhere, and the mixture.

    Raises:
        LLVMError: the code generator reports an error.
    """
    plain = bitcode, _emit(llvm, bitcode, level)
    with llvm.context() as context:
        module = context.parse(bitcode)
        attributes_of(llvm).put(module, EVERYWHERE)
        everywhere = module.bitcode()
    framed = everywhere, _emit(llvm, everywhere, level)
    before, after = (function_bytes(read_object(code)) for _, code in (plain, framed))
    smaller = {name for name, size in after.items() if size < before.get(name, 0)}
    found = [plain, framed]
    if smaller and len(smaller) < len(after):
        with llvm.context() as context:
            module = context.parse(bitcode)
            attributes_of(llvm).put(module, EVERYWHERE, smaller)
            mixed = module.bitcode()
        found.append((mixed, _emit(llvm, mixed, level)))
    return min(found, key=lambda made: loaded_size(made[1]).total)


def _emit(llvm: LLVM, bitcode: bytes, level: int) -> bytes:
    with llvm.context() as context:
        return context.parse(bitcode).emit(level)


def function_bytes(code: ElfObject) -> dict[str, int]:
    """Bytes of each function that has a symbol: its code and its entry of the unwind table."""
    sizes: dict[str, int] = {}
    starts: dict[tuple[int, int], str] = {}
    for symbol in code.symbols:
        if symbol.type == STT_FUNC and symbol.section:
            sizes[symbol.name] = symbol.size
            starts[symbol.section, symbol.value] = symbol.name
    for section in code.sections:
        if section.name == ".eh_frame":
            begins = {entry.offset: entry for entry in section.relocations}
            at = 0
            while at + 8 <= len(section.data):
                length, kind = (_FIELD.unpack_from(section.data, at + k)[0] for k in (0, 4))
                if length in (0, _LONG):
                    break
                # Only an entry of a function (not a common part) points to code there.
                target = begins.get(at + 8) if kind else None
                if target:
                    place = target.symbol.section, target.symbol.value + target.addend
                    if place in starts:
                        sizes[starts[place]] += length + 4
                at += length + 4
    return sizes
