"""How many planted faults differential execution catches, and which it misses.

    python benchmarks/check_mutants.py examples/corpus [--mutants 1000] [--json FILE]

Each module is optimised (the testing copy, ``default<Oz>``), one instruction of the result
is changed (``irsmith/check/differential/mutate.py``), and the changed module is compared
with the unoptimised reference. Counted are faults in functions whose verdict on the
unchanged module is passed, and that truly differ: the check saw it, or else a search with
ten times the effort and another seed did. What neither saw may be no fault at all (dead
code, the same result) or out of both searches' reach; it is counted apart.

PassListEval judges the pass list, which is the same for every mutant and accepted, so it
cannot see any of them: that is its blindness to a fault that only this module meets.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from irsmith.check.differential.data import CheckJob, Compared, Prepared, PrepareJob
from irsmith.check.differential.library import compile_runtime
from irsmith.check.differential.module import LIMITS
from irsmith.check.differential.mutate import Mutant, mutants
from irsmith.check.differential.session import session
from irsmith.corpus.read import read_modules
from irsmith.records import Module
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.toolchain.llvm import load

PASSES = "default<Oz>"
STRONG, OTHER_SEED = 10.0, 7919
SMALLEST, LARGEST = 3_000, 80_000
A_MODULE = 25


@dataclass(frozen=True)
class Judged:
    """A mutant and what became of it: caught, missed, unseen, or not a module."""

    mutant: Mutant
    state: str


class Bench:
    """The workers that the benchmark needs."""

    def __init__(self, toolchain: Toolchain) -> None:
        library = toolchain.library("X86").path

        def prepare(_: Callable[[int], None]) -> Callable[[tuple[bytes, str]], tuple[str, str]]:
            llvm = load(library)

            def transform(item: tuple[bytes, str]) -> tuple[str, str]:
                """Text after passes, and what the verifier says."""
                with llvm.context() as context:
                    module = context.parse(item[0])
                    module.run_passes(item[1])
                    return module.text(), module.verify()

            return transform

        self.transformer = Worker(prepare, LIMITS)
        self.checker = Worker(session(library, compile_runtime(toolchain)), LIMITS)

    def prepare(self, module: Module, effort: float, seed: int) -> Prepared | None:
        """The reference, or None if it cannot be run."""
        outcome = self.checker.call(PrepareJob(module.bitcode, module.target, effort, seed))
        return outcome.value if isinstance(outcome.value, Prepared) else None

    def differs(self, prepared: Prepared, text: str) -> bool:
        """Whether any function of the module does anything else."""
        job = CheckJob(prepared, module=text.encode(), testing=True)
        outcome = self.checker.call(job)
        if isinstance(outcome.value, Compared):
            return bool(outcome.value.differences)
        return outcome.failure in ("crash", "time-out")

    def judge(self, module: Module, rng: random.Random, count: int) -> Iterator[Judged]:
        """Mutants of one module."""
        prepared = self.prepare(module, 1.0, 0)
        if prepared is None:
            return
        done = self.transformer.call((prepared.testing or prepared.bitcode, PASSES))
        if done.value is None or self.differs(prepared, done.value[0]):
            return
        convincing = {each.name for each in prepared.functions if each.convincing}
        strong: Prepared | None = None
        tried = 0
        for mutant in mutants(done.value[0], 3 * count, rng):
            if mutant.function not in convincing or tried == count:
                continue
            verified = self.transformer.call((mutant.text.encode(), ""))
            if verified.value is None or verified.value[1]:
                continue
            tried += 1
            if self.differs(prepared, mutant.text):
                yield Judged(mutant, "caught")
                continue
            strong = strong or self.prepare(module, STRONG, OTHER_SEED)
            seen = strong is not None and self.differs(strong, mutant.text)
            yield Judged(mutant, "missed" if seen else "unseen")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--mutants", type=int, default=1000, help="that truly differ")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--json", type=Path, help="every mutant that was not caught")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    modules = [
        module
        for module in read_modules(arguments.corpus, arguments.split)
        if SMALLEST <= len(module.bitcode) <= LARGEST and module.target.startswith("x86_64")
    ]
    rng.shuffle(modules)
    bench = Bench(find_toolchain())
    states: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    notes = []
    started, used = time.monotonic(), 0
    for module in modules:
        true = states["caught"] + states["missed"]
        if true >= arguments.mutants or time.monotonic() - started > arguments.seconds:
            break
        used += 1
        for judged in bench.judge(module, rng, A_MODULE):
            states[judged.state] += 1
            kinds.setdefault(judged.mutant.kind, Counter())[judged.state] += 1
            if judged.state != "caught":
                m = judged.mutant
                notes.append([judged.state, module.name, m.function, m.kind, m.line, m.changed])
    true = states["caught"] + states["missed"]
    print(f"{used} modules, {sum(states.values())} mutants, {true} of them truly different")
    for kind, each in sorted(kinds.items()):
        counts = "  ".join(f"{state} {each[state]:>4}" for state in ("caught", "missed", "unseen"))
        print(f"  {kind:<20} {counts}")
    share = states["caught"] / true if true else 0.0
    print(f"caught {states['caught']} of {true}: {share:.1%}; unseen by both {states['unseen']}")
    print("PassListEval on the same: 0 caught (the list is accepted, the module not looked at)")
    for note in notes:
        if note[0] == "missed":
            print("missed:", *note[1:], sep="  ")
    if arguments.json:
        arguments.json.write_text(json.dumps(notes, indent=1))
    bench.checker.close()
    bench.transformer.close()


if __name__ == "__main__":
    main()
