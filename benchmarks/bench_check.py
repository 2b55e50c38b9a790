"""What a verdict of PassListEval costs: milliseconds a program, seconds a list.

    python benchmarks/bench_check.py [--suite quick|full]

The quick suite, and the full one if it was fetched, with the library with assertions
and one process, over ``default<Oz>``, ``default<O2>`` and three lists drawn from the
space. Verdicts are not cached. Worker and LLVM are started before the clock starts;
what that takes stands apart. Seconds are of processor time, the worker's and ours
(``/proc`` clocks of the worker's processes and ``os.times``): that is what a list
takes on one core of its own; seconds by the clock stand beside it. A list that the
suite refuses stops early and is left out.
"""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from collections.abc import Sequence

from common import TRIPLE, Figure, arguments_parser, busy, heading, table, worker_cpu

from irsmith.check.bench import NativeBench
from irsmith.check.passlisteval import PassListEval
from irsmith.check.suite import Suite
from irsmith.check.suites import get_suite, have_full
from irsmith.records import Candidate
from irsmith.search.space import default_space
from irsmith.toolchain.find import Toolchain, find_toolchain

TARGETS = {"quick": 2.0, "full": 6.0}


def processor_time(bench: NativeBench) -> float:
    """Seconds of the workers, which still run, of our own, and of children that ended."""
    own = os.times()
    ours = own.user + own.system + own.children_user + own.children_system
    return sum(map(worker_cpu, bench._workers)) + ours


def measure(
    toolchain: Toolchain, suite: Suite, candidates: Sequence[Candidate], until: float
) -> tuple[dict[str, list[float]], list[str]]:
    """Seconds a list and milliseconds a program, and what was left out and why."""
    found: dict[str, list[float]] = defaultdict(list)
    remarks: list[str] = []
    with PassListEval(toolchain, suite, jobs=1, checked=True, cached=False) as judge:
        bench = judge._bench
        assert isinstance(bench, NativeBench)
        started = time.perf_counter()
        list(bench.run(Candidate(""), [0]))
        found["start"].append(time.perf_counter() - started)
        for candidate in candidates:
            if time.monotonic() > until:
                remarks.append(f"no time left for {candidate.key()[:60]}")
                continue
            cpu, wall = processor_time(bench), time.perf_counter()
            verdict = judge.judge(candidate)
            wall, cpu = time.perf_counter() - wall, processor_time(bench) - cpu
            if verdict.state != "passed":
                first = verdict.failures[0]
                remarks.append(f"refused ({first.what} on {first.program}): {candidate.key()[:60]}")
                continue
            found["wall"].append(wall)
            found["cpu"].append(cpu)
            found["program"].append(1000 * cpu / verdict.programs)
    return found, remarks


def main() -> None:
    """Measure and print."""
    parser = arguments_parser(__doc__)
    parser.add_argument("--suite", choices=TARGETS, help="only this one (default: both)")
    parser.add_argument("--lists", type=int, default=3, help="drawn from the space (default: 3)")
    parser.add_argument("--seconds", type=float, default=80, help="start no list after so many")
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    heading("bench_check: what a verdict of PassListEval costs", toolchain)
    rng = random.Random(arguments.seed)
    space = default_space()
    candidates = [Candidate("default<Oz>"), Candidate("default<O2>")]
    candidates += [space.draw(rng) for _ in range(arguments.lists)]
    suites = [arguments.suite] if arguments.suite else list(TARGETS)
    until = 0.0
    for name in suites:
        if name == "full" and not have_full(TRIPLE):
            print(
                f"\nfull suite: not measured: `irsmith fetch-suite` gets it"
                f"  (target <= {TARGETS[name]:g} s a list)"
            )
            continue
        suite = get_suite(name, toolchain, TRIPLE)  # compiled at first use: not measured
        until = until or time.monotonic() + arguments.seconds
        found, remarks = measure(toolchain, suite, candidates, until)
        bound = None if busy() else TARGETS[name]
        table(
            f"{name} suite, {len(suite.programs)} programs, one process, library with assertions",
            [
                Figure("a program, processor time", found["program"], "ms"),
                Figure("a list, processor time", found["cpu"], "s", TARGETS[name], at_most=True),
                Figure("a list, by the clock", found["wall"], "s", bound, at_most=True),
                Figure("start of the worker, by the clock", found["start"], "s"),
            ],
        )
        for remark in remarks:
            print(f"  {remark}")


if __name__ == "__main__":
    main()
