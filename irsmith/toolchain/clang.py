"""The frontend: C and C++ to unoptimised bitcode, and what clang itself would do.

Unoptimised IR for size is ``clang -Oz -Xclang -disable-llvm-passes``: functions
then carry ``minsize optsize`` and not ``optnone``.
"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path

from irsmith.records import IrsmithError
from irsmith.toolchain.codegen import command_line
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of

C_SUFFIXES = {".c": "c", ".i": "cpp-output"}
CXX_SUFFIXES = {
    ".cc": "c++",
    ".cpp": "c++",
    ".cxx": "c++",
    ".C": "c++",
    ".c++": "c++",
    ".ii": "c++-cpp-output",
}
IR_SUFFIXES = (".ll", ".bc")
DEFAULT_TARGETS = {"X86": "x86_64-unknown-linux-gnu", "AArch64": "aarch64-unknown-linux-gnu"}

_OURS = {"-c", "-S", "-E", "-emit-llvm", "-fsyntax-only", "-o"}
_DROPPED_PREFIXES = ("-O", "-flto", "-fno-lto", "-ffat-lto")
_CODEGEN_PREFIXES = (
    "-ffunction-sections",
    "-fdata-sections",
    "-funique-section-names",
    "-fno-unique-section-names",
    "-fbasic-block-sections",
    "-ftls-model",
    "-femulated-tls",
    "-ffp-contract",
    "-ffast-math",
    "-Ofast",
    "-fno-asynchronous-unwind-tables",
    "-fstack-size-section",
    "-fsplit-machine-functions",
    "-mrelax-all",
    "-mllvm",
    "-Wa,",
    "-fno-integrated-as",
    "-no-integrated-as",
    "-fno-use-init-array",
    "-meabi",
    "-mfloat-abi",
    "-msoft-float",
    "-fno-addrsig",
    "-gz",
)


class CompileError(IrsmithError):
    """clang refused the source: its own message, exit status 1."""

    exit_status = 1


def language_of(path: str) -> str | None:
    """clang's ``-x`` name for a source file by its suffix, or None if it is no C or C++."""
    suffix = Path(path).suffix
    return C_SUFFIXES.get(suffix) or CXX_SUFFIXES.get(suffix)


def target_triple(name: str) -> str:
    """The triple for what a person types (``x86-64``, ``aarch64``, ``arm64``, a triple).

    Raises:
        LLVMError: a target that irsmith does not know.
    """
    spelled = name.replace("x86-64", "x86_64")
    return spelled if spelled.count("-") >= 2 else DEFAULT_TARGETS[arch_of(spelled)]


@functools.cache
def cross_includes(triple: str) -> tuple[str, ...]:
    """Flags that bring in Debian's cross headers of C for a foreign target, if installed."""
    if arch_of(triple) == "AArch64":
        folder = Path("/usr/aarch64-linux-gnu/include")
        if folder.is_dir():
            return ("-idirafter", str(folder))
    return ()


def check_flags(flags: Sequence[str]) -> None:
    """Refuse flags that say what to produce: that is irsmith's own job.

    Raises:
        IrsmithError: names the flag.
    """
    for flag in flags:
        if flag in _OURS or flag.startswith("--target") or flag == "-target":
            raise IrsmithError(
                f"{flag!r} after -- is for clang's frontend only: "
                "say it to irsmith, before the -- (-o, -S, --emit-llvm, --target)"
            )


def frontend_flags(flags: Sequence[str]) -> list[str]:
    """The person's flags without levels and link-time optimisation: irsmith compiles for -Oz."""
    return [flag for flag in flags if not flag.startswith(_DROPPED_PREFIXES)]


def dropped_flags(flags: Sequence[str]) -> list[str]:
    """Those of the flags that irsmith leaves out: levels and link-time optimisation."""
    return [flag for flag in flags if flag.startswith(_DROPPED_PREFIXES)]


def codegen_flags(flags: Sequence[str]) -> list[str]:
    """Those of the flags that change code generation without leaving a trace in the IR.

    With any of them, objects are emitted by clang itself and not in process.
    """
    kept: list[str] = []
    for index, flag in enumerate(flags):
        if flag.startswith(_CODEGEN_PREFIXES):
            kept.append(flag)
            if flag == "-mllvm":
                kept.extend(flags[index + 1 : index + 2])
    return kept


