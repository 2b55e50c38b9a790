"""What options of LLVM's code generator win, on -Oz and beyond the best lists that labels hold.

    python benchmarks/codegen_options.py --labels recipes/seed-labels/tune \
        --corpus FUNCTIONS UNITS --options -stress-regalloc=9 -disable-lsr,-disable-cgp

Every option that ``llc --help-hidden`` lists may be named, also those that irsmith does not
know; those joined by a comma are tried together. ``frame-pointer=all`` and others without ``-``
are attributes of all functions; ``smallest`` decides that one for each function. Each set runs
in a process of its own, since some options end it and some cannot be taken back; one that LLVM
does not know changes nothing.

Printed, for functions and units of the train split: bytes won on -Oz if the option were always
on; if the smaller of two were kept; and what the smaller of two wins beyond the best of the
``--lists`` lists of each module that its label says are the smallest: share of all bytes (mean
module and its 95 % bootstrap interval by package).
"""

from __future__ import annotations

import argparse
import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import corpus_files
from irsmith.labels.gains import Saved, gain
from irsmith.labels.rows import read_labels
from irsmith.records import Candidate
from irsmith.tasks.example import TuneLabel
from irsmith.toolchain import codegen
from irsmith.toolchain.attributes import attributes_of
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.compile import prepare
from irsmith.toolchain.elf import loaded_size
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.frames import choose
from irsmith.toolchain.llvm import LLVM, LLVMError, load

OZ = Candidate("default<Oz>")
SMALLEST_TEXT, LARGEST_TEXT = 48, 12_000
TRIPLE = DEFAULT_TARGETS["X86"]


@dataclass(frozen=True, slots=True)
class Optimised:
    """A module after the passes of -Oz (first) and of its best lists.

    Attributes:
        package: that it is of.
        kind: ``functions`` or ``units``.
        made: bitcode, options of the list, and the size that it gives.
    """

    package: str
    kind: str
    made: tuple[tuple[bytes, tuple[str, ...], int], ...]


def wanted(labels: Sequence[Path], count: int, units: int, lists: int, seed: int) -> dict:
    """By hash of the module: package, kind and lists to run."""
    groups: dict[str, list] = {"functions": [], "units": []}
    for path in corpus_files(labels):
        for row in read_labels(path, "tune"):
            label = row.label
            assert isinstance(label, TuneLabel)
            fits = SMALLEST_TEXT <= label.baseline.text <= LARGEST_TEXT
            if row.split == "train" and row.target == TRIPLE and fits:
                order = sorted(
                    (tried.size.total, k, tried.candidate)
                    for k, tried in enumerate(label.tried)
                    if tried.size
                )
                best: dict[str, Candidate] = {}
                for _, _, candidate in order:
                    best.setdefault(candidate.passes, candidate)
                kind = "functions" if ":" in row.file else "units"
                chosen = (OZ, *list(best.values())[:lists])
                groups[kind].append((label.module, row.package, kind, chosen))
    rng = random.Random(seed)
    for group in groups.values():
        rng.shuffle(group)
    taken = groups["functions"][:count] + groups["units"][:units]
    return {module: rest for module, *rest in taken}


def optimised(llvm: LLVM, bitcode: bytes, package: str, kind: str, lists) -> Optimised:
    """Run the lists of a module."""
    made = []
    for candidate in lists:
        try:
            with llvm.context() as context:
                module = context.parse(bitcode)
                prepare(module, TRIPLE)
                module.run_passes(candidate.passes)
                code = module.bitcode()
            size = measured(llvm, code, candidate.codegen, ())
        except LLVMError:
            continue
        made.append((code, candidate.codegen, size))
    return Optimised(package, kind, tuple(made))


def measured(llvm: LLVM, code: bytes, known: tuple[str, ...], words: Sequence[str]) -> int:
    """Loaded bytes under a list's own options and those that are tried."""
    with codegen.options(llvm, [one for one in known if one != codegen.FRAMES]):
        llvm.set_options([word for word in words if word[0] == "-"])
        if codegen.FRAMES in known or "smallest" in words:
            return loaded_size(choose(llvm, code, 2)[1]).total
        with llvm.context() as context:
            module = context.parse(code)
            for word in words:
                if word[0] != "-":
                    key, _, value = word.partition("=")
                    attributes_of(llvm).put(module, f'"{key}"="{value}"')
            return loaded_size(module.emit(2)).total


def one_set(place: Path, words: Sequence[str]) -> None:
    """In a process of its own: the sizes of all modules under one set of options."""
    llvm = load(find_toolchain().library("X86").path)
    sizes = []
    for module in pickle.loads(place.read_bytes()):
        row = []
        for code, known, size in module.made:
            try:
                row.append(measured(llvm, code, known, words))
            except LLVMError:
                row.append(size)
        sizes.append(row)
    sys.stdout.buffer.write(pickle.dumps(sizes))


def told(modules: Sequence[Optimised], sizes: Sequence[Sequence[int]], kind: str) -> str:
    """One line for one kind of modules."""
    rows = [(m, s) for m, s in zip(modules, sizes, strict=True) if m.kind == kind]
    base = sum(m.made[0][2] for m, _ in rows)
    always = sum(m.made[0][2] - s[0] for m, s in rows) / base
    smaller = sum(max(0, m.made[0][2] - s[0]) for m, s in rows) / base
    saved = []
    for module, row in rows:
        best = min(size for _, _, size in module.made)
        saved.append(Saved("train", TRIPLE, module.package, best, max(0, best - min(row))))
    return f"{kind}: {always:7.2%} {smaller:6.2%} {gain(saved).text()}"


def main() -> None:
    """Parse, prepare once, try each set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--functions", type=int, default=160)
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--lists", type=int, default=3, help="best lists of each module")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--options", nargs=argparse.REMAINDER, required=True, metavar="OPTION")
    arguments = parser.parse_args()
    llvm = load(find_toolchain().library("X86").path)
    which = wanted(
        arguments.labels, arguments.functions, arguments.units, arguments.lists, arguments.seed
    )
    modules = [
        optimised(llvm, module.bitcode, *which.pop(module.sha256))
        for folder in arguments.corpus
        for module in read_modules(folder, "train")
        if module.sha256 in which
    ]
    counts = {kind: sum(m.kind == kind for m in modules) for kind in ("functions", "units")}
    print(f"{counts}; always on, smaller of two, beyond the best list", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "modules"
        place.write_bytes(pickle.dumps(modules))
        for text in arguments.options:
            command = [sys.executable, __file__, "one-set", str(place), *text.split(",")]
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode:
                print(f"{text}: {done.stderr.decode().strip()[-100:]}", flush=True)
                continue
            sizes = pickle.loads(done.stdout)
            print(text, *(told(modules, sizes, kind) for kind in counts), sep="  ", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one-set"]:
        one_set(Path(sys.argv[2]), sys.argv[3:])
    else:
        main()
