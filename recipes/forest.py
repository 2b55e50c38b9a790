"""Grow the forest that puts the portfolio's lists in order for a module.

    irsmith label tune FUNCTIONS -o L/functions --searched 0 --modules 0.09 --largest 900 \
        --check list
    irsmith label tune UNITS -o L/units --searched 0 --modules 0.08 --check list
    irsmith corpus merge UNITS -o CLEAN   # nothing that is nearly of a split measured on
    python recipes/forest.py --labels L/functions L/units --corpus FUNCTIONS CLEAN

It learns from modules of the train split whose labels hold a size for every list of the
portfolio that ships, and is measured on those of the validation split: what the first k
lists save in its order and in the portfolio's own, for units and for functions. With
``--folds 5`` every module of both splits is measured once more, by a forest of the other
packages: ten validation packages are few. The test split is not touched.
`irsmith/search/forest.py` says what the forest does; scikit-learn grows it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from irsmith.corpus.rows import corpus_files, read_rows
from irsmith.labels.gains import Saved, gain
from irsmith.labels.rows import read_labels
from irsmith.parallel.progress import meter
from irsmith.records import Candidate, IrsmithError, Size
from irsmith.search.evaluate import Evaluator
from irsmith.search.forest import FEATURES, LEAF, SCALE, Forest, Tree, digest_of, features
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.example import TuneLabel
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain

STEPS = (1, 2, 4, 8, 16, 32, 64)
PLACE = Path(__file__).parent.parent / "irsmith" / "search" / "data"


@dataclass(frozen=True, slots=True)
class Known:
    """A module whose sizes were measured.

    Attributes:
        sha256: of its bitcode.
        package: that it is of.
        split: train or validation.
        numbers: its features.
        baseline: bytes with -Oz.
        values: bytes with each list; None where it failed.
        functions: that it defines.
    """

    sha256: str
    package: str
    split: str
    numbers: tuple[float, ...]
    baseline: int
    values: tuple[int | None, ...]
    functions: int


def known(
    labels: Sequence[Path], corpus: Sequence[Path], triple: str, lists: Sequence[Candidate]
) -> Iterator[Known]:
    """Modules with a size for every list, by their hashes."""
    wanted: dict[str, tuple[str, str, tuple[Size | None, ...]]] = {}
    for path in corpus_files(labels):
        for row in read_labels(path, "tune"):
            label = row.label
            assert isinstance(label, TuneLabel)
            sizes = {tried.candidate: tried.size for tried in label.tried}
            if row.target == triple and all(one in sizes for one in lists):
                wanted[label.module] = row.package, row.split, tuple(sizes[one] for one in lists)
    told, done = meter("modules counted"), 0
    functions = FEATURES.index("functions")
    with Evaluator(find_toolchain(), triple) as evaluator:
        for path in corpus_files(corpus):
            for row in read_rows(path):
                if row.split == "test" or row.sha256 not in wanted:
                    continue
                package, split, sizes_of = wanted.pop(row.sha256)
                made = evaluator.baseline(row.content, census=True)
                if not made.size.total:
                    continue  # nothing is loaded: there is nothing to save
                numbers = features(made.census, made.size)
                values = tuple(size.total if size else None for size in sizes_of)
                yield Known(
                    row.sha256, package, split, numbers, made.size.total, values,
                    round(numbers[functions]),
                )  # fmt: skip
                told(done := done + 1, done + len(wanted))


def grow(
    some: Sequence[Known], trees: int, leaf: int, provenance: dict[str, Any], portfolio: str
) -> Forest:
    """A forest of modules.

    Args:
        some: what it learns from.
        trees: how many.
        leaf: the fewest modules in a leaf.
        provenance: kept in it.
        portfolio: digest of the lists.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    numbers = np.array([one.numbers for one in some])
    base = np.array([one.baseline for one in some], dtype=float)
    saved = np.array([[one.baseline - (one.baseline if value is None else value)
                       for value in one.values] for one in some], dtype=float)  # fmt: skip
    # Between bytes, where a few large modules decide, and shares, where tiny ones do.
    target = saved / np.sqrt(base)[:, None]
    grown = ExtraTreesRegressor(
        trees, min_samples_leaf=leaf, max_features=0.4, random_state=0, n_jobs=1
    ).fit(numbers, target)
    leaves = grown.apply(numbers)
    shares = np.rint(np.clip(saved / base[:, None], 0, 1) * SCALE).astype(int)
    return Forest(
        tuple(_tree(one.tree_, leaves[:, place]) for place, one in enumerate(grown.estimators_)),
        tuple(tuple(row) for row in shares.tolist()),
        portfolio,
        provenance,
    )


