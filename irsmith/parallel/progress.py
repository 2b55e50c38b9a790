"""How far a long run is, on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TextIO


def duration(seconds: float) -> str:
    """A time for people: ``48 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def meter(
    what: str,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[int, int], None]:
    """A line with items done, rate and time left, which overwrites itself.

    Args:
        what: the line's first word.
        stream: stderr if None; nothing is printed on one that is no terminal.
        clock: seconds.

    Returns:
        To be told items done and in all. Its first call says what was done before, so
        that a run that goes on does not report the rate of an earlier one. The line
        goes away when all is done.
    """
    out = stream or sys.stderr
    shown = out.isatty() and os.environ.get("TERM") != "dumb"
    begun: list[tuple[float, int]] = []

    def tell(done: int, total: int) -> None:
        if not shown:
            return
        now = clock()
        if not begun:
            begun.append((now, done))
        start, before = begun[0]
        text = f"{what} {done}/{total}"
        if done > before and now > start:
            rate = (done - before) / (now - start)
            text += f", {rate:.3g} a second, {duration((total - done) / rate)} left"
        print(f"\r\033[K{text if done < total else ''}", end="", file=out, flush=True)

    return tell
