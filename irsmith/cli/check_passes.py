"""``irsmith check-passes``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from irsmith.check.passlisteval import ListVerdict, PassListEval
from irsmith.check.suites import get_suite
from irsmith.cli.common import Parser, parser, positive, say
from irsmith.parallel.local import cores
from irsmith.passlist import PassList
from irsmith.records import Candidate
from irsmith.toolchain import codegen
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.passes import load_passes


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "check-passes",
        "PassListEval: run a pass list over self-testing programs and refuse it if the\n"
        "compiler or any program fails.",
        "exit status: 0 passed, 1 failed, 2 misuse",
    )
    to.add_argument("list", metavar="LIST", help="pipeline text, as opt -passes= takes it")
    to.add_argument(
        "--suite",
        choices=["quick", "full"],
        default="quick",
        help="quick comes with irsmith (default); full is fetched by `irsmith fetch-suite`",
    )
    to.add_argument("--target", default="x86-64", help="x86-64 (default) or aarch64")
    to.add_argument(
        "--codegen",
        action="append",
        default=[],
        metavar="OPTION",
        help="a code generation option (--codegen=-disable-lsr); may be repeated",
    )
    to.add_argument("--no-cache", action="store_true", help="judge again, whatever was kept")
    to.add_argument("--no-reduce", action="store_true", help="do not look for the smallest list")
    to.add_argument("-j", "--jobs", type=positive, default=None, help="processes (default: cores)")
    to.add_argument("--json", action="store_true", help="the verdict as one JSON object, on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Judge a list."""
    options = arguments_parser().parse_args(words)
    text = PassList.parse(options.list).canonical(load_passes()).text
    codegen.check(options.codegen)
    candidate = Candidate(text, tuple(options.codegen))
    toolchain = find_toolchain()
    triple = target_triple(options.target)
    suite = get_suite(options.suite, toolchain, triple)
    jobs = options.jobs or cores()
    with PassListEval(toolchain, suite, jobs=jobs, cached=not options.no_cache) as judge:
        verdict = judge.judge(candidate, reduce=not options.no_reduce)
    if options.json:
        print(json.dumps(verdict.to_json()))
    else:
        say(as_text(verdict))
        print(verdict.state)
    return 0 if verdict.state == "passed" else 1


def as_text(verdict: ListVerdict) -> str:
    """The report for people."""
    lines = [
        f"{verdict.candidate.key() or '(no passes)'}",
        f"  {verdict.programs} programs of {verdict.suite}, {verdict.toolchain}, "
        f"{verdict.seconds:.1f} s",
    ]
    for failure in verdict.failures:
        detail = f": {failure.detail}" if failure.detail else ""
        lines.append(f"  {failure.program}: {failure.what}{detail}")
    if verdict.smallest:
        lines.append(f"  smallest list that still fails: {verdict.smallest}")
    return "\n".join(lines)