def _tree(grown: Any, leaves: Any) -> Tree:
    """One of scikit-learn's trees, its nodes in preorder."""
    feature: list[int] = []
    threshold: list[float] = []
    other: list[int] = []
    ends: list[int] = []
    members: list[int] = []

    def walk(node: int) -> None:
        place = len(feature)
        left, right = int(grown.children_left[node]), int(grown.children_right[node])
        if left < 0:
            begin = len(members)
            members.extend(np.flatnonzero(leaves == node).tolist())
            feature.append(LEAF)
            threshold.append(0.0)
            other.append(begin)
            ends.append(len(members))
            return
        feature.append(int(grown.feature[node]))
        threshold.append(float(grown.threshold[node]))
        other.append(0)
        ends.append(0)
        walk(left)
        other[place] = len(feature)
        walk(right)

    walk(0)
    return Tree(feature, threshold, other, members, ends)


def table(some: Sequence[Known], by_forest: Sequence[Sequence[int]]) -> Iterator[str]:
    """What the first k lists save in the portfolio's order and in the forest's, as lines."""
    lists = len(some[0].values)
    orders = {"portfolio": [list(range(lists))] * len(some), "forest": by_forest}
    for count in (step for step in STEPS if step <= lists):
        cells = []
        for name, order in orders.items():
            saved = []
            for one, places in zip(some, order, strict=True):
                values = [one.values[place] for place in places[:count]]
                best = min([one.baseline, *(value for value in values if value is not None)])
                saved.append(
                    Saved(one.split, "", one.package, one.baseline, one.baseline - best)
                )  # fmt: skip
            cells.append(f"{name} {gain(saved).text()}")
        yield f"  {count:2d}  " + "   ".join(cells)


def halves(some: Sequence[Known]) -> Iterator[tuple[str, list[Known]]]:
    """Functions cut out, then units."""
    yield "functions", [one for one in some if one.functions == 1]
    yield "units", [one for one in some if one.functions > 1]


def cross(some: Sequence[Known], folds: int, trees: int, leaf: int) -> Iterator[str]:
    """What every module gets from a forest that was grown on other packages, as lines."""
    held: dict[str, list[Known]] = {"functions": [], "units": []}
    orders: dict[str, list[int]] = {}
    lists = len(some[0].values)

    def fold(one: Known) -> int:
        return hashlib.sha256(f"fold {one.package}".encode()).digest()[0] % folds

    for number in range(folds):
        forest = grow([one for one in some if fold(one) != number], trees, leaf, {}, "")
        for name, kind in halves([one for one in some if fold(one) == number]):
            held[name] += kind
            orders |= {one.sha256: forest.order(one.numbers, lists) for one in kind}
    for name, kind in held.items():
        packages = len({one.package for one in kind})
        yield f"{len(kind)} {name} of {packages} packages, each left out once ({folds} folds):"
        yield from table(kind, [orders[one.sha256] for one in kind])


def main() -> int:
    """Grow, measure, and write the data that ships."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--target", choices=sorted(DEFAULT_TARGETS), default="X86")
    parser.add_argument("--trees", type=int, default=64)
    parser.add_argument("--leaf", type=int, default=6, help="modules in a leaf, at least")
    parser.add_argument("--folds", type=int, default=0, help="of cross-validation (0: none)")
    parser.add_argument("--output", type=Path, help="instead of the data that ships")
    arguments = parser.parse_args()
    triple = DEFAULT_TARGETS[arguments.target]
    portfolio = load_portfolio(triple)
    try:
        some = list(known(arguments.labels, arguments.corpus, triple, portfolio.candidates))
        learned = [one for one in some if one.split == "train"]
        held = [one for one in some if one.split == "validation"]
        if not learned:
            raise IrsmithError("no label of the train split has a size for every list")
        provenance = {
            "modules": len(learned),
            "units": sum(one.functions > 1 for one in learned),
            "packages": sorted({one.package for one in learned}),
            "toolchain": portfolio.toolchain,
            "made by": f"recipes/forest.py, {arguments.trees} trees, leaves of {arguments.leaf}",
        }
        digest = digest_of(portfolio.candidates)
        forest = grow(learned, arguments.trees, arguments.leaf, provenance, digest)
    except IrsmithError as error:
        print(f"forest: {error}", file=sys.stderr)
        return 2
    lists = len(portfolio.candidates)
    for name, kind in halves(held):
        if kind:
            packages = len({one.package for one in kind})
            print(f"{len(kind)} {name} of {packages} packages of the validation split:")
            print("\n".join(table(kind, [forest.order(one.numbers, lists) for one in kind])))
    if arguments.folds:
        for line in cross(some, arguments.folds, arguments.trees, arguments.leaf):
            print(line)
    name = {"X86": "x86_64", "AArch64": "aarch64"}[arguments.target]
    place = arguments.output or PLACE / f"forest-{name}.bin"
    write_beside(place, forest.to_bytes())
    print(f"{place}: {len(learned)} modules, {place.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
