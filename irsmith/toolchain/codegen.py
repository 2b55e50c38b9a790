"""Code generation options that are searched, each with what switches it off again.

Most are global state of LLVM (``cl::opt``), so a worker sets them for one emission
and resets them after it. ``-frame-pointer=smallest`` is our own: it is decided function by
function when the passes are done (:mod:`irsmith.toolchain.frames`), and the optimised module
carries what was decided.

The table names only options that change how code is laid out or allocated, never what it
computes, and every set that is proposed goes through PassListEval like a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from irsmith.records import IrsmithError
from irsmith.toolchain.frames import choose
from irsmith.toolchain.llvm import LLVM


@dataclass(frozen=True, slots=True)
class CodegenOption:
    """An option of the code generator.

    Attributes:
        text: what switches it on.
        reset: what brings LLVM's default back; empty if the module carries it.
        what: one line for people.
    """

    text: str
    reset: str
    what: str


def _flag(name: str, what: str) -> CodegenOption:
    return CodegenOption(f"-{name}", f"-{name}=false", what)


FRAMES = "-frame-pointer=smallest"
"""Decided for each function by :func:`irsmith.toolchain.frames.choose`."""

OPTIONS: tuple[CodegenOption, ...] = (
    _flag("disable-lsr", "no loop strength reduction"),
    _flag("disable-cgp", "no CodeGenPrepare"),
    _flag("disable-block-placement", "blocks stay in source order"),
    _flag("disable-early-taildup", "no early tail duplication"),
    _flag("disable-machine-sink", "no sinking of machine instructions"),
    _flag("disable-machine-licm", "no hoisting of machine instructions out of loops"),
    _flag("disable-copyprop", "no copy propagation on machine instructions"),
    CodegenOption(
        "-min-jump-table-entries=100",
        "-min-jump-table-entries=4",
        "jump tables only for switches of a hundred cases",
    ),
    CodegenOption("-tail-merge-size=1", "-tail-merge-size=3", "merge tails of one instruction"),
    _flag("disable-machine-cse", "no common subexpressions on machine instructions"),
    CodegenOption(
        "-aggressive-machine-cse",
        "-aggressive-machine-cse=false",
        "common subexpressions on machine instructions whatever they cost in registers",
    ),
    CodegenOption(FRAMES, "", "a frame pointer in each function that gets smaller with it"),
    CodegenOption(
        "-stress-regalloc=9",
        "-stress-regalloc=0",
        "nine registers of each class: on x86-64 those that need not be saved",
    ),
    CodegenOption("-stress-regalloc=10", "-stress-regalloc=0", "ten registers of each class"),
)
"""Left out: ``-regalloc=basic`` (LLVM reads it once a process), ``-join-globalcopies``
``-enable-split-loopiv-heuristic`` and ``-split-spill-mode=size`` (a reset does not
bring back LLVM's default), and ten that won nothing over 100 modules (docs/log.md)."""

_BY_TEXT = {option.text: option for option in OPTIONS}


def check(options: Sequence[str]) -> None:
    """Refuse what LLVM would exit the process for: options that are not in the table, twice one.

    Raises:
        IrsmithError: names the option.
    """
    if len(one_value(options)) < len(options):
        raise IrsmithError(f"an option is given twice: {' '.join(options)}")
    for option in options:
        if option not in _BY_TEXT:
            raise IrsmithError(
                f"unknown code generation option {option!r}: known are "
                + " ".join(sorted(_BY_TEXT))
            )


def one_value(options: Iterable[str]) -> tuple[str, ...]:
    """Options without those that give a value to what a later one gives another."""
    return tuple({text.partition("=")[0]: text for text in options}.values())


@contextmanager
def options(llvm: LLVM, chosen: Sequence[str]) -> Iterator[None]:
    """Set options for the length of a block, those that no module carries."""
    check(chosen)
    known = [_BY_TEXT[text] for text in command_line(chosen)]
    llvm.set_options([option.text for option in known])
    try:
        yield
    finally:
        llvm.set_options([option.reset for option in known])


def command_line(chosen: Sequence[str]) -> tuple[str, ...]:
    """Those of some options that LLVM's command line takes, and no module carries."""
    return tuple(text for text in chosen if _BY_TEXT[text].reset)


def finish(
    llvm: LLVM, bitcode: bytes, chosen: Sequence[str], level: int = 2
) -> tuple[bytes, bytes]:
    """What remains to be done to a module after its passes.

    Args:
        llvm: the loaded library.
        bitcode: the module.
        chosen: options of the table.
        level: of the code generator.

    Returns:
        The module, with what it carries of the options, and its object if it was made on
        the way, else nothing.

    Raises:
        LLVMError: the code generator reports an error.
    """
    if FRAMES not in chosen:
        return bitcode, b""
    with options(llvm, chosen):
        return choose(llvm, bitcode, level)
