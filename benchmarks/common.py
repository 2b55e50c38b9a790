"""What the benchmarks share: inputs, candidates, processor time, the printed table.

Inputs are the C and C++ programs of ``examples/`` and of PassListEval's quick suite,
compiled to bitcode at start, or real modules of a corpus (``--corpus DIR``).
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from irsmith.check.sources import quick_programs
from irsmith.corpus.functions import cut_function, function_names
from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import Row, corpus_files, read_rows
from irsmith.labels.run import Pick
from irsmith.parallel.local import cores
from irsmith.records import Candidate, Module
from irsmith.sandbox.worker import Worker
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.toolchain.clang import DEFAULT_TARGETS, language_of, to_bitcode
from irsmith.toolchain.find import Toolchain

ROOT = Path(__file__).resolve().parent.parent
TRIPLE = DEFAULT_TARGETS["X86"]
T = TypeVar("T")
_PR_SET_CHILD_SUBREAPER = 36
_SMALLEST_FUNCTION = 20
"""IR instructions; smaller functions are accessors, with nothing to win."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table.

    Attributes:
        name: what was measured.
        values: one a measurement.
        unit: printed behind the values, such as ``x`` or ``ms``.
        target: what the median must reach, or None if there is no target.
        at_most: whether the target is an upper bound.
    """

    name: str
    values: Sequence[float]
    unit: str = "x"
    target: float | None = None
    at_most: bool = False

    def line(self, width: int) -> str:
        """Name, n, median, quartiles, range, target and whether it is met."""
        low, middle, high = quartiles(self.values)
        text = (
            f"  {self.name:<{width}} {len(self.values):>5} {_short(middle):>8} {self.unit:<3}"
            f" {_short(low):>8} {_short(high):>8} {_short(min(self.values)):>8}"
            f" {_short(max(self.values)):>8}"
        )
        if self.target is None:
            return text
        met = middle <= self.target if self.at_most else middle >= self.target
        bound = "<=" if self.at_most else ">="
        return f"{text}  {bound} {self.target:g} {self.unit}: {'met' if met else 'MISSED'}"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def table(title: str, figures: Sequence[Figure]) -> None:
    """Print figures; those without a value say that they were not measured."""
    width = max(len(figure.name) for figure in figures)
    print(f"\n{title}")
    print(
        f"  {'':<{width}} {'n':>5} {'median':>8}     {'25 %':>8} {'75 %':>8}"
        f" {'min':>8} {'max':>8}  target"
    )
    for figure in figures:
        if figure.values:
            print(figure.line(width))
        else:
            print(f"  {figure.name:<{width}} not measured")


def heading(title: str, toolchain: Toolchain) -> None:
    """Print what is measured, with which LLVM, and how busy the machine is."""
    libraries = ", ".join(
        f"{library.origin} ({'with' if library.assertions else 'without'} assertions)"
        for library in (toolchain.release, toolchain.checked)
        if library
    )
    load = os.getloadavg()
    print(title)
    print(f"  toolchain {toolchain.fingerprint}: {libraries}")
    print(f"  {cores()} cores, load average {load[0]:.2f} {load[1]:.2f} {load[2]:.2f}")
    if busy():
        print("  the machine is busy: times are too long, ratios and processor time count")


def busy() -> bool:
    """Whether other work takes so much of the machine that times mean little."""
    return os.getloadavg()[0] > 0.6 * cores()


def arguments_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the benchmark's docstring as its help, and ``--corpus`` and ``--seed``."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=Path, help="folder of Parquet files: modules of its test split"
    )
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    return parser


def choose_functions(
    paths: Sequence[Path],
    split: str,
    target: str,
    count: int,
    salt: str,
    fits: Callable[[Row], bool] = lambda row: True,
) -> list[Row]:
    """Rows of files of single functions (``irsmith corpus functions``).

    Args:
        paths: files, or folders of them.
        split: ``validation`` or ``test``.
        target: LLVM triple.
        count: at most; the packages in turn, the functions of each by their hashes.
        salt: another one chooses others.
        fits: whether a row may be chosen.
    """
    pick = Pick(salt=salt)
    groups: dict[str, list[Row]] = defaultdict(list)
    for path in corpus_files(paths):
        if not path.name.startswith(("train", "validation", "test")) or split in path.name:
            for row in read_rows(path):
                if row.split == split and row.target == target and fits(row):
                    groups[row.package].append(row)
    for group in groups.values():
        group.sort(key=lambda row: pick.place(row.sha256), reverse=True)
    return in_turn(groups, count)


def in_turn(groups: Mapping[str, list[T]], count: int) -> list[T]:
    """The last of each group, by the groups' names, again and again; groups are emptied."""
    chosen: list[T] = []
    while len(chosen) < count and any(groups.values()):
        for _, group in sorted(groups.items()):
            if group and len(chosen) < count:
                chosen.append(group.pop())
    return chosen


