"""Make the shipped portfolio of a target from modules of the train split.

    python recipes/portfolio.py --corpus DIR --target x86-64

Four steps, each in resumable shards under ``--work``:

1. ``--lists`` random lists (and nothing else) on units and single functions;
2. a greedy choice of the best of them, and local search around that choice;
3. the chosen lists combined with code generation options;
4. PassListEval (full suite) on the greedy choice; what it refuses is taken out and the
   choice is made again, until all pass.

The never-train list is obeyed by ``irsmith.corpus.read``. The first k candidates of the
result are the portfolio of size k.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from irsmith.check.passlisteval import PassListEval
from irsmith.check.suites import get_suite
from irsmith.corpus.directory import named_sources
from irsmith.corpus.read import read_modules
from irsmith.corpus.sample import sample
from irsmith.parallel.shards import fingerprint, run_shards
from irsmith.passlist import PassList
from irsmith.records import Candidate, Module
from irsmith.sandbox.worker import Limits
from irsmith.search.evaluate import Evaluator
from irsmith.search.portfolio import choose, choose_vetted
from irsmith.search.space import Space, default_space
from irsmith.toolchain import passes
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.codegen import one_value
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.toolchain.llvm import arch_of

DATA = Path(__file__).resolve().parent.parent / "irsmith/search/data"
MODULES_A_SHARD = 4
LIMITS = Limits(cpu_seconds=2.0, wall_seconds=120.0, memory_bytes=8 << 30)
"""A list that needs more than 2 s on a module of at most 60 kB has no place in a portfolio."""


def matrix(
    evaluator: Evaluator,
    modules: Sequence[Module],
    candidates: Sequence[Candidate],
    folder: Path,
) -> list[list[int | None]]:
    """Bytes of each module under each candidate; what was done before is read again."""

    def work(part: Sequence[Module]) -> Iterator[list[int | None]]:
        bitcodes = [module.bitcode for module in part]
        for row in evaluator.measure_all(bitcodes, candidates):
            yield [e.size.total if e.size else None for e in row]

    run = fingerprint(
        [
            evaluator.toolchain.fingerprint,
            [m.sha256 for m in modules],
            [c.key() for c in candidates],
        ]
    )
    started = time.monotonic()

    def progress(done: int, total: int) -> None:
        print(
            f"{folder.name}: {done}/{total} modules, {time.monotonic() - started:.0f} s", flush=True
        )

    return list(run_shards(modules, work, folder, run, MODULES_A_SHARD, progress))


def baselines(evaluator: Evaluator, modules: Sequence[Module]) -> list[int]:
    """Bytes of each module under clang's -Oz."""
    return [evaluator.baseline(module.bitcode).size.total for module in modules]


def neighbours(
    space: Space, rng: random.Random, parents: Sequence[Candidate], count: int
) -> list[Candidate]:
    """Distinct changes of the chosen lists, without code generation options."""
    found: dict[Candidate, None] = {}
    while len(found) < count:
        if rng.random() < 0.3:
            made = space.cross(rng, rng.choice(parents), rng.choice(parents))
        else:
            made = space.mutate(rng, rng.choice(parents))
        made = Candidate(made.passes)
        if made.passes and made not in parents:
            found.setdefault(made)
    return list(found)


def with_options(lists: Sequence[Candidate], options: Sequence[str]) -> list[Candidate]:
    """Each list alone, with each option, and with each pair of the strongest options."""
    pairs = [(a, b) for k, a in enumerate(options[:5]) for b in options[k + 1 : 5]]
    sets = [(), *((option,) for option in options), *pairs]
    return [Candidate(entry.passes, chosen) for entry in lists for chosen in sets]


def crossed(pool: Sequence[Candidate], also: Sequence[str]) -> list[Candidate]:
    """Candidates as they are, and each with further options."""
    sets = [(), *(words.split() for words in also)]
    return list(
        dict.fromkeys(
            Candidate(c.passes, one_value([*c.codegen, *more])) for c in pool for more in sets
        )
    )


def allowed(candidate: Candidate) -> bool:
    """Whether the pass table lets search use every pass of a candidate."""
    table = passes.load_passes()
    return all(
        element.name in table and (table[element.name].tier in passes.ALLOWED)
        for element, _ in PassList.parse(candidate.passes).leaves()
    )


