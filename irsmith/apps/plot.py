"""The curve of a search as a picture."""

from __future__ import annotations

from pathlib import Path

from irsmith.apps.autotune import Autotuned
from irsmith.records import IrsmithError


def plot_curve(result: Autotuned, path: str) -> None:
    """Best value against compilations, with ``-Oz`` as a line.

    Raises:
        IrsmithError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise IrsmithError("--plot needs matplotlib: pip install 'irsmith[data]'") from error
    base = result.baseline.value(result.objective)
    steps = [point.compilations for point in result.curve] + [result.compilations[0]]
    values = [point.value for point in result.curve] + [result.curve[-1].value]
    figure, axes = pyplot.subplots(figsize=(7, 4))
    axes.step(steps, values, where="post", label="best so far")
    axes.axhline(base, linestyle="--", color="grey", label="-Oz")
    axes.set_xscale("log")
    axes.set_xlabel("compilations")
    axes.set_ylabel("loaded bytes" if result.objective == "size" else "IR instructions")
    axes.set_title(Path(result.module.name).name)
    axes.legend()
    figure.tight_layout()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise IrsmithError(f"{path}: the plot cannot be written: {error}") from error
    finally:
        pyplot.close(figure)
