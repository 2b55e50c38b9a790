"""How well a model reads machine code back, and says what the compiler does.

    python benchmarks/reading.py MODEL --corpus FUNCTIONS [--kind disassemble emulate]
        [--by both|lift|model] [--count 200] [--samples 16] [--split test] [--json FILE]

FUNCTIONS are Parquet files of single functions (``irsmith corpus functions``). Packages of
the split are taken in turn, and their functions by hash; each is compiled at -Oz and its
assembly, as the compiler prints it, is asked back as IR; for emulation one drawn list a
function, half of them to IR and half to assembly. The first answer is the likeliest one,
token by token; where that is not exact, the others are drawn. Rules that lift code come before
the model (``--by``; disassembly alone); their modules do not count as samples. Printed: grades
over all functions whose prompt and answer fit the window, with 95 % bootstrap intervals by
package, and by length of the prompt; and, apart, how many did not fit.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from common import choose_functions

from irsmith.corpus.rows import Row
from irsmith.evaluate.answers import Read, disassemble_module, emulate_module, lift_module
from irsmith.infer.load import Model, open_named
from irsmith.infer.sample import Settings
from irsmith.labels.draw import Emulation, draw
from irsmith.labels.gains import Saved, gain
from irsmith.parallel.progress import meter
from irsmith.parallel.shards import fingerprint, run_shards
from irsmith.records import IrsmithError
from irsmith.tasks import emulate
from irsmith.tasks.example import DisassembleLabel
from irsmith.tasks.render import RenderWorker
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.find import find_toolchain

LENGTHS = (0, 128, 256, 512, 1024, 2048, 1 << 20)
"""Bounds of the classes by tokens of the prompt."""
ORDER = ("exact", "same bytes", "compiles", "failed")


def read_all(
    model: Model, kind: str, rows: Sequence[Row], samples: int, longest: int, by: str
) -> Iterator[dict[str, Any]]:
    """One line a function: the grade of the first answer, and of the best of all."""
    toolchain = find_toolchain()
    with RenderWorker(toolchain, rows[0].target) as renders:
        for row in rows:
            try:
                one, best = _read(model, renders, kind, row, samples, longest, by)
            except IrsmithError as error:
                yield {"package": row.package, "refused": str(error).splitlines()[0]}
                continue
            yield {"first": asdict(one), "best": asdict(best), "package": row.package}


def _read(
    model: Model,
    renders: RenderWorker,
    kind: str,
    row: Row,
    samples: int,
    longest: int,
    by: str,
) -> tuple[Read, Read]:
    toolchain = find_toolchain()
    greedy = Settings(temperature=0, longest=longest)
    drawn = replace(greedy, temperature=0.7, top_p=0.95, seed=1)
    lifted = None
    if kind == "disassemble":
        label = DisassembleLabel(row.sha256, "Oz", toolchain.fingerprint)
        if by != "model":
            lifted = lift_module(renders, model, row, label, toolchain.version)
            fits = lifted.tokens < model.engine.shape.context
            lifted = replace(lifted, samples=max(1, lifted.samples) if fits else 0)
            if by == "lift" or lifted.grade == "exact":
                return lifted, lifted

        def ask(how: Settings, count: int) -> Read:
            version = toolchain.version
            return disassemble_module(renders, model, row, label, version, how, count)
    else:
        (wish,) = draw("emulate", row.sha256, row.target, 1, 0)
        assert isinstance(wish, Emulation)
        by = toolchain.fingerprint
        made = emulate.label(renders, row.sha256, row.content, wish.candidate, wish.output, by)

        def ask(how: Settings, count: int) -> Read:
            return emulate_module(renders, model, row, made, how, count)

    first = ask(greedy, 1)
    if lifted:
        first = min(first, lifted, key=lambda one: ORDER.index(one.grade))
        first = replace(first, seconds=first.seconds + lifted.seconds)
    if first.grade == "exact" or samples == 1 or not first.samples:
        return first, first
    more = ask(drawn, samples - 1)
    better = min(first, more, key=lambda one: ORDER.index(one.grade))
    total = replace(
        better, samples=first.samples + more.samples, seconds=first.seconds + more.seconds
    )
    return first, total


def shares(lines: Sequence[dict[str, Any]], which: str) -> dict[str, Any]:
    """For each grade the share that is at least so good, with an interval by package."""
    found: dict[str, Any] = {"n": len(lines)}
    for place, grade in enumerate(ORDER[:3]):
        marks = [
            Saved("test", "", line["package"], 1, int(ORDER.index(line[which]["grade"]) <= place))
            for line in lines
        ]
        got = gain(marks)
        found[grade] = [got.mean, got.low, got.high]
    return found


def table(lines: Sequence[dict[str, Any]], samples: int) -> list[dict[str, Any]]:
    """Print and return the shares, of all and by length."""
    made = []
    for which, count in (("first", 1), ("best", samples)):
        if which == "best" and samples == 1:
            continue
        print(f"  {count} sample(s)        n   exact [95 %]            same bytes  compiles")
        classes = [(0, 1 << 20), *itertools.pairwise(LENGTHS)]
        for low, high in classes:
            some = [line for line in lines if low <= line["first"]["tokens"] < high]
            if not some:
                continue
            got = shares(some, which)
            name = "all" if (low, high) == classes[0] else f"{low} tokens and more"
            exact, same, compiles = (got[grade] for grade in ORDER[:3])
            print(
                f"  {name:<20} {got['n']:>4}  {exact[0]:6.1%} [{exact[1]:.1%}, {exact[2]:.1%}]"
                f"  {same[0]:10.1%}  {compiles[0]:8.1%}"
            )
            made.append({"samples": count, "tokens": low, **got})
    return made


def main() -> int:
    """Read, grade, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="name, or release folder")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--kind", nargs="+", default=["disassemble", "emulate"])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--by", choices=("both", "lift", "model"), default="both")
    parser.add_argument("--longest", type=int, default=600, help="tokens of an answer")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--target", default="x86-64")
    parser.add_argument("--work", type=Path, default=Path("runs/reading"))
    parser.add_argument("--json", type=Path, help="keep the figures")
    arguments = parser.parse_args()
    model = open_named(arguments.model, threads=1)
    rows = choose_functions(
        arguments.corpus,
        arguments.split,
        target_triple(arguments.target),
        arguments.count,
        salt="reading",
    )
    result: dict[str, Any] = {"model": arguments.model, "split": arguments.split}
    for kind in arguments.kind:
        run = fingerprint(
            [
                kind,
                arguments.by,
                arguments.samples,
                arguments.longest,
                [row.sha256 for row in rows],
            ],
            model.folder / "model.safetensors",
        )
        told = meter(kind)

        def work(part: Sequence[Row], kind: str = kind) -> Iterator[dict[str, Any]]:
            return read_all(model, kind, part, arguments.samples, arguments.longest, arguments.by)

        every = list(run_shards(rows, work, arguments.work / f"{kind}-{run}", run, 4, told))
        refused = [line for line in every if "refused" in line]
        fits = [line for line in every if "first" in line and line["first"]["samples"]]
        packages = len({line["package"] for line in fits})
        print(
            f"{kind}: {len(fits)} functions of {packages} packages; "
            f"{len(every) - len(fits) - len(refused)} do not fit the window, "
            f"{len(refused)} LLVM refuses"
        )
        seconds = sum(line["best"]["seconds"] for line in fits)
        result[kind] = table(fits, arguments.samples)
        print(f"  {seconds / max(1, len(fits)):.1f} s a function")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
