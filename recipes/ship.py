"""Puts a trained release into the package, with its card, its graph and its curves.

    python recipes/ship.py RUN… --name nano [--figures FILE…] [--curves docs/nano.svg]

RUN… are the runs of all stages, in the order in which they were trained; the last one's
release ships (or ``--release``, where something was done to it after training). Stages that the
shipped model went through before stay in the card with ``--after irsmith/weights/nano``.
Weights are stored in bfloat16: half the file, and what training computed with.
FILE are what ``benchmarks/quality.py --json`` and ``benchmarks/reading.py --json`` wrote: they
become the card's tables.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irsmith.model.onnx import export_engine
from irsmith.model.release import CARD, TOKENIZER, load_release, save_release
from irsmith.records import IrsmithError
from irsmith.train.journal import read_metrics

WEIGHTS = Path(__file__).resolve().parent.parent / "irsmith/weights"
LARGEST = 60_000_000
"""Bytes of a file."""


def stages_of(card: str) -> list[str]:
    """The lines of the training table of a card that :func:`history` wrote."""
    _, _, rest = card.partition("\n## Training\n")
    table = rest.partition("\n## ")[0]
    return [line for line in table.splitlines() if line.startswith("| ")][1:]


def history(runs: Sequence[Path], earlier: Sequence[str] = ()) -> list[str]:
    """The stages as lines of a table: what each saw, and what it came to.

    Args:
        runs: their folders.
        earlier: lines of the stages before them.
    """
    lines = [
        "",
        "## Training",
        "",
        "| stage | steps | tokens | hours | last validation, bits a token |",
    ]
    lines += ["|---|---|---|---|---|", *earlier]
    for run in runs:
        rows = read_metrics(run)
        last = [row for row in rows if "loss" in row][-1]
        checked: dict[str, Any] = next(
            (row["validation"] for row in reversed(rows) if "validation" in row), {}
        )
        bits = ", ".join(f"{name} {row['bits_per_token']:.2f}" for name, row in checked.items())
        hours = last["seconds"] / 3600
        lines.append(
            f"| {run.name} | {last['step']:,} | {last['tokens']:,} | {hours:.2f} | {bits} |"
        )
    return lines


def tuning(title: str, entries: Sequence[dict[str, Any]]) -> list[str]:
    """A table of ``benchmarks/quality.py``."""
    ranked = [line for line in entries if line["kind"] in ("model", "forest", "portfolio")]
    kinds = list(dict.fromkeys(line["kind"] for line in ranked))
    n, packages = entries[0]["n"], entries[0]["packages"]
    lines = ["", f"### Loaded bytes saved over -Oz, {title} (n = {n}, {packages} packages)", ""]
    lines += ["| candidates | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for k in sorted({line["k"] for line in ranked}):
        cells = []
        for kind in kinds:
            line = next(e for e in ranked if (e["kind"], e["k"]) == (kind, k))
            low, high = line["interval"]
            cells.append(f"{line['loaded']:.2f} % [{low:.2f}, {high:.2f}]")
        lines.append(f"| {k} | " + " | ".join(cells) + " |")
    return lines


def reading(title: str, entries: Sequence[dict[str, Any]]) -> list[str]:
    """A table of ``benchmarks/reading.py``."""
    lines = [
        "",
        f"### {title}",
        "",
        "| samples | tokens from | n | exact | same bytes | compiles |",
    ]
    lines.append("|---|---|---|---|---|---|")
    whole = set()
    for line in entries:
        first = line["samples"] not in whole
        whole.add(line["samples"])
        cells = [
            f"{100 * line[grade][0]:.1f} % [{100 * line[grade][1]:.1f}, {100 * line[grade][2]:.1f}]"
            for grade in ("exact", "same bytes", "compiles")
        ]
        tokens = "all" if first else str(line["tokens"])
        lines.append(f"| {line['samples']} | {tokens} | {line['n']} | " + " | ".join(cells) + " |")
    return lines


def measured(files: Sequence[Path]) -> list[str]:
    """Tables of what was measured, on packages that the model never saw."""
    lines = ["", "## Measured", ""] if files else []
    for path in files:
        found = json.loads(path.read_text())
        for title, entries in found.items():
            if title in ("whole units", "single functions"):
                lines += tuning(title, entries)
            elif title in ("disassemble", "emulate"):
                lines += reading(title.capitalize(), entries)
    return lines


def curves(runs: Sequence[Path], path: Path) -> None:
    """Draw the training loss and the validation of all stages, one after the other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (loss, held) = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    begun = 0.0
    colours: dict[str, Any] = {}
    for run in runs:
        rows = read_metrics(run)
        steps = [row for row in rows if "loss" in row]
        at = [begun + row["tokens"] / 1e6 for row in steps]
        loss.plot(at, [row["loss"] for row in steps], linewidth=0.8, label=run.name)
        checks = [row for row in rows if "validation" in row]
        for name in sorted({name for row in checks for name in row["validation"]}):
            points = [
                (begun + row["tokens"] / 1e6, row["validation"][name]["bits_per_token"])
                for row in checks
                if name in row["validation"]
            ]
            (line,) = held.plot(
                *zip(*points, strict=True),
                marker=".",
                color=colours.get(name),
                label=None if name in colours else name,
            )
            colours[name] = line.get_color()
        begun = at[-1]
    loss.set(title="training loss", ylabel="nats a token", xlabel="million tokens")
    held.set(title="validation", ylabel="bits a token", xlabel="million tokens")
    for axes in (loss, held):
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path)


def ship(
    runs: Sequence[Path],
    name: str,
    figures: Sequence[Path],
    release: Path | None = None,
    after: Path | None = None,
) -> Path:
    """Write the folder of a shipped model, whole or not at all.

    Args:
        runs: what it was trained in.
        name: of the model.
        figures: what was measured.
        release: what ships, if not the last run's.
        after: the release that training went on from, for what its card says of that.

    Raises:
        IrsmithError: a run is not finished, or a file is too large to ship.
    """
    release = release or runs[-1] / "release"
    earlier = stages_of((after / CARD).read_text()) if after else []
    network, about = load_release(release)
    place = WEIGHTS / name
    place.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        made = Path(scratch) / name
        made.mkdir()
        save_release(
            made,
            network,
            end=about.end,
            tokenizer=release / TOKENIZER,
            trained=about.trained,
            half=True,
        )
        for portfolio in sorted(release.glob("portfolio-*.json")):
            shutil.copy(portfolio, made / portfolio.name)
        export_engine(made)
        card = made / CARD
        text = [card.read_text().rstrip("\n"), *history(runs, earlier), *measured(figures)]
        card.write_text("\n".join(text) + "\n")
        for file in made.iterdir():
            if file.stat().st_size > LARGEST:
                raise IrsmithError(f"{file.name}: more than {LARGEST:,} bytes")
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    return place


def main() -> int:
    """Ship what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--name", default="nano")
    parser.add_argument("--release", type=Path, help="ships in place of the last run's")
    parser.add_argument("--after", type=Path, help="the release that the first run went on from")
    parser.add_argument("--figures", type=Path, nargs="*", default=[])
    parser.add_argument("--curves", type=Path, help="draw the stages' curves (.svg .png)")
    arguments = parser.parse_args()
    try:
        print(
            ship(
                arguments.runs,
                arguments.name,
                arguments.figures,
                arguments.release,
                arguments.after,
            )
        )
        if arguments.curves:
            curves(arguments.runs, arguments.curves)
    except IrsmithError as error:
        print(f"ship.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
