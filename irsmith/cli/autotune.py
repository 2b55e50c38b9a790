"""``irsmith autotune``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from irsmith.apps.autotune import Autotuned, autotune
from irsmith.apps.plot import plot_curve
from irsmith.apps.source import load
from irsmith.cli.common import (
    Parser,
    Progress,
    add_input_options,
    check_writable,
    parser,
    percent,
    positive,
    read_input,
    say,
    split_flags,
)
from irsmith.parallel.local import cores
from irsmith.records import IrsmithError
from irsmith.search.autotune import STRATEGIES
from irsmith.toolchain.find import find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "autotune",
        "Search for the best pass list of one module: minimised, checked.",
        "clang's own flags go after --.  Same seed, same result.",
    )
    to.add_argument("file", metavar="FILE", help=".c .cc .cpp .ll .bc, or - for stdin")
    add_input_options(to)
    to.add_argument("--budget", type=positive, default=200, help="compilations (default: 200)")
    to.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    to.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="portfolio",
        help="random, or the portfolio first and then local search (default)",
    )
    to.add_argument("--json", action="store_true", help="the result and its curve, on stdout")
    to.add_argument("--plot", metavar="FILE", help="draw the curve (.svg .png .pdf)")
    return to


def main(words: Sequence[str]) -> int:
    """Tune one file."""
    ours, flags = split_flags(words)
    options = arguments_parser().parse_args(ours)
    if options.plot:
        check_writable(options.plot)
    toolchain = find_toolchain()
    module, remarks = load(
        toolchain, read_input(options.file, options.language), options.target, flags
    )
    progress = Progress("compilations:")
    try:
        result = autotune(
            toolchain,
            module,
            objective=options.objective,
            budget=options.budget,
            seed=options.seed,
            strategy=options.strategy,
            jobs=options.jobs or cores(),
            progress=progress,
        )
    except IrsmithError as error:
        raise IrsmithError(f"{options.file}: {error}") from error
    finally:
        progress.clear()
    for remark in remarks:
        say(f"{options.file}: note: {remark}")
    if options.plot:
        plot_curve(result, options.plot)
    if options.json:
        print(json.dumps(result.to_json()))
    else:
        say(as_text(result))
        print(" ".join([f"-passes={result.candidate.passes}", *result.candidate.codegen]))
    return 0


def as_text(result: Autotuned) -> str:
    """The report for people; the list itself goes to stdout."""
    before = result.baseline.value(result.objective)
    after = result.result.value(result.objective)
    searched, minimised = result.compilations
    checks = ", ".join(
        f"{check.replace('_', ' ')} {state}" for check, state in result.verdict.to_json().items()
    )
    unit = "bytes" if result.objective == "size" else "IR instructions"
    lines = [
        f"{result.module.name}: -Oz {before} {unit}, best {after} ({percent(before, after)})",
        f"  {searched} compilations of search, {minimised} of minimisation, "
        f"{result.invalid} invalid, {result.seconds:.1f} s",
        f"  checks: {checks}",
    ]
    lines += [f"  refused by the checker: {key}: {why}" for key, why in result.refused[:5]]
    curve = "  ".join(f"{point.compilations}:{point.value}" for point in result.curve[-8:])
    lines.append(f"  curve (compilations:best): {curve}")
    return "\n".join(lines)
