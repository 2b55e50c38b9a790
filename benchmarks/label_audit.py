"""How good are tune labels? A second, longer search on a sample of them.

    python benchmarks/label_audit.py LABELS --corpus CORPUS… [--sample 200] [--budget 400]
        [--share 3 24]

For each label of the sample a search with another seed and a larger budget, which knows the
portfolio but not the label; its best list is judged (PassListEval, quick suite) from the best
down until one passes that beats the label. Printed: the share of labels that are beaten at
all, and by more than 5 %, of what the label's list takes; before and after judging. With
``--share N…`` also what would be left if the N lists that won most on other train modules of
these labels, and are not in the portfolio, had been compiled for the sample too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from irsmith.check.passlisteval import PassListEval
from irsmith.check.suites import get_suite
from irsmith.corpus.rows import Row, corpus_files
from irsmith.labels.replay import find_modules
from irsmith.labels.rows import read_labels
from irsmith.labels.run import Pick
from irsmith.labels.tune import Labeller, SearchPlan, search_module
from irsmith.parallel.progress import meter
from irsmith.parallel.shards import fingerprint, run_shards
from irsmith.records import Candidate, IrsmithError
from irsmith.search.evaluate import Evaluator
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.example import TuneLabel
from irsmith.toolchain.find import find_toolchain

FAR = 0.05
"""A label that is beaten by more than this is a bad one."""
_JUDGED = 8


def sample(paths: Sequence[Path], count: int, seed: int) -> dict[str, TuneLabel]:
    """Labels by module hash, drawn by it."""
    pick = Pick(salt=f"audit {seed}")
    every: dict[str, TuneLabel] = {}
    for path in corpus_files(paths):
        for row in read_labels(path, "tune", tried=False):
            assert isinstance(row.label, TuneLabel)
            every[row.label.module] = row.label
    return {sha: every[sha] for sha in sorted(every, key=pick.place)[:count]}


def audit(
    labels: dict[str, TuneLabel], rows: Sequence[Row], plan: SearchPlan
) -> Iterator[dict[str, object]]:
    """One line a label: what it gave, what the longer search found, what of that passes."""
    toolchain = find_toolchain()
    judges: dict[str, PassListEval] = {}
    with Labeller(toolchain) as labeller:
        for row in rows:
            label = labels[row.sha256]
            plan = replace(plan, objective=label.objective)
            found = search_module(labeller, row, plan)
            value = label.after.value(label.objective)
            better = sorted(
                (t.size.value(label.objective), t.candidate.key(), t.candidate)
                for t in found.tried
                if t.size and t.size.value(label.objective) < value
            )
            if row.target not in judges:
                suite = get_suite("quick", toolchain, row.target)
                judges[row.target] = PassListEval(toolchain, suite, stop_after=1)
            accepted = value
            for smaller, _, candidate in better[:_JUDGED]:
                if _passes(judges[row.target], row.target, candidate):
                    accepted = smaller
                    break
            yield {
                "module": row.sha256,
                "package": row.package,
                "baseline": label.baseline.value(label.objective),
                "label": value,
                "found": better[0][0] if better else value,
                "accepted": accepted,
                "compilations": found.compilations,
            }


def share(
    paths: Sequence[Path], rows: Sequence[Row], lines: Sequence[dict[str, Any]], counts: list[int]
) -> list[dict[str, float]]:
    """The same shares with so many more lists for every module of the sample."""
    sampled = {row.sha256 for row in rows}
    saved: dict[str, dict[Candidate, float]] = defaultdict(lambda: defaultdict(float))
    for path in corpus_files(paths):
        for row in read_labels(path, "tune", tried=False):
            label = row.label
            assert isinstance(label, TuneLabel)
            won = label.best and label.best not in load_portfolio(row.target).candidates
            if won and label.best and row.split == "train" and label.module not in sampled:
                before = label.baseline.value(label.objective)
                after = label.after.value(label.objective)
                saved[row.target][label.best] += (before - after) / before
    smaller: dict[str, list[int]] = {}
    for target, some in saved.items():
        lists = sorted(some, key=lambda one: (-some[one], one.key()))[: max(counts)]
        with Evaluator(find_toolchain(), target, 1) as evaluator:
            for row in rows:
                if row.target == target:
                    measured = evaluator.measure(row.content, lists)
                    smaller[row.sha256] = [
                        e.size.value("size") if e.size else sys.maxsize for e in measured
                    ]
    made = []
    for count in counts:
        left = [
            1 - line["accepted"] / min([line["label"], *smaller.get(line["module"], [])[:count]])
            for line in lines
        ]
        made.append(
            {
                "shared": count,
                "beaten": sum(one > 0 for one in left) / len(left),
                "beaten by more than 5 %": sum(one > FAR for one in left) / len(left),
            }
        )
    return made


def _passes(judge: PassListEval, target: str, candidate: Candidate) -> bool:
    shipped = candidate in load_portfolio(target).candidates
    return shipped or judge.judge(candidate).state == "passed"


def main() -> int:
    """Audit and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path, nargs="+")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--budget", type=int, default=400)
    parser.add_argument("--share", type=int, nargs="+", default=[], metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("runs/label-audit"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    try:
        labels = sample(arguments.labels, arguments.sample, arguments.seed)
        rows = list(find_modules(arguments.corpus, set(labels)).values())
        plan = SearchPlan(budget=arguments.budget, seed=arguments.seed)
        if not rows:
            raise IrsmithError("no module of these labels is in the corpus")
        sizes = [[sha, label.after.value(label.objective)] for sha, label in labels.items()]
        run = fingerprint([sizes, arguments.budget, arguments.seed])
        told = meter("audited")
        lines = list(
            run_shards(rows, lambda part: audit(labels, part, plan), arguments.work, run, 10, told)
        )
    except IrsmithError as error:
        print(f"label_audit: {error}", file=sys.stderr)
        return 2
    result: dict[str, object] = {"n": len(lines), "budget": arguments.budget}
    for name in ("found", "accepted"):
        shares = [1 - line[name] / line["label"] for line in lines]
        result[name] = {
            "beaten": sum(share > 0 for share in shares) / len(lines),
            "beaten by more than 5 %": sum(share > FAR for share in shares) / len(lines),
            "mean share": sum(shares) / len(lines),
        }
    if arguments.share:
        result["shared"] = share(arguments.labels, rows, lines, arguments.share)
    print(json.dumps(result, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps({**result, "labels": lines}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
