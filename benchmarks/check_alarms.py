"""What differential execution says of pass lists over the modules of a corpus.

    python benchmarks/check_alarms.py examples/corpus                # the default levels
    python benchmarks/check_alarms.py examples/corpus --lists 'structurizecfg' 'attributor'
    python benchmarks/check_alarms.py CORPUS --packages zlib lua5.4      # what a candidate costs

With the default levels every difference is a false alarm or a bug of LLVM's, to be looked
into. With lists that PassListEval refuses it counts the modules that they really break.
As in ``irsmith optimize`` the check gets the module that was compiled to measure it; with
``--alone`` it runs the passes itself, as ``irsmith check-modules --passes`` does.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path

from irsmith.check.differential.module import ModuleCheck
from irsmith.corpus.read import read_modules
from irsmith.records import Candidate
from irsmith.search.evaluate import Evaluator
from irsmith.toolchain.find import find_toolchain

LEVELS = [f"default<{level}>" for level in ("O1", "O2", "O3", "Os", "Oz")]
LARGEST = 150_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--modules", type=int, default=300)
    parser.add_argument("--lists", nargs="+", default=LEVELS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--packages", nargs="+", help="only these source packages")
    parser.add_argument("--alone", action="store_true", help="run the passes in the check")
    parser.add_argument("--json", type=Path, help="every failed function")
    arguments = parser.parse_args()
    modules = [
        module
        for module in read_modules(arguments.corpus, arguments.split)
        if len(module.bitcode) <= LARGEST and module.target.startswith("x86_64")
        if not arguments.packages or module.package in arguments.packages
    ]
    random.Random(arguments.seed).shuffle(modules)
    toolchain = find_toolchain()
    started, used = time.monotonic(), 0
    functions: Counter[str] = Counter()
    states = {each: Counter[str]() for each in arguments.lists}
    prepare_seconds, candidate_seconds, notes = [], [], []
    for module in modules[: arguments.modules]:
        if time.monotonic() - started > arguments.seconds:
            break
        used += 1
        candidates = [Candidate(passes) for passes in arguments.lists]
        optimised = [b""] * len(candidates)
        if not arguments.alone:
            with Evaluator(toolchain, module.target) as evaluator:
                found = evaluator.measure(module.bitcode, candidates, "object")
                optimised = [each.optimised for each in found]
        with ModuleCheck(toolchain, module.bitcode, module.target) as check:
            if check.prepared is None:
                print(f"{module.name}: {check.problem[:200]}", flush=True)
                functions["modules not run"] += 1
                continue
            prepare_seconds.append(check.seconds)
            for number, passes in enumerate(arguments.lists):
                verdict = check.judge(candidates[number], optimised=optimised[number])
                states[passes][verdict.state] += 1
                candidate_seconds.append(verdict.seconds)
                if number == 0:
                    functions.update(each.verdict for each in verdict.functions)
                for each in verdict.functions:
                    if each.verdict == "failed":
                        note = [module.name, module.sha256, passes, each.name, each.reason]
                        notes.append(note)
                        print("failed:", *note, sep="  ", flush=True)
                if verdict.reason:
                    notes.append([module.name, module.sha256, passes, "", verdict.reason])
    print(f"{used} modules; functions under the first list: {dict(functions)}")
    for passes, counts in states.items():
        print(f"  {passes:<40} {dict(counts)}")
    if prepare_seconds:
        mean = sum(prepare_seconds) / len(prepare_seconds)
        each_mean = sum(candidate_seconds) / max(len(candidate_seconds), 1)
        print(f"processor time: preparation {mean:.2f} s a module, candidate {each_mean:.3f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(notes, indent=1))


if __name__ == "__main__":
    main()
