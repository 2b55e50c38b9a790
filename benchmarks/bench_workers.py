"""Two worker processes against one, on a portfolio over modules.

    python benchmarks/bench_workers.py [--corpus DIR] [--force]

``Evaluator.measure_all`` with two jobs and with one, in turn, over the same modules
and candidates; LLVM is loaded before the clock starts. The figure is the ratio of
times by the clock, which needs two cores that do nothing else: on a busy machine it is
not measured (``--force`` measures all the same). The ratio of processor time says what
two workers do that one would not: candidates that would have found their IR or their
code in the memory of the other worker.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from common import (
    TRIPLE,
    Figure,
    arguments_parser,
    busy,
    candidates_of,
    heading,
    origin_of,
    table,
    units_of,
    worker_cpu,
)

from irsmith.parallel.local import cores
from irsmith.records import Candidate
from irsmith.search.evaluate import Evaluator
from irsmith.toolchain.find import find_toolchain

TARGET = 1.8


def measure(
    evaluator: Evaluator, bitcodes: Sequence[bytes], candidates: Sequence[Candidate]
) -> tuple[float, float, list[int]]:
    """Seconds by the clock and of processor time of all compilations, and all sizes."""
    workers = evaluator._workers
    cpu, wall = sum(map(worker_cpu, workers)), time.perf_counter()
    rows = list(evaluator.measure_all(bitcodes, candidates))
    wall = time.perf_counter() - wall
    sizes = [e.size.total if e.size else -1 for row in rows for e in row]
    return wall, sum(map(worker_cpu, workers)) - cpu, sizes


def main() -> None:
    """Measure and print."""
    parser = arguments_parser(__doc__)
    parser.add_argument("--units", type=int, default=10, help="modules (default: 10)")
    parser.add_argument("--candidates", type=int, default=16, help="of each (default: 16)")
    parser.add_argument("--rounds", type=int, default=4, help="of each kind (default: 4)")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    heading("bench_workers: two workers against one", toolchain)
    reason = ""
    if cores() < 2:
        reason = "one core"
    elif busy() and not arguments.force:
        reason = "machine busy"
    if reason:
        print(f"\n  two workers against one: not measured: {reason}  (target >= {TARGET:g} x)")
        print("  it needs two idle cores; --force measures all the same")
        return
    units = units_of(toolchain, arguments.corpus, arguments.seed, arguments.units)
    bitcodes = [unit.bitcode for unit in units]
    candidates = candidates_of(arguments.candidates, arguments.seed)
    walls: list[float] = []
    cpus: list[float] = []
    seconds: list[float] = []
    with Evaluator(toolchain, TRIPLE, 1) as single, Evaluator(toolchain, TRIPLE, 2) as double:
        for evaluator in (single, double):  # loads LLVM in every worker
            list(evaluator.measure_all(bitcodes[:1], candidates[:4]))
        for number in range(arguments.rounds):
            first = measure(single, bitcodes, candidates) if number % 2 == 0 else None
            two = measure(double, bitcodes, candidates)
            one = first or measure(single, bitcodes, candidates)
            if one[2] != two[2]:
                raise SystemExit("two workers gave other sizes than one")
            walls.append(one[0] / two[0])
            cpus.append(two[1] / one[1])
            seconds.append(one[0])
    table(
        f"{len(units)} units, {len(candidates)} candidates ({origin_of(candidates)})",
        [
            Figure("one worker", seconds, "s"),
            Figure("two workers against one", walls, "x", TARGET),
            Figure("processor time of two against one", cpus),
        ],
    )


if __name__ == "__main__":
    main()