def run_clang(
    toolchain: Toolchain, arguments: Sequence[str], stdin: bytes = b"", seconds: float = 300
) -> bytes:
    """Run clang and return what it wrote to stdout.

    Raises:
        CompileError: clang failed; the message is clang's own.
    """
    try:
        done = subprocess.run(
            [toolchain.need_clang(), *arguments],
            input=stdin,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CompileError(f"clang did not finish within {seconds:.0f} seconds") from error
    message = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        raise CompileError(message or f"clang failed with status {done.returncode}")
    return done.stdout


def to_bitcode(
    toolchain: Toolchain,
    source: str | bytes,
    language: str,
    triple: str,
    flags: Sequence[str] = (),
) -> bytes:
    """Compile a source file, or source text in memory, to unoptimised bitcode.

    Args:
        toolchain: where clang is.
        source: a path, or the text itself as bytes.
        language: clang's ``-x`` name.
        triple: target.
        flags: the person's own flags for clang.

    Raises:
        CompileError: clang refused it.
    """
    check_flags(flags)
    from_stdin = isinstance(source, bytes)
    arguments = [
        f"--target={triple}",
        *frontend_flags(flags),
        *cross_includes(triple),
        *("-Oz", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", "-o", "-"),
        *("-x", language, "-" if from_stdin else str(source)),
    ]
    return run_clang(toolchain, arguments, source if isinstance(source, bytes) else b"")


def emit_with_clang(
    toolchain: Toolchain,
    bitcode: bytes,
    triple: str,
    flags: Sequence[str],
    codegen: Sequence[str] = (),
    assembly: bool = False,
    passes: bool = False,
) -> bytes:
    """Code generation by clang's driver, for flags that leave no trace in the IR.

    Args:
        toolchain: where clang is.
        bitcode: the module.
        triple: target.
        flags: the person's own; those for code generation are used.
        codegen: code generation options.
        assembly: assembly in place of an object.
        passes: also run clang's own passes of ``-Oz``.
    """
    options = [part for option in command_line(codegen) for part in ("-mllvm", option)]
    arguments = [
        f"--target={triple}",
        *("-Oz", *(() if passes else ("-Xclang", "-disable-llvm-passes")), "-w"),
        *codegen_flags(flags),
        *options,
        *("-S" if assembly else "-c", "-o", "-", "-x", "ir", "-"),
    ]
    return run_clang(toolchain, arguments, bitcode)


_LLC_FLAGS = {
    "-ffunction-sections": "-function-sections",
    "-fdata-sections": "-data-sections",
    "-fno-unique-section-names": "-unique-section-names=false",
}


def emit_with_llc(
    toolchain: Toolchain,
    bitcode: bytes,
    triple: str,
    flags: Sequence[str],
    codegen: Sequence[str] = (),
    assembly: bool = False,
) -> bytes:
    """Code generation by ``llc``, for targets that the clang wheel does not generate code for.

    Raises:
        IrsmithError: a flag that llc has no counterpart of, or llc failed.
    """
    unknown = [flag for flag in codegen_flags(flags) if flag not in _LLC_FLAGS]
    if unknown:
        raise IrsmithError(f"{unknown[0]!r} is not supported for {triple}: leave it out")
    static = any(flag in ("-fno-pic", "-fno-PIC", "-fno-pie", "-fno-PIE") for flag in flags)
    command = [
        str(toolchain.tool("llc")),
        *("-O2", f"-mtriple={triple}", f"-filetype={'asm' if assembly else 'obj'}"),
        f"-relocation-model={'static' if static else 'pic'}",
        *(_LLC_FLAGS[flag] for flag in codegen_flags(flags)),
        *command_line(codegen),
        *("-o", "-", "-"),
    ]
    done = subprocess.run(command, input=bitcode, capture_output=True, timeout=300, check=False)
    if done.returncode:
        raise IrsmithError(f"llc: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
