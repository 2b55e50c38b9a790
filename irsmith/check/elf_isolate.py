"""Rename what an object defines, so that many programs can be linked into one executable.

Every program defines ``main``, and names such as ``foo`` by the dozen. Local
symbols must come before global ones in a symbol table, so making them local
would mean sorting it and renumbering all relocations; giving every global
definition a name of its own is a few bytes patched and a longer string table.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from irsmith.toolchain.elf import ObjectError, sections

_HEADER = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_OFFSET_FIELD, _SIZE_FIELD = 24, 32
_SHT_SYMTAB = 2
_ARRAYS = (14, 15, 16)  # SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_PREINIT_ARRAY
_SHN_UNDEF = 0


@dataclass(frozen=True, slots=True)
class Isolated:
    """An object that can be linked with others like it.

    Attributes:
        data: the object; its ``main`` is ``irsmith_main_INDEX`` now, and every
            other global definition has ``.irsmithINDEX`` at its end.
        undefined: names that it expects from libraries.
        has_main: whether there was a ``main``.
        shares: whether it takes part in tables that the linker gathers from all
            objects (constructors, named sections); such a program must be linked
            by itself, as it was.
    """

    data: bytes
    undefined: frozenset[str]
    has_main: bool
    shares: bool


def main_name(index: int) -> str:
    """The name that ``main`` of the program ``index`` gets."""
    return f"irsmith_main_{index}"


def isolate(data: bytes, index: int) -> Isolated:
    """Give every global definition of an object a name that no other object has.

    Args:
        data: ELF relocatable object, 64-bit little-endian.
        index: number of the program in its executable.

    Raises:
        ObjectError: not such an object, or a broken one.
    """
    try:
        return _isolate(data, index)
    except (struct.error, IndexError, ValueError, UnicodeDecodeError) as error:
        raise ObjectError(f"broken ELF object: {error}") from error


def _isolate(data: bytes, index: int) -> Isolated:
    every = list(sections(data))
    (table_at,) = struct.unpack_from("<Q", data, 0x28)
    number = next((k for k, one in enumerate(every) if one.type == _SHT_SYMTAB), None)
    if number is None:
        raise ObjectError("the object has no symbol table")
    symbols = every[number]
    strings = every[symbols.link]
    names = bytearray(data[strings.offset : strings.offset + strings.size])
    first_global = _HEADER.unpack_from(data, table_at + number * _HEADER.size)[7]

    out = bytearray(data)
    undefined = set()
    has_main = False
    for at in range(
        symbols.offset + first_global * _SYMBOL.size,
        symbols.offset + symbols.size,
        _SYMBOL.size,
    ):
        start, _, _, section, _, _ = _SYMBOL.unpack_from(data, at)
        name = bytes(names[start : names.index(0, start)])
        if section == _SHN_UNDEF:
            undefined.add(name.decode())
            continue
        has_main |= name == b"main"
        new = main_name(index).encode() if name == b"main" else b"%s.irsmith%d" % (name, index)
        struct.pack_into("<I", out, at, len(names))
        names += new + b"\0"

    # The longer string table goes to the end; nothing else points into the old one
    # but section names, and those keep their offsets.
    header = table_at + symbols.link * _HEADER.size
    struct.pack_into("<Q", out, header + _OFFSET_FIELD, len(out))
    struct.pack_into("<Q", out, header + _SIZE_FIELD, len(names))
    shares = any(
        one.type in _ARRAYS or one.name.startswith((".ctors", ".dtors")) for one in every
    ) or any(name.startswith(("__start_", "__stop_")) for name in undefined)
    return Isolated(bytes(out + names), frozenset(undefined), has_main, shares)
