"""Vet passes by PassListEval: `python recipes/vet_passes.py --lists 400`.

Random lists over the passes that wait for vetting, mixed with those that are allowed,
are judged by the full suite. Every verdict goes into a journal (a kill loses one
list), and the counts into ``irsmith/toolchain/data/vetting.json``, from which
``recipes/pass_table.py`` computes the tiers (see :func:`blame` for who is guilty).
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from irsmith.check.passlisteval import ListVerdict, PassListEval
from irsmith.check.suites import get_suite
from irsmith.passlist import PassList
from irsmith.records import Candidate
from irsmith.search.space import LEVELS, flag_params, nested
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.codegen import OPTIONS
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.passes import load_passes

OUTPUT = Path(__file__).resolve().parent.parent / "irsmith/toolchain/data/vetting.json"


def variants(tiers: tuple[str, ...]) -> list[list[str]]:
    """All passes of some tiers, each with its switches, nested to module level."""
    found = []
    for known in load_passes().values():
        if known.tier not in tiers or not known.levels or known.levels[0] == "machine":
            continue
        if known.inert or known.params_required:
            continue
        found.append([nested(known), *(nested(known, params) for params in flag_params(known))])
    return found


def draw(
    rng: random.Random, waiting: list[list[str]], allowed: list[list[str]], options: list[str]
) -> Candidate:
    """Every pass that waits once, among ten that are allowed, in random order.

    So 200 lists are enough to see each pass in 200 random surroundings. Half of the
    lists have a level, too.
    """
    groups = [*waiting, *rng.choices(allowed, k=10)]
    rng.shuffle(groups)
    parts = [rng.choice(group) if rng.random() < 0.3 else group[0] for group in groups]
    if rng.random() < 0.5:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(LEVELS))
    codegen = rng.sample(options, rng.choice([0, 1, 2]))
    return Candidate(",".join(parts), tuple(codegen))


def names(text: str) -> set[str]:
    """Names of the passes in a list."""
    return {element.name for element, _ in PassList.parse(text).leaves()}


def blame(
    verdicts: list[ListVerdict], passed: Counter[str], trusted: set[str]
) -> dict[str, list[list[str]]]:
    """Who is to blame for the smallest lists that still fail.

    Again and again the pass that occurs in most of those that are not explained yet; of
    equals, one that is not in LLVM's own pipelines, then the one that occurs in the
    fewest accepted lists.
    """
    culprits: dict[str, list[list[str]]] = {}
    left = [v for v in verdicts if v.state == "failed" and v.smallest]
    while left:
        found: Counter[str] = Counter()
        for verdict in left:
            found.update(named(verdict.smallest))
        guilty = min(found, key=lambda n: (-found[n], n in trusted, passed[n], n))
        for verdict in left:
            if guilty in named(verdict.smallest):
                first = verdict.failures[0]
                culprits.setdefault(guilty, []).append(
                    [verdict.smallest, first.program, first.what]
                )
        left = [v for v in left if guilty not in named(v.smallest)]
    return culprits


def named(key: str) -> set[str]:
    """Passes and options of a candidate's key."""
    passes, *codegen = key.split(" ")
    return names(passes) | set(codegen)


def summary(verdicts: list[ListVerdict], toolchain: str, suite: str) -> dict[str, Any]:
    """Counts per pass, with the smallest lists that it is to blame for."""
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for verdict in verdicts:
        for name in names(verdict.candidate.passes) | set(verdict.candidate.codegen):
            (passed if verdict.state == "passed" else failed)[name] += 1
    trusted = {known.name for known in load_passes().values() if known.tier == "default"}
    culprits = blame(verdicts, passed, trusted)
    return {
        "toolchain": toolchain,
        "suite": suite,
        "lists": len(verdicts),
        "passes": {
            name: {
                "passed": passed[name],
                "failed": failed[name],
                "culprit_in": culprits.get(name, []),
            }
            for name in sorted({*passed, *failed})
        },
    }


def main() -> None:
    """Judge lists until the number is reached, then write the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tiers", default="untested", help="tiers to vet, comma-separated")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--journal", type=Path, default=Path("runs/vetting.jsonl"))
    parser.add_argument("--only-write", action="store_true", help="write what the journal has")
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    suite = get_suite("full", toolchain, target_triple("x86-64"))
    journal = arguments.journal
    journal.parent.mkdir(parents=True, exist_ok=True)
    verdicts = []
    if journal.exists():
        verdicts = [ListVerdict.from_json(json.loads(line)) for line in journal.open()]
    if not arguments.only_write:
        waiting = variants(tuple(arguments.tiers.split(",")))
        allowed = variants(("default", "vetted"))
        options = [option.text for option in OPTIONS]
        rng = random.Random(arguments.seed)
        plan = [draw(rng, waiting, allowed, options) for _ in range(arguments.lists)]
        done = {verdict.candidate for verdict in verdicts}
        with PassListEval(toolchain, suite, jobs=arguments.jobs, cached=False) as judge:
            for number, candidate in enumerate(plan, 1):
                if candidate in done:
                    continue
                verdict = judge.judge(candidate, reduce=True)
                verdicts.append(verdict)
                with journal.open("a") as file:
                    file.write(json.dumps(verdict.to_json()) + "\n")
                print(
                    number, verdict.state, f"{verdict.seconds:.1f} s", verdict.smallest, flush=True
                )
    identity = verdicts[0].suite if verdicts else suite.name
    data = summary(verdicts, toolchain.fingerprint, identity)
    write_beside(OUTPUT, (json.dumps(data, indent=1) + "\n").encode())
    print(f"{len(verdicts)} lists, {sum(v.state == 'failed' for v in verdicts)} failed")


if __name__ == "__main__":
    main()
