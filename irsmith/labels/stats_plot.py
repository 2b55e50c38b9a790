"""Figures of labels as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from irsmith.labels.gains import Gain, TuneStats
from irsmith.labels.stats import LabelStats
from irsmith.records import IrsmithError


def draw(found: LabelStats, path: Path) -> None:
    """Draw the gains of tune labels, or the counts where there are none.

    Args:
        found: from :func:`irsmith.labels.stats.stats`.
        path: picture; the suffix says which kind.

    Raises:
        IrsmithError: matplotlib is not installed, or the picture cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise IrsmithError("drawing needs matplotlib: pip install 'irsmith[data]'") from error
    figure = Figure(figsize=(13, 8), layout="constrained")
    FigureCanvasAgg(figure)
    if found.tune is not None:
        _draw_tune(found.tune, figure)
    else:
        _draw_counts(found, figure)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise IrsmithError(f"{path}: the plot cannot be written: {error}") from error


def _draw_tune(found: TuneStats, figure: Any) -> None:
    axes = figure.subplots(2, 3).flat
    packages = list(found.packages.items())[:25][::-1]
    _bars(axes[0], [(name, one) for name, one in packages], "gain over -Oz, %, by package")
    axes[0].tick_params(axis="y", labelsize=7)
    sizes = [(str(low), one) for low, one in found.sizes.items()]
    _bars(axes[1], sizes, "gain over -Oz, %, by its size (from)")
    axes[2].bar(list(found.lengths), list(found.lengths.values()))
    axes[2].set_xlabel("passes of the winning list")
    axes[2].set_ylabel("labels")
    passes = list(found.passes.items())[:25][::-1]
    axes[3].barh([name for name, _ in passes], [count for _, count in passes])
    axes[3].set_xlabel("labels whose list has the pass")
    axes[3].tick_params(axis="y", labelsize=7)
    refused = list(found.refused.items())[:12][::-1]
    axes[4].barh([why for why, _ in refused], [count for _, count in refused])
    axes[4].set_xlabel("lists not accepted")
    axes[4].tick_params(axis="y", labelsize=7)
    if not refused:
        axes[4].set(xticks=[], yticks=[])
        axes[4].text(0.5, 0.5, "none", ha="center", transform=axes[4].transAxes)
    for split, curve in found.curve.items():
        axes[5].plot(list(curve), [100 * value for value in curve.values()], "o-", label=split)
    axes[5].set_xlabel("compilations")
    axes[5].set_ylabel("mean gain over -Oz, %")
    if found.curve:
        axes[5].set_xscale("log")
        axes[5].legend(title="smallest list, unchecked")


def _bars(axes: Any, groups: list[tuple[str, Gain]], title: str) -> None:
    means = [100 * one.mean for _, one in groups]
    below = [max(0.0, 100 * (one.mean - one.low)) for _, one in groups]
    above = [max(0.0, 100 * (one.high - one.mean)) for _, one in groups]
    axes.barh([name for name, _ in groups], means, xerr=[below, above])
    axes.set_xlabel(title)


def _draw_counts(found: LabelStats, figure: Any) -> None:
    pictures = [
        (f"{kind} rows by {what}", values)
        for kind, counts in found.counts.items()
        for what, values in counts.by.items()
    ]
    columns = min(3, len(pictures))
    rows = -(-len(pictures) // columns)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for place, (title, values) in zip(axes, pictures, strict=False):
        shown = list(values.items())[:20][::-1]
        place.barh([name for name, _ in shown], [count for _, count in shown])
        place.set_title(title)
        place.tick_params(axis="y", labelsize=7)
    for place in axes[len(pictures) :]:
        place.set_visible(False)
