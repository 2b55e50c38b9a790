"""How many bytes are won on packages that were never learnt from.

    python benchmarks/quality.py --corpus DIR [--functions N] [--units N] [--long N]
        [--cut FUNCTIONS] [--model NAME] [--split validation]

Per number of candidates k: the portfolio in the forest's order (what ``irsmith optimize``
compiles), in its own, with a language model if one is named, and random search, at equal
compilations, on whole units and on single functions of the test split, what the forest's
order wins over the portfolio's own on the same modules, and what -Os and frame pointers in
-Oz give; a long search on some of them, and the share of its gain that the others reach on
the same modules. All loaded bytes, executable bytes, mean a module, improved and unchanged,
with 95 % bootstrap intervals by package (packages are resampled, since modules of one
package are alike). Prints a table; ``--json FILE`` keeps the numbers.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from common import choose_functions, in_turn

from irsmith.apps.ask import PROMPTS, ByModel, merged
from irsmith.corpus.directory import named_sources
from irsmith.corpus.functions import cut_function, function_names
from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import Row
from irsmith.parallel.shards import fingerprint, run_shards
from irsmith.records import Candidate, Evaluation, Module
from irsmith.sandbox.worker import Worker
from irsmith.search.autotune import Ledger, tune
from irsmith.search.evaluate import Evaluator
from irsmith.search.forest import digest_of, features, load_forest
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.tasks.render import RenderWorker, Request, at_level
from irsmith.toolchain.attributes import attributes_of
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.codegen import FRAMES
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.toolchain.frames import EVERYWHERE
from irsmith.toolchain.llvm import arch_of, load

STEPS = (1, 2, 4, 8, 12, 16, 32, 64)
Measured = dict[str, Any]


def choose_units(modules: Sequence[Module], count: int, seed: int) -> list[Module]:
    """Units of 2 to 100 kB of bitcode, the packages in turn."""
    groups: dict[str, list[Module]] = defaultdict(list)
    for module in modules:
        if 2_000 <= len(module.bitcode) <= 100_000:
            groups[module.package].append(module)
    rng = random.Random(seed)
    for group in groups.values():
        group.sort(key=lambda m: m.sha256)
        rng.shuffle(group)
    return in_turn(groups, count)


def worth_measuring(row: Row) -> bool:
    """Functions of 20 instructions to 100 kB of bitcode."""
    return row.instructions >= 20 and len(row.content) <= 100_000


def pairs(evaluation: Evaluation) -> list[int] | None:
    """Loaded and executable bytes."""
    return [evaluation.size.total, evaluation.size.text] if evaluation.size else None


def measure(
    evaluator: Evaluator,
    modules: Sequence[Module],
    portfolio: Sequence[Candidate],
    work: Path,
    seed: int,
    count: int,
) -> list[Measured]:
    """Sizes of each module under -Oz, the portfolio, and ``count`` random candidates."""
    space = default_space()
    rng = random.Random(seed)
    drawn = [space.draw_with_codegen(rng) for _ in range(count)]
    every = [*portfolio, *drawn]

    def rows(part: Sequence[Module]) -> Iterator[Measured]:
        bases = [evaluator.baseline(module.bitcode).size for module in part]
        sizes = evaluator.measure_all([module.bitcode for module in part], every)
        for module, base, evaluations in zip(part, bases, sizes, strict=True):
            yield {
                "package": module.package,
                "name": module.name,
                "sha256": module.sha256,
                "base": [base.total, base.text],
                "portfolio": [pairs(e) for e in evaluations[: len(portfolio)]],
                "random": [pairs(e) for e in evaluations[len(portfolio) :]],
            }

    run = fingerprint([[c.key() for c in every], [m.sha256 for m in modules]])
    started = time.monotonic()

    def progress(done: int, total: int) -> None:
        print(f"{work.name}: {done}/{total}, {time.monotonic() - started:.0f} s", flush=True)

    measured = run_shards(modules, rows, work, run, 8, progress)
    return [row for row in measured if row["base"][0]]  # a unit of declarations has no bytes


def put_in_order(
    evaluator: Evaluator,
    modules: Sequence[Module],
    portfolio: Sequence[Candidate],
    rows: Sequence[Measured],
) -> None:
    """Put the forest's order of the portfolio into each row, if there is one for the target."""
    forest = load_forest(evaluator.triple)
    if forest is None or forest.portfolio != digest_of(portfolio):
        return
    known = {module.sha256: module for module in modules}
    for row in rows:
        made = evaluator.baseline(known[row["sha256"]].bitcode, census=True)
        row["forest"] = forest.order(features(made.census, made.size), len(portfolio))


