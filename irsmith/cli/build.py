"""``irsmith build``."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irsmith.cc.build import Built, environment_of, gather, prepare, relative, run
from irsmith.cc.lock import Lock, guarded, merged, read_lock, write_lock
from irsmith.cc.report import as_json, as_text
from irsmith.cc.settings import CHECKS, EFFORTS, OBJECTIVES, Settings
from irsmith.cc.state import State
from irsmith.cc.tested import Project, Tested, put_back, tested
from irsmith.cc.unit import NOT_LOCKED
from irsmith.cc.work import entries_of
from irsmith.cli.common import Parser, check_writable, parser, positive, say, split_flags
from irsmith.records import IrsmithError
from irsmith.toolchain.find import Toolchain, find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "build",
        "Run a build with irsmith behind its C and C++ compilers. It gets its own compiler's\n"
        "output and status; objects for which a smaller one passed every check are replaced.",
        "example: irsmith build --lock irsmith.lock --test 'make check' -- make -j2",
    )
    to.add_argument(
        "--lock", metavar="FILE",
        help="read and write what was chosen for each unit: the next build searches nothing",
    )  # fmt: skip
    to.add_argument(
        "--locked", action="store_true",
        help="take only what the lock file has; other units stay the compiler's",
    )  # fmt: skip
    to.add_argument("--effort", choices=EFFORTS, default="balanced", help="(default: balanced)")
    to.add_argument("--objective", choices=OBJECTIVES, default="size", help="what is minimised")
    to.add_argument("--check", choices=CHECKS, default="module", help="(default: module)")
    to.add_argument(
        "--test", metavar="COMMAND",
        help="your own tests, run by the shell after the build: units that make them fail are "
        "found by bisection and fall back",
    )  # fmt: skip
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    to.add_argument(
        "-j", "--jobs", type=positive, default=1,
        help="processes a unit (default: 1, since builds run many compilers at once)",
    )  # fmt: skip
    return to


def main(words: Sequence[str]) -> int:
    """Run a build; its exit status is ours."""
    own, command = split_flags(words)
    options = arguments_parser().parse_args(own)
    if not command:
        raise IrsmithError("no build to run: irsmith build -- make")
    if options.locked and not options.lock:
        raise IrsmithError("--locked takes what a lock file has: name it with --lock FILE")
    if options.lock and not options.locked:
        check_writable(options.lock)
    if options.locked and not Path(options.lock).is_file():
        raise IrsmithError(f"{options.lock}: no such file")
    toolchain, root = find_toolchain(), Path.cwd()
    lock = read_lock(Path(options.lock), toolchain.fingerprint) if options.lock else Lock({})
    if lock.problem:
        say(f"irsmith: {lock.problem}")
    settings = _settings(options, lock)
    with tempfile.TemporaryDirectory(prefix="irsmith-build-") as folder:
        state = State(Path(folder))
        prepare(state)
        environment = environment_of(toolchain, state, settings, root)
        project = Project(toolchain, state, root, command, environment, options.json)
        started = time.monotonic()
        try:
            status = run(command, environment, options.json)
        except KeyboardInterrupt:
            if options.test:
                put_back(project, gather(state, root).units)
                say("irsmith: no test has run: the compiler's own objects are back")
            raise
        after = Tested(gather(state, root).units)
        if options.test and status == 0:
            after = tested(project, after.units, options.test)
        built = Built(after.units, gather(state, root).passed)
        seconds = time.monotonic() - started
    if options.lock and not options.locked and not lock.repair:
        _write(toolchain, Path(options.lock), built, after)
    short = Built(tuple(relative(built.units, root)), tuple(relative(built.passed, root)))
    _report(short, status, seconds, options, after)
    return status or (1 if after.state == "failed" else 0)


def _settings(options: argparse.Namespace, lock: Lock) -> Settings:
    name = os.path.abspath(options.lock) if options.lock and not lock.problem else ""  # noqa: PTH100
    return Settings(
        options.effort, options.check, options.objective, name, options.locked, "", options.jobs
    )


def _write(toolchain: Toolchain, path: Path, built: Built, after: Tested) -> None:
    with guarded(path):
        now = read_lock(path, toolchain.fingerprint)
        new = entries_of(built.units, path.absolute().parent, after.real)
        write_lock(path, toolchain.fingerprint, merged(now.entries, new))


def _report(
    built: Built, status: int, seconds: float, options: argparse.Namespace, after: Tested
) -> None:
    extra: dict[str, Any] = {}
    if options.test and status == 0:
        extra["tests"] = {
            "state": after.state, "runs": after.runs, "blamed": list(after.blamed),
            "fixed": list(after.fixed),
        }  # fmt: skip
    if options.json:
        print(json.dumps(as_json(built, status, seconds, extra)), flush=True)
        return
    say(as_text(built, seconds))
    if "tests" in extra:
        _say_tests(after, options.test)
    unknown = [record.source for record in built.units if record.reason == NOT_LOCKED]
    if unknown:
        shown = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        say(f"  not in {options.lock}: {shown}")
    if status:
        say(f"irsmith: the build itself ended with status {status}")
    if options.lock and not options.locked:
        say(f"  {options.lock}: {sum(bool(record.name) for record in built.units)} units")


def _say_tests(after: Tested, command: str) -> None:
    for source in after.blamed:
        say(f"  {source}: the tests fail with what was made of it: it fell back")
    for case in after.cases:
        say(f"  kept as {case}")
    runs = f"{after.runs} runs" if after.runs > 1 else "1 run"
    if after.state == "passed":
        say(f"  tests passed: {command} ({runs})")
    elif after.state == "unknown":
        say(
            f"  tests failed with the compiler's own objects too ({runs}): "
            "they say nothing of what was made"
        )
    else:
        say(
            f"  tests failed ({runs}), also with all objects back that could be found; these "
            "could not, so nothing can be said: " + ", ".join(after.fixed[:10])
        )
        say("  build from clean without irsmith to see whether the tests pass at all")
