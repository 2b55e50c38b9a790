"""The name of a module that no folder and no debug information changes, and single compilations.

In one worker, so that LLVM is loaded once: a unit that the lock file knows costs that, and one
compilation.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.records import Candidate, IrsmithError
from irsmith.sandbox.worker import Limits, Worker
from irsmith.toolchain.clang import codegen_flags, emit_with_clang, emit_with_llc
from irsmith.toolchain.compile import Compiled, Compiler, Job
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import LLVM, arch_of, load
from irsmith.toolchain.pipelines import clang_pipeline

_LIMITS = Limits(cpu_seconds=120.0, wall_seconds=600.0, memory_bytes=8 << 30)


@dataclass(frozen=True, slots=True)
class Name:
    """A question: the name of a module."""

    bitcode: bytes


class _Handler:
    """Names modules and compiles jobs."""

    def __init__(self, llvm: LLVM) -> None:
        self._llvm = llvm
        self._compile = Compiler(llvm)

    def __call__(self, item: Name | Job) -> str | Compiled:
        return self._name(item.bitcode) if isinstance(item, Name) else self._compile(item)

    def _name(self, bitcode: bytes) -> str:
        lib = self._llvm.lib
        lib.LLVMStripModuleDebugInfo.argtypes = [ctypes.c_void_p]
        lib.LLVMSetSourceFileName.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        lib.LLVMSetModuleIdentifier.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        with self._llvm.context() as context:
            module = context.parse(bitcode)
            lib.LLVMStripModuleDebugInfo(module.handle)
            lib.LLVMSetSourceFileName(module.handle, b"", 0)
            lib.LLVMSetModuleIdentifier(module.handle, b"", 0)
            return hashlib.sha256(module.bitcode()).hexdigest()


def _prepare(
    library: Path,
) -> Callable[[Callable[[int], None]], Callable[[Name | Job], str | Compiled]]:
    def prepare(_: Callable[[int], None]) -> Callable[[Name | Job], str | Compiled]:
        return _Handler(load(library))

    return prepare


class Engine:
    """Names and compiles modules of one target.

    Args:
        toolchain: where LLVM is.
        triple: target.

    Use it as a context manager.
    """

    def __init__(self, toolchain: Toolchain, triple: str) -> None:
        self._toolchain, self._triple = toolchain, triple
        library = toolchain.library(arch_of(triple)).path
        self._worker: Worker[Name | Job, str | Compiled] = Worker(_prepare(library), _LIMITS)

    def __enter__(self) -> Engine:
        """Nothing starts before the first question."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the worker."""
        self._worker.close()

    @property
    def baseline(self) -> Candidate:
        """Clang's own ``-Oz``."""
        return Candidate(clang_pipeline(self._toolchain.version, self._triple, "Oz"))

    def name(self, bitcode: bytes, flags: Sequence[str]) -> str:
        """The name of a module under the flags that change code without a trace in it.

        Raises:
            IrsmithError: LLVM cannot read it.
        """
        kind = "\0".join([self._triple, *codegen_flags(flags)])
        return hashlib.sha256(f"{self._ask(Name(bitcode))}\0{kind}".encode()).hexdigest()

    def compile(self, bitcode: bytes, candidate: Candidate, flags: Sequence[str]) -> bytes:
        """One candidate's object, byte for byte as ``apps.optimize`` makes it.

        Raises:
            IrsmithError: LLVM refuses the candidate, crashes, or runs out of time.
        """
        direct = candidate == self.baseline
        if not codegen_flags(flags):
            job = Job(bitcode, self._triple, candidate, output="object", direct=direct)
            return self._compiled(job).output
        by_clang = arch_of(self._triple) == "X86"
        if by_clang and direct:
            return emit_with_clang(
                self._toolchain, bitcode, self._triple, flags, candidate.codegen, passes=True
            )
        job = Job(bitcode, self._triple, candidate, output="bitcode", direct=direct)
        emit = emit_with_clang if by_clang else emit_with_llc
        made = self._compiled(job).output
        return emit(self._toolchain, made, self._triple, flags, candidate.codegen)

    def _compiled(self, job: Job) -> Compiled:
        answer = self._ask(job)
        assert isinstance(answer, Compiled)
        return answer

    def _ask(self, item: Name | Job) -> str | Compiled:
        outcome = self._worker.call(item)
        if outcome.value is None:
            raise IrsmithError(f"LLVM {outcome.failure}: {outcome.detail}")
        return outcome.value