def ask(
    model: ByModel,
    toolchain: Toolchain,
    modules: Sequence[Module],
    portfolio: Sequence[Candidate],
    rows: Sequence[Measured],
) -> None:
    """Put the model's order of the portfolio into each row, and what asking took."""
    known = {module.sha256: module for module in modules}
    for row in rows:
        ranked = model.rank(toolchain, known[row["sha256"]], PROMPTS["balanced"])
        order = [portfolio.index(c) for c in ranked.candidates if c in portfolio]
        row |= {"ranked": order, "model seconds": ranked.seconds, "asked": ranked.asked}


def other_level(toolchain: Toolchain, modules: Sequence[Module], rows: Sequence[Measured]) -> None:
    """Put sizes with clang's -Os and -Oz, of the normalised module, into each row.

    -Os is more than a pipeline: functions are not marked ``minsize`` then.
    """
    known = {module.sha256: module for module in modules}
    with RenderWorker(toolchain, modules[0].target) as renders:
        for row in rows:
            source = renders.render(Request(known[row["sha256"]].bitcode, ir=True)).ir
            if source:
                for level in ("Os", "Oz"):
                    made = renders.render(at_level(source, toolchain.version, level, "compiler"))
                    row[f"-{level}"] = made.size.total


def with_frames(evaluator: Evaluator, modules: Sequence[Module], rows: Sequence[Measured]) -> None:
    """Put bytes of -Oz with frame pointers into each row: everywhere, and where it is smaller.

    Everywhere is what anybody gets from clang's ``-fno-omit-frame-pointer``.
    """
    known = {module.sha256: module for module in modules}
    chosen = Candidate(evaluator.baseline_candidate.passes, (FRAMES,))
    with Worker(framer(evaluator.toolchain.library(arch_of(evaluator.triple)).path)) as worker:
        for row in rows:
            bitcode = known[row["sha256"]].bitcode
            framed = worker.call(bitcode).value
            row["frames"] = {
                "everywhere": pairs(evaluator.baseline(framed)),
                "where smaller": pairs(next(iter(evaluator.measure(bitcode, [chosen])))),
            }


def framer(library: Path) -> Callable[[Callable[[int], None]], Callable[[bytes], bytes]]:
    """The preparation of a worker that gives every function of a module a frame pointer."""

    def prepare(_: Callable[[int], None]) -> Callable[[bytes], bytes]:
        llvm = load(library)

        def frame(bitcode: bytes) -> bytes:
            with llvm.context() as context:
                module = context.parse(bitcode)
                attributes_of(llvm).put(module, EVERYWHERE)
                return module.bitcode()

        return frame

    return prepare


def tried(row: Measured, kind: str, count: int) -> list[list[int] | None]:
    """Bytes of the first ``count`` candidates of a kind."""
    if kind in ("portfolio", "random"):
        found: list[list[int] | None] = row[kind][:count]
        return found
    order = row.get("forest", range(len(row["portfolio"])))[:count]
    chosen = merged(row["ranked"], order, count) if kind == "model" else order
    return [row["portfolio"][number] for number in chosen]


def best(row: Measured, kind: str, count: int) -> list[int]:
    """Bytes of the smallest of -Oz and the first ``count`` candidates."""
    found = row["base"]
    for size in tried(row, kind, count):
        if size is not None and size[0] < found[0]:
            found = size
    return list(found)


def saved(rows: Sequence[Measured], kind: str, count: int) -> dict[str, float]:
    """Shares of all loaded bytes, of executable bytes, and the mean a module, in percent."""
    base = [sum(row["base"][k] for row in rows) for k in (0, 1)]
    ends = [best(row, kind, count) for row in rows]
    total = [sum(end[k] for end in ends) for k in (0, 1)]
    mean = sum(1 - end[0] / row["base"][0] for row, end in zip(rows, ends, strict=True))
    return {
        "loaded": 100 * (1 - total[0] / base[0]),
        "text": 100 * (1 - total[1] / max(1, base[1])),
        "mean": 100 * mean / len(rows),
    }


