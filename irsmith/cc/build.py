"""A person's build with our compilers in place: set up, run, and what came of it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from irsmith.cc.settings import STATE, Settings
from irsmith.cc.state import Record, State, told_from
from irsmith.cc.work import ROOT
from irsmith.corpus.preload import preload_library
from irsmith.corpus.recorder import COMPILERS
from irsmith.records import IrsmithError
from irsmith.toolchain import elf
from irsmith.toolchain.find import Toolchain

_NAMES = re.compile(
    r"((x86_64|aarch64)-[a-z0-9_-]*(gnu|musl)-)?"
    rf"({'|'.join(re.escape(name) for name in COMPILERS)})(-\d+(\.\d+)*)?"
)
_SHIM = "import sys; sys.path.append(sys.argv[1]); from irsmith.cc.driver import shim; "
_SHIM += "shim(sys.argv[2], sys.argv[3:])"


def prepare(state: State) -> None:
    """Put the names of compilers into the folder of a build.

    Raises:
        IrsmithError: no compiler on PATH, or the folder cannot be written.
    """
    names = {
        name
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder and os.path.isdir(folder)  # noqa: PTH112
        for name in os.listdir(folder)  # noqa: PTH208
        if _NAMES.fullmatch(name)
    }
    if not names:
        raise IrsmithError("no C compiler on PATH: nothing that a build could call")
    parent = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-I", "-S", "-c", _SHIM, parent]
    shell = f'#!/bin/sh\nexec {shlex.join(words)} "$0" "$@"\n'
    try:
        state.create()
        for name in sorted(names):
            shim = state.bin / name
            shim.write_text(shell)
            shim.chmod(0o755)
    except OSError as error:
        raise IrsmithError(f"{state.folder}: cannot be written: {error.strerror}") from error


def environment_of(
    toolchain: Toolchain, state: State, settings: Settings, root: Path
) -> dict[str, str]:
    """The variables of the build: ours, and what brings our compilers in."""
    return {
        **os.environ,
        **_way_in(preload_library(toolchain), str(state.bin.absolute())),
        STATE: str(state.folder.absolute()),
        ROOT: str(root),
        "IRSMITH_EFFORT": settings.effort,
        "IRSMITH_CHECK": settings.check,
        "IRSMITH_OBJECTIVE": settings.objective,
        "IRSMITH_LOCK": settings.lock,
        "IRSMITH_LOCKED": "1" if settings.locked else "",
        "IRSMITH_JOBS": str(settings.jobs),
        # A cache would hand out ours in other builds, and theirs in this one.
        "CCACHE_DISABLE": "1",
    }


def _way_in(preload: Path | None, names: str) -> dict[str, str]:
    """How the build gets to our names: by a library in its processes, else first on PATH."""
    if preload is None:
        return {"PATH": names + os.pathsep + os.environ.get("PATH", "")}
    others = os.environ.get("LD_PRELOAD", "")
    return {
        "LD_PRELOAD": f"{preload}:{others}" if others else str(preload),
        "IRSMITH_PRELOAD": str(preload),
        "IRSMITH_RECORDER": names,  # as preload.c calls them
    }


def run(command: Sequence[str], environment: Mapping[str, str], to_stderr: bool) -> int:
    """Run a build to its end; its status, 128 + signal if it was killed.

    Args:
        command: of the build.
        environment: from :func:`environment_of`.
        to_stderr: its stdout goes there, since ours holds a report.

    Raises:
        IrsmithError: there is no such command.
        KeyboardInterrupt: Ctrl-C, when the build has ended.
    """
    # Of a compiler that we start ourselves, the library in the build's processes knows nothing.
    own = Path(environment.get("IRSMITH_RECORDER", ""), Path(command[0]).name)
    real = shutil.which(command[0]) if "IRSMITH_RECORDER" in environment and own.is_file() else None
    words = [str(own), *command[1:]] if real else list(command)
    variables = {**environment, "IRSMITH_REAL": real} if real else dict(environment)
    with _interrupted_later() as heard:
        try:
            build = subprocess.Popen(words, env=variables, stdout=2 if to_stderr else None)
        except OSError as error:
            raise IrsmithError(f"{command[0]}: cannot be run: {error.strerror}") from error
        status = build.wait()
    if heard:
        raise KeyboardInterrupt
    return status if status >= 0 else 128 - status


@contextmanager
def _interrupted_later() -> Iterator[list[int]]:
    """The build hears Ctrl-C too, and ends by itself; we wait for it, and know."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a build.

    Attributes:
        units: that we treated or had a look at.
        passed: calls that were left to the real compiler at first sight.
    """

    units: tuple[Record, ...]
    passed: tuple[Record, ...]

    @property
    def every(self) -> tuple[Record, ...]:
        """All units of C and C++ that the build compiled."""
        return (*self.units, *self.passed)


def gather(state: State, root: Path) -> Built:
    """Read what compilers left behind.

    Args:
        state: of the build.
        root: where it began.

    Returns:
        Records with their paths as compilers had them. An object that was compiled in several
        ways counts as it was the last time.
    """
    units = tuple(state.records())
    treated = {record.output for record in units}
    passed = tuple(
        _measured(record)
        for record in state.passed()
        if not record.output or record.output not in treated
    )
    return Built(units, passed)


def _measured(record: Record) -> Record:
    """The record of an object that nobody looked at, with its size, if it is still there."""
    from dataclasses import replace

    try:
        size = elf.loaded_size(Path(record.output).read_bytes()) if record.output else None
    except (OSError, IrsmithError, ValueError):
        size = None
    return replace(record, real=size.total, text_real=size.text) if size else record


def relative(records: Sequence[Record], root: Path) -> list[Record]:
    """Records for people: paths told from where the build began."""
    return [told_from(record, root) for record in records]
