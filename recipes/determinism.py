"""Do passes and portfolios give the same code in every process?

    python recipes/determinism.py --corpus DIR [--modules 60] [--processes 6]

A pass that orders by address may give other code in a process whose memory lies
elsewhere; within one process, and in its forks, it repeats. So each list is run in
several processes that were started afresh, on modules of the train split, and the IR
after it is compared. Lists are every pass that search may use, by itself, after
``function(sroa)``, and before ``default<Oz>``; and every candidate of the shipped
portfolios. Prints what differed, and on how many modules; exit status 1 if anything did.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from irsmith.corpus.read import read_modules
from irsmith.corpus.sample import sample
from irsmith.passlist import PassList
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain import passes
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain

TRIPLE = DEFAULT_TARGETS["X86"]
CHILD = """
import json, pickle, sys
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.llvm import load
library, path = sys.argv[1:]
with open(path, "rb") as file:
    bitcodes, lists = pickle.load(file)
def prepare(_):
    llvm = load(library)
    def handle(item):
        number, text = item
        with llvm.context() as context:
            module = context.parse(bitcodes[number])
            module.run_passes(text)
            return module.ir_hash()
    return handle
with Worker(prepare) as worker:
    items = [(k, text) for k in range(len(bitcodes)) for text in lists]
    print(json.dumps([outcome.value for outcome in worker.map(items)]))
"""


def lists() -> list[str]:
    """Pipelines to try."""
    found: dict[str, None] = {}
    for name, entry in sorted(passes.load_passes().items()):
        if entry.tier in passes.ALLOWED:
            alone = PassList.parse(name).text if entry.levels[0] == "module" else _nested(entry)
            for text in (alone, f"function(sroa),{alone}", f"{alone},default<Oz>"):
                found[text] = None
    for triple in DEFAULT_TARGETS.values():
        for candidate in load_portfolio(triple).candidates:
            found[candidate.passes] = None
    return list(found)


def _nested(entry: passes.Pass) -> str:
    level = entry.levels[0]
    inside = {"cgscc": "cgscc({})", "function": "function({})", "loop": "function(loop({}))",
              "loop-mssa": "function(loop-mssa({}))"}  # fmt: skip
    return inside[level].format(entry.name)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--modules", type=int, default=60)
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    half = arguments.modules // 2
    found = read_modules(arguments.corpus, "train")
    units, functions = sample(toolchain, found, half, half, arguments.seed)
    bitcodes = [module.bitcode for module in units + functions]
    tried = lists()
    results: list[list[str | None]] = []
    with tempfile.TemporaryDirectory() as folder:
        import pickle

        path = Path(folder) / "work"
        path.write_bytes(pickle.dumps((bitcodes, tried)))
        library = str(toolchain.library("X86").path)
        for number in range(arguments.processes):
            command = [sys.executable, "-c", CHILD, library, str(path)]
            done = subprocess.run(command, capture_output=True, check=True)
            results.append(json.loads(done.stdout))
            print(f"process {number + 1} of {arguments.processes}", file=sys.stderr, flush=True)
    bad: dict[str, int] = {}
    for place, text in enumerate(tried * len(bitcodes)):
        if len({result[place] for result in results} - {None}) > 1:
            bad[text] = bad.get(text, 0) + 1
    print(f"{len(tried)} lists, {len(bitcodes)} modules, {arguments.processes} processes")
    for text, count in sorted(bad.items(), key=lambda item: -item[1]):
        print(f"{count:>4} modules  {text}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