def interval(
    rows: Sequence[Measured], what: Callable[[Sequence[Measured]], float], seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval, packages resampled."""
    groups: dict[str, list[Measured]] = defaultdict(list)
    for row in rows:
        groups[row["package"]].append(row)
    names = sorted(groups)
    rng = random.Random(seed)
    values = sorted(
        what([row for name in rng.choices(names, k=len(names)) for row in groups[name]])
        for _ in range(1000)
    )
    return values[25], values[974]


def table(title: str, rows: Sequence[Measured]) -> list[dict[str, Any]]:
    """Print and return the lines of one kind of module."""
    packages = len({row["package"] for row in rows})
    text = sum(row["base"][1] for row in rows) / sum(row["base"][0] for row in rows)
    print(f"\n{title}: {len(rows)} modules of {packages} packages; text is {100 * text:.0f} %")
    print("  k  kind       loaded %  [95 %]          text %   mean %  improved  unchanged")
    there = [row for row in rows if "-Os" in row]
    other = sum(row["-Os"] for row in there) / sum(row["-Oz"] for row in there)
    print(f"     -Os        {100 * (1 - other):7.2f}  (n = {len(there)})")
    lines: list[dict[str, Any]] = []
    for where in rows[0]["frames"]:
        ends = [row["frames"][where] or row["base"] for row in rows]
        shares = [
            100 * (1 - sum(end[k] for end in ends) / sum(row["base"][k] for row in rows))
            for k in (0, 1)
        ]
        print(f"     -Oz, frame pointers {where}: {shares[0]:6.2f}, text {shares[1]:6.2f}")
        lines.append(
            {"kind": where, "loaded": shares[0], "text": shares[1], "n": len(rows),
             "packages": packages}
        )  # fmt: skip
    if "ranked" in rows[0]:
        seconds = sorted(row["model seconds"] for row in rows)
        print(
            f"     model: {sum(seconds) / len(rows):.2f} s a module (median "
            f"{seconds[len(rows) // 2]:.2f}), asked about "
            f"{100 * sum(row['asked'] for row in rows) / len(rows):.0f} % of each in the mean, "
            f"nothing of {sum(not row['ranked'] for row in rows)}"
        )
    kinds = [*kinds_of(rows), "random"]
    for count in STEPS:
        for kind in kinds:
            if kind == "random" and count > len(rows[0]["random"]):
                continue
            got = saved(rows, kind, count)

            def loaded(some: Sequence[Measured], kind: str = kind, count: int = count) -> float:
                return saved(some, kind, count)["loaded"]

            low, high = interval(rows, loaded)
            better = sum(best(row, kind, count)[0] < row["base"][0] for row in rows)
            print(
                f" {count:>2}  {kind:<9}  {got['loaded']:7.2f}  [{low:5.2f}, {high:5.2f}]"
                f"  {got['text']:7.2f}  {got['mean']:7.2f}  {better:>8}  {len(rows) - better:>9}"
            )
            lines.append(
                {
                    "k": count,
                    "kind": kind,
                    **got,
                    "interval": [low, high],
                    "improved": better,
                    "n": len(rows),
                    "packages": packages,
                }
            )
    for count in STEPS if "forest" in kinds else ():

        def more(some: Sequence[Measured], count: int = count) -> float:
            return (
                saved(some, "forest", count)["loaded"] - saved(some, "portfolio", count)["loaded"]
            )

        def mean(some: Sequence[Measured], count: int = count) -> float:
            return saved(some, "forest", count)["mean"] - saved(some, "portfolio", count)["mean"]

        low, high = interval(rows, more)
        least, most = interval(rows, mean)
        print(
            f" {count:>2}  forest over portfolio {more(rows):6.2f}  [{low:5.2f}, {high:5.2f}]; "
            f"mean {mean(rows):5.2f} [{least:5.2f}, {most:5.2f}]"
        )
        lines.append(
            {"k": count, "kind": "forest over portfolio", "loaded": more(rows),
             "interval": [low, high], "mean": mean(rows), "mean interval": [least, most]}
        )  # fmt: skip
    return lines


def kinds_of(rows: Sequence[Measured]) -> list[str]:
    """Whose orders of the portfolio the rows hold."""
    there = {"model": "ranked", "forest": "forest"}
    return [*(kind for kind, key in there.items() if key in rows[0]), "portfolio"]


def long_search(
    evaluator: Evaluator,
    modules: Sequence[Module],
    portfolio: Sequence[Candidate],
    budget: int,
    work: Path,
    seed: int,
) -> list[Measured]:
    """The best value after so many compilations, on each module."""
    space = default_space()

    def rows(part: Sequence[Module]) -> Iterator[Measured]:
        for module in part:
            base = evaluator.baseline(module.bitcode).size
            ledger = Ledger(evaluator, module.bitcode, "size")
            found = tune(ledger, space, budget, seed, "portfolio", portfolio)
            yield {
                "package": module.package,
                "sha256": module.sha256,
                "base": base.total,
                "curve": [[point.compilations, point.value] for point in found.curve],
                "invalid": found.refused,
            }

    run = fingerprint([budget, seed, [c.key() for c in portfolio], [m.sha256 for m in modules]])
    started = time.monotonic()

    def progress(done: int, total: int) -> None:
        print(f"long: {done}/{total}, {time.monotonic() - started:.0f} s", flush=True)

    return list(run_shards(modules, rows, work, run, 1, progress))


def curve_table(title: str, rows: Sequence[Measured], budget: int) -> list[dict[str, Any]]:
    """Print and return the saving of the long search by compilations."""
    print(f"\nlong search, {title}: n = {len(rows)}, {budget} compilations each")
    lines = []
    for count in (1, 4, 16, 32, 64, 128, 256, 512, 1024, 2048):
        if count > budget and count // 2 >= budget:
            break
        at = min(count, budget)

        def share(some: Sequence[Measured], at: int = at) -> float:
            base = sum(row["base"] for row in some)
            ends = 0
            for row in some:
                values = [value for n, value in row["curve"] if n <= at]
                ends += min([row["base"], *values])
            return 100 * (1 - ends / base)

        low, high = interval(rows, share)
        print(f" {at:>5}  {share(rows):6.2f} %  [{low:.2f}, {high:.2f}]")
        lines.append({"compilations": at, "loaded": share(rows), "interval": [low, high]})
    return lines


def shares_of_long(
    rows: Sequence[Measured], searched: Sequence[Measured], kinds: Sequence[str]
) -> list[dict[str, Any]]:
    """Print and return the share of the long search's gain that each kind reaches."""
    measured = {row["sha256"]: row for row in rows}
    pairs_ = [(measured[s["sha256"]], s) for s in searched if s["sha256"] in measured]
    lines = []
    for kind in kinds:
        for count in STEPS:

            def share(
                some: Sequence[tuple[Measured, Measured]], kind: str = kind, count: int = count
            ) -> float:
                whole = sum(
                    s["base"] - min([s["base"], *(v for _, v in s["curve"])]) for _, s in some
                )
                won = sum(row["base"][0] - best(row, kind, count)[0] for row, _ in some)
                return 100 * won / max(1, whole)

            print(f"  {kind:<9} k = {count:>2}: {share(pairs_):5.1f} % of the long search's gain")
            lines.append({"kind": kind, "k": count, "share": share(pairs_), "n": len(pairs_)})
    return lines


def draw(result: dict[str, Any], path: Path) -> None:
    """Portfolio against random search, with intervals, on units and on functions."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    kinds = [title for title in ("whole units", "single functions") if title in result]
    figure, every = pyplot.subplots(1, len(kinds), figsize=(5 * len(kinds), 3.6), squeeze=False)
    for axes, title in zip(every[0], kinds, strict=True):
        marks = {"forest": "D-", "model": "^-", "portfolio": "o-", "random": "s--"}
        for kind, mark in marks.items():
            lines = [line for line in result[title] if line["kind"] == kind]
            if not lines:
                continue
            ks = [line["k"] for line in lines]
            axes.plot(ks, [line["loaded"] for line in lines], mark, label=kind)
            low, high = zip(*(line["interval"] for line in lines), strict=True)
            axes.fill_between(ks, low, high, alpha=0.15)
        (everywhere,) = [line for line in result[title] if line["kind"] == "everywhere"]
        axes.axhline(
            everywhere["loaded"], color="grey", linestyle=":", label="-fno-omit-frame-pointer"
        )
        axes.set_xscale("log", base=2)
        axes.set_xticks(STEPS, [str(k) for k in STEPS])
        n, packages = result[title][0]["n"], result[title][0]["packages"]
        axes.set_title(f"{title} (n = {n}, {packages} packages)")
        axes.set_xlabel("candidates compiled besides -Oz")
        axes.set_ylabel("loaded bytes saved over -Oz, %")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="PACKAGE=FOLDER",
        help="plain sources of a Debian package of the test split; may be repeated",
    )
    parser.add_argument("--target", default="x86-64")
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--functions", type=int, default=200)
    parser.add_argument(
        "--cut", type=Path, nargs="+", metavar="FUNCTIONS",
        help="take the functions from these files (irsmith corpus functions), "
        "in place of two of each unit",
    )  # fmt: skip
    parser.add_argument("--only", choices=("units", "functions"), help="of the two")
    parser.add_argument("--random", type=int, default=32, help="random candidates, at most")
    parser.add_argument("--model", help="a model that orders the portfolio, or its folder")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument(
        "--long", type=int, default=20, help="modules of each kind that get a long search"
    )
    parser.add_argument("--budget", type=int, default=2000, help="compilations of the long search")
    parser.add_argument(
        "--long-largest", type=int, default=20_000, help="bytes of bitcode of its modules, at most"
    )
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("runs/quality"))
    parser.add_argument("--json", type=Path, help="keep the numbers")
    parser.add_argument("--plot", type=Path, help="draw them (.svg .png)")
    parser.add_argument(
        "--beside", type=Path, metavar="FILE", help="what --json kept of the other kind, to draw"
    )
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    triple = target_triple(arguments.target)
    portfolio = load_portfolio(triple).candidates
    every = list(read_modules(arguments.corpus, arguments.split))
    every += named_sources(toolchain, arguments.source, arguments.split, triple)
    units = choose_units(every, arguments.units, arguments.seed)
    rng = random.Random(arguments.seed)
    functions: list[Module] = []
    if arguments.cut:
        rows = choose_functions(
            arguments.cut,
            arguments.split,
            triple,
            arguments.functions,
            salt="quality",
            fits=worth_measuring,
        )
        functions = [row.to_module() for row in rows]
    elif arguments.functions:
        for unit, sizes in zip(units, function_names(toolchain, units), strict=True):
            names = sorted(name for name, size in sizes.items() if size >= 20)
            for name in rng.sample(names, min(2, len(names))):
                cut = cut_function(toolchain, unit, name)
                if cut is not None and len(functions) < arguments.functions:
                    functions.append(cut)
    model = ByModel(arguments.model) if arguments.model else None
    result: dict[str, Any] = {"toolchain": toolchain.fingerprint, "target": triple}
    with Evaluator(toolchain, triple, arguments.jobs) as evaluator:
        for title, modules in (("whole units", units), ("single functions", functions)):
            if modules and not (arguments.only and title.split()[1] != arguments.only):
                work = arguments.work / title.replace(" ", "-")
                rows = measure(
                    evaluator, modules, portfolio, work, arguments.seed, arguments.random
                )
                other_level(toolchain, modules, rows)
                with_frames(evaluator, modules, rows)
                put_in_order(evaluator, modules, portfolio, rows)
                if model:
                    ask(model, toolchain, modules, portfolio, rows)
                result[title] = table(title, rows)
                if arguments.long:
                    small = [m for m in modules if len(m.bitcode) < arguments.long_largest]
                    found = long_search(
                        evaluator,
                        small[: arguments.long],
                        portfolio,
                        arguments.budget,
                        work / "long",
                        arguments.seed,
                    )
                    result[f"long search, {title}"] = curve_table(title, found, arguments.budget)
                    result[f"share, {title}"] = shares_of_long(rows, found, kinds_of(rows))
    if arguments.plot:
        other = json.loads(arguments.beside.read_text()) if arguments.beside else {}
        draw(other | result, arguments.plot)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
