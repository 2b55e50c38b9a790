"""``irsmith corpus debian``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.common import Parser, agreed, parser, positive, say
from irsmith.corpus.apt import largest, missing_dependencies, need_apt
from irsmith.corpus.debian_build import PackageReport, Plan
from irsmith.corpus.debian_run import Selection, build_all, finished, select
from irsmith.parallel.local import cores
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import target_triple


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "corpus debian",
        "Fetch Debian source packages, build them as Debian does, and record the modules of\n"
        "every C and C++ file. Runs for hours, goes on where it was stopped, and one bad\n"
        "package costs one package. A report a package is printed as it is done.",
        "example: irsmith corpus debian -o corpus --yes zlib1g lua5.4 jansson",
    )
    to.add_argument("packages", nargs="*", metavar="PACKAGE", help="source packages")
    to.add_argument("--list", type=Path, metavar="FILE", help="names in a file, one a line")
    to.add_argument("--largest", type=positive, metavar="N", help="the N largest C and C++ ones")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder")
    to.add_argument("--yes", action="store_true", help="install build dependencies without asking")
    to.add_argument("--no-deps", action="store_true", help="install nothing: all is here already")
    to.add_argument("--target", action="append", help="x86-64, aarch64; may be repeated")
    to.add_argument("-j", "--jobs", type=positive, help="packages at a time (default: cores)")
    to.add_argument("--timeout", type=positive, default=1800, help="seconds a build may take")
    to.add_argument("--retry", action="store_true", help="also what failed in an earlier run")
    to.add_argument("--keep", action="store_true", help="leave built sources in DIR/work")
    to.add_argument("--time-plain", action="store_true", help="build without recording too")
    to.add_argument("--json", action="store_true", help="reports as JSON lines on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Build and record; 0 if every package gave something, 1 if one did not."""
    options = arguments_parser().parse_args(words)
    need_apt()
    names = list(options.packages)
    if options.list:
        names += names_in(options.list)
    if options.largest:
        names += largest(options.largest)
    if not names:
        raise IrsmithError("name packages, or --list FILE, or --largest N")
    targets = tuple(dict.fromkeys(target_triple(name) for name in options.target or ["x86-64"]))
    plan = Plan(
        options.output.absolute(),
        targets,
        dependencies=not options.no_deps,
        seconds=options.timeout,
        keep=options.keep,
        rebuild=options.time_plain,
        retry=options.retry,
    )
    selection = select(names)
    for name in selection.unknown:
        say(f"{name}: no such source package (apt-cache showsrc {name})")
    if plan.dependencies and not options.yes:
        ask(selection, plan)
    return run(selection, plan, options.jobs or cores(), options.json)


def names_in(path: Path) -> list[str]:
    """Package names of a list: the first word of each line, ``#`` begins a comment.

    Raises:
        IrsmithError: no such file.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be read: {error.strerror}") from error
    words = [line.split("#")[0].split() for line in lines]
    return [line[0] for line in words if line]


def ask(selection: Selection, plan: Plan) -> None:
    """Ask before anything is installed.

    Raises:
        IrsmithError: the answer is no, or there is no one to ask.
    """
    done = finished(selection, plan)
    needed: set[str] = set()
    for source in selection.known:
        if source.package not in done:
            try:
                needed |= set(missing_dependencies(source.package))
            except IrsmithError as error:
                say(f"{source.package}: {error}")
    if needed:
        say(f"to build these, {len(needed)} packages have to be installed with apt-get:")
        say("  " + " ".join(sorted(needed)))
        if not agreed("Install them now?"):
            raise IrsmithError(
                "nothing was installed; --yes installs without asking, --no-deps builds without"
            )


def run(selection: Selection, plan: Plan, at_once: int, as_json: bool) -> int:
    """Build, print each report, and sum up."""
    started = time.monotonic()
    total, reports, new = len(selection.known), [], 0
    for report, is_new in build_all(selection, plan, at_once):
        reports.append(report)
        new += is_new
        if as_json:
            print(json.dumps(asdict(report)), flush=True)
        elif is_new:
            left = (time.monotonic() - started) / new * (total - len(reports))
            say(f"[{len(reports)}/{total}, {left / 60:.0f} min left] {line(report)}")
    units = sum(sum(report.units.values()) for report in reports)
    bad = [report for report in reports if not report.units or not any(report.units.values())]
    hours = (time.monotonic() - started) / 3600
    rate = f", {new / hours:.0f} packages an hour" if new else ""
    say(f"{len(reports)} packages, {units} modules, {len(bad)} packages gave nothing{rate}")
    costs = [
        report.seconds["build"] / report.seconds["plain"]
        for report in reports
        if report.seconds.get("plain")
    ]
    if costs:
        say(
            f"a recorded build takes {statistics.median(costs):.2f} times the plain build's time "
            f"(median of {len(costs)} packages, {min(costs):.2f} to {max(costs):.2f})"
        )
    if not as_json:
        print(plan.folder)
        sys.stdout.flush()
    return 1 if bad or selection.unknown else 0


def line(report: PackageReport) -> str:
    """One line about a package."""
    units = "+".join(str(count) for count in report.units.values()) or "0"
    compiled = max(report.compiled.values(), default=0)
    text = f"{report.package} {report.version}: {units} modules of {compiled} files"
    if report.failed:
        text += f", {len(report.failed)} failed"
    text += f", {sum(report.seconds.values()):.0f} s"
    return text + (f"; {report.status}: {report.problem}" if report.problem else "")
