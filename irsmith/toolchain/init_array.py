"""Turn ``.ctors`` and ``.dtors`` of an object into ``.init_array`` and ``.fini_array``.

LLVM-C makes target machines with ``UseInitArray`` off, and has no function to
turn it on, so objects emitted in process list their constructors in ``.ctors``,
which neither lld nor glibc looks at any more: they would never run. ``clang`` and
``llc`` turn it on. The contents are the same, last entry first.
"""

from __future__ import annotations

import struct

from irsmith.toolchain.elf import ObjectError, Section, sections

_HEADER_SIZE = 64
_OFFSET_FIELD, _SIZE_FIELD = 24, 32
_RELA = struct.Struct("<QQq")
_SHT_RELA, _SHT_INIT_ARRAY, _SHT_FINI_ARRAY = 4, 14, 15
_POINTER = 8
_LATEST = 65535


def _new_name(name: str) -> str | None:
    """The modern name of a section, or None if it has that already, or is the program's own."""
    prefix, _, rest = name.removeprefix(".rela").removeprefix(".").partition(".")
    arrays = {"ctors": ".init_array", "dtors": ".fini_array"}
    if prefix not in arrays or not (rest == "" or (rest.isdecimal() and int(rest) <= _LATEST)):
        return None
    # .ctors counts priorities from the other end, with five digits.
    priority = f".{_LATEST - int(rest)}" if rest else ""
    return (".rela" if name.startswith(".rela") else "") + arrays[prefix] + priority


def _turn_round(out: bytearray, relocations: Section, size: int) -> None:
    """Put the entries of an array, which are all relocations, into the opposite order."""
    start, end = relocations.offset, relocations.offset + relocations.size
    entries = [_RELA.unpack_from(out, at) for at in range(start, end, _RELA.size)]
    turned = sorted((size - _POINTER - offset, info, addend) for offset, info, addend in entries)
    for number, entry in enumerate(turned):
        _RELA.pack_into(out, start + number * _RELA.size, *entry)


def with_init_arrays(data: bytes) -> bytes:
    """The same object with its constructors where today's linkers look for them.

    Args:
        data: ELF relocatable object of x86-64 or AArch64, as emitted in process.

    Returns:
        The object; the same one if it has no such sections.

    Raises:
        ObjectError: not such an object.
    """
    if b".ctors" not in data and b".dtors" not in data:
        return data  # nearly always
    every = list(sections(data))
    (table,) = struct.unpack_from("<Q", data, 0x28)
    (strings_number,) = struct.unpack_from("<H", data, 0x3E)
    strings = every[strings_number]
    names = bytearray(data[strings.offset : strings.offset + strings.size])
    out = bytearray(data)
    changed = False
    for number, section in enumerate(every):
        new = _new_name(section.name)
        if new is None:
            continue
        changed = True
        header = table + number * _HEADER_SIZE
        struct.pack_into("<I", out, header, len(names))
        names += new.encode() + b"\0"
        if section.type == _SHT_RELA:
            (target,) = struct.unpack_from("<I", data, header + 44)
            _turn_round(out, section, every[target].size)
        elif any(data[section.offset : section.offset + section.size]):
            raise ObjectError(f"{section.name} holds more than relocations")
        else:
            kind = _SHT_INIT_ARRAY if new.startswith(".init") else _SHT_FINI_ARRAY
            struct.pack_into("<I", out, header + 4, kind)
    if not changed:  # the name was in some string of the program's
        return data
    header = table + strings_number * _HEADER_SIZE
    struct.pack_into("<Q", out, header + _OFFSET_FIELD, len(out))
    struct.pack_into("<Q", out, header + _SIZE_FIELD, len(names))
    return bytes(out + names)
