"""One Debian source package: fetched, built as Debian builds it, recorded, reported.

Whatever goes wrong costs this package and no other; what was recorded until then counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from irsmith.corpus.apt import Source, fetch, install_dependencies
from irsmith.corpus.recording import Origin, bin_folder, collect, prepare_recording
from irsmith.corpus.rows import write_rows
from irsmith.corpus.split import never_train
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.find import find_toolchain

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Debian's own: a Python environment that irsmith runs in has not what its packages need."""
_PYTHON = re.compile("PYTHON|VIRTUAL_ENV$|CONDA_")


@dataclass(frozen=True, slots=True)
class Plan:
    """How packages are built.

    Attributes:
        folder: of the run: ``PACKAGE.parquet``, ``PACKAGE.json``, ``logs/``, ``work/``.
        targets: triples.
        dependencies: install build dependencies (needs root).
        seconds: a build may take.
        parallel: processes of one build.
        keep: leave the built sources there.
        rebuild: also time the build without recording (afterwards, from clean sources).
        retry: build again what an earlier run in the folder could not build to its end.
    """

    folder: Path
    targets: tuple[str, ...]
    dependencies: bool = True
    seconds: int = 1800
    parallel: int = 1
    keep: bool = False
    rebuild: bool = False
    retry: bool = False


@dataclass(frozen=True, slots=True)
class PackageReport:
    """What a package gave.

    Attributes:
        package: its name.
        version: Debian's.
        status: ``ok``, ``build failed`` (what was compiled before counts), ``nothing
            recorded``, ``not built`` (with the reason in ``problem``).
        problem: one line.
        compiled: sources that its build compiled, by target.
        units: modules recorded, by target.
        functions: in the modules of this machine's own target.
        instructions: likewise.
        failed: sources that gave no module, with the reason of each.
        doubles: compilations of files that are there already.
        seconds: of each step: fetch, dependencies, build, collect, and plain (without
            recording, if that was asked for).
    """

    package: str
    version: str
    status: str
    problem: str
    compiled: dict[str, int]
    units: dict[str, int]
    functions: int
    instructions: int
    failed: tuple[str, ...]
    doubles: int
    seconds: dict[str, float]


def report_path(folder: Path, package: str) -> Path:
    """Where a package's report lies once the package is done."""
    return folder / f"{package}.json"


