"""A person's machine code: an object, a linked program, or assembly, and its functions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.apps.pieces import PieceWorker
from irsmith.corpus.piece import functions_of
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import DEFAULT_TARGETS, target_triple
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import SHN_UNDEF, ElfObject, read_object
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import LLVMError, arch_of

_ELF = b"\x7fELF"
_OF_X86 = re.compile(r"%[re]?(?:[abcd]x|[sd]i|[sb]p|ip)\b|%x?mm|%r\d")


@dataclass(frozen=True, slots=True)
class MachineCode:
    """What a person gave, as an object.

    Attributes:
        name: the path, or ``-``.
        triple: its target.
        data: the ELF file.
        kind: ``relocatable``, ``executable`` or ``shared``.
        assembled: whether we assembled it.
        functions: names, by place.
        defined: names to which a linker let code lead directly; none if it is not linked.
    """

    name: str
    triple: str
    data: bytes
    kind: str
    assembled: bool
    functions: tuple[str, ...]
    defined: frozenset[str] = frozenset()

    def chosen(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """Functions by number and name: all, or some.

        Raises:
            IrsmithError: there is no such function.
        """
        for name in names:
            if name not in self.functions:
                near = difflib.get_close_matches(name, self.functions, 1)
                hint = f": did you mean {near[0]!r}?" if near else ""
                raise IrsmithError(f"{self.name}: no function {name!r}{hint}")
        every = enumerate(self.functions)
        return [(index, name) for index, name in every if not names or name in names]


def load_code(
    toolchain: Toolchain, name: str, data: bytes | None = None, target: str | None = None
) -> MachineCode:
    """Read machine code.

    Args:
        toolchain: where LLVM is.
        name: path, or ``-``.
        data: its content, if it was read already.
        target: of assembly, as typed; None: as its registers look.

    Raises:
        IrsmithError: no such file, neither ELF of x86-64 or AArch64 nor assembly of those,
            damaged, or without functions.
    """
    content = data if data is not None else _content(name)
    asked = target_triple(target) if target else ""
    assembled = not content.startswith(_ELF)
    if assembled:
        content = _assembled(toolchain, name, content, asked)
    try:
        read = read_object(content)
    except ObjectError as error:
        raise IrsmithError(f"{name}: {error}") from error
    if asked and arch_of(asked) != read.arch:
        raise IrsmithError(f"{name} is for {read.arch}, not for {target}")
    names = tuple(symbol.name for symbol in functions_of(read))
    if not names:
        raise IrsmithError(f"{name}: {_why_none(read)}")
    triple = asked or DEFAULT_TARGETS[read.arch]
    defined = frozenset(s.name for s in read.symbols if s.section != SHN_UNDEF)
    if read.kind == "relocatable":
        defined = frozenset()
    return MachineCode(name, triple, content, read.kind, assembled, names, defined)


def _content(name: str) -> bytes:
    path = Path(name)
    if not path.is_file():
        raise IrsmithError(f"{name}: {'is a folder' if path.is_dir() else 'no such file'}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise IrsmithError(f"{name}: {error.strerror}") from error


def _assembled(toolchain: Toolchain, name: str, content: bytes, asked: str) -> bytes:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or not text.strip():
        what = "empty" if not content.strip() else "neither ELF nor assembly"
        raise IrsmithError(
            f"{name}: {what}: irsmith disassemble reads .s, .o, executables and shared objects"
        )
    likely = "X86" if _OF_X86.search(text) else "AArch64"
    triple = asked or DEFAULT_TARGETS[likely]
    with PieceWorker(toolchain, triple) as worker:
        try:
            return worker.object_of(text)
        except LLVMError as error:
            raise IrsmithError(f"{name}: not assembly for {triple}: {error}") from error


def _why_none(read: ElfObject) -> str:
    if read.kind == "relocatable":
        return "no functions in it"
    return "no functions to find: its symbol table was stripped"
