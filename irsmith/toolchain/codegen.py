"""Code generation options that are searched, each with what switches it off again.

They are global state of LLVM (``cl::opt``), so a worker sets them for one emission
and resets them after it. The table names only options that change how code is
laid out or allocated, never what it computes, and every set that is proposed goes
through PassListEval like a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from irsmith.records import IrsmithError
from irsmith.toolchain.llvm import LLVM


@dataclass(frozen=True, slots=True)
class CodegenOption:
    """An option of the code generator.

    Attributes:
        text: what switches it on.
        reset: what brings LLVM's default back.
        what: one line for people.
    """

    text: str
    reset: str
    what: str


def _flag(name: str, what: str) -> CodegenOption:
    return CodegenOption(f"-{name}", f"-{name}=false", what)


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
)
"""Left out: ``-regalloc=basic`` (LLVM reads it once a process), ``-join-globalcopies``
``-enable-split-loopiv-heuristic`` and ``-split-spill-mode=size`` (a reset does not
bring back LLVM's default), and ten that won nothing over 100 modules (docs/log.md)."""

_BY_TEXT = {option.text: option for option in OPTIONS}


def check(options: Sequence[str]) -> None:
    """Refuse options that are not in the table (LLVM would exit the process).

    Raises:
        IrsmithError: names the option.
    """
    for option in options:
        if option not in _BY_TEXT:
            raise IrsmithError(
                f"unknown code generation option {option!r}: known are "
                + " ".join(sorted(_BY_TEXT))
            )


@contextmanager
def options(llvm: LLVM, chosen: Sequence[str]) -> Iterator[None]:
    """Set options for the length of a block."""
    check(chosen)
    llvm.set_options(chosen)
    try:
        yield
    finally:
        llvm.set_options([_BY_TEXT[text].reset for text in chosen])
