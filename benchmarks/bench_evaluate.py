"""Pass lists evaluated in process against ``opt | llc``, and what equal IR saves.

    python benchmarks/bench_evaluate.py [--corpus DIR]

First table. The same pass lists on the same modules, three ways in turn: in process
(``Evaluator.measure``, one job, the release library), in process with the library with
assertions, and as processes: ``opt -passes=LIST FILE | llc -filetype=obj`` with the
section sizes read from the object. ``opt`` and ``llc`` have assertions, so the second
way is the fair comparison and the first is what a person gets. No two evaluations that
follow each other in a worker are of one module, so nothing is reused; LLVM is loaded
before the clock starts, as in any search. The figure is the ratio of times a (module,
list); the ratio of processor times stands below it, because the pipe runs on two cores
where there are two and because other work on the machine does not change it.

Second table. The candidates of one portfolio on one module with the compiler's memory
(equal IR under equal options is emitted once, and one list with several sets of options
runs its passes once) against the same with a compiler that forgets everything between
jobs. Median over modules.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from common import (
    TRIPLE,
    Figure,
    arguments_parser,
    candidates_of,
    children_cpu,
    functions_of,
    heading,
    origin_of,
    table,
    units_of,
    worker_cpu,
)

from irsmith.records import Candidate, Module
from irsmith.sandbox.worker import Worker
from irsmith.search.evaluate import LIMITS, Evaluator
from irsmith.toolchain import elf
from irsmith.toolchain.codegen import FRAMES
from irsmith.toolchain.compile import Compiled, Compiler, Job, compiler
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.toolchain.llvm import load

TARGETS = {"single functions": 10.0, "whole units": 1.3}
REUSE_TARGET = 1.3
WAYS = ("release", "checked", "processes")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock and of processor time, and the bytes that came out."""

    wall: float
    cpu: float
    total: int | None


def in_process(evaluator: Evaluator, module: Module, candidate: Candidate) -> Took:
    """One evaluation by a worker."""
    worker = evaluator._workers[0]
    cpu, wall = worker_cpu(worker) + time.process_time(), time.perf_counter()
    (evaluation,) = evaluator.measure(module.bitcode, [candidate])
    wall = time.perf_counter() - wall
    cpu = worker_cpu(worker) + time.process_time() - cpu
    return Took(wall, cpu, evaluation.size.total if evaluation.size else None)


def as_processes(toolchain: Toolchain, path: Path, candidate: Candidate) -> Took:
    """One evaluation by ``opt | llc``."""
    passes = [f"-passes={candidate.passes}"] if candidate.passes else []
    # As in process: position-independent, and the order of uses is not kept in bitcode.
    optimise = [str(toolchain.tool("opt")), "-relocation-model=pic", *passes, str(path)]
    optimise += ["-preserve-bc-uselistorder=false", "-o", "-"]
    generate = [str(toolchain.tool("llc")), "-O2", "-relocation-model=pic", "-filetype=obj"]
    generate += [*candidate.codegen, "-o", "-", "-"]
    quiet = subprocess.DEVNULL
    cpu, wall = children_cpu(), time.perf_counter()
    with (
        subprocess.Popen(optimise, stdout=subprocess.PIPE, stderr=quiet) as first,
        subprocess.Popen(
            generate, stdin=first.stdout, stdout=subprocess.PIPE, stderr=quiet
        ) as second,
    ):
        if first.stdout:
            first.stdout.close()
        made = second.communicate()[0]
    failed = first.returncode or second.returncode
    total = None if failed else elf.loaded_size(made).total
    return Took(time.perf_counter() - wall, children_cpu() - cpu, total)


def compare(
    toolchain: Toolchain, modules: Sequence[Module], candidates: Sequence[Candidate]
) -> list[dict[str, Took]]:
    """Every (module, list) in each way; pairs that fail in one of them are left out."""
    checked = replace(toolchain, release=None)
    rows: list[dict[str, Took]] = []
    with (
        Evaluator(toolchain, TRIPLE) as fast,
        Evaluator(checked, TRIPLE) as slow,
        tempfile.TemporaryDirectory() as folder,
    ):
        paths = [Path(folder) / f"{k}.bc" for k in range(len(modules))]
        for path, module in zip(paths, modules, strict=True):
            path.write_bytes(module.bitcode)
        # The last module, so that the first one measured is not the one remembered.
        in_process(fast, modules[-1], candidates[0])
        in_process(slow, modules[-1], candidates[0])
        as_processes(toolchain, paths[-1], candidates[0])
        for candidate in candidates:
            for path, module in zip(paths, modules, strict=True):
                ways: dict[str, Callable[[], Took]] = {
                    "release": lambda m=module, c=candidate: in_process(fast, m, c),
                    "checked": lambda m=module, c=candidate: in_process(slow, m, c),
                    "processes": lambda p=path, c=candidate: as_processes(toolchain, p, c),
                }
                turn = len(rows) % len(WAYS)
                row = {way: ways[way]() for way in (*WAYS[turn:], *WAYS[:turn])}
                if all(took.total is not None for took in row.values()):
                    rows.append(row)
    return rows


