"""Normalised assembly: what a model sees of what ``llc``, ``clang -S`` or we print.

:func:`asm_text` drops what adds nothing to the bytes of code and data;
:func:`restore_asm` gives back text for an assembler, which makes the same bytes of every
section but ``.eh_frame``: unwind tables are not part of the text.

What happens to a line:

- Comments, ``.file``, ``.ident``, ``.cfi_*``, ``.addrsig*``, ``.size``, ``.hidden``, ``.type``
  of functions and objects, the stack note: dropped.
- Labels ``.L…`` (blocks, constants, strings): numbered ``.L0``, ``.L1``… by first appearance;
  those to which nothing refers are dropped.
- Symbols that are defined are global unless ``.local`` or ``.weak`` says otherwise (assemblers
  have it the other way round), so ``.globl`` of a defined symbol is dropped.
- Spaces: none at the start, one between words. The leading ``.text`` and fill values that
  the assembler chooses anyway: dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from irsmith.toolchain.llvm import arch_of

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_COMMENT = {
    "X86": re.compile(rf"({_QUOTED})|/\*.*?\*/|[ \t]*#.*"),
    "AArch64": re.compile(rf"({_QUOTED})|/\*.*?\*/|[ \t]*//.*"),
}
_SPACES = re.compile(rf"({_QUOTED})|[ \t]+")
_LOCAL_LABEL = re.compile(rf"({_QUOTED})|(?<![\w.$@])\.L[\w.$]+")
_LABEL = re.compile(rf"({_QUOTED}|[A-Za-z_.$][\w.$@]*):")
_DROPPED = re.compile(
    r"\.(?:file|ident|cfi_\w+|addrsig|addrsig_sym|size|hidden)\b"
    r"|\.type [^@%]+[@%](?:function|object)$"
    r'|\.section "?\.note\.GNU-stack'
)
_FILL = re.compile(r"(\.p2align \d+), 0x(?:0|90)$")


def asm_text(text: str, triple: str) -> str:
    """Normalised assembly.

    Args:
        text: as LLVM prints it for ELF.
        triple: its target.

    Raises:
        LLVMError: an unsupported target.
    """
    comment = _COMMENT[arch_of(triple)]
    lines = []
    for raw in text.splitlines():
        line = _SPACES.sub(lambda m: m[1] or " ", comment.sub(lambda m: m[1] or "", raw))
        line = _FILL.sub(r"\1", line.strip())
        if line and not _DROPPED.match(line):
            lines.append(line)
    if lines and lines[0] == ".text":
        del lines[0]
    lines = _drop_unused(lines)
    lines = _mark_local(lines)
    rename = _numbering()
    return "".join(_LOCAL_LABEL.sub(rename, line) + "\n" for line in lines)


def restore_asm(text: str) -> str:
    """Assembly for an assembler from what :func:`asm_text` gave (or a model wrote like it)."""
    bound = {name for line in text.splitlines() for name in _names(line, (".local ", ".weak "))}
    lines = [".text"]
    for line in text.splitlines():
        name = _defined(line)
        if name and not name.startswith(".L") and name not in bound:
            lines.append(f".globl {name}")
        lines.append(line)
    lines.append('.section ".note.GNU-stack","",@progbits')
    return "\n".join(lines) + "\n"


def _defined(line: str) -> str:
    """The symbol whose label a line is, or an empty string."""
    match = _LABEL.match(line)
    return match[1] if match else ""


def _names(line: str, directives: tuple[str, ...]) -> list[str]:
    """The symbols that a line with one of the directives names."""
    for directive in directives:
        if line.startswith(directive):
            return [name.strip() for name in line[len(directive) :].split(",")]
    return []


def _drop_unused(lines: list[str]) -> list[str]:
    """Without local labels to which no line refers."""
    used = {
        match[0]
        for line in lines
        if not (line.startswith(".L") and line.endswith(":"))
        for match in _LOCAL_LABEL.finditer(line)
    }
    return [
        line
        for line in lines
        if not (line.startswith(".L") and line.endswith(":") and line[:-1] not in used)
    ]


def _mark_local(lines: list[str]) -> list[str]:
    """Defined symbols marked where they are local, and no longer where they are global."""
    defined = {name for line in lines if (name := _defined(line))}
    shared = {name for line in lines for name in _names(line, (".globl ", ".weak "))}
    local = {name for line in lines for name in _names(line, (".local ",))}
    marked = []
    for line in lines:
        named = _names(line, (".globl ",))
        if named and defined.issuperset(named):
            continue
        name = _defined(line)
        if name and not name.startswith(".L") and name not in shared | local:
            marked.append(f".local {name}")
        marked.append(line)
    return marked


def _numbering() -> Callable[[re.Match[str]], str]:
    numbers: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        return match[1] or numbers.setdefault(match[0], f".L{len(numbers)}")

    return rename
