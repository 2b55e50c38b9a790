"""Resident memory of an evaluator's worker over 10,000 evaluations.

    python benchmarks/bench_memory.py [--corpus DIR] [--count N]

One worker evaluates candidates as a search does: fifty on a single function, then the
next function, with a whole unit in between. After every 250 evaluations ``VmRSS`` (now)
and ``VmHWM`` (the most so far) of the child that compiles are read from ``/proc``. The
bound is ``Limits.recycle_bytes``: between two evaluations a child whose memory has
once been larger is replaced by a fresh fork. That is tried at the end with a bound that
every child exceeds.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from common import (
    TRIPLE,
    Figure,
    arguments_parser,
    candidates_of,
    functions_of,
    heading,
    origin_of,
    quartiles,
    table,
    units_of,
)

from irsmith.records import Candidate, Module
from irsmith.search.evaluate import LIMITS, Evaluator
from irsmith.toolchain.compile import Job
from irsmith.toolchain.find import Toolchain, find_toolchain

EVERY = 250
_RUN = 50
_MEGA = 1 << 20


def jobs(
    functions: Sequence[Module], units: Sequence[Module], candidates: Sequence[Candidate]
) -> Iterator[Job]:
    """Endless: runs of candidates on one function, the last of each run on a unit."""
    lists = itertools.cycle(candidates)
    for function, unit in zip(itertools.cycle(functions), itertools.cycle(units)):
        for number in range(_RUN):
            module = function if number < _RUN - 1 else unit
            yield Job(module.bitcode, TRIPLE, next(lists))


def memory(pid: int) -> dict[str, float]:
    """VmRSS and VmHWM of a process in MiB."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            found[name] = int(value.split()[0]) / 1024
    return found


def children_under(toolchain: Toolchain, job: Job, bound: int, count: int) -> int:
    """How many children serve ``count`` evaluations under a bound."""
    limits = replace(LIMITS, recycle_bytes=bound)
    with Evaluator(toolchain, TRIPLE, limits=limits) as evaluator:
        worker = evaluator._workers[0]
        pids = set()
        for _ in range(count):
            worker.call(job)
            pids.add(worker._child)
    return len(pids)


def main() -> None:
    """Measure and print."""
    parser = arguments_parser(__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="evaluations (default: 10000)")
    parser.add_argument("--functions", type=int, default=40, help="functions (default: 40)")
    parser.add_argument("--units", type=int, default=12, help="whole units (default: 12)")
    parser.add_argument("--lists", type=int, default=251, help="candidates (default: 251)")
    parser.add_argument(
        "--seconds", type=float, default=75, help="stop after so many, whatever the count"
    )
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    heading("bench_memory: resident memory of a worker", toolchain)
    units = units_of(toolchain, arguments.corpus, arguments.seed, arguments.units)
    functions = functions_of(toolchain, units, arguments.functions, arguments.seed)
    candidates = candidates_of(arguments.lists, arguments.seed)
    endless = jobs(functions, units, candidates)
    resident: list[float] = []
    peak: list[float] = []
    pids: list[int] = []
    done = failed = 0
    started = time.monotonic()
    with Evaluator(toolchain, TRIPLE) as evaluator:
        worker = evaluator._workers[0]
        while done < arguments.count and time.monotonic() - started < arguments.seconds:
            part = list(itertools.islice(endless, min(EVERY, arguments.count - done)))
            failed += sum(outcome.value is None for outcome in worker.map(part))
            done += len(part)
            now = memory(worker._child)
            resident.append(now["VmRSS"])
            peak.append(now["VmHWM"])
            pids.append(worker._child)
    seconds = time.monotonic() - started
    table(
        f"{done} evaluations in {seconds:.0f} s, read every {EVERY}: {len(functions)} functions, "
        f"{len(units)} units, {len(candidates)} candidates ({origin_of(candidates)})",
        [Figure("VmRSS", resident, "MiB"), Figure("VmHWM", peak, "MiB")],
    )
    middle = quartiles(resident)[1]
    print(
        f"  VmRSS first {resident[0]:.0f}, median {middle:.0f}, last {resident[-1]:.0f}, "
        f"max {max(resident):.0f} MiB; VmHWM max {max(peak):.0f} MiB"
    )
    bound = LIMITS.recycle_bytes / _MEGA
    met = "met" if max(peak) <= bound else "MISSED"
    print(f"  bound: a child is replaced beyond {bound:.0f} MiB (Limits.recycle_bytes): {met}")
    if done < arguments.count:
        print(f"  stopped by --seconds {arguments.seconds:g} before {arguments.count} evaluations")
    changes = sum(a != b for a, b in itertools.pairwise(pids))
    print(f"  evaluations without a size: {failed}; children replaced between reads: {changes}")
    count = 10
    made = children_under(toolchain, next(endless), 1, count)
    print(f"  with a bound of 1 byte: {count} evaluations, {made} children")


if __name__ == "__main__":
    main()
