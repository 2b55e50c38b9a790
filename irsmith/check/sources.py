"""Where the programs of PassListEval come from: GCC's tests, Csmith, our own few."""

from __future__ import annotations

import importlib.resources
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from irsmith.check.debian import csmith_headers
from irsmith.check.dejagnu import read_side_file, read_test
from irsmith.records import IrsmithError
from irsmith.version import __version__

ORIGIN_FILE = "irsmith-origin"
"""Written beside an unpacked testsuite: the package and version that it came from."""

CSMITH_OPTIONS = (
    *("--max-funcs", "4", "--max-block-depth", "3", "--max-block-size", "3"),
    *("--max-expr-complexity", "6", "--no-argc"),
)
CSMITH_SECONDS = 5.0

# GCC 12 only warns of these; for clang they are errors that even -w leaves alone.
_GCC_WARNINGS = (
    "implicit-function-declaration",
    "implicit-int",
    "incompatible-pointer-types",
    "int-conversion",
    "parentheses",
    "return-mismatch",
)
# The one builtin that clang lacks, many tests use, and a plain name replaces.
_AS_GCC = (*(f"-Wno-{name}" for name in _GCC_WARNINGS), "-D__builtin_exit=exit")
_CSMITH_RUNTIME = "runtime"


class SourceError(IrsmithError):
    """Programs cannot be had from where they should come from."""


@dataclass(frozen=True, slots=True)
class SourceProgram:
    """One program with a ``main`` whose exit status and output judge a pass list.

    Attributes:
        name: unique in its suite, usable as a file name.
        source: the file; it is compiled in its own folder.
        language: ``c`` or ``c++``.
        flags: what it means depends on these; they go to clang.
        origin: package and version and file, or Csmith's version, seed and options.
        licence: SPDX expression.
    """

    name: str
    source: Path
    language: str
    flags: tuple[str, ...]
    origin: str
    licence: str


def _testsuite_origin(root: Path) -> str:
    marker = root / ORIGIN_FILE
    if marker.exists():
        return marker.read_text().strip()
    version = root.parent / "BASE-VER"
    return f"GCC {version.read_text().strip()}" if version.exists() else "GCC"


def torture_programs(
    testsuite_root: Path, target: str = "x86_64-unknown-linux-gnu"
) -> list[SourceProgram]:
    """The execution tests of GCC that run on a target from one file.

    Args:
        testsuite_root: the folder ``gcc/testsuite`` of GCC's source.
        target: LLVM triple.

    Returns:
        The tests of ``gcc.c-torture/execute``, of its ``ieee``, and those of
        ``gcc.dg/torture`` that are run, by name.

    Raises:
        SourceError: there are no such tests there.
    """
    origin = _testsuite_origin(testsuite_root)
    groups = (
        ("torture", "gcc.c-torture/execute", "run", "-std=gnu89"),
        ("ieee", "gcc.c-torture/execute/ieee", "run", "-std=gnu89"),
        ("dg", "gcc.dg/torture", "compile", "-std=gnu17"),
    )
    programs = []
    for prefix, folder, action, standard in groups:
        for source in sorted((testsuite_root / folder).glob("*.c")):
            reading = read_test(source.read_text(errors="replace"), target, action)
            if reading.excluded:
                continue
            flags = reading.flags
            if not any(flag.startswith(("-std=", "-ansi")) for flag in flags):
                flags = (standard, *flags)
            side = source.with_suffix(".x")
            if side.exists():
                flags += read_side_file(side.read_text(errors="replace"))
            flags += _AS_GCC
            programs.append(
                SourceProgram(
                    name=f"{prefix}-{source.stem}",
                    source=source,
                    language="c",
                    flags=flags,
                    origin=f"{origin}, {folder}/{source.name}",
                    licence="GPL-3.0-or-later",
                )
            )
    if not programs:
        raise SourceError(
            f"no tests under {testsuite_root}; --gcc-testsuite wants the folder "
            f"gcc/testsuite of GCC's source, with gcc.c-torture and gcc.dg in it"
        )
    return sorted(programs, key=lambda program: program.name)