def comparison_figures(title: str, rows: Sequence[dict[str, Took]]) -> list[Figure]:
    """Times of each way, and ratios against processes."""
    figures = [
        Figure(f"{title}: {way}, wall", [1000 * row[way].wall for row in rows], "ms")
        for way in WAYS
    ]
    for way in WAYS[:2]:
        wall = [row["processes"].wall / row[way].wall for row in rows]
        cpu = [row["processes"].cpu / max(row[way].cpu, 1e-6) for row in rows]
        figures.append(Figure(f"{title}: {way}, ratio", wall, "x", TARGETS[title]))
        figures.append(Figure(f"{title}: {way}, ratio of processor time", cpu))
    return figures


class Forgetful(Compiler):
    """A compiler that compiles every job from the start."""

    def __call__(self, job: Job) -> Compiled:
        """Compile one job with an empty memory."""
        self._made.clear()
        self._kept = 0
        self._sizes.clear()
        self._objects.clear()
        return super().__call__(job)


def portfolio_times(
    toolchain: Toolchain, modules: Sequence[Module], candidates: Sequence[Candidate]
) -> dict[str, list[float]]:
    """Ratios of wall and processor time a module, and the share of distinct code."""
    library = toolchain.library("X86").path
    found: dict[str, list[float]] = defaultdict(list)
    with (
        Worker(compiler(library), LIMITS) as remembering,
        Worker(lambda _: Forgetful(load(library)), LIMITS) as forgetting,
    ):
        workers: tuple[Worker[Job, Compiled], ...] = (remembering, forgetting)
        for worker in workers:
            worker.call(Job(modules[-1].bitcode, TRIPLE, candidates[0]))
        for k, module in enumerate(modules):
            jobs = [Job(module.bitcode, TRIPLE, candidate) for candidate in candidates]
            took: dict[int, tuple[float, float]] = {}
            for which in (0, 1) if k % 2 else (1, 0):
                worker = workers[which]
                cpu, wall = worker_cpu(worker), time.perf_counter()
                outcomes = list(worker.map(jobs))
                took[which] = time.perf_counter() - wall, worker_cpu(worker) - cpu
            distinct = {
                (outcome.value.ir_hash, job.candidate.codegen)
                for job, outcome in zip(jobs, outcomes, strict=True)
                if outcome.value
            }
            found["distinct"].append(100 * len(distinct) / len(jobs))
            found["milliseconds"].append(1000 * took[0][0] / len(jobs))
            found["wall"].append(took[1][0] / took[0][0])
            found["cpu"].append(took[1][1] / took[0][1])
    return found


def _for_llc(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates without what llc cannot do: to decide frame pointers function by function."""
    return list(
        dict.fromkeys(
            Candidate(each.passes, tuple(o for o in each.codegen if o != FRAMES))
            for each in candidates
        )
    )


def reuse_figures(title: str, found: dict[str, list[float]]) -> list[Figure]:
    """The lines of the second table for one kind of module."""
    return [
        Figure(f"{title}: distinct code", found["distinct"], "%"),
        Figure(f"{title}: a candidate", found["milliseconds"], "ms"),
        Figure(f"{title}: ratio", found["wall"], "x", REUSE_TARGET),
        Figure(f"{title}: ratio of processor time", found["cpu"]),
    ]


def main() -> None:
    """Measure and print."""
    parser = arguments_parser(__doc__)
    parser.add_argument("--units", type=int, default=12, help="whole units (default: 12)")
    parser.add_argument("--functions", type=int, default=16, help="functions (default: 16)")
    parser.add_argument("--lists", type=int, default=4, help="pass lists (default: 4)")
    parser.add_argument(
        "--portfolio", type=int, default=50, help="candidates of the second table (default: 50)"
    )
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    heading("bench_evaluate: pass lists in process, and the reuse of equal IR", toolchain)
    units = units_of(toolchain, arguments.corpus, arguments.seed, arguments.units)
    functions = functions_of(toolchain, units, arguments.functions, arguments.seed)
    kinds = {"single functions": functions, "whole units": units}

    # -Oz first: what everyone knows. The others as a search would compile them.
    lists = [Candidate("default<Oz>"), *_for_llc(candidates_of(arguments.lists, arguments.seed))]
    lists = lists[: arguments.lists]
    figures = []
    every: list[dict[str, Took]] = []
    for title, modules in kinds.items():
        rows = compare(toolchain, modules, lists)
        figures += comparison_figures(title, rows)
        every += rows
    table(
        f"in process against opt | llc: {len(functions)} functions, {len(units)} units, "
        f"{len(lists)} lists (default<Oz>, {origin_of(lists[1:])})",
        figures,
    )
    equal = sum(len({took.total for took in row.values()}) == 1 for row in every)
    print(f"  equal sizes in all three ways: {equal} of {len(every)}")

    portfolio = candidates_of(arguments.portfolio, arguments.seed)
    small = sorted(units, key=lambda unit: len(unit.bitcode))[: max(1, len(units) // 3)]
    figures = []
    for title, modules in {"single functions": functions, "whole units": small}.items():
        figures += reuse_figures(title, portfolio_times(toolchain, modules, portfolio))
    table(
        f"reuse of equal IR: {len(portfolio)} candidates ({origin_of(portfolio)}) "
        f"on {len(functions)} functions and the {len(small)} smallest units",
        figures,
    )


if __name__ == "__main__":
    main()