def program_units(toolchain: Toolchain, every_quick: int = 8) -> list[Module]:
    """The examples and every n-th program of the quick suite as unoptimised bitcode."""
    examples = sorted(path for path in (ROOT / "examples").glob("*/*.c*") if path.is_file())
    sources: list[tuple[str, Path, str, tuple[str, ...]]] = [
        (f"{path.parent.name}/{path.name}", path, language_of(path.name) or "c", ())
        for path in examples
    ]
    quick = sorted(quick_programs(), key=lambda program: program.name)
    sources += [
        (f"quick/{program.source.name}", program.source, program.language, program.flags)
        for program in quick[::every_quick]
    ]

    def compiled(source: tuple[str, Path, str, tuple[str, ...]]) -> Module:
        name, path, language, flags = source
        bitcode = to_bitcode(toolchain, str(path), language, TRIPLE, flags)
        return Module(bitcode, TRIPLE, name)

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(compiled, sources))


def corpus_units(folder: Path, seed: int) -> list[Module]:
    """Modules of the test split, of 2 to 100 kB of bitcode, shuffled."""
    units = [m for m in read_modules(folder, "test") if 2_000 <= len(m.bitcode) <= 100_000]
    units = [m for m in units if m.target.startswith("x86_64")]
    random.Random(seed).shuffle(units)
    return units


def units_of(toolchain: Toolchain, corpus: Path | None, seed: int, count: int) -> list[Module]:
    """Translation units: of the corpus if there is one, else programs of ours."""
    if corpus is not None:
        return corpus_units(corpus, seed)[:count]
    units = program_units(toolchain)
    random.Random(seed).shuffle(units)
    return units[:count]


def functions_of(
    toolchain: Toolchain, units: Sequence[Module], count: int, seed: int
) -> list[Module]:
    """Single functions cut out of units, the units in turn."""
    rng = random.Random(seed)
    queues = []
    for unit, sizes in zip(units, function_names(toolchain, list(units)), strict=True):
        names = sorted(name for name, size in sizes.items() if size >= _SMALLEST_FUNCTION)
        rng.shuffle(names)
        queues.append((unit, names))
    functions: list[Module] = []
    while len(functions) < count and any(names for _, names in queues):
        for unit, names in queues:
            if names and len(functions) < count:
                cut = cut_function(toolchain, unit, names.pop())
                if cut is not None:
                    functions.append(cut)
    return functions


def shipped_candidates(triple: str = TRIPLE) -> tuple[Candidate, ...]:
    """The candidates of the shipped portfolio, none if no portfolio was made yet."""
    try:
        return load_portfolio(triple).candidates
    except FileNotFoundError:
        return ()


def candidates_of(count: int, seed: int) -> list[Candidate]:
    """The shipped portfolio, filled up with lists drawn from the space; all distinct."""
    found = dict.fromkeys(shipped_candidates()[:count])
    space, rng = default_space(), random.Random(seed)
    while len(found) < count:
        found.setdefault(space.draw(rng))
    return list(found)


def origin_of(candidates: Sequence[Candidate]) -> str:
    """How many candidates are shipped and how many were drawn, for a table's title."""
    shipped = set(shipped_candidates())
    known = sum(candidate in shipped for candidate in candidates)
    return f"{known} of the shipped portfolio, {len(candidates) - known} drawn"


def worker_cpu(worker: Worker[Any, Any]) -> float:
    """Processor seconds of a worker's processes so far: nursery, child, and dead children."""
    total = 0.0
    for pid in (worker._nursery, worker._child):
        if pid:
            total += time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of that process
    if worker._nursery:
        fields = Path(f"/proc/{worker._nursery}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return total


def adopt_orphans() -> None:
    """Make grandchildren that lose their parent ours, so that their time can be counted."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Wait for every child that is left; only where no child is meant to go on."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def children_cpu() -> float:
    """Processor seconds of all children that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
