"""The globals of a module, read and changed: linkage, visibility, aliases, use by other globals.

Beside :mod:`irsmith.toolchain.llvm` because only cutting modules apart needs it.
Names and numbers follow LLVM-C: https://llvm.org/doxygen/group__LLVMC.html
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from ctypes import c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any

from irsmith.toolchain.llvm import LLVM, IRModule

EXTERNAL, AVAILABLE_EXTERNALLY, APPENDING, INTERNAL, PRIVATE = 0, 1, 7, 8, 9
"""Values of LLVMLinkage."""
_HIDDEN = 1


class Globals:
    """What LLVM-C says and changes about globals.

    Args:
        llvm: the loaded library; use :func:`globals_of`, which binds once.
    """

    def __init__(self, llvm: LLVM) -> None:
        self.llvm = llvm
        pointer = c_void_p

        def bind(name: str, result: Any, *args: Any) -> Any:
            function = getattr(llvm.lib, name)
            function.restype, function.argtypes = result, args
            return function

        self.linkage = bind("LLVMGetLinkage", c_int, pointer)
        self._set_visibility = bind("LLVMSetVisibility", None, pointer, c_int)
        self._set_comdat = bind("LLVMSetComdat", None, pointer, pointer)
        self.is_constant = bind("LLVMIsGlobalConstant", c_int, pointer)
        self.initializer = bind("LLVMGetInitializer", pointer, pointer)
        self.delete = bind("LLVMDeleteGlobal", None, pointer)
        self.set_name = bind("LLVMSetValueName2", None, pointer, c_char_p, c_size_t)
        self.replace = bind("LLVMReplaceAllUsesWith", None, pointer, pointer)
        self._value_type = bind("LLVMGlobalGetValueType", pointer, pointer)
        self._type_kind = bind("LLVMGetTypeKind", c_int, pointer)
        self._layout = bind("LLVMGetModuleDataLayout", pointer, pointer)
        self._abi_size = bind("LLVMABISizeOfType", c_uint64, pointer, pointer)
        self._add_function = bind("LLVMAddFunction", pointer, pointer, c_char_p, pointer)
        self._add_global = bind(
            "LLVMAddGlobalInAddressSpace", pointer, pointer, pointer, c_char_p, c_uint
        )
        self._type_of = bind("LLVMTypeOf", pointer, pointer)
        self._address_space = bind("LLVMGetPointerAddressSpace", c_uint, pointer)
        self._is_block_address = bind("LLVMIsABlockAddress", pointer, pointer)
        self._is_global = bind("LLVMIsAGlobalValue", pointer, pointer)
        self._operand_count = bind("LLVMGetNumOperands", c_int, pointer)
        self._operand = bind("LLVMGetOperand", pointer, pointer, c_uint)
        self._set_asm = bind("LLVMSetModuleInlineAsm2", None, pointer, c_char_p, c_size_t)
        self.erase_ifunc = bind("LLVMEraseGlobalIFunc", None, pointer)
        self._lists: dict[str, tuple[Callable[[int], int], Callable[[int], int]]] = {
            kind: (
                bind(f"LLVMGetFirst{kind}", pointer, pointer),
                bind(f"LLVMGetNext{kind}", pointer, pointer),
            )
            for kind in ("Function", "Global", "GlobalAlias", "GlobalIFunc")
        }
        self._name = llvm.value_name

    def each(self, module: IRModule, kind: str) -> list[int]:
        """Handles of all ``Function``, ``Global``, ``GlobalAlias`` or ``GlobalIFunc``."""
        return list(self._walk(module, kind))

    def _walk(self, module: IRModule, kind: str) -> Iterator[int]:
        first, following = self._lists[kind]
        handle = first(module.handle)
        while handle:
            yield handle
            handle = following(handle)

    def name(self, handle: int) -> bytes:
        """The global's name, as LLVM has it; empty if it has none."""
        length = c_size_t()
        start = self._name(handle, ctypes.byref(length))
        return ctypes.string_at(start, length.value)

    def is_local(self, handle: int) -> bool:
        """Whether only this module sees it (internal or private)."""
        return self.linkage(handle) in (INTERNAL, PRIVATE)

    def make_visible(self, handle: int, linkage: int) -> None:
        """Give it a linkage that other modules see, out of any comdat.

        What was local becomes hidden: code still reaches it without the GOT or the PLT,
        as it did.
        """
        local = self.is_local(handle)
        self._set_comdat(handle, None)
        self.llvm.set_linkage(handle, linkage)
        if local:
            self._set_visibility(handle, _HIDDEN)

    def make_local(self, handle: int) -> None:
        """Give it a linkage that only this module sees, out of any comdat."""
        self._set_comdat(handle, None)
        self.llvm.set_linkage(handle, INTERNAL)

    def size(self, module: IRModule, handle: int) -> int:
        """Bytes of a global's own type."""
        layout = self._layout(module.handle)
        return int(self._abi_size(layout, self._value_type(handle)))

    def drop_module_asm(self, module: IRModule) -> None:
        """Empty the assembly at module level."""
        self._set_asm(module.handle, b"", 0)

    def holds_block_address(self, constant: int) -> bool:
        """Whether a constant names a block of a function, at any depth, globals not followed."""
        if self._is_block_address(constant):
            return True
        if self._is_global(constant):
            return False
        count = self._operand_count(constant)
        return any(self.holds_block_address(self._operand(constant, k)) for k in range(count))

    def declare_instead(self, module: IRModule, handle: int) -> None:
        """Replace every use of an alias or ifunc by a declaration of the same name and type."""
        llvm, name, kind = self.llvm, self.name(handle), self._value_type(handle)
        self.set_name(handle, b"", 0)
        if self._type_kind(kind) == _FUNCTION_TYPE:
            declared = self._add_function(module.handle, name, kind)
        else:
            space = self._address_space(self._type_of(handle))
            declared = self._add_global(module.handle, kind, name, space)
        if self.is_local(handle):
            self._set_visibility(declared, _HIDDEN)
        self.replace(handle, declared)
        # Unused and internal, so that the next globaldce removes it.
        llvm.set_linkage(handle, INTERNAL)


_FUNCTION_TYPE = 9
"""Value of LLVMTypeKind."""


@functools.cache
def globals_of(llvm: LLVM) -> Globals:
    """The bindings for a loaded library, made once."""
    return Globals(llvm)
