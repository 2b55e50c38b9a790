"""LLVM's disassembler through LLVM-C: bytes into the text of instructions.

Runs inside a worker, as all of LLVM does. Names follow LLVM-C:
https://llvm.org/doxygen/group__LLVMCDisassembler.html
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from ctypes import c_char_p, c_int, c_size_t, c_uint64, c_void_p

from irsmith.toolchain.llvm import LLVM, LLVMError, arch_of

_LONGEST_LINE = 512
_FEATURES = {"X86": (b"", b""), "AArch64": (b"generic", b"+all")}
"""Processor and features by architecture; code may use more than the baseline has."""


class Disassembler:
    """Reads the instructions of one target. Made once a library and triple (:func:`of`).

    Args:
        llvm: the loaded library.
        triple: target.

    Raises:
        LLVMError: this library cannot disassemble for the triple.
    """

    def __init__(self, llvm: LLVM, triple: str) -> None:
        arch = arch_of(triple)
        lib = llvm.lib
        initialise = getattr(lib, f"LLVMInitialize{arch}Disassembler", None)
        if initialise is None:
            raise LLVMError(f"{llvm.path.name} cannot disassemble for target {triple!r}")
        initialise()
        create = lib.LLVMCreateDisasmCPUFeatures
        create.restype = c_void_p
        create.argtypes = (c_char_p, c_char_p, c_char_p, c_void_p, c_int, c_void_p, c_void_p)
        self._handle = create(triple.encode(), *_FEATURES[arch], None, 0, None, None)
        if not self._handle:
            raise LLVMError(f"{llvm.path.name} cannot disassemble for target {triple!r}")
        self._one = lib.LLVMDisasmInstruction
        self._one.restype = c_size_t
        self._one.argtypes = (c_void_p, c_void_p, c_uint64, c_uint64, c_char_p, c_size_t)
        self._line = ctypes.create_string_buffer(_LONGEST_LINE)
        self._step = 1 if arch == "X86" else 4

    def instructions(self, code: bytes, first: int, after: int) -> Iterator[tuple[int, int, str]]:
        """The instructions between two offsets.

        Args:
            code: bytes of a section.
            first: offset of the first instruction.
            after: offset behind the last.

        Yields:
            Offset, length, and text with single spaces; ``""`` for bytes that are no
            instruction. Branches and addresses that are relative stay numbers: bytes from
            the end of the instruction on x86-64, from its beginning on AArch64.
        """
        held = ctypes.create_string_buffer(code, len(code))
        base = ctypes.addressof(held)
        at = first
        while at < after:
            length = self._one(self._handle, base + at, after - at, 0, self._line, _LONGEST_LINE)
            text = " ".join(self._line.value.decode(errors="replace").split()) if length else ""
            length = length or min(self._step, after - at)
            yield at, length, text
            at += length


@functools.cache
def of(llvm: LLVM, triple: str) -> Disassembler:
    """The disassembler for a triple, made once a process."""
    return Disassembler(llvm, triple)
