"""The curves of a run as a picture, drawn from its ``metrics.jsonl``."""

from __future__ import annotations

import io
from pathlib import Path

from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.train.journal import read_metrics

PICTURE = "curves.png"


def draw_curves(out: Path) -> Path:
    """Draw loss, rate, gradient norm and validation over tokens, into ``curves.png``.

    Returns:
        The picture.

    Raises:
        IrsmithError: matplotlib is missing, or the run has no metrics.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise IrsmithError("curves need matplotlib: pip install 'irsmith[data]'") from error
    rows = read_metrics(out)
    steps = [row for row in rows if "loss" in row]
    if not steps:
        raise IrsmithError(f"{out}: no metrics to draw")
    tokens = [row["tokens"] / 1e6 for row in steps]
    figure = Figure(figsize=(11, 7), layout="constrained")
    (loss, held), (norm, rate) = figure.subplots(2, 2)
    loss.plot(tokens, [row["loss"] for row in steps], linewidth=0.8)
    loss.set(title="training loss", ylabel="nats a token")
    norm.plot(tokens, [row["gradient_norm"] for row in steps], linewidth=0.8)
    norm.set(title="gradient norm", yscale="log")
    rate.plot(tokens, [row["lr"] for row in steps], linewidth=0.8)
    rate.set(title="learning rate")
    checks = [row for row in rows if "validation" in row]
    for name in sorted({name for row in checks for name in row["validation"]}):
        points = [
            (row["tokens"] / 1e6, row["validation"][name]["bits_per_token"])
            for row in checks
            if name in row["validation"]
        ]
        held.plot(*zip(*points, strict=True), marker=".", label=name)
    held.set(title="validation", ylabel="bits a token")
    if checks:
        held.legend(fontsize="small")
    for axes in (loss, held, norm, rate):
        axes.set_xlabel("million tokens")
        axes.grid(alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    write_beside(out / PICTURE, picture.getvalue())
    return out / PICTURE
