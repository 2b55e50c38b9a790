"""Link and run programs of another architecture: many in one executable, under QEMU.

A link, a start of the emulator and a process for each program would cost 50 ms a
program. So the objects' symbols are made distinct, up to :data:`BATCH` programs
are linked with one driver, and the driver forks once a program.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, get_args

from irsmith.check.debian import MissingError, cross_flags, cross_needs, find_cross, find_emulator
from irsmith.check.elf_isolate import Isolated, isolate, main_name
from irsmith.records import IrsmithError
from irsmith.sandbox.confine import program_confinement
from irsmith.toolchain.clang import run_clang
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.find import Toolchain

BATCH = 128
"""Programs an executable; more of them gain nothing (measured)."""

_LINK_SECONDS = 60.0
# The driver's own limits are ten times the processor time and a second.
_WALL_FACTOR, _WALL_EXTRA = 12.0, 3.0
_OUTPUT_LIMIT = 1 << 22
_MEMORY = 2 << 30

Kind = Literal["exited", "signal", "timeout", "link error"]
_KINDS: tuple[Kind, ...] = get_args(Kind)


class CrossError(IrsmithError):
    """The driver does not work: a broken installation, not a broken program."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How one program ended.

    Attributes:
        name: the program's.
        kind: ``exited``, ``signal`` (abort is signal 6), ``timeout`` or ``link error``.
        status: exit status, or number of the signal, else 0.
        output_hash: 16 hexadecimal digits, FNV-1a of what it wrote to stdout.
        detail: why it did not link, or what befell the emulator; ``""`` else.
    """

    name: str
    kind: Kind
    status: int = 0
    output_hash: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """One program of a batch: its place in the answer, and its object as it goes to the linker."""

    place: int
    index: int
    name: str
    file: Path


def fnv1a(data: bytes) -> str:
    """The hash that the driver makes."""
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def _driver_source() -> bytes:
    """The driver and its table; a program that is not in a batch leaves a null there."""
    text = resources.files("irsmith.check").joinpath("cross_driver.c").read_text()
    names = [main_name(index) for index in range(BATCH)]
    lines = [f"extern __attribute__((weak)) main_function {name};" for name in names]
    table = f"main_function *const irsmith_mains[] = {{{', '.join(names)}}};"
    return "\n".join([text, *lines, table, ""]).encode()


def _remove_folder(folder: Path, owner: int) -> None:
    """Remove a runner's folder, unless this is a fork of the process that made it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _compile_driver(toolchain: Toolchain, target: str, file: Path) -> None:
    """The driver as an object; by ``llc``, since the wheel's clang only knows x86-64 there."""
    flags = [f"--target={target}", *cross_flags(target), "-O1", "-emit-llvm", "-c"]
    bitcode = run_clang(toolchain, [*flags, "-x", "c", "-", "-o", "-"], _driver_source())
    llc = str(toolchain.tool("llc"))
    command = [llc, "-filetype=obj", "-relocation-model=pic", "-o", str(file)]
    done = subprocess.run(command, input=bitcode, capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise CrossError(f"llc: {done.stderr.decode(errors='replace').strip()[:300]}")


def _first_error(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if "error:" in line] or stderr.splitlines()
    return re.sub(r"^\S*ld\.lld: error: ", "", lines[0])[:300] if lines else "ld.lld failed"


def _blamed(stderr: str) -> set[int]:
    """Indices of the programs that name something that no library has."""
    found: set[int] = set()
    for block in stderr.split("error: ")[1:]:
        if block.startswith("undefined"):
            found.update(int(number) for number in re.findall(r"/(\d+)\.o:?", block))
    return found


class CrossRunner:
    """Runs objects of another architecture."""

    def __init__(
        self,
        toolchain: Toolchain,
        target: str = "aarch64-linux-gnu",
        work: Path | None = None,
    ) -> None:
        """Find the emulator and the C library, compile the driver.

        Args:
            toolchain: its clang compiles the driver, its ``ld.lld`` links.
            target: LLVM triple.
            work: where the runner makes its folder for executables; by default
                where temporary files go.

        Raises:
            MissingError: emulator or libraries are not here; says what to install.
            CompileError: the driver does not compile.
            ToolchainError: there is no clang or no ``ld.lld``.
        """
        emulator, files = find_emulator(target), find_cross(target)
        if emulator is None or files is None:
            missing = cross_needs(target)
            packages = " ".join(need.packages[0] for need in missing)
            raise MissingError(
                f"cannot run programs for {target} here: "
                f"{', '.join(need.what for need in missing)} missing; "
                f"on Debian: apt-get install {packages}"
            )
        self._emulator = emulator
        if work is not None:
            work = work.absolute()
            work.mkdir(parents=True, exist_ok=True)
        # A folder of its own: programs run in it, and several runners may share `work`.
        self._work = Path(tempfile.mkdtemp(prefix="irsmith-cross-", dir=work))
        self._remove = weakref.finalize(self, _remove_folder, self._work, os.getpid())
        driver = self._work / "driver.o"
        _compile_driver(toolchain, target, driver)

        crt = [files.libraries / name for name in ("crt1.o", "crti.o")]
        libraries = [
            *([files.cxx] if files.cxx else []),
            *(files.libraries / name for name in ("libc.a", "libm.a")),
            *(files.support / name for name in ("libgcc.a", "libgcc_eh.a")),
        ]
        linker = [str(toolchain.tool("ld.lld").absolute()), "-static", "--eh-frame-hdr"]
        # The machine is shared with other workers; a link is too short for threads.
        self._link_start = [*linker, "--threads=1", "--error-limit=0", *map(str, crt)]
        end = [*map(str, libraries), "--end-group", str(files.libraries / "crtn.o")]
        self._link_end = ["--start-group", *end]
        self._driver = driver

    def __enter__(self) -> CrossRunner:
        """The runner itself."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Remove the runner's folder."""
        self.close()

    def close(self) -> None:
        """Remove the runner's folder; this also happens when the runner is forgotten."""
        self._remove()

    def run_batch(
        self, objects: Sequence[tuple[str, bytes]], seconds_each: float
    ) -> list[RunOutcome]:
        """Link and run programs; whatever a program does is an outcome, not an exception.

        Args:
            objects: name and relocatable ELF object of each.
            seconds_each: processor time that one may take, under the emulator.

        Returns:
            One outcome a program, in order.

        Raises:
            CrossError: the driver itself does not work.
        """
        outcomes: dict[int, RunOutcome] = {}
        parts: list[_Part] = []

        def run_parts() -> None:
            self._run_linked(parts, seconds_each, outcomes)
            for part in parts:
                part.file.unlink()
            parts.clear()

        for place, (name, data) in enumerate(objects):
            index = len(parts)
            try:
                isolated = isolate(data, index)
            except ObjectError as error:
                outcomes[place] = RunOutcome(name, "link error", detail=str(error))
                continue
            if not isolated.has_main:
                outcomes[place] = RunOutcome(name, "link error", detail="no main")
            elif isolated.shares:
                outcomes[place] = self._run_alone(name, data, seconds_each)
            else:
                parts.append(self._write(place, index, name, isolated))
            if len(parts) == BATCH:
                run_parts()
        run_parts()
        return [outcomes[place] for place in range(len(objects))]

    def _write(self, place: int, index: int, name: str, isolated: Isolated) -> _Part:
        file = self._work / f"{index}.o"
        file.write_bytes(isolated.data)
        return _Part(place, index, name, file)

    def _link(self, objects: Sequence[Path], executable: Path) -> str:
        """Link; what the linker said if it failed, else ``""``."""
        command = [*self._link_start, *map(str, objects), *self._link_end, "-o", str(executable)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_LINK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"ld.lld took over {_LINK_SECONDS:.0f} s"
        return (done.stderr or f"ld.lld ended with {done.returncode}") if done.returncode else ""

    def _run_linked(
        self, parts: Sequence[_Part], seconds: float, outcomes: dict[int, RunOutcome]
    ) -> None:
        """Link and run a batch; programs that do not link are set aside, at worst by halving."""
        if not parts:
            return
        executable = self._work / "batch"
        error = self._link([self._driver, *(part.file for part in parts)], executable)
        if not error:
            self._run_driver(executable, parts, seconds, outcomes)
            return
        blamed = _blamed(error)
        bad = [part for part in parts if part.index in blamed]
        if len(parts) == 1:
            bad = list(parts)
        if bad:
            for part in bad:
                detail = _first_error(error)
                if len(bad) > 1:  # the first line may be about another program
                    mine = re.search(rf"error: ([^\n]*)(?:\n>>>[^\n]*)*/{part.index}\.o", error)
                    detail = mine[1][:300] if mine else detail
                outcomes[part.place] = RunOutcome(part.name, "link error", detail=detail)
            rest = [part for part in parts if part not in bad]
            self._run_linked(rest, seconds, outcomes)
        else:
            half = len(parts) // 2
            self._run_linked(parts[:half], seconds, outcomes)
            self._run_linked(parts[half:], seconds, outcomes)

    def _run_driver(
        self,
        executable: Path,
        parts: Sequence[_Part],
        seconds: float,
        outcomes: dict[int, RunOutcome],
    ) -> None:
        """Run all programs of an executable, going on after one that took the driver along."""
        todo = list(parts)
        fruitless = 0
        while todo:
            # Indices that did not link are holes; the driver runs up to the next one.
            count = 1
            while count < len(todo) and todo[count].index == todo[0].index + count:
                count += 1
            stretch = todo[:count]
            lines, death = self._converse(executable, stretch, seconds)
            for part, line in zip(stretch, lines, strict=False):
                outcomes[part.place] = _parse(part.name, line)
            done = len(lines)
            if done < count:
                part = stretch[done]
                outcomes[part.place] = replace(death, name=part.name)
                fruitless = 0 if done else fruitless + 1
                done += 1
            if fruitless > BATCH // 4:
                raise CrossError(f"the driver under {self._emulator.name} fails: {death.detail}")
            todo = todo[done:]

    def _start(self, arguments: Sequence[str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the emulator in a session of its own, with little memory and no environment."""
        process = subprocess.Popen(
            [str(self._emulator), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            cwd=self._work,
            env={},
            start_new_session=True,
            preexec_fn=program_confinement([self._emulator], [self._work]),
        )
        # From outside: QEMU keeps to itself what the driver says about memory.
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        return process

    def _converse(
        self, executable: Path, stretch: Sequence[_Part], seconds: float
    ) -> tuple[list[str], RunOutcome]:
        """Start the driver; the lines that it wrote, and what stopped it if they are too few."""
        span = [str(stretch[0].index), str(stretch[-1].index)]
        milliseconds = str(max(1, round(seconds * 1000)))
        process = self._start([str(executable), milliseconds, *span], subprocess.PIPE)
        assert process.stdout is not None  # asked for
        received = b""
        late = False
        with process.stdout, selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(seconds * _WALL_FACTOR + _WALL_EXTRA):
                    late = True
                    break
                block = os.read(process.stdout.fileno(), 1 << 16)
                if not block:
                    break
                received += block
            status = _end(process, late)
        lines = received.decode(errors="replace").split("\n")[:-1]
        if late:
            return lines, RunOutcome("", "timeout", detail="the driver did not go on")
        detail = f"the driver ended with {status}"
        return lines, RunOutcome("", "signal", signal.SIGKILL, detail=detail)

    def _run_alone(self, name: str, data: bytes, seconds: float) -> RunOutcome:
        """Link and run one program as it is: its constructors would run in every program."""
        file, executable = self._work / "alone.o", self._work / "alone"
        file.write_bytes(data)
        error = self._link([file], executable)
        if error:
            return RunOutcome(name, "link error", detail=_first_error(error))
        with tempfile.TemporaryFile(dir=self._work) as output:
            process = self._start(["-0", "program", str(executable)], output)
            deadline = time.monotonic() + seconds * _WALL_FACTOR + _WALL_EXTRA
            late = False
            try:
                process.wait(deadline - time.monotonic())
            except subprocess.TimeoutExpired:
                late = True
            status = _end(process, late)
            output.seek(0)
            printed = fnv1a(output.read(_OUTPUT_LIMIT))
        if late:
            return RunOutcome(name, "timeout", 0, printed)
        if status < 0:
            return RunOutcome(name, "signal", -status, printed)
        return RunOutcome(name, "exited", status, printed)


def _end(process: subprocess.Popen[bytes], late: bool) -> int:
    """Wait for a process, first killing it if it is late; what it started ends with it."""
    if late:
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return status


def _parse(name: str, line: str) -> RunOutcome:
    """One line of the driver's."""
    _, kind, status, output = line.split(" ")
    if kind not in _KINDS:
        raise CrossError(f"the driver wrote {line!r}")
    number = 0 if kind == "timeout" else int(status)
    return RunOutcome(name, kind, number, output)
