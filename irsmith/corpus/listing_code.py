"""Instructions of an object, as the disassembler reads them and as compilers print them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from irsmith.corpus.listing_fixups import Fixup, put
from irsmith.toolchain.disassembler import Disassembler
from irsmith.toolchain.elf_object import ObjectSection

_BRANCH = {
    "X86": re.compile(r"(.*\b(?:j[a-z]+|callq?|loopn?e?|xbegin)) (-?\d+)()"),
    "AArch64": re.compile(
        r"((?:bl?|bc?\.\w+|(?:cb|tb)n?z .*,|adr \w+,|ldr(?:sw)? \w+,)) #(-?\d+)()"
    ),
}
_NEAR = re.compile(r"(.*[ *,])(-?\d+)?(\(%rip\).*)")
_NOP = re.compile(r"(?:data16 )*nop[wl]?\b.*")
_IMMEDIATE = re.compile(r"(\w+([bwl])) \$(\d+)\b")
_PREFIXES = {0x66: "data16", 0x48: "rex64"}
_BITS = {"b": 8, "w": 16, "l": 32}


@dataclass(slots=True)
class Instruction:
    """One instruction.

    Attributes:
        at: offset in its section.
        length: in bytes.
        text: as it is printed, up to what it refers to; empty for bytes that are none.
        target: offset in the section that it refers to without a relocation.
        behind: what is printed behind the target.
        fixups: relocations in it.
    """

    at: int
    length: int
    text: str
    target: int | None = None
    behind: str = ""
    fixups: list[Fixup] = field(default_factory=list)


def decode(
    arch: str, disassembler: Disassembler, section: ObjectSection, fixups: Sequence[Fixup]
) -> Iterator[Instruction]:
    """The instructions of a section.

    Args:
        arch: of the code.
        disassembler: for it.
        section: holds code.
        fixups: its relocations, by offset.
    """
    code = put(section.data, fixups)
    waiting = list(fixups)[::-1]
    for at, length, text in disassembler.instructions(code, 0, len(code)):
        made = Instruction(at, length, text)
        while waiting and waiting[-1].relocation.offset < at + length:
            made.fixups.append(waiting.pop().within(at + length))
        if not made.fixups:
            _near(arch, made)
        yield made


def _near(arch: str, made: Instruction) -> None:
    """Note what a branch or an address within the section refers to."""
    found = _BRANCH[arch].fullmatch(made.text)
    if not found and arch == "X86":
        found = _NEAR.fullmatch(made.text)
    if found:
        base = made.at + (made.length if arch == "X86" else 0)
        made.text, made.behind = found[1] + ("" if found[3] else " "), found[3]
        made.target = base + int(found[2] or 0)
    elif arch == "X86":
        made.text = _IMMEDIATE.sub(_signed, made.text)


def _signed(match: re.Match[str]) -> str:
    """An immediate as the compiler prints it; the disassembler has no sign for some."""
    bits, value = _BITS[match[2]], int(match[3])
    if 1 << (bits - 1) <= value < 1 << bits:
        return f"{match[1]} ${value - (1 << bits)}"
    return match[0]


def prefixes(arch: str, section: ObjectSection, one: Instruction) -> Iterator[str]:
    """Prefixes that only make room for the linker, which the disassembler leaves out.

    They stand before the two instructions that ask for the address of a variable of the
    thread.
    """
    asks = any(fixup.after == "@TLSGD" for fixup in one.fixups)
    calls = any(fixup.relocation.symbol.name == "__tls_get_addr" for fixup in one.fixups)
    if arch != "X86" or not (asks or calls):
        return
    for byte in section.data[one.at : one.at + one.length]:
        # The first instruction needs its REX prefix and has it in its own text.
        if byte not in _PREFIXES or (asks and _PREFIXES[byte] == "rex64"):
            return
        yield _PREFIXES[byte]


def padding(
    section: ObjectSection, instructions: Sequence[Instruction], functions: Collection[int]
) -> dict[int, str]:
    """Runs of no-ops that an alignment explains: the first becomes the alignment.

    Args:
        section: holds the code.
        instructions: all of it.
        functions: offsets where functions begin; these may be aligned to less than blocks.

    Returns:
        By offset of the no-op, what is printed in its place; perhaps nothing.
    """
    found: dict[int, str] = {}
    run: list[Instruction] = []
    for one in [*instructions, Instruction(section.size, 0, "")]:
        if one.text and not one.fixups and _NOP.fullmatch(one.text):
            run.append(one)
            continue
        if run:
            start = run[0].at
            powers = [*range(4, 16), *((3, 2, 1) if one.at in functions else ())]
            for power in (p for p in powers if section.align >> p):
                if -start % (1 << power) == one.at - start:
                    found |= {nop.at: "" for nop in run} | {start: f".p2align {power}"}
                    break
        run = []
    return found
