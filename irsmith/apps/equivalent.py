"""Whether recompiled IR does what a function's own code does, by running both.

Differential execution (:mod:`irsmith.check.differential`) needs IR of the one that it draws
inputs for, and machine code of both. So the model's IR is the reference, and the other
version is the same module with the function's own assembly as its body. Inputs on which the
IR is undefined say nothing; as everywhere, *passed* is evidence and not proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from irsmith.check.differential.module import ModuleCheck
from irsmith.check.differential.place import runs_here
from irsmith.corpus.piece import Piece
from irsmith.records import IrsmithError, State
from irsmith.toolchain.find import Toolchain

_OUTCOMES = 3
"""Different outcomes that inputs must have. Where passes are checked fewer will do if every
block is reached; but a guess at code may reach all of its own and still be another's."""
_SECTION = (".section ", ".data", ".bss", ".comm ", ".local ", ".weak ")
_ASCII = re.compile(r'\.asci(i|z) "((?:[^"\\]|\\.)*)"')
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_OWN = "own."
_CALL = re.compile(r"^\s*(?:call\w*\s+(\*?[^\s@]+)|jmp\w*\s+(\*|[^.\s][^\s@]*))", re.MULTILINE)
"""Calls, and jumps out of the function or through a pointer; a jump table counts as one."""
_LABEL = re.compile(r"(?<![\w.$@])\.L(?=[\w.$])")


@dataclass(frozen=True, slots=True)
class Compared:
    """What running both said.

    Attributes:
        state: passed, failed or unknown.
        reason: why it is not passed.
    """

    state: State
    reason: str = ""


def compare(toolchain: Toolchain, triple: str, piece: Piece, ir: str) -> Compared:
    """Run a function's own code beside recompiled IR.

    Args:
        toolchain: where LLVM is.
        triple: target.
        piece: the function.
        ir: a module that defines it, as LLVM prints it.

    Returns:
        Unknown where code of this target cannot be run here, the function's code cannot be
        put in the IR's place, or no convincing inputs were found.
    """
    if not runs_here(triple):
        return Compared("unknown", "code of this target cannot be run here")
    if blind := _blind(piece, ir):
        return Compared("unknown", blind)
    own = with_own_code(piece, ir)
    if own is None:
        return Compared("unknown", "its code cannot be put in the place of this IR")
    try:
        with ModuleCheck(toolchain, ir.encode(), triple, stray=True) as check:
            verdict = check.judge_module(own.encode())
            prepared = check.prepared
    except IrsmithError as error:
        return Compared("unknown", _line(str(error)))
    for function in verdict.functions:
        if function.name == piece.name:
            if function.verdict == "passed" and prepared:
                seen = [one.outcomes for one in prepared.functions if one.name == piece.name]
                if seen[0] < _OUTCOMES:
                    return Compared("unknown", f"only {seen[0]} different outcomes")
            return Compared(function.verdict, _line(function.reason or verdict.reason))
    return Compared("unknown", _line(verdict.reason or "it was not called"))


def _blind(piece: Piece, ir: str) -> str:
    """Why a comparison would not see what matters; empty if it would.

    Types are the model's guess. A call passes what the guess says, so arguments that it leaves
    out are not compared; and of a function that it says returns nothing no result is.
    """
    called = {name for found in _CALL.findall(piece.text) for name in found if name}
    if called - {piece.name}:
        return "it calls other code, and only the answer says with which arguments"
    if returns_nothing(ir, piece.name):
        return "the answer says that it returns nothing, and nothing else says so"
    return ""


def returns_nothing(ir: str, name: str) -> bool:
    """Whether IR says that a function gives nothing back."""
    return bool(re.search(rf'^define [^\n]*\bvoid @"?{re.escape(name)}"?\(', ir, re.MULTILINE))


def _line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def with_own_code(piece: Piece, ir: str) -> str | None:
    """A module in which a function's body is its own assembly.

    Args:
        piece: the function, of x86-64.
        ir: a module that defines it, as LLVM prints it.

    Returns:
        None if the module does not look as it should.
    """
    name = re.escape(piece.name)
    found = re.search(rf'^define [^\n]*@"?{name}"?\([^\n]* \{{\n', ir, re.MULTILINE)
    if found is None or " personality " in found[0] or " section " in found[0]:
        return None
    end = ir.find("\n}\n", found.end() - 1)
    split = _split(piece)
    if end < 0 or split is None:
        return None
    assembly, strings = split
    head = found[0].removesuffix(" {\n")
    attributes = re.search(r" (?:align \d+|gc|prefix|prologue)\b[^()]*$", head)
    at = attributes.start() if attributes else len(head)
    head = f"{head[:at]} naked{head[at:]} {{\n"
    call = f'  call void asm sideeffect "{_quoted(assembly)}", ""()\n  unreachable'
    return ir[: found.start()] + strings + head + call + ir[end:]


def _split(piece: Piece) -> tuple[str, str] | None:
    """The assembly behind the function's label with its data pushed aside, and its strings.

    Strings become constants of the module, so that what is passed on can be compared.
    """
    lines = piece.text.splitlines()
    labels = [k for k, line in enumerate(lines) if line in (f"{piece.name}:", f'"{piece.name}":')]
    if len(labels) != 1:
        return None
    body = lines[labels[0] + 1 :]
    data = next((k for k, line in enumerate(body) if line.startswith(_SECTION)), len(body))
    code, rest = body[:data], body[data:]
    if any(line.startswith(".text") for line in rest):
        return None
    strings, kept, k = [], list[str](), 0
    while k < len(rest):
        label, content = rest[k], rest[k + 1] if k + 1 < len(rest) else ""
        text = _ASCII.fullmatch(content)
        alone = k + 2 >= len(rest) or rest[k + 2].startswith((".L", ".section"))
        if label.startswith(".L") and label.endswith(":") and text and alone:
            held = _unescaped(text[2]) + (b"\0" if text[1] == "z" else b"")
            hexed = "".join(f"\\{byte:02X}" for byte in held)
            name = _LABEL.sub(_OWN, label[:-1])
            strings.append(f'@{name} = internal constant [{len(held)} x i8] c"{hexed}"\n')
            k += 2
            continue
        kept.append(label)
        k += 1
    if kept:
        kept = ['.pushsection .rodata,"a",@progbits', *kept, ".popsection"]
    # The module has names of its own for the same data, and labels of its own.
    made = _LABEL.sub(_OWN, "\n".join([*code, *kept]) + "\n")
    for name, _ in piece.sizes:
        made = re.sub(rf"(?<![\w.$@]){re.escape(name)}(?![\w.$@])", _OWN + name, made)
    return made, "".join(strings)


def _unescaped(text: str) -> bytes:
    """The bytes that assembly writes between quotes."""

    def byte(match: re.Match[str]) -> str:
        return chr(int(match[1], 8)) if match[1].isdigit() else _ESCAPES.get(match[1], match[1])

    return re.sub(r"\\([0-7]{1,3}|.)", byte, text).encode("latin-1")


def _quoted(text: str) -> str:
    """Assembly within IR within quotes."""
    escaped = text.replace("$", "$$").replace("\\", "\\5C").replace('"', "\\22")
    return escaped.replace("\n", "\\0A").replace("\t", "\\09")
