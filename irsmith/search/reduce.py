"""The smallest list that still shows a behaviour (delta debugging, one pass at a time)."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.passlist import PassList
from irsmith.records import Candidate


def minimise(candidate: Candidate, keeps: Callable[[Candidate], bool]) -> Candidate:
    """Drop passes and options as long as ``keeps`` says yes.

    Halves are tried first, then ever smaller runs down to single passes, then code
    generation options (ddmin: Zeller and Hildebrandt, 2002, on a list).

    Args:
        candidate: one for which ``keeps`` holds.
        keeps: whether a smaller candidate still shows the behaviour.

    Returns:
        A candidate for which ``keeps`` holds, and no longer when any one pass or
        option is dropped.
    """
    passes = PassList.parse(candidate.passes)
    codegen = candidate.codegen
    width = max(1, len(passes) // 2)
    while len(passes):
        start, changed = 0, False
        while start < len(passes):
            smaller = _without(passes, start, width)
            if keeps(Candidate(smaller.text, codegen)):
                passes, changed = smaller, True
            else:
                start += width
        if width == 1 and not changed:
            break
        width = max(1, width // 2)
    for option in codegen:
        fewer = tuple(other for other in codegen if other != option)
        if keeps(Candidate(passes.text, fewer)):
            codegen = fewer
    return Candidate(passes.text, codegen)


def _without(passes: PassList, start: int, width: int) -> PassList:
    for _ in range(min(width, len(passes) - start)):
        passes = passes.drop(start)
    return passes
