"""How long a step takes on this machine, so that a run can be made to fit a time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith.train.config import TrainConfig
from irsmith.train.journal import read_metrics
from irsmith.train.loop import train


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured.

    Attributes:
        seconds: of a step, in the mean.
        tokens: places with a token, a second.
        mfu: share of the device's peak, or None if that is not known.
    """

    seconds: float
    tokens: float
    mfu: float | None

    def steps(self, minutes: float, least: int = 1) -> int:
        """Steps that fit into some minutes."""
        return max(least, int(60 * minutes / self.seconds))


def measure_speed(config: TrainConfig, data: Path, folder: Path, steps: int = 40) -> Speed:
    """Run a few steps of a recipe and throw them away; the first quarter warms up.

    Args:
        config: the run.
        data: its data folder.
        folder: for the run's files; removed afterwards.
        steps: how many, at least 4.

    Raises:
        IrsmithError: as :func:`irsmith.train.loop.train`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    short = replace(
        config,
        steps=steps,
        warmup=min(config.warmup, steps),
        validate_every=0,
        validation_sequences=0,
        checkpoint_every=0,
    )
    try:
        train(short, data, folder, say=lambda line: None)
        rows = [row for row in read_metrics(folder) if "loss" in row][steps // 4 :]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = rows[-1]["seconds"] - rows[0]["seconds"]
    tokens = rows[-1]["tokens"] - rows[0]["tokens"]
    return Speed(seconds / (len(rows) - 1), tokens / seconds, rows[-1]["mfu"])
