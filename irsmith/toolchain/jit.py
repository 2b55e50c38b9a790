"""LLJIT through LLVM-C: link an object that we emitted into this process, look its symbols up.

One :class:`Linked` is one object in an LLJIT of its own, so that two versions of a module
may define the same names. Names follow LLVM-C: https://llvm.org/doxygen/group__LLVMCExecutionEngineLLJIT.html
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping
from ctypes import POINTER, c_char_p, c_size_t, c_uint8, c_uint64, c_void_p

from irsmith.toolchain.llvm import LLVM, LLVMError

_EXPORTED_CALLABLE = 5


class _Symbol(ctypes.Structure):
    """LLVMOrcCSymbolMapPair."""

    _fields_ = (("name", c_void_p), ("address", c_uint64), ("flags", c_uint8), ("target", c_uint8))


class _Calls:
    """The functions of LLVM-C, bound once a library."""

    def __init__(self, llvm: LLVM) -> None:
        def bind(name: str, *arguments: object) -> Callable[..., int]:
            function = getattr(llvm.lib, name)
            function.restype, function.argtypes = c_void_p, arguments
            bound: Callable[..., int] = function
            return bound

        self.create = bind("LLVMOrcCreateLLJIT", POINTER(c_void_p), c_void_p)
        self.dispose = bind("LLVMOrcDisposeLLJIT", c_void_p)
        self.add = bind("LLVMOrcLLJITAddObjectFile", c_void_p, c_void_p, c_void_p)
        self.lookup = bind("LLVMOrcLLJITLookup", c_void_p, POINTER(c_uint64), c_char_p)
        self.main_dylib = bind("LLVMOrcLLJITGetMainJITDylib", c_void_p)
        self.session = bind("LLVMOrcLLJITGetExecutionSession", c_void_p)
        self.by_name = bind("LLVMOrcExecutionSessionGetJITDylibByName", c_void_p, c_char_p)
        self.intern = bind("LLVMOrcExecutionSessionIntern", c_void_p, c_char_p)
        self.absolute = bind("LLVMOrcAbsoluteSymbols", POINTER(_Symbol), c_size_t)
        self.define = bind("LLVMOrcJITDylibDefine", c_void_p, c_void_p)


@functools.cache
def _calls(llvm: LLVM) -> _Calls:
    return _Calls(llvm)


class Linked:
    """An object, linked into this process.

    Args:
        llvm: the loaded library.
        code: the object.
        symbols: addresses of what it calls; anything else is looked for in the process.

    Raises:
        LLVMError: it does not link.
    """

    def __init__(self, llvm: LLVM, code: bytes, symbols: Mapping[str, int]) -> None:
        self._llvm, self._calls = llvm, _calls(llvm)
        calls, jit = self._calls, c_void_p()
        self._check(calls.create(ctypes.byref(jit), None))
        self._jit = jit
        session = calls.session(jit)
        if symbols:
            pairs = (_Symbol * len(symbols))()
            for index, (name, address) in enumerate(symbols.items()):
                pairs[index] = _Symbol(
                    calls.intern(session, name.encode()), address, _EXPORTED_CALLABLE, 0
                )
            process = calls.by_name(session, b"<Process Symbols>")
            self._check(calls.define(process, calls.absolute(pairs, len(symbols))))
        buffer = llvm.buffer_copy(code, len(code), b"module")
        self._check(calls.add(jit, calls.main_dylib(jit), buffer))

    def address(self, name: str) -> int:
        """Address of a symbol; the first look-up links.

        Raises:
            LLVMError: there is none, or something that the object calls is missing.
        """
        found = c_uint64()
        self._check(self._calls.lookup(self._jit, ctypes.byref(found), name.encode()))
        return found.value

    def close(self) -> None:
        """Free its memory."""
        if self._jit:
            self._calls.dispose(self._jit)
            self._jit = c_void_p()

    def _check(self, error: int | None) -> None:
        if error:
            message = ctypes.string_at(self._llvm.error_message(error)).decode(errors="replace")
            raise LLVMError(f"JIT: {message}")
