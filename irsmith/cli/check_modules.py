"""``irsmith check-modules``."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Sequence
from typing import Any

from irsmith.apps.source import load
from irsmith.check.differential.alive import find_alive, refinements
from irsmith.check.differential.data import Explained
from irsmith.check.differential.module import ModuleCheck
from irsmith.check.differential.place import need_runs_here
from irsmith.check.differential.verdict import ModuleVerdict
from irsmith.cli.common import Parser, parser, read_input, say, split_flags
from irsmith.passlist import PassList
from irsmith.records import Candidate, IrsmithError, Module
from irsmith.toolchain import codegen
from irsmith.toolchain.clang import language_of, to_bitcode
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.toolchain.passes import load_passes

_UBSAN = (
    *("-fsanitize=undefined", "-fsanitize-trap=undefined"),
    "-fno-sanitize=function,vptr,object-size",
)
_SHOWN = 12


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "check-modules",
        "Differential execution: call every function of two versions of a module with the same\n"
        "inputs, and compare what they return, write and call.",
        "exit status: 0 nothing failed, 1 a difference was found, 2 misuse\n"
        "clang's own flags for .c files go after --",
    )
    to.add_argument("reference", metavar="REFERENCE", help=".c .cc .cpp .ll or .bc, unoptimised")
    to.add_argument("candidate", metavar="CANDIDATE", nargs="?", help="the other version")
    to.add_argument("--passes", metavar="LIST", help="the reference after this pass list instead")
    to.add_argument(
        "--codegen",
        action="append",
        default=[],
        metavar="OPTION",
        help="a code generation option (--codegen=-disable-lsr); may be repeated",
    )
    to.add_argument("--target", help="x86-64 (the only one that runs here)")
    to.add_argument("--effort", type=float, default=1.0, help="scales the search (default: 1)")
    to.add_argument("--seed", type=int, default=0, help="of the search for inputs")
    to.add_argument("--function", metavar="NAME", help="only this one, with all that is known")
    to.add_argument("--input", type=int, metavar="N", help="with --function: what happens on it")
    to.add_argument("--no-alive", action="store_true", help="do not ask alive-tv, if it is here")
    to.add_argument("--json", action="store_true", help="the verdict as one JSON object, on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Compare two versions."""
    ours, flags = split_flags(words)
    options = arguments_parser().parse_args(ours)
    if bool(options.candidate) == (options.passes is not None):
        raise IrsmithError("name a CANDIDATE, or a pass list with --passes")
    if options.input is not None and not options.function:
        raise IrsmithError("--input needs --function")
    if options.effort <= 0:
        raise IrsmithError("--effort must be more than 0")
    candidate = Candidate("")
    if options.passes is not None:
        codegen.check(options.codegen)
        text = PassList.parse(options.passes).canonical(load_passes()).text
        candidate = Candidate(text, tuple(options.codegen))
    elif options.codegen:
        raise IrsmithError("--codegen goes with --passes")
    toolchain = find_toolchain()
    reference = _read(toolchain, options.reference, options.target, flags)
    other = b""
    if options.candidate:
        other = _read(toolchain, options.candidate, options.target, flags).bitcode
    need_runs_here(reference.target)
    sanitised = _sanitised(toolchain, options.reference, reference.target, flags)
    with ModuleCheck(
        *(toolchain, reference.bitcode, reference.target),
        effort=options.effort,
        seed=options.seed,
        sanitised=sanitised,
    ) as check:
        if options.function and options.input is not None:
            _show(check.explain(options.function, options.input, candidate, other))
            return 0
        verdict = check.judge_module(other) if other else check.judge(candidate)
        seconds = check.seconds
    data = verdict.to_json() | {"preparation_seconds": round(seconds, 4)}
    if options.function:
        data["functions"] = [f for f in data["functions"] if f["name"] == options.function]
        if not data["functions"]:
            raise IrsmithError(f"there is no function {options.function!r} in the reference")
    for each in data["functions"]:
        if each["input"] is not None:
            extra = ("--function", each["name"], "--input", str(each["input"]))
            each["reproduce"] = _command(words, extra)
    failed = verdict.state == "failed"
    alive = None if options.no_alive or not other else find_alive()
    if alive:
        failed |= _ask_alive(data, refinements(alive, reference.bitcode, other))
    if options.json:
        print(json.dumps(data))
    else:
        _report(verdict, data)
        print(data["verdict"])
    return 1 if failed else 0


def _read(toolchain: Toolchain, name: str, target: str | None, flags: Sequence[str]) -> Module:
    language = language_of(name)
    return load(toolchain, read_input(name, None), target, flags if language else ())[0]


def _sanitised(toolchain: Toolchain, name: str, triple: str, flags: Sequence[str]) -> bytes:
    """The source with UBSan's traps, if it is a source."""
    language = language_of(name)
    if not language:
        return b""
    return to_bitcode(toolchain, name, language, triple, (*flags, *_UBSAN))


def _command(words: Sequence[str], extra: Sequence[str]) -> str:
    """The command that tells all about one input."""
    ours = list(words)
    at = ours.index("--") if "--" in ours else len(ours)
    kept = [word for word in ours[:at] if word != "--json"]
    return shlex.join(["irsmith", "check-modules", *kept, *extra, *ours[at:]])


def _ask_alive(data: dict[str, Any], found: dict[str, Any]) -> bool:
    """Add what Alive2 says; whether it refutes anything."""
    refuted = False
    for each in data["functions"]:
        answer = found.get(each["name"])
        if answer:
            each["alive2"] = {"verdict": answer.state, "reason": answer.reason}
            refuted |= answer.state == "failed"
    if refuted:
        data["verdict"] = "failed"
    return refuted


def _report(verdict: ModuleVerdict, data: dict[str, Any]) -> None:
    say(f"  {verdict.summary}")
    rank = {"failed": 0, "unknown": 1, "passed": 2}
    listed = sorted(data["functions"], key=lambda each: rank[each["verdict"]])
    for each in listed[:_SHOWN] if len(listed) > 1 else listed:
        share = f"{each['inputs']} inputs, {each['coverage']:.0%} of its blocks"
        reason = f": {each['reason']}" if each["reason"] else ""
        say(f"  {each['verdict']:<8} {each['name']}  ({share}){reason}")
        if "reproduce" in each:
            say(f"           {each['reproduce']}")
        if "alive2" in each:
            answer = each["alive2"]
            say(f"           alive-tv: {answer['verdict']} {answer['reason']}".rstrip())
    if len(listed) > _SHOWN:
        say(f"  and {len(listed) - _SHOWN} more (--json lists all)")
    say(
        f"  processor time: preparation {data['preparation_seconds']:.2f} s, "
        f"comparison {data['seconds']:.2f} s"
    )


def _show(told: Explained) -> None:
    """One input: what goes in, what both do, and the function before and after."""
    print("input:")
    for line in told.given:
        print(f"  {line}")
    print("what happens (- reference, + candidate):")
    most = max(len(told.expected), len(told.found))
    for line in difflib.ndiff(told.expected, told.found) if most < 400 else told.expected[:400]:
        if not line.startswith("?"):
            print(f"  {line}")
    print("reference:", told.before.strip(), "candidate:", told.after.strip(), sep="\n")
