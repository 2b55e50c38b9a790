"""The sandbox under load: random lists that include unsafe passes, over many modules.

    python benchmarks/stress.py --corpus DIR [--lists 10000] [--modules 50]

Every outcome is accounted for by kind, the parent stays alive, its memory stays flat, and
no process is left behind.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import time
from collections import Counter
from pathlib import Path

from irsmith.corpus.read import read_modules
from irsmith.corpus.sample import sample_units
from irsmith.parallel.local import scatter
from irsmith.records import Candidate
from irsmith.sandbox.worker import Limits, Worker
from irsmith.search.space import default_space
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.compile import Job, compiler
from irsmith.toolchain.find import find_toolchain

UNSAFE = (
    "attributor",
    "cgscc(attributor-cgscc)",
    "function(structurizecfg)",
    "function(newgvn)",
    "function(loop(loop-reduce))",
    "function(separate-const-offset-from-gep)",
    "function(unify-loop-exits)",
    "function(instcombine)",
    "function(no-such-pass)",
)
LIMITS = Limits(cpu_seconds=1.0, wall_seconds=60.0, memory_bytes=3 << 30)


def unsafe_list(rng: random.Random) -> Candidate:
    """A list of the search space with one to three unsafe passes put in."""
    space = default_space()
    drawn = space.draw_with_codegen(rng)
    parts = [part for part in [drawn.passes] if part]
    for _ in range(rng.choice([1, 1, 2, 3])):
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(UNSAFE))
    return Candidate(",".join(parts), drawn.codegen)


def resident() -> int:
    """Resident memory of this process in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def children() -> int:
    """Processes whose ancestor is this one."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    mine = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in mine} - mine
        if not more:
            return len(mine) - 1
        mine |= more


def main() -> None:
    """Throw lists at modules and count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--lists", type=int, default=10_000)
    parser.add_argument("--modules", type=int, default=50)
    parser.add_argument("--largest", type=int, default=20_000, help="bytes of bitcode")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--checked", action="store_true", help="the library with assertions")
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    triple = DEFAULT_TARGETS["X86"]
    modules = sample_units(
        read_modules(arguments.corpus, "train"),
        arguments.modules,
        arguments.seed,
        largest=arguments.largest,
    )
    library = toolchain.checked_library("X86") if arguments.checked else toolchain.library("X86")
    rng = random.Random(arguments.seed)
    kinds: Counter[str] = Counter()
    memory: list[int] = []
    started = time.monotonic()
    workers = [Worker(compiler(library.path), LIMITS) for _ in range(arguments.jobs)]

    def jobs():
        for number in range(arguments.lists):
            module = modules[number * len(modules) // arguments.lists]
            yield Job(module.bitcode, triple, unsafe_list(rng))

    for done, (_, outcome) in enumerate(scatter(workers, jobs()), 1):
        if not outcome.failure:
            kinds["compiled"] += 1
        elif outcome.failure == "crash":
            kinds["assertion" if "Assertion" in outcome.detail else outcome.detail[:7]] += 1
        else:
            kinds[outcome.failure] += 1
        if done % max(1, arguments.lists // 20) == 0:
            memory.append(resident())
    for worker in workers:
        worker.close()
    print(
        f"{toolchain.fingerprint} ({library.origin}), {len(modules)} modules, "
        f"{arguments.lists} lists, {time.monotonic() - started:.0f} s"
    )
    for kind, count in kinds.most_common():
        print(f"  {count:>6}  {kind}")
    total = sum(kinds.values())
    print(f"  {total:>6}  in all: every outcome accounted for: {total == arguments.lists}")
    print(
        f"parent's resident memory, KiB: first {memory[0]}, last {memory[-1]}, "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}"
    )
    print(f"processes left behind: {children()}")


if __name__ == "__main__":
    main()
