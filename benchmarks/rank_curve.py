"""How much a model's order of the portfolio wins on labels, by what it was trained on.

    python benchmarks/rank_curve.py PLACE… --labels LABELS --corpus FUNCTIONS… [--count 400]

A PLACE is a release folder, or a folder of a training run, of which every checkpoint that was
kept is measured: a scaling curve. Labels of the validation split hold the size of every list
of the portfolio, so only -Oz is compiled. For k = 1, 2, 4 … lists in the portfolio's own order,
in the forest's, in the model's, and in the last two merged as ``irsmith optimize --model``
does: the share of all bytes that is saved over -Oz, and the mean over packages' functions with
a 95 % bootstrap interval.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from irsmith.apps.ask import merged
from irsmith.corpus.rows import corpus_files, read_rows
from irsmith.infer.load import Model, open_model
from irsmith.infer.tuning import Choice, Tuner
from irsmith.labels.gains import Saved, gain
from irsmith.labels.rows import read_labels
from irsmith.model.release import read_about
from irsmith.model.slots import read_portfolio
from irsmith.parallel.progress import meter
from irsmith.records import Candidate, IrsmithError
from irsmith.search.evaluate import Evaluator
from irsmith.search.forest import features, load_forest
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.example import TuneLabel
from irsmith.tasks.render import RenderWorker, Request
from irsmith.tasks.tune import TunePrompt
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain
from irsmith.train import checkpoint
from irsmith.train.data import read_meta
from irsmith.train.setup import weights_of

STEPS = (1, 2, 4, 8, 16, 32)
TARGET = DEFAULT_TARGETS["X86"]


@dataclass(frozen=True, slots=True)
class Case:
    """A function with the sizes of all lists.

    Attributes:
        package: of the function.
        prompt: that asks for the order.
        base: bytes with -Oz.
        sizes: by list.
        forest: the portfolio in the forest's order.
    """

    package: str
    prompt: TunePrompt
    base: int
    sizes: dict[Candidate, int | None]
    forest: tuple[Candidate, ...]


def cases(labels: Sequence[Path], corpus: Sequence[Path], count: int) -> list[Case]:
    """Validation functions with labels, by their hashes."""
    found: dict[str, tuple[str, TuneLabel]] = {}
    for path in corpus_files(labels):
        for row in read_labels(path, "tune"):
            if row.split == "validation" and row.target == TARGET:
                assert isinstance(row.label, TuneLabel)
                found[row.label.module] = row.package, row.label
    wanted = set(sorted(found)[:count])
    made = []
    portfolio, forest, toolchain = (
        load_portfolio(TARGET).candidates,
        load_forest(TARGET),
        find_toolchain(),
    )
    with RenderWorker(toolchain, TARGET) as renders, Evaluator(toolchain, TARGET) as evaluator:
        for path in corpus_files(corpus):
            for row in read_rows(path):
                if row.sha256 not in wanted:
                    continue
                package, label = found[row.sha256]
                ir = renders.render(Request(row.content, ir=True)).ir
                assert ir is not None
                sizes = {t.candidate: t.size.total if t.size else None for t in label.tried}
                order = portfolio
                if forest is not None:
                    oz = evaluator.baseline(row.content, census=True)
                    places = forest.order(features(oz.census, oz.size), len(portfolio))
                    order = tuple(portfolio[place] for place in places)
                made.append(Case(package, TunePrompt(ir), label.baseline.total, sizes, order))
    return made


def models(place: Path, data: Path | None) -> Iterator[tuple[str, int, Model]]:
    """A release, or every checkpoint of a run: name, tokens it saw in its run, model."""
    if (place / "config.json").exists():
        trained = read_about(place).trained
        yield place.name, int(trained.get("tokens", 0)), open_model(place)
        return
    from irsmith.infer.engine_torch import TorchEngine

    release = open_model(place / "release", "numpy")
    if data is None:
        raise IrsmithError(f"{place}: checkpoints need --data, the folder that they learned from")
    for step in checkpoint.steps_kept(place):
        folder = checkpoint.folder_of(place, step)
        state = checkpoint.read_state(folder)
        network, _ = weights_of(folder, read_meta(data / state.config.sources[0].name / "train"))
        model = replace(release, engine=TorchEngine(network))
        yield f"{place.name} step {step}", state.tokens, model


def orders(model: Model, some: Sequence[Case], slots: Sequence[Candidate]) -> list[list[Choice]]:
    """The portfolio by function, likeliest first; nothing where the prompt does not fit."""
    found: list[list[Choice]] = []
    told = meter("functions")
    for number, case in enumerate(some, 1):
        try:
            found.append(Tuner(model, case.prompt, slots).rank())
        except IrsmithError:
            found.append([])
        told(number, len(some))
    return found


def line(
    some: Sequence[Case], chosen: Sequence[Sequence[Candidate]]
) -> tuple[float, float, float, float]:
    """Share of all bytes saved, the mean function's, and that one's interval."""
    saved = []
    for case, lists in zip(some, chosen, strict=True):
        values = [case.sizes.get(one) for one in lists]
        best = min([case.base, *(value for value in values if value is not None)])
        saved.append(Saved("validation", TARGET, case.package, case.base, case.base - best))
    got = gain(saved)
    return got.total, got.mean, got.low, got.high


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", type=Path, nargs="+", metavar="PLACE")
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--data", type=Path, help="packed data, for checkpoints")
    parser.add_argument("--count", type=int, default=400, help="functions")
    parser.add_argument("--json", type=Path, help="keep the figures, and every order")
    arguments = parser.parse_args()
    some = cases(arguments.labels, arguments.corpus, arguments.count)
    packages = len({case.package for case in some})
    print(f"{len(some)} functions of {packages} packages; saved of all bytes (mean a function)")
    portfolio = load_portfolio(TARGET).candidates
    kept: list[dict[str, Any]] = []

    def tell(name: str, chosen: Sequence[Sequence[Sequence[Candidate]]]) -> None:
        cells = []
        for k, lists in zip(STEPS, chosen, strict=True):
            total, mean, low, high = line(some, lists)
            cells.append(
                f"{k}: {100 * total:.2f} ({100 * mean:.2f} [{100 * low:.2f}, {100 * high:.2f}])"
            )
            kept.append(
                {"name": name, "k": k, "total": total, "mean": mean, "interval": [low, high]}
            )
        print(f"{name:<24} " + "  ".join(cells), flush=True)

    tell("portfolio", [[portfolio[:k]] * len(some) for k in STEPS])
    tell("forest", [[case.forest[:k] for case in some] for k in STEPS])
    try:
        for place in arguments.places:
            for name, tokens, model in models(place, arguments.data):
                slots = read_portfolio(model.folder, TARGET)
                said = orders(model, some, slots)
                ranked = [[one.candidate for one in order if one.candidate] for order in said]
                silent = sum(not order for order in ranked)
                print(f"{name}: {tokens:,} tokens; {silent} prompts do not fit", flush=True)
                both = [(order, case.forest) for order, case in zip(ranked, some, strict=True)]
                filled = [list(dict.fromkeys([*order, *forest])) for order, forest in both]
                tell("  its order", [[order[:k] for order in filled] for k in STEPS])
                tell("  merged", [[merged(*pair, k) for pair in both] for k in STEPS])
                likely = [
                    [[portfolio.index(c.candidate), c.log_probability] for c in order]
                    for order in said
                    if all(c.candidate in portfolio for c in order)
                ]
                kept.append({"name": name, "tokens": tokens, "orders": likely})
    except IrsmithError as error:
        print(f"rank_curve.py: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        cases_ = [
            {
                "package": case.package,
                "base": case.base,
                "sizes": [case.sizes.get(candidate) for candidate in portfolio],
            }
            for case in some
        ]
        arguments.json.write_text(json.dumps({"lines": kept, "cases": cases_}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
