"""Attributes of functions: added where a function does not say otherwise, or whatever it says.

Names follow LLVM-C: https://llvm.org/doxygen/group__LLVMC.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Sequence
from ctypes import c_char_p, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any

from irsmith.toolchain.llvm import LLVM, IRModule

_FUNCTION = 0xFFFFFFFF
"""LLVMAttributeFunctionIndex."""
_STRING = re.compile(r'"([^"]*)"(?:="([^"]*)")?')
_ENUM_VALUES = {"uwtable": 2, "uwtable(sync)": 1}
"""Attributes with a value, as llvm::UWTableKind numbers them; other words have none."""


class Attributes:
    """What LLVM-C says and changes about attributes of functions.

    Args:
        llvm: the loaded library; use :func:`attributes_of`, which binds once.
    """

    def __init__(self, llvm: LLVM) -> None:
        pointer = c_void_p

        def bind(name: str, result: Any, *args: Any) -> Any:
            function = getattr(llvm.lib, name)
            function.restype, function.argtypes = result, args
            return function

        self._kind = bind("LLVMGetEnumAttributeKindForName", c_uint, c_char_p, c_size_t)
        self._enum = bind("LLVMCreateEnumAttribute", pointer, pointer, c_uint, c_uint64)
        self._string = bind(
            "LLVMCreateStringAttribute", pointer, pointer, c_char_p, c_uint, c_char_p, c_uint
        )
        self._add = bind("LLVMAddAttributeAtIndex", None, pointer, c_uint, pointer)
        self._get_enum = bind("LLVMGetEnumAttributeAtIndex", pointer, pointer, c_uint, c_uint)
        self._get_string = bind(
            "LLVMGetStringAttributeAtIndex", pointer, pointer, c_uint, c_char_p, c_uint
        )

    def add_defaults(self, module: IRModule, attributes: Sequence[str]) -> None:
        """Give every defined function the attributes of which it has none of the kind.

        A function that must not be optimised (``optnone``) gets no size attributes,
        which LLVM refuses beside it.

        Args:
            module: changed in place.
            attributes: as textual IR writes them: words, ``"key"="value"``.
        """
        context = module.context.handle
        strings, enums = [], []
        for text in attributes:
            match = _STRING.fullmatch(text)
            if match:
                key, value = match[1].encode(), (match[2] or "").encode()
                made = self._string(context, key, len(key), value, len(value))
                strings.append((key, made))
            else:
                name = text.partition("(")[0]
                kind = self._kind(name.encode(), len(name))
                made = self._enum(context, kind, _ENUM_VALUES.get(text, 0))
                enums.append((name, kind, made))
        unoptimised = self._kind(b"optnone", len(b"optnone"))
        for _, function in module.functions():
            plain = self._get_enum(function, _FUNCTION, unoptimised)
            for key, made in strings:
                if not self._get_string(function, _FUNCTION, key, len(key)):
                    self._add(function, _FUNCTION, made)
            for name, kind, made in enums:
                sized = name in ("minsize", "optsize")
                if not (plain and sized) and not self._get_enum(function, _FUNCTION, kind):
                    self._add(function, _FUNCTION, made)

    def put(self, module: IRModule, attribute: str, names: Container[str] | None = None) -> None:
        """Give defined functions a string attribute, whatever they said before.

        Args:
            module: changed in place.
            attribute: ``"key"="value"``, as textual IR writes it.
            names: of the functions; None: all of them.
        """
        match = _STRING.fullmatch(attribute)
        if not match:
            raise ValueError(f"{attribute!r} is no string attribute")
        key, value = match[1].encode(), (match[2] or "").encode()
        made = self._string(module.context.handle, key, len(key), value, len(value))
        for name, function in module.functions():
            if names is None or name in names:
                self._add(function, _FUNCTION, made)


@functools.cache
def attributes_of(llvm: LLVM) -> Attributes:
    """The bindings for a loaded library, made once."""
    return Attributes(llvm)
