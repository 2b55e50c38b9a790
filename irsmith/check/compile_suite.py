"""Compile the programs of a suite to unoptimised bitcode."""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from irsmith.check.debian import cross_flags
from irsmith.check.sources import SourceProgram
from irsmith.toolchain.find import Toolchain

COMPILE_SECONDS = 20.0

# -Oz with its passes left out: minsize and optsize are on the functions, optnone
# is not. -fno-ident and a relative file name keep the bitcode the same on every
# machine with this clang.
_FLAGS = (
    *("-Oz", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c"),
    *("-w", "-fPIC", "-fno-ident"),
)


@dataclass(frozen=True, slots=True)
class CompileResult:
    """One program, compiled or not.

    Attributes:
        program: what was compiled.
        bitcode: the file written, or None.
        sha256: of the bitcode, ``""`` without it.
        error: why there is no bitcode, one line, ``""`` with it.
    """

    program: SourceProgram
    bitcode: Path | None
    sha256: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """The program's."""
        return self.program.name


def compile_command(clang: Path | str, target: str) -> list[str]:
    """The part of the command that all programs of a target share.

    Raises:
        MissingError: the target's headers are not here.
    """
    return [str(clang), *_FLAGS, f"--target={target}", *cross_flags(target)]


def _first_error(stderr: str, status: int) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\berror:", line)]
    if errors:
        return errors[0][:300]
    if status < 0:
        return f"clang died of {signal.Signals(-status).name}"
    return (lines[0] if lines else f"clang exited with {status}")[:300]


def _compile_one(command: Sequence[str], program: SourceProgram, file: Path) -> CompileResult:
    beside = file.with_suffix(".tmp")
    language = ["-x", program.language]
    try:
        done = subprocess.run(
            [*command, *program.flags, *language, program.source.name, "-o", str(beside)],
            cwd=program.source.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMPILE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        beside.unlink(missing_ok=True)
        return CompileResult(program, None, error=f"clang took over {COMPILE_SECONDS:.0f} s")
    except OSError as error:
        return CompileResult(program, None, error=f"{type(error).__name__}: {error}"[:300])
    if done.returncode or not beside.exists():
        beside.unlink(missing_ok=True)
        return CompileResult(program, None, error=_first_error(done.stderr, done.returncode))
    digest = hashlib.sha256(beside.read_bytes()).hexdigest()
    beside.replace(file)
    return CompileResult(program, file, digest)


def compile_programs(
    programs: Sequence[SourceProgram],
    out_dir: Path,
    toolchain: Toolchain,
    target: str,
    jobs: int,
    on_result: Callable[[CompileResult], None] | None = None,
) -> list[CompileResult]:
    """Compile programs to ``out_dir/NAME.bc``; a bad one is a result, not an exception.

    Args:
        programs: what to compile.
        out_dir: made if needed; a file is there whole or not at all.
        toolchain: has the clang.
        target: LLVM triple.
        jobs: how many clangs at a time.
        on_result: called for each result as it comes, in order, in this thread.

    Returns:
        One result a program, in order.

    Raises:
        MissingError: the target's headers are not here.
        ToolchainError: there is no clang.
    """
    command = compile_command(toolchain.need_clang().absolute(), target)
    out_dir = out_dir.resolve()  # clang runs in the program's folder
    out_dir.mkdir(parents=True, exist_ok=True)
    results = []
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        work = [
            pool.submit(_compile_one, command, program, out_dir / f"{program.name}.bc")
            for program in programs
        ]
        try:
            for future in work:
                results.append(future.result())
                if on_result:
                    on_result(results[-1])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results
