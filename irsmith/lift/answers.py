"""Lifted code as answers to a disassembly, the likeliest first, for someone to check.

What LLVM makes of lifted code compiles to the function's own bytes or it does not, and which
passes lead there cannot be told beforehand: a compiler's own pipeline undoes what lifting
brought in, but it may also choose anew what had been chosen. So several are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from irsmith.corpus.header import Header
from irsmith.lift.aarch64.rules import AArch64
from irsmith.lift.lift import lifted
from irsmith.lift.rules import Rules
from irsmith.lift.x86.rules import X86
from irsmith.records import Candidate, IrsmithError
from irsmith.tasks.disassemble import DisassembleAnswer
from irsmith.tasks.text import AssemblyText, IRText
from irsmith.toolchain.llvm import arch_of
from irsmith.toolchain.pipelines import clang_pipeline

Optimise = Callable[[IRText, Candidate], IRText]
"""Runs passes on a module; raises IrsmithError where LLVM refuses."""
MOST = 48
"""Answers at most."""
_LIGHT = (
    "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,dse)",
    "function(sroa,early-cse,dse)",
    "function(sroa,early-cse,instcombine<no-verify-fixpoint>)",
)
"""Pipelines beside the level's own: each gave exact answers that the others did not
(docs/log.md)."""
_FLAGS = ("wchar_size=4@1", "PIC Level=2@8", "uwtable=2@7")
_FIRST = 3
"""Modules that are tried at each level, before all others at the likeliest."""


RULES: dict[str, Rules] = {"X86": X86(), "AArch64": AArch64()}
"""By LLVM's name of the target."""
LEVELS = ("Oz", "O2", "Os")
"""Levels at which code is generated again, the likeliest first."""


def answers(
    assembly: AssemblyText,
    optimise: Optimise,
    version: str,
    levels: Sequence[str] = LEVELS,
) -> Iterator[DisassembleAnswer]:
    """Answers to what a function's code is.

    Args:
        assembly: of the function.
        optimise: runs passes, where LLVM may die.
        version: of LLVM, whose pipelines are recorded.
        levels: to try, the likeliest first.

    Yields:
        At most :data:`MOST`; no two have the same text.

    Raises:
        UnliftableError: something in the function is not known.
    """
    return islice(_answers(assembly, optimise, version, levels), MOST)


def _answers(
    assembly: AssemblyText, optimise: Optimise, version: str, levels: Sequence[str]
) -> Iterator[DisassembleAnswer]:
    seen: set[tuple[str, str]] = set()
    texts = list(islice(lifted(assembly.text, RULES[arch_of(assembly.triple)]), MOST))
    plan = [(level, text) for level in levels for text in texts[:_FIRST]]
    plan += [(levels[0], text) for text in texts[_FIRST:]]
    for level, text in plan:
        sized = level if level in ("Oz", "Os") else ""
        header = Header(assembly.triple, sized, "uwtable", _FLAGS)
        for passes in (clang_pipeline(version, assembly.triple, level), *_LIGHT):
            try:
                made = optimise(IRText(header, text), Candidate(passes))
            except IrsmithError:
                continue  # not a module that LLVM takes: the next one may be
            if (level, made.text) not in seen:
                seen.add((level, made.text))
                yield DisassembleAnswer(level, made)