def make(
    toolchain: Toolchain,
    triple: str,
    corpus: Path | None,
    work: Path,
    arguments: argparse.Namespace,
) -> None:
    """Run the four steps and write the portfolio."""
    found = chain(
        read_modules(corpus, "train") if corpus else (),
        named_sources(toolchain, arguments.source, "train", triple),
    )
    units, functions = sample(
        toolchain, found, arguments.units, arguments.functions, arguments.seed
    )
    modules = [*units, *functions]
    print(
        f"{len(units)} units and {len(functions)} functions of "
        f"{len({m.package for m in modules})} packages"
    )
    rng = random.Random(arguments.seed)
    space = default_space()
    with Evaluator(toolchain, triple, arguments.jobs, LIMITS) as evaluator:
        base = baselines(evaluator, modules)
        started = [
            Candidate(c.passes) for path in arguments.start for c in read(path) if allowed(c)
        ]
        drawn = [space.draw(rng) for _ in range(arguments.lists)]
        lists = list(dict.fromkeys([*started, *drawn]))
        sizes = matrix(evaluator, modules, lists, work / "1-random")
        parents = [lists[index] for index, _ in choose(sizes, base, 24)]
        report("random lists", sizes, base)

        more = neighbours(space, rng, parents, arguments.lists // 2) or lists[:1]
        added = matrix(evaluator, modules, more, work / "2-neighbours")
        lists += more
        sizes = [old + new for old, new in zip(sizes, added, strict=True)]
        report("with neighbours", sizes, base)

        best = [lists[index] for index, _ in choose(sizes, base, arguments.keep)]
        options = list(space.codegen)
        full = with_options(best, options)
        sizes = matrix(evaluator, modules, full, work / "3-options")
        report("with options", sizes, base)
        pool = crossed([c for path in arguments.pool for c in read(path)], arguments.also)
        pool = [c for c in pool if allowed(c) and c not in full]
        if pool:
            added = matrix(evaluator, modules, pool, work / "4-pool")
            full += pool
            sizes = [old + new for old, new in zip(sizes, added, strict=True)]
            report("with the pool", sizes, base)
    suite = get_suite("full", toolchain, triple)
    refused: list[str] = []
    with PassListEval(toolchain, suite, jobs=arguments.jobs, stop_after=1) as judge:

        def judged(candidate: Candidate) -> bool:
            verdict = judge.judge(candidate)
            print(verdict.state, f"{verdict.seconds:.1f} s", candidate.key()[:100], flush=True)
            if verdict.state != "passed":
                refused.append(candidate.key())
            return verdict.state == "passed"

        # The table may have learnt of a bad pass since the shards were made.
        for index, candidate in enumerate(full):
            if not allowed(candidate):
                for row in sizes:
                    row[index] = None
        report("of allowed passes", sizes, base)
        picked = choose_vetted(lambda c: judged(full[c]), sizes, base, arguments.count)
        chosen = [(full[index], gain) for index, gain in picked]
        identity = judge.identity
    print("passed PassListEval: " + ", ".join(f"{100 * gain:.2f} %" for _, gain in chosen))
    provenance = {
        "recipe": "recipes/portfolio.py",
        "seed": arguments.seed,
        "random_lists": arguments.lists,
        "candidates": len(full),
        "units": len(units),
        "functions": len(functions),
        "packages": sorted({m.package for m in modules}),
        "split": "train",
        "suite_programs": len(suite.programs),
        "refused_by_passlisteval": refused,
        "mean_saving_on_train": [round(gain, 5) for _, gain in chosen],
    }
    name = {"X86": "x86_64", "AArch64": "aarch64"}[arch_of(triple)]
    data = {
        "target": triple,
        "toolchain": toolchain.fingerprint,
        "suite": identity,
        "provenance": provenance,
        "candidates": [candidate.to_json() for candidate, _ in chosen],
    }
    path = DATA / f"portfolio-{name}.json"
    write_beside(path, (json.dumps(data, indent=1) + "\n").encode())
    print(f"wrote {path.name}: {len(chosen)} candidates")


def read(path: Path) -> list[Candidate]:
    """The candidates of a portfolio file."""
    return [Candidate.from_json(entry) for entry in json.loads(path.read_text())["candidates"]]


def report(stage: str, sizes: list[list[int | None]], base: list[int]) -> None:
    """Print the learning curve on the modules that it was chosen from."""
    curve = choose(sizes, base, 32)
    line = ", ".join(
        f"{k}: {100 * curve[k - 1][1]:.2f} %" for k in (1, 2, 4, 8, 12, 16, 32) if k <= len(curve)
    )
    print(f"{stage}, mean saving a module by portfolio size: {line}", flush=True)


def main() -> None:
    """Parse and make."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, help="folder of Parquet files")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="PACKAGE=FOLDER",
        help="plain sources of a Debian package of the train split; may be repeated",
    )
    parser.add_argument(
        "--start",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an older portfolio, or one of another target: its lists are tried too",
    )
    parser.add_argument(
        "--pool",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an older portfolio: its candidates are chosen from as they are",
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="OPTIONS",
        help="each candidate of the pool is tried with these code generation options, too "
        "(as in --also='-frame-pointer=smallest -stress-regalloc=9')",
    )
    parser.add_argument("--target", default="x86-64")
    parser.add_argument("--work", type=Path, default=None, help="default runs/portfolio-TARGET")
    parser.add_argument("--units", type=int, default=96)
    parser.add_argument("--functions", type=int, default=96)
    parser.add_argument("--lists", type=int, default=400)
    parser.add_argument("--keep", type=int, default=40, help="lists combined with options")
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    triple = target_triple(arguments.target)
    work = arguments.work or Path("runs") / f"portfolio-{arch_of(triple)}"
    make(find_toolchain(), triple, arguments.corpus, work, arguments)


if __name__ == "__main__":
    main()