def read_report(path: Path) -> PackageReport:
    """Read a report.

    Raises:
        IrsmithError: it is damaged.
    """
    try:
        data = json.loads(path.read_text())
        return PackageReport(**{**data, "failed": tuple(data["failed"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise IrsmithError(f"{path} is damaged: delete it and run again") from error


def build_package(source: Source, plan: Plan) -> PackageReport:
    """Fetch, build and record a package; writes its rows, then its report.

    Returns:
        The report. A package that fails is no error here: the report says why.
    """
    work = plan.folder / "work" / source.package
    shutil.rmtree(work, ignore_errors=True)
    report_path(plan.folder, source.package).unlink(missing_ok=True)
    seconds: dict[str, float] = {}
    try:
        report = _build(source, plan, work, seconds)
    except (IrsmithError, OSError) as error:
        problem = " ".join(str(error).split())
        report = PackageReport(
            source.package, source.version, "not built", problem, {}, {}, 0, 0, (), 0, seconds
        )
    finally:
        if not plan.keep:
            shutil.rmtree(work, ignore_errors=True)
    text = json.dumps(asdict(report), indent=1)
    write_beside(report_path(plan.folder, source.package), text.encode())
    return report


def _build(source: Source, plan: Plan, work: Path, seconds: dict[str, float]) -> PackageReport:
    name = source.package
    if never_train(name):
        raise IrsmithError("is on the never-train list: not built")
    clock = _Clock(seconds)
    root = fetch(name, work)
    clock.lap("fetch")
    if plan.dependencies:
        install_dependencies(name, plan.folder / "work" / "apt.lock")
        clock.lap("dependencies")
    toolchain = find_toolchain()
    recording = work / "recording"
    prepare_recording(toolchain, recording, plan.targets, _PATH)
    environment = build_environment(bin_folder(recording), work, plan.parallel)
    problem = run_build(root, environment, plan.folder / "logs" / f"{name}.log", plan.seconds)
    clock.lap("build")
    origin = Origin(root, name, source.version, f"debian:{name}@{source.version}")
    recorded = collect(toolchain, recording, origin, plan.parallel)
    if recorded.rows:
        write_rows(plan.folder / f"{name}.parquet", recorded.rows)
    clock.lap("collect")
    if plan.rebuild and not problem:
        shutil.rmtree(root)
        root = fetch(name, work)
        plain = build_environment(None, work, plan.parallel)
        clock.lap("")
        run_build(root, plain, plan.folder / "logs" / f"{name}.plain.log", plan.seconds)
        clock.lap("plain")
    status = "build failed" if problem else "ok"
    if not recorded.rows:
        status = "nothing recorded"
        seen = max(recorded.compiled.values(), default=0)
        why = "the build called no C or C++ compiler that was recorded"
        if seen:
            why = f"clang could read none of the {seen} files"
        problem = problem or why
    home = [row for row in recorded.rows if row.target == plan.targets[0]]
    units = {triple: sum(row.target == triple for row in recorded.rows) for triple in plan.targets}
    return PackageReport(
        name,
        source.version,
        status,
        problem,
        recorded.compiled,
        units,
        sum(row.functions for row in home),
        sum(row.instructions for row in home),
        recorded.failed,
        recorded.doubles,
        seconds,
    )


class _Clock:
    """Seconds since the last lap, under a name."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.last = seconds, time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        if name:
            self.seconds[name] = round(now - self.last, 2)
        self.last = now


def build_environment(names: Path | None, work: Path, parallel: int) -> dict[str, str]:
    """The environment of a package's build: no tests, no documentation, no one's home.

    Args:
        names: the recorder's, for PATH; None builds without recording.
        work: stands for the home folder.
        parallel: processes.
    """
    path = f"{names.absolute()}:{_PATH}" if names else _PATH
    ours = {name: value for name, value in os.environ.items() if not _PYTHON.match(name)}
    return {
        **ours,
        "PATH": path,
        "LC_ALL": "C.UTF-8",
        "HOME": str(work),
        "DEB_BUILD_OPTIONS": f"nocheck nodoc noautodbgsym parallel={parallel}",
        "DEB_BUILD_PROFILES": "nocheck nodoc",
        # Some packages' configure refuses to run as root otherwise.
        "FORCE_UNSAFE_CONFIGURE": "1",
        "DH_QUIET": "1",
    }


def run_build(root: Path, environment: dict[str, str], log: Path, seconds: int) -> str:
    """Run a package's ``build-arch``, or ``build`` where that is missing.

    Returns:
        Why it failed, in one line; empty if it did not.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    problem = ""
    for target in ("build-arch", "build"):
        command = ["dpkg-buildpackage", "-us", "-uc", "-d", "-nc", f"--rules-target={target}"]
        with log.open("wb") as file:
            problem = _limited(command, root, environment, file.fileno(), seconds)
        if not problem:
            return ""
        text = log.read_text(errors="replace")
        if f"No rule to make target '{target}'" not in text:
            reason = _reason(text)
            return f"{problem}: {reason}" if reason else problem
    return problem


def _limited(
    command: Sequence[str], root: Path, environment: dict[str, str], out: int, seconds: int
) -> str:
    """Run in a process group of its own that ends with us, or when its time is up."""
    build = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        status = build.wait(timeout=seconds)
        return f"build failed with status {status}" if status else ""
    except subprocess.TimeoutExpired:
        return f"build did not finish within {seconds} s"
    finally:
        # Also what a finished build left behind, and all of it after Ctrl-C.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(build.pid, signal.SIGKILL)
        build.wait()


def _reason(text: str) -> str:
    """The line of a build's log that most likely says why it failed."""
    # What dpkg-buildpackage says of it is only that something failed.
    lines = [line for line in text.splitlines() if not line.startswith("dpkg-buildpackage:")]
    for words in (("error:",), ("Error ", "***"), ("cannot", "not found", "No such")):
        for before, line in zip(["", *lines], lines, strict=False):
            if any(word in line for word in words):
                # make names the missing tool a line before it gives up.
                missing = "***" in line and ("No such file" in before or "not found" in before)
                return " ".join((before if missing else line).split())[:200]
    return " ".join(lines[-1].split())[:200] if lines else ""
