"""Relocations as assembly says them, by target.

A disassembler prints the number that stands in a relocated field. So the field gets a
number of our own first (:func:`put`), and where that number comes out stands the symbol
(:func:`substitute`). Types and their operators: the ELF supplements of x86-64 (psABI 1.0,
section 4.4) and AArch64 (ELF for the Arm 64-bit Architecture, 2024Q3, section 5.7).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import ObjectSection, Relocation

_MARK = 0x6A000000
"""Plus the relocation's number: no such numbers stand in code by chance."""
_MARK_WIDE = 0x6A5B4C3D_00000000


@dataclass(frozen=True, slots=True)
class Form:
    """How a type of relocation is written.

    Attributes:
        width: bytes of the field; 0 for a mark without a field.
        relative: the value is relative to the field.
        before: stands before the symbol.
        after: stands behind it.
        call: of a call or jump: only symbols from elsewhere have what stands behind.
        bits: lowest bit of the immediate in the instruction, and how many (AArch64); the
            two of an address to a register are apart and counted as 21.
        line: a line of its own that stands before the instruction.
        text: what the instruction is written as, where it cannot be read from the bytes.
    """

    width: int = 4
    relative: bool = False
    before: str = ""
    after: str = ""
    call: bool = False
    bits: tuple[int, int] = (0, 0)
    line: str = ""
    text: str = ""


_X86 = {
    1: Form(8),
    2: Form(4, True),
    4: Form(4, True, after="@PLT", call=True),
    9: Form(4, True, after="@GOTPCREL"),
    10: Form(4),
    11: Form(4),
    17: Form(8, after="@DTPOFF"),
    18: Form(8, after="@TPOFF"),
    19: Form(4, True, after="@TLSGD"),
    20: Form(4, True, after="@TLSLD"),
    21: Form(4, after="@DTPOFF"),
    22: Form(4, True, after="@GOTTPOFF"),
    23: Form(4, after="@TPOFF"),
    24: Form(8, True),
    34: Form(4, True, after="@TLSDESC"),
    35: Form(0, after="@TLSCALL", text="callq *{}(%rax)"),
    41: Form(4, True, after="@GOTPCREL"),
    42: Form(4, True, after="@GOTPCREL"),
    43: Form(4, True, after="@GOTPCREL"),
}
_PAGE, _LOW, _ADR = (5, 21), (10, 12), (5, 21)
_AARCH64 = {
    257: Form(8),
    258: Form(4),
    260: Form(8, True),
    261: Form(4, True),
    274: Form(bits=_ADR),
    275: Form(bits=_PAGE),
    276: Form(before=":pg_hi21_nc:", bits=_PAGE),
    279: Form(bits=(5, 14)),
    280: Form(bits=(5, 19)),
    282: Form(bits=(0, 26)),
    283: Form(bits=(0, 26)),
    311: Form(before=":got:", bits=_PAGE),
    312: Form(before=":got_lo12:", bits=_LOW),
    313: Form(before=":gotpage_lo15:", bits=_LOW),
    541: Form(before=":gottprel:", bits=_PAGE),
    542: Form(before=":gottprel_lo12:", bits=_LOW),
    549: Form(before=":tprel_hi12:", bits=_LOW),
    550: Form(before=":tprel_lo12:", bits=_LOW),
    551: Form(before=":tprel_lo12_nc:", bits=_LOW),
    562: Form(before=":tlsdesc:", bits=_PAGE),
    563: Form(before=":tlsdesc_lo12:", bits=_LOW),
    564: Form(before=":tlsdesc_lo12:", bits=_LOW),
    569: Form(0, line=".tlsdesccall {}"),
    **{kind: Form(before=":lo12:", bits=_LOW) for kind in (277, 278, 284, 285, 286, 299)},
    **{kind: Form(before=":tprel_lo12:", bits=_LOW) for kind in (552, 554, 556, 558, 570)},
    **{kind: Form(before=":tprel_lo12_nc:", bits=_LOW) for kind in (553, 555, 557, 559, 571)},
}
_FORMS = {"X86": _X86, "AArch64": _AARCH64}
_NUMBER = re.compile(r"#-?\d+")


@dataclass(frozen=True, slots=True)
class Fixup:
    """A relocation and how it is written.

    Attributes:
        relocation: as it stands.
        form: of its type.
        addend: to the symbol, as assembly says it.
        mark: what was put into its field.
    """

    relocation: Relocation
    form: Form
    addend: int
    mark: int

    @property
    def relative(self) -> bool:
        """Whether the value is relative to the field."""
        return self.form.relative

    @property
    def width(self) -> int:
        """Bytes of the field."""
        return self.form.width

    @property
    def before(self) -> str:
        """Stands before the symbol."""
        return self.form.before

    @property
    def after(self) -> str:
        """Stands behind the symbol."""
        return self.form.after

    @property
    def call(self) -> bool:
        """Whether it is of a call or jump."""
        return self.form.call

    @property
    def line(self) -> str:
        """A line of its own before the instruction."""
        return self.form.line

    def within(self, end: int) -> Fixup:
        """In an instruction that ends at an offset: from there x86-64 counts."""
        if not self.form.relative:
            return self
        return replace(self, addend=self.addend + end - self.relocation.offset)


def fixups_of(arch: str, section: ObjectSection) -> list[Fixup]:
    """The relocations of a section.

    Raises:
        ObjectError: one of a type that has no spelling here.
    """
    found = []
    for number, relocation in enumerate(section.relocations):
        form = _FORMS[arch].get(relocation.type)
        if form is None:
            raise ObjectError(f"a relocation of type {relocation.type} ({arch})")
        mark = (_MARK_WIDE if form.width == 8 else _MARK) + number % (1 << 20)
        found.append(Fixup(relocation, form, relocation.addend, mark))
    return found


def put(code: bytes, fixups: Sequence[Fixup]) -> bytes:
    """Code whose relocated fields hold their marks."""
    held = bytearray(code)
    for fixup in fixups:
        at, form = fixup.relocation.offset, fixup.form
        if not form.width:
            continue
        if at + form.width > len(held):
            raise ObjectError("a relocation behind the end of its section")
        lowest, count = form.bits
        if not count:
            held[at : at + form.width] = fixup.mark.to_bytes(form.width, "little")
            continue
        (word,) = struct.unpack_from("<I", held, at)
        if count == 21:
            word = word & ~(0x3 << 29 | 0x7FFFF << 5) | 1 << 29 | 0x15555 << 5
        else:
            word = word & ~(((1 << count) - 1) << lowest) | (0x5555555 >> (27 - count)) << lowest
        struct.pack_into("<I", held, at, word)
    return bytes(held)


def substitute(text: str, fixup: Fixup, expression: str) -> str:
    """An instruction's text with the symbol where the mark is.

    Raises:
        ObjectError: the mark is not there.
    """
    form = fixup.form
    if form.text:
        return form.text.format(expression)
    if not form.width:
        return text
    if form.bits[1]:
        numbers = list(_NUMBER.finditer(text))
        if numbers and numbers[-1][0] == "#12" and text[: numbers[-1].start()].endswith("lsl "):
            numbers.pop()
        if not numbers:
            raise ObjectError(f"no field for a relocation in {text!r}")
        after = text[numbers[-1].end() :]
        if "_hi12:" in form.before:  # the operator says it
            after = after.removesuffix(", lsl #12")
        return text[: numbers[-1].start()] + expression + after
    before, mark, after = text.partition(str(fixup.mark))
    if not mark or before[-1:].isdigit() or after[:1].isdigit():
        raise ObjectError(f"no field for a relocation in {text!r}")
    return before + expression + after
