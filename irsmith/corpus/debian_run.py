"""Many Debian packages, one after the other or several at a time, for hours, with resuming."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import cast

from irsmith.corpus.apt import Source, sources
from irsmith.corpus.debian_build import (
    PackageReport,
    Plan,
    build_package,
    read_report,
    report_path,
)

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Selection:
    """Packages of a run.

    Attributes:
        known: those that apt has sources of, in the order asked for.
        unknown: the other names.
    """

    known: tuple[Source, ...]
    unknown: tuple[str, ...]


def select(packages: Sequence[str]) -> Selection:
    """Look packages up, each once."""
    names = list(dict.fromkeys(packages))
    found = sources(names)
    known = tuple(found[name] for name in names if name in found)
    return Selection(known, tuple(name for name in names if name not in found))


def finished(selection: Selection, plan: Plan) -> dict[str, PackageReport]:
    """Reports of packages that an earlier run in the same folder has done.

    A package that could not be built is done too, unless the plan says to try it again.
    """
    found = {}
    for source in selection.known:
        path = report_path(plan.folder, source.package)
        if path.exists():
            report = read_report(path)
            if report.version == source.version and (report.status == "ok" or not plan.retry):
                found[source.package] = report
    return found


def build_all(
    selection: Selection, plan: Plan, at_once: int
) -> Iterator[tuple[PackageReport, bool]]:
    """Build what is not built yet.

    Configure scripts use one core only, so several packages at a time, each with one
    process, are quicker than one package with several.

    Args:
        selection: packages.
        plan: how.
        at_once: packages at a time.

    Yields:
        Each package's report, those of an earlier run first, and whether it is new.
    """
    done = finished(selection, plan)
    for report in done.values():
        yield report, False
    queue = [source for source in selection.known if source.package not in done]
    context = multiprocessing.get_context("spawn")
    running: dict[int, tuple[Source, SpawnProcess]] = {}
    try:
        while queue or running:
            while queue and len(running) < at_once:
                source = queue.pop(0)
                process = context.Process(target=_build_one, args=(source, plan, os.getpid()))
                process.start()
                running[process.sentinel] = (source, process)
            for sentinel in wait(list(running)):
                source, process = running.pop(cast(int, sentinel))
                process.join()
                path = report_path(plan.folder, source.package)
                yield read_report(path) if path.exists() else _died(source, process), True
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.join()


def _died(source: Source, process: SpawnProcess) -> PackageReport:
    """Killed from outside, out of memory, a full disk: another run tries it again."""
    status = process.exitcode or 0
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    problem = f"its process ended with {how} and no report; run again to try it again"
    return PackageReport(
        source.package, source.version, "not built", problem, {}, {}, 0, 0, (), 0, {}
    )


def _build_one(source: Source, plan: Plan, parent: int) -> None:
    """In a process of its own: ends with the parent, and stops its build when asked to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        return
    try:
        build_package(source, plan)
    except OSError as error:  # a full disk: the report itself could not be written
        place = error.filename or plan.folder
        print(f"{source.package}: {place}: {error.strerror}", file=sys.stderr)
        sys.exit(1)
