"""Pretraining: IR and assembly as they are.

A document is the task, what the text is of, and the text; all of it is learned:

- ``<|pretrain-ir|> <|header|>… <|level:O0|> <|ir|> text <|end|>``
- ``<|pretrain-asm|> <|x86-64|> <|level:Oz|> <|asm|> text <|end|>``

``O0`` is unoptimised IR, other levels what clang's own pipeline makes of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from irsmith.tasks.example import Example, Part, Special
from irsmith.tasks.form import assembly_parts, header_parts, ir_parts
from irsmith.tasks.render import Renders, Request, at_level
from irsmith.tasks.text import AssemblyText, IRText
from irsmith.tasks.vocabulary import END, LEVELS, TARGETS, TASKS
from irsmith.toolchain.llvm import arch_of


def build(
    renders: Renders, module: bytes, version: str, levels: Sequence[str] = ("Oz",)
) -> Iterator[Example]:
    """Everything to learn from one module.

    Args:
        renders: compiles.
        module: bitcode of a row.
        version: of LLVM.
        levels: beyond unoptimised IR; each gives IR and assembly.

    Yields:
        The unoptimised IR, then for each level IR and assembly.

    Raises:
        IrsmithError: LLVM cannot compile the module.
    """
    source = renders.render(Request(module, ir=True)).ir
    assert source is not None
    yield from ir_example(source, "O0")
    for level in levels:
        made = renders.render(at_level(source, version, level))
        if made.ir is not None:
            yield from ir_example(made.ir, level)
        if made.assembly is not None:
            yield from assembly_example(made.assembly, level)


def ir_example(ir: IRText, level: str) -> Iterator[Example]:
    """The document of a module, if it has any text."""
    if ir.text.strip():
        yield Example("pretrain-ir", arch_of(ir.header.triple), (), (*ir_document(ir, level), _END))


def assembly_example(assembly: AssemblyText, level: str) -> Iterator[Example]:
    """The document of assembly, if it has any text."""
    if assembly.text.strip():
        document = (*assembly_document(assembly, level), _END)
        yield Example("pretrain-asm", arch_of(assembly.triple), (), document)


_END = Special(END)


def ir_document(ir: IRText, level: str) -> tuple[Part, ...]:
    """IR without the end, as for measuring a user's file."""
    head = (Special(TASKS["pretrain-ir"]), *header_parts(ir.header), Special(LEVELS[level]))
    return (*head, *ir_parts(ir, ir.header))


def assembly_document(assembly: AssemblyText, level: str) -> tuple[Part, ...]:
    """Assembly without the end."""
    target = Special(TARGETS[arch_of(assembly.triple)])
    head = (Special(TASKS["pretrain-asm"]), target, Special(LEVELS[level]))
    return (*head, *assembly_parts(assembly))


def bits_per_byte(losses: Iterable[float], text_bytes: int) -> float:
    """How well text was predicted, whatever the tokenizer.

    Args:
        losses: of each learned token, in nats.
        text_bytes: UTF-8 bytes that the tokens stand for.

    Raises:
        ValueError: there is no text.
    """
    if text_bytes <= 0:
        raise ValueError("bits per byte of no text")
    return math.fsum(losses) / math.log(2) / text_bytes
