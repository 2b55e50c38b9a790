"""``irsmith optimize``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsmith.apps.ask import DEFAULT, PROMPTS, proposer
from irsmith.apps.optimize import EFFORTS, Optimized, Request, optimize
from irsmith.apps.own_tests import keep_regression, known_bad, settle
from irsmith.apps.propose import FOREST, NONE
from irsmith.apps.source import load
from irsmith.check.accept import CHECKS
from irsmith.cli.common import (
    Parser,
    Progress,
    add_input_options,
    check_writable,
    parser,
    percent,
    read_input,
    say,
    split_flags,
    write_output,
)
from irsmith.parallel.local import cores
from irsmith.records import IrsmithError, Size
from irsmith.toolchain.find import Toolchain, find_toolchain

if TYPE_CHECKING:
    from irsmith.apps.explain import Explanation

_SUFFIX = {"object": ".o", "assembly": ".s", "ir": ".ll", "bitcode": ".bc"}


def arguments_parser() -> Parser:
    """The command's options."""
    efforts = ", ".join(f"{name} {count}" for name, count in EFFORTS.items())
    to = parser(
        "optimize",
        "Smaller code from C, C++ or IR, checked, never larger than -Oz.",
        "clang's own flags go after --:  irsmith optimize f.c -o f.o -- -Iinclude -DX=1",
    )
    to.add_argument("files", nargs="+", metavar="FILE", help=".c .cc .cpp .ll .bc, or - for stdin")
    to.add_argument("-o", dest="output", help="where to write (- is stdout)")
    add_input_options(to)
    to.add_argument(
        "--effort",
        choices=EFFORTS,
        default="balanced",
        help=f"candidates compiled besides -Oz: {efforts} (default: balanced)",
    )
    to.add_argument("-S", dest="assembly", action="store_true", help="write assembly")
    to.add_argument(
        "--emit-llvm", action="store_true", help="write the optimised IR: bitcode, text with -S"
    )
    to.add_argument(
        "--emit-passes", action="store_true", help="print the pass list and its options on stdout"
    )
    to.add_argument("--json", action="store_true", help="one JSON object an input, on stdout")
    to.add_argument(
        "--explain", action="store_true", help="bytes won a function, instructions after each pass"
    )
    to.add_argument(
        "--check",
        choices=CHECKS,
        default="module",
        help="list: PassListEval on the pass list; module: that, and every function called with "
        "the same inputs before and after (default); none",
    )
    to.add_argument(
        "--test",
        metavar="COMMAND",
        help="your own tests, run by the shell when all outputs are written: units that make "
        "them fail are found by bisection and fall back to -Oz",
    )
    to.add_argument("--seed", type=int, default=0, help="of the local search (effort max)")
    asked = ", ".join(f"{name} {count}" for name, count in PROMPTS.items())
    to.add_argument(
        "--model",
        metavar="NAME",
        help=f"who says what is compiled first: {FOREST} (default: what did well on modules like "
        f"this one), {NONE} (the portfolio in its own order), {DEFAULT} (the language model "
        f"that ships), a release folder, or the URL of a server; of a unit that does not fit "
        f"its window a language model is asked about the largest functions: {asked}",
    )
    return to


def main(words: Sequence[str]) -> int:
    """Optimise each file."""
    ours, flags = split_flags(words)
    options = arguments_parser().parse_args(ours)
    if options.output and len(options.files) > 1:
        raise IrsmithError("-o takes one input; without it each FILE gives FILE.o")
    kind = _kind(options.assembly, options.emit_llvm)
    outputs = [options.output or _default_output(name, kind) for name in options.files]
    if "-" in outputs and (options.json or options.emit_passes):
        raise IrsmithError("stdout cannot hold both the code and the report: name a file with -o")
    if options.test and "-" in outputs:
        raise IrsmithError("tests need the code in a file: name one with -o")
    for name in outputs:
        check_writable(name)
    toolchain = find_toolchain()
    request = Request(options.objective, options.effort, kind, flags, options.seed, options.check)
    jobs = options.jobs or cores()
    progress = Progress("candidates compiled:")
    proposes = proposer(options.model)
    every: list[tuple[str, Optimized]] = []
    for name, output in zip(options.files, outputs, strict=True):
        module, remarks = load(toolchain, read_input(name, options.language), options.target, flags)
        wanted = replace(request, never=known_bad(module))
        try:
            result = optimize(toolchain, module, wanted, jobs, progress, proposes)
        except IrsmithError as error:
            raise IrsmithError(f"{name}: {error}") from error
        finally:
            progress.clear()
        write_output(output, result.output)
        for remark in (*remarks, *result.remarks):
            say(f"{name}: note: {remark}")
        every.append((output, result))
        if not options.test:
            _report(toolchain, result, output, options)
    if options.test:
        for (output, _), result in zip(every, _tested(every, options.test), strict=True):
            _report(toolchain, result, output, options)
    return 0


