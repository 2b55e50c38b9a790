"""``metrics.jsonl``: one line a step, one a validation; and the guard that watches the loss."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

METRICS = "metrics.jsonl"


class Journal:
    """Appends to a run's metrics.

    Args:
        out: the run's folder.
        step: steps done; lines of later steps, which a killed run may have left, are dropped.
    """

    def __init__(self, out: Path, step: int) -> None:
        self._path = out / METRICS
        kept = [row for row in read_metrics(out) if int(row["step"]) <= step] if step else []
        write_beside(self._path, "".join(_line(row) for row in kept).encode())

    def write(self, row: dict[str, Any]) -> None:
        """Add a line.

        Raises:
            IrsmithError: the disk is full.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(row))
        except OSError as error:
            raise IrsmithError(f"{self._path}: cannot be written: {error.strerror}") from error


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row) + "\n"


def read_metrics(out: Path) -> list[dict[str, Any]]:
    """All whole lines of a run's metrics; none if there is no file."""
    try:
        text = (out / METRICS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    rows = []
    for line in text.splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue  # a kill cut the last line
    return rows


class SpikeGuard:
    """Counts losses that jump above what the last steps make plausible.

    A spike is a loss above the median of the last 64 by more than eight times their median
    deviation and by at least a fifth.
    """

    def __init__(self, count: int = 0, recent: Iterable[float] = ()) -> None:
        self.count = count
        self.recent: deque[float] = deque(recent, maxlen=64)

    def __call__(self, loss: float) -> bool:
        """Take a step's loss; whether it is a spike."""
        spike = False
        if len(self.recent) >= 16:
            middle = median(self.recent)
            spread = median(abs(value - middle) for value in self.recent)
            spike = loss > middle + 8 * spread and loss > 1.2 * middle
        self.recent.append(loss)
        self.count += spike
        return spike
