"""A person's input as bitcode: C, C++, IR text or bitcode, from a file or from stdin."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.apps.reader import ReadModule, read_module
from irsmith.records import IrsmithError, Module
from irsmith.toolchain.clang import (
    DEFAULT_TARGETS,
    IR_SUFFIXES,
    check_flags,
    dropped_flags,
    language_of,
    target_triple,
    to_bitcode,
)
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of

LANGUAGES = ("c", "c++", "ir")


@dataclass(frozen=True, slots=True)
class Input:
    """What the person gave.

    Attributes:
        name: the path, or ``-``.
        data: the text, if it came from stdin.
        language: ``c``, ``c++`` or ``ir``; None asks the suffix.
    """

    name: str
    data: bytes | None = None
    language: str | None = None


def load(
    toolchain: Toolchain, given: Input, target: str | None, flags: Sequence[str] = ()
) -> tuple[Module, tuple[str, ...]]:
    """Bring an input to bitcode.

    Args:
        toolchain: where LLVM is.
        given: the input.
        target: what the person typed for ``--target``, or None.
        flags: clang's own flags.

    Returns:
        The module, and remarks that a person should read.

    Raises:
        CompileError: clang refused the source.
        IrsmithError: no such file, not IR, an unknown target.
    """
    check_flags(flags)
    triple = target_triple(target) if target else ""
    language = given.language or _language(given.name)
    if given.data is None and not Path(given.name).is_file():
        raise IrsmithError(f"{given.name}: no such file")
    if language != "ir":
        source = given.data if given.data is not None else given.name
        triple = triple or DEFAULT_TARGETS["X86"]
        bitcode = to_bitcode(toolchain, source, language, triple, flags)
        dropped = dropped_flags(flags)
        remark = f"{' '.join(dropped)} left out: irsmith compiles for -Oz, one file at a time"
        return _module(bitcode, triple, given.name), (remark,) if dropped else ()
    if flags:
        raise IrsmithError(f"{given.name}: flags after -- are for C and C++, not for IR")
    try:
        data = given.data if given.data is not None else Path(given.name).read_bytes()
    except OSError as error:
        raise IrsmithError(f"{given.name}: {error.strerror}") from error
    read = read_module(toolchain, data, given.name)
    return _module(data, _triple_of(read, triple, given.name), given.name), read.remarks


def _module(bitcode: bytes, triple: str, name: str) -> Module:
    return Module(bitcode, triple, name, sha256=hashlib.sha256(bitcode).hexdigest())


def _triple_of(read: ReadModule, asked: str, name: str) -> str:
    if not read.triple:
        return asked or DEFAULT_TARGETS["X86"]
    if asked and arch_of(asked) != arch_of(read.triple):
        raise IrsmithError(
            f"{name} was compiled for {read.triple}, which cannot become {asked}: "
            "compile the source for that target"
        )
    arch_of(read.triple)
    return read.triple


def _language(name: str) -> str:
    if name == "-":
        raise IrsmithError("input from stdin needs -x c, -x c++ or -x ir")
    if name.endswith(IR_SUFFIXES):
        return "ir"
    language = language_of(name)
    if language is None:
        raise IrsmithError(
            f"{name}: irsmith reads .c .cc .cpp .cxx .i .ii .ll .bc, or any file with -x LANGUAGE"
        )
    return language