def csmith_version(csmith: Path) -> str:
    """``csmith 2.3.0``, as the program says itself.

    Raises:
        SourceError: it cannot be run.
    """
    command = [str(csmith.absolute()), "--version"]
    try:
        with tempfile.TemporaryDirectory() as folder:  # it leaves platform.info where it runs
            text = subprocess.run(
                command, capture_output=True, text=True, timeout=30, check=True, cwd=folder
            ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceError(f"{csmith} does not run: {error}") from error
    return text.splitlines()[0].strip() if text.strip() else "csmith"


def _one_csmith(csmith: Path, seed: int, file: Path) -> bool:
    """Make one program, unless it is there; whether it is there then."""
    options = ["-s", str(seed), *CSMITH_OPTIONS]
    # Csmith writes its options into the program, so an old file tells whether it is the same.
    stamp = f"Options:   {' '.join(options)}\n"
    if file.exists() and stamp in file.read_text():
        return True
    try:
        done = subprocess.run(
            [str(csmith.absolute()), *options],
            capture_output=True,
            text=True,
            timeout=CSMITH_SECONDS,
            cwd=file.parent,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False  # some seeds never end
    if done.returncode or "main" not in done.stdout:
        return False
    beside = file.with_suffix(".tmp")
    beside.write_text(done.stdout)
    beside.replace(file)
    return True


def csmith_programs(directory: Path, seeds: Iterable[int], csmith: Path) -> list[SourceProgram]:
    """Random programs without undefined behaviour; the same seed gives the same program.

    Args:
        directory: the programs are written here, with Csmith's headers beside them
            (so that they compile for a target whose system headers lie elsewhere).
        seeds: one program each.
        csmith: the generator.

    Returns:
        One program a seed, less the seeds that Csmith does not get done in time.

    Raises:
        SourceError: Csmith cannot be run or has no headers.
    """
    version = csmith_version(csmith)
    headers = csmith_headers(csmith)
    if headers is None:
        raise SourceError(
            f"csmith.h not found beside {csmith} (PREFIX/include of PREFIX/bin/csmith); "
            f"Debian has it in libcsmith-dev"
        )
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copytree(headers, directory / _CSMITH_RUNTIME, dirs_exist_ok=True)
    programs = []
    for seed in seeds:
        file = directory / f"seed-{seed}.c"
        if _one_csmith(csmith, seed, file):
            programs.append(
                SourceProgram(
                    name=f"csmith-{seed}",
                    source=file,
                    language="c",
                    flags=("-std=gnu17", f"-I{_CSMITH_RUNTIME}"),
                    origin=f"{version} seed {seed} with {' '.join(CSMITH_OPTIONS)}",
                    licence="BSD-2-Clause",
                )
            )
    return programs


# Without any header of a system, so that the programs compile everywhere and
# for every target; <stddef.h> and the like come with clang.
_QUICK_FLAGS = {
    ".c": ("c", ("-std=gnu17", "-nostdlibinc")),
    ".cpp": ("c++", ("-std=c++17", "-fexceptions", "-nostdlibinc", "-nostdinc++")),
}


def programs_in(folder: Path) -> list[SourceProgram]:
    """Our own programs in a folder: every ``.c`` and ``.cpp``, by name."""
    programs = []
    for source in sorted(folder.iterdir()):
        if source.suffix in _QUICK_FLAGS:
            language, flags = _QUICK_FLAGS[source.suffix]
            programs.append(
                SourceProgram(
                    name=f"quick-{source.stem}",
                    source=source,
                    language=language,
                    flags=flags,
                    origin=f"irsmith {__version__}",
                    licence="Apache-2.0 WITH LLVM-exception",
                )
            )
    return programs


def quick_programs() -> list[SourceProgram]:
    """The programs that come with irsmith."""
    return programs_in(Path(str(importlib.resources.files("irsmith.check") / "quick")))
