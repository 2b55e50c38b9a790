"""Programs whose meaning depends on how one reads C's rule about types and memory.

clang marks each access with its type, and passes may take it that accesses of
different types do not meet. GCC's tests hold programs that GCC promises to compile
right and that break what clang promises to LLVM: ``gcc.dg/torture/pr57359-1`` stores an
int and then a float through pointers to the members of one union, and LLVM may exchange
the two. Which list does so is chance, so such a program refuses good lists. TypeSanitizer
checks at run time exactly what the marks say (https://clang.llvm.org/docs/TypeSanitizer.html);
a program that it does not find clean is compiled without the marks (``-fno-strict-aliasing``)
and judges all the rest.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from irsmith.check.compile_suite import COMPILE_SECONDS
from irsmith.check.sources import SourceProgram
from irsmith.sandbox.confine import program_confinement
from irsmith.toolchain.find import Toolchain

UNMARKED = "-fno-strict-aliasing"
"""clang then leaves the marks out."""

RUN_SECONDS = 5
_FILE_LIMIT = 1 << 20
_REPORT = "TypeSanitizer"


def without_marks(program: SourceProgram) -> SourceProgram:
    """The program, to be compiled without types on its accesses."""
    return replace(program, flags=(*program.flags, UNMARKED))


def unclear_types(toolchain: Toolchain, programs: Sequence[SourceProgram], jobs: int) -> set[str]:
    """Names of the programs that TypeSanitizer does not find clean.

    They are built for and run on this machine, whatever the suite's target is: the rule
    is the same everywhere. A program that cannot be built so, or that does not end well,
    was not found clean. Programs that have no marks anyway are not run.

    Args:
        toolchain: its clang builds, with the runtime that comes with it.
        programs: what to look at.
        jobs: processes at a time.

    Raises:
        ToolchainError: there is no clang.
    """
    clang = str(toolchain.need_clang().absolute())
    marked = [program for program in programs if not _has_no_marks(program)]
    with (
        tempfile.TemporaryDirectory(prefix="irsmith-types-") as folder,
        ThreadPoolExecutor(max(1, jobs)) as pool,
    ):
        build = [clang, "-fsanitize=type", "-O0", "-w", *_unwinder(clang)]
        clean = pool.map(lambda program: _is_clean(build, program, Path(folder)), marked)
        return {program.name for program, good in zip(marked, clean, strict=True) if not good}


def _has_no_marks(program: SourceProgram) -> bool:
    flags = [flag for flag in program.flags if flag.endswith("strict-aliasing")]
    return bool(flags) and flags[-1] == UNMARKED


def _is_clean(build: Sequence[str], program: SourceProgram, folder: Path) -> bool:
    """Build and run one program; whether it ended well and TypeSanitizer said nothing."""
    executable = folder / program.name
    what = [*program.flags, "-x", program.language, program.source.name]
    try:
        subprocess.run(
            [*build, *what, "-o", str(executable), "-lm"],
            cwd=program.source.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMPILE_SECONDS,
            check=True,
        )
        process = subprocess.Popen(
            [str(executable)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={"TYSAN_OPTIONS": "symbolize=0"},
            start_new_session=True,
            preexec_fn=program_confinement(_libraries(build[0]), [folder]),
        )
        with process:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_FILE_LIMIT, _FILE_LIMIT))
            try:
                _, said = process.communicate(timeout=RUN_SECONDS)
            finally:
                process.kill()
        return process.returncode == 0 and _REPORT.encode() not in said
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        executable.unlink(missing_ok=True)


def _libraries(clang: str) -> list[Path]:
    """Where the runtime's own libraries lie."""
    return [
        Path(clang).resolve().parent.parent / "lib",
        Path(clang).absolute().parent.parent / "lib",
    ]


def _unwinder(clang: str) -> list[str]:
    """The runtime wants the unwinder that lies beside clang's own libraries."""
    found = subprocess.run(
        [clang, "-print-file-name=libunwind.so.1"], capture_output=True, text=True, check=False
    )
    library = Path(found.stdout.strip())
    return [f"-Wl,-rpath,{library.parent}"] if library.is_absolute() else []
