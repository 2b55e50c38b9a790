"""``irsmith tokenize``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from irsmith.apps.source import Input, load
from irsmith.cli.common import Parser, parser, read_input, say, split_flags
from irsmith.corpus.assembly import asm_text
from irsmith.corpus.normalise import ir_text
from irsmith.records import IrsmithError
from irsmith.sandbox.worker import Limits, Worker
from irsmith.toolchain import llvm
from irsmith.toolchain.clang import DEFAULT_TARGETS, target_triple
from irsmith.toolchain.find import find_toolchain

_LIMITS = Limits(cpu_seconds=120, memory_bytes=8 << 30)


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "tokenize",
        "How many tokens a program takes: its text is normalised as for a prompt, then counted.",
        "clang's own flags go after --:  irsmith tokenize f.c -- -Iinclude -DX=1",
    )
    to.add_argument("file", metavar="FILE", help=".c .cc .cpp .ll .bc .s, or - for stdin")
    to.add_argument(
        "-x", dest="language", choices=["c", "c++", "ir", "asm"], help="language of the input"
    )
    to.add_argument("--target", help="x86-64 (default), aarch64, or a triple of those")
    what = to.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="one JSON object")
    what.add_argument("--text", action="store_true", help="print the normalised text instead")
    what.add_argument("--ids", action="store_true", help="print the token ids instead")
    return to


def main(words: Sequence[str]) -> int:
    """Normalise a file, tokenize it and count."""
    ours, flags = split_flags(words)
    options = arguments_parser().parse_args(ours)
    name, language = options.file, options.language
    if language == "asm" or (language is None and name.endswith((".s", ".S"))):
        text = _assembly(read_input(name, None), options.target, flags)
    else:
        text = _ir(read_input(name, language), options.target, flags)
    if options.text:
        print(text, end="")
        return 0
    from irsmith.model.tokenizer import shipped_tokenizer

    ids = shipped_tokenizer().encode(text)
    if options.ids:
        print(" ".join(map(str, ids)))
        return 0
    rate = round(len(text) / len(ids), 3) if ids else 0.0
    if options.json:
        counts = {"characters": len(text), "tokens": len(ids), "characters_per_token": rate}
        print(json.dumps(counts))
    else:
        print(f"{len(ids)} tokens, {len(text)} characters, {rate:.2f} characters a token")
    return 0


def _ir(given: Input, target: str | None, flags: Sequence[str]) -> str:
    """The normalised IR of a source or a module.

    Raises:
        IrsmithError: it cannot be read, compiled or written out.
    """
    toolchain = find_toolchain()
    module, remarks = load(toolchain, given, target, flags)
    for remark in remarks:
        say(f"{given.name}: note: {remark}")
    library = toolchain.library(llvm.arch_of(module.target)).path

    def prepare(_: Callable[[int], None]) -> Callable[[bytes], str]:
        loaded = llvm.load(library)

        def handle(bitcode: bytes) -> str:
            with loaded.context() as context:
                read = context.parse(bitcode)
                if not read.triple:
                    read.set_target(module.target)
                return ir_text(read)[1]

        return handle

    with Worker(prepare, _LIMITS) as worker:
        outcome = worker.call(module.bitcode)
    if outcome.value is None:
        raise IrsmithError(f"{given.name}: cannot be normalised: {outcome.detail}")
    return outcome.value


def _assembly(given: Input, target: str | None, flags: Sequence[str]) -> str:
    """Normalised assembly.

    Raises:
        IrsmithError: no such file, or not a text.
    """
    if flags:
        raise IrsmithError(f"{given.name}: flags after -- are for C and C++, not for assembly")
    triple = target_triple(target) if target else DEFAULT_TARGETS["X86"]
    try:
        data = Path(given.name).read_bytes() if given.data is None else given.data
        text = data.decode()
    except FileNotFoundError as error:
        raise IrsmithError(f"{given.name}: no such file") from error
    except OSError as error:
        raise IrsmithError(f"{given.name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise IrsmithError(f"{given.name}: not a text of assembly: is it an object?")
    normalised = asm_text(text, triple)
    if not normalised.strip():
        raise IrsmithError(f"{given.name}: there is no assembly in it")
    return normalised
