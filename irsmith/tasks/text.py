"""Normalised text with what it takes to make a module or an object of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from irsmith.corpus.header import Header
from irsmith.toolchain.llvm import LLVMError

LARGEST_TEXT = 4 << 20
"""Characters of the largest text that is given to LLVM."""
_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2})")
_STRING = re.compile(r'\[\d+ x i8\] c"([^"\n]*)"')
_SIGN = re.compile(r"\\[0-9A-Fa-f]{2}|\\\\|.")
_READS = re.compile(r"\.(?:incbin|include)\b")


@dataclass(frozen=True, slots=True)
class IRText:
    """A normalised module as text: its header and what follows."""

    header: Header
    text: str


@dataclass(frozen=True, slots=True)
class AssemblyText:
    """Normalised assembly, and the triple that it is for."""

    triple: str
    text: str


def check_text(text: str) -> None:
    """Refuse text that LLVM should not see; the limits of the worker catch the rest.

    Raises:
        LLVMError: it is too long, cannot be encoded, or reads files.
    """
    if len(text) > LARGEST_TEXT:
        raise LLVMError(f"{len(text)} characters are too many for a text")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise LLVMError("not a text: it is not UTF-8") from error
    if "\0" in text:
        raise LLVMError("not a text: it has a zero byte")
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if _READS.search(plain):
        raise LLVMError("assembly that reads files")


def counted(text: str) -> str:
    """IR in which each string constant has the length that its type says.

    The length of an array follows from the string behind it, and models count badly.
    """
    return _STRING.sub(lambda found: f'[{len(_SIGN.findall(found[1]))} x i8] c"{found[1]}"', text)
