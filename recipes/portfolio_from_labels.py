"""Choose the shipped portfolio of a target from tune labels.

    irsmith label tune FUNCTIONS UNITS -o LABELS --modules 0.045 --searched 0.25 --budget 160 \
        --nominated 260 --voters 200 --shared 44 --largest 3000
    python recipes/portfolio_from_labels.py --labels LABELS --count 64

Where nothing new was searched, ``--searched 0 --shared 1 --nominated 1`` measures what ships on
more modules, and this puts it into a new order.

Labels hold the size of every list that was shared out on every module, so no module is compiled
here: the lists that were accepted (`lists.json`) and those that ship are chosen from, greedily,
by what they save modules of the train split beyond the lists before them. PassListEval
(the full suite) has the last word on each that is chosen (what it said when the labels were made is
remembered).

Printed for modules of the validation split: what the first k save, beside the portfolio that
shipped before. `recipes/portfolio.py` makes a first portfolio where there are no labels yet;
`recipes/forest.py` comes after this.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.check.passlisteval import PassListEval
from irsmith.check.suites import get_suite
from irsmith.corpus.rows import corpus_files
from irsmith.labels.gains import Saved, gain
from irsmith.labels.rows import read_labels
from irsmith.records import Candidate, IrsmithError
from irsmith.search.portfolio import Portfolio, choose_vetted, load_portfolio
from irsmith.tasks.example import TuneLabel
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain

STEPS = (1, 2, 4, 8, 12, 16, 32, 64, 128)
PLACE = Path(__file__).parent.parent / "irsmith" / "search" / "data"
KINDS = ("functions", "units")
Sizes = dict[Candidate, int | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A module of a label.

    Attributes:
        package: that it is of.
        split: train or validation.
        kind: ``functions``, cut out of their units, or ``units``.
        baseline: bytes with -Oz.
        sizes: bytes with each list; None where it failed.
    """

    package: str
    split: str
    kind: str
    baseline: int
    sizes: Sizes


def measured(folders: Sequence[Path], triple: str) -> Iterator[Measured]:
    """The modules of some label folders that have bytes to save."""
    for path in corpus_files(folders):
        for row in read_labels(path, "tune"):
            label = row.label
            assert isinstance(label, TuneLabel)
            if row.target == triple and label.baseline.total:
                sizes = {t.candidate: t.size.total if t.size else None for t in label.tried}
                kind = "functions" if ":" in row.file else "units"  # file.c:function
                yield Measured(row.package, row.split, kind, label.baseline.total, sizes)


def accepted(folders: Sequence[Path], shipped: Portfolio, triple: str) -> list[Candidate]:
    """The lists that ship, and those that PassListEval accepted when the labels were made."""
    found = dict.fromkeys(shipped.candidates)
    for folder in folders:
        for entry in json.loads((folder / "lists.json").read_text()):
            if entry["target"] == triple and entry["state"] == "passed":
                found[Candidate.from_json(entry)] = None
    return list(found)


def weights_of(modules: Sequence[Measured]) -> list[float]:
    """Functions and units count alike; among them a module by the root of its bytes.

    Between bytes, where a few large modules decide, and shares, where tiny ones do; the
    forest grows by the same measure.
    """
    sums = dict.fromkeys(KINDS, 0.0)
    for one in modules:
        sums[one.kind] += one.baseline**0.5
    return [one.baseline**0.5 / sums[one.kind] for one in modules]


def told(name: str, modules: Sequence[Measured], orders: dict[str, list[Candidate]]) -> None:
    """Print what the first k lists of each order save."""
    print(f"{name}: {len(modules)} modules of {len({m.package for m in modules})} packages")
    for count in (step for step in STEPS if step <= max(map(len, orders.values()))):
        cells = []
        for order_name, order in orders.items():
            saved = []
            for one in modules:
                sizes = [one.sizes.get(candidate) for candidate in order[:count]]
                best = min([one.baseline, *(size for size in sizes if size is not None)])
                saved.append(
                    Saved(one.split, "", one.package, one.baseline, one.baseline - best)
                )  # fmt: skip
            cells.append(f"{order_name} {gain(saved).text()}")
        print(f"  {count:3d}  " + "   ".join(cells), flush=True)


def main() -> int:
    """Choose, measure, and write the data that ships."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=Path, nargs="+", required=True, help="folders")
    parser.add_argument("--target", choices=sorted(DEFAULT_TARGETS), default="X86")
    parser.add_argument("--count", type=int, default=64, help="lists to choose")
    parser.add_argument("--suite", choices=("full", "quick"), default="full", help="that judges")
    parser.add_argument("--jobs", type=int, default=1, help="processes that judge")
    parser.add_argument("--output", type=Path, help="instead of the data that ships")
    arguments = parser.parse_args()
    triple = DEFAULT_TARGETS[arguments.target]
    shipped = load_portfolio(triple)
    try:
        lists = accepted(arguments.labels, shipped, triple)
        every = list(measured(arguments.labels, triple))
        whole = [one for one in every if all(each in one.sizes for each in lists)]
        print(f"{len(lists)} lists; all were measured on {len(whole)} of {len(every)} modules")
        learned = [one for one in whole if one.split == "train"]
        if not learned:
            raise IrsmithError("no label of the train split has a size for every list")
        sizes = [[one.sizes[each] for each in lists] for one in learned]
        base = [one.baseline for one in learned]
        toolchain = find_toolchain()
        suite = get_suite(arguments.suite, toolchain, triple)
        refused: list[str] = []
        with PassListEval(toolchain, suite, jobs=arguments.jobs, stop_after=1) as judge:

            def passes(place: int) -> bool:
                verdict = judge.judge(lists[place])
                if verdict.state != "passed":
                    refused.append(lists[place].key())
                    print(f"refused: {lists[place].key()[:100]}", flush=True)
                return verdict.state == "passed"

            chosen = choose_vetted(passes, sizes, base, arguments.count, weights_of(learned))
            identity = judge.identity
    except (IrsmithError, OSError) as error:
        print(f"portfolio: {error}", file=sys.stderr)
        return 2
    new = [lists[place] for place, _ in chosen]
    print("saved on train: " + ", ".join(f"{k}: {chosen[k - 1][1]:.2%}"
                                         for k in STEPS if k <= len(chosen)))  # fmt: skip
    for kind in KINDS:
        held = [one for one in whole if one.split == "validation" and one.kind == kind]
        if held:
            told(f"validation, {kind}", held, {"chosen": new, "before": list(shipped.candidates)})
    provenance = {
        "recipe": "recipes/portfolio_from_labels.py",
        "lists": len(lists),
        **{kind: sum(one.kind == kind for one in learned) for kind in KINDS},
        "packages": sorted({one.package for one in learned}),
        "split": "train",
        "saving_on_train": [round(gain, 5) for _, gain in chosen],
        "suite_programs": len(suite.programs),
        "refused_by_passlisteval": refused,
    }
    data = {
        "target": triple,
        "toolchain": toolchain.fingerprint,
        "suite": identity,
        "provenance": provenance,
        "candidates": [candidate.to_json() for candidate in new],
    }
    name = {"X86": "x86_64", "AArch64": "aarch64"}[arguments.target]
    place = arguments.output or PLACE / f"portfolio-{name}.json"
    write_beside(place, (json.dumps(data, indent=1) + "\n").encode())
    print(f"{place.name}: {len(new)} lists")
    return 0


if __name__ == "__main__":
    sys.exit(main())