def _tested(every: Sequence[tuple[str, Optimized]], command: str) -> Sequence[Optimized]:
    """What is left after the person's own tests, with what they said on stderr."""
    made = [result for _, result in every]
    settled = settle(
        made, lambda place, data: write_output(every[place][0], data), lambda: _passes(command)
    )
    for place in settled.blamed:
        case = keep_regression(made[place], command)
        say(f"{made[place].module.name}: the tests fail with {made[place].candidate.passes!r}: "
            f"-Oz it is; kept as {case}")  # fmt: skip
    if settled.state == "unknown":
        say("note: the tests fail with clang's own -Oz too: they say nothing of what was made")
    else:
        say(f"tests passed: {command} ({settled.runs} runs)")
    return settled.results


def _passes(command: str) -> bool:
    """Run the tests; what they print goes to stderr."""
    return subprocess.run(command, shell=True, stdout=2, check=False).returncode == 0


def _report(
    toolchain: Toolchain, result: Optimized, output: str, options: argparse.Namespace
) -> None:
    """Print what came out of an input."""
    explanation = None
    if options.explain:
        from irsmith.apps.explain import explain  # for those who ask

        explanation = explain(toolchain, result.module, result)
    if options.json:
        data = as_json(result)
        if explanation:
            data["explain"] = explanation.to_json()
        print(json.dumps(data), flush=True)
    else:
        say(as_text(result, output))
        if explanation:
            say(explained(explanation))
    if options.emit_passes:
        print(" ".join([f"-passes={result.candidate.passes}", *result.candidate.codegen]))


def _kind(assembly: bool, emit_llvm: bool) -> str:
    if emit_llvm:
        return "ir" if assembly else "bitcode"
    return "assembly" if assembly else "object"


def _default_output(name: str, kind: str) -> str:
    if name == "-":
        if kind in ("assembly", "ir") or not sys.stdout.isatty():
            return "-"
        raise IrsmithError("code from stdin would go to the terminal: name a file with -o")
    output = Path(name).with_suffix(_SUFFIX[kind]).name
    if Path(output).absolute() == Path(name).absolute():
        raise IrsmithError(f"{name}: the output would replace the input: name another with -o")
    return output


def as_json(result: Optimized) -> dict[str, Any]:
    """The object of ``--json``."""
    return {
        "input": result.module.name,
        "target": result.module.target,
        "objective": result.objective,
        "baseline": result.baseline.to_json(),
        "result": result.result.to_json(),
        "pass_list": result.candidate.passes,
        "codegen": list(result.candidate.codegen),
        "source": result.source,
        "verdict": result.verdict.to_json(),
        "candidates": result.candidates,
        "compilations": result.compilations,
        "refused": result.refused,
        "seconds": round(result.seconds, 3),
        "check_seconds": round(result.check_seconds, 3),
        "checked": result.checked,
        "model": result.model,
        "model_seconds": round(result.model_seconds, 3),
        "prompts": result.prompts,
        "asked": round(result.asked, 4),
    }


def as_text(result: Optimized, output: str) -> str:
    """The report for people."""

    def sizes(name: str, size: Size) -> str:
        change = "" if size is result.baseline else percent(result.baseline.total, size.total)
        return (
            f"  {name:<8}{size.total:>9} bytes {change:>8}   text {size.text}, "
            f"rodata {size.rodata}, data {size.data}, unwind {size.unwind}; "
            f"{size.instructions} IR instructions"
        )

    verdict = ", ".join(
        f"{check.replace('_', ' ')} {state}" for check, state in result.verdict.to_json().items()
    )
    lines = [
        f"{result.module.name} -> {output}  ({result.module.target})",
        sizes("-Oz", result.baseline),
        sizes("irsmith", result.result),
    ]
    if result.source == "baseline":
        lines.append(f"  no candidate of {result.candidates} was smaller: this is -Oz itself")
    else:
        passes = result.candidate.passes or "(no passes)"
        lines.append(f"  {result.source}: {' '.join([passes, *result.candidate.codegen])}")
        lines.append(f"  checks: {verdict}")
        if result.checked:
            cost = (
                f" ({result.check_seconds:.2f} s of processor time)" if result.check_seconds else ""
            )
            lines.append(f"  module: {result.checked}{cost}")
    if result.prompts:
        asked = f"{result.prompts} prompts" if result.prompts > 1 else "1 prompt"
        lines.append(
            f"  model {result.model}: {asked} about {result.asked:.0%} of the module, "
            f"{result.model_seconds:.2f} s"
        )
    refused = f", {result.refused} refused by the checker" if result.refused else ""
    lines.append(
        f"  {result.candidates} candidates, {result.compilations} compilations{refused}, "
        f"{result.seconds:.2f} s"
    )
    return "\n".join(lines)


def explained(explanation: Explanation) -> str:
    """The tables of ``--explain`` for people."""
    lines = ["  bytes a function (code, unwind entry)          -Oz  irsmith     won"]
    for name, before, after in explanation.functions:
        lines.append(f"    {name[:40]:<40} {before:>7} {after:>8} {before - after:>7}")
    lines.append("  IR instructions after each pass:")
    for step in explanation.steps:
        lines.append(f"    {step.instructions:>8}  {step.passes[:90] or '(as it came)'}")
    return "\n".join(lines)
