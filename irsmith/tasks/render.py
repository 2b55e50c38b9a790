"""Texts into code and back, for all tasks: what LLVM makes of IR or of assembly.

A :class:`Renderer` works in process, for use inside a worker that makes examples; a
:class:`RenderWorker` does the same in a worker of its own, for text that nobody vouches for
(a model's answers): where LLVM refuses, dies or runs out of time, both raise LLVMError.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from ctypes import c_char_p, c_size_t, c_void_p
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from irsmith.corpus.assembly import asm_text, restore_asm
from irsmith.corpus.listing import object_text
from irsmith.corpus.normalise import ir_text, parse_ir_text
from irsmith.records import Candidate, IrsmithError, Size
from irsmith.sandbox.worker import Limits, Worker
from irsmith.tasks.example import Form
from irsmith.tasks.objects import Code, code_of
from irsmith.tasks.text import AssemblyText, IRText, check_text
from irsmith.toolchain import codegen
from irsmith.toolchain.compile import Compiled, Compiler, Job
from irsmith.toolchain.elf import loaded_size
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import CODEGEN_LEVELS, LLVM, LLVMError, arch_of, load
from irsmith.toolchain.pipelines import clang_pipeline

LIMITS = Limits(cpu_seconds=10.0, wall_seconds=120.0, memory_bytes=3 << 30)
"""What one answer may use: -Oz of a large unit takes a few seconds."""


NO_PASSES = Candidate("")
_ASSEMBLER = {"X86": "+fast-15bytenop", "AArch64": "+all"}
"""Features of the assembler: what clang tunes for by default, so that ``.p2align`` gives the
no-ops that functions get; on AArch64 instructions of every extension."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to compile, and which texts to bring back.

    Attributes:
        source: bitcode or IR of any module (it is normalised first), or a text.
        candidate: what to run on it; assembly takes none.
        level: code generation level, 0 to 3.
        ir: whether to bring the IR after the passes.
        assembly: whether to bring the assembly.
        form: as which tool prints it.
        normal: whether to bring the normalised source as bitcode.
    """

    source: bytes | IRText | AssemblyText
    candidate: Candidate = NO_PASSES
    level: int = 2
    ir: bool = False
    assembly: bool = False
    form: Form = "compiler"
    normal: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a request gave.

    Attributes:
        size: loaded bytes; IR instructions after the passes, None for assembly.
        code: digests of the object.
        ir: the normalised module after the passes, if asked for.
        assembly: if asked for.
        faithful: whether ``ir`` compiles to the very code of the module that it was
            printed from; what normalising drops can matter to the code generator.
        normal: bitcode of the normalised source, on which everything was measured, if
            asked for.
    """

    size: Size
    code: Code
    ir: IRText | None = None
    assembly: AssemblyText | None = None
    faithful: bool = True
    normal: bytes = b""


class Renders(Protocol):
    """A :class:`Renderer` or a :class:`RenderWorker`."""

    def render(self, request: Request) -> Rendered:
        """Serve a request.

        Raises:
            IrsmithError: LLVM refuses or, in a worker, died or ran out of time.
        """


class Renderer:
    """Renders in this process; the passes may abort it.

    Args:
        llvm: the loaded library.
    """

    def __init__(self, llvm: LLVM) -> None:
        self.llvm = llvm
        self._compiler = Compiler(llvm)
        self._last: tuple[bytes | IRText, IRText, bytes] | None = None

    def render(self, request: Request) -> Rendered:
        """Serve a request; those with one source that follow each other share its parsing.

        Raises:
            LLVMError: LLVM refuses the source, the passes or the code.
            VerifierError: the passes left a broken module.
        """
        try:
            return self._serve(request)
        except IrsmithError:
            raise
        except (ValueError, LookupError, struct.error, RecursionError) as error:
            # Sections and names that no compiler makes must not look like a bug of ours.
            raise LLVMError(f"out of the ordinary: {error}") from error

    def _serve(self, request: Request) -> Rendered:
        source = request.source
        if isinstance(source, AssemblyText):
            return self._assemble(source, request.assembly)
        text, bitcode = self._normal(source)
        job = Job(bitcode, text.header.triple, request.candidate, request.level)
        made = self._compiler(replace(job, output="object"))
        code = code_of(made.output)
        ir, faithful = self._print(job, code) if request.ir else (None, True)
        assembly = None
        if request.assembly and request.form == "object":
            assembly = self._list(made.output, job.triple, code)
        elif request.assembly:
            printed = self._compiler(replace(job, output="assembly")).output.decode()
            assembly = AssemblyText(job.triple, asm_text(printed, job.triple))
        normal = bitcode if request.normal else b""
        return Rendered(made.size, code, ir, assembly, faithful, normal)

    def _normal(self, source: bytes | IRText) -> tuple[IRText, bytes]:
        """A source as normalised text and bitcode."""
        if self._last is None or self._last[0] != source:
            text = source
            if isinstance(text, bytes):
                with self.llvm.context() as context:
                    text = IRText(*ir_text(context.parse(text)))
            check_text(text.text)
            with self.llvm.context() as context:
                module = parse_ir_text(context, text.text, text.header)
                broken = module.verify()
                if broken:
                    raise LLVMError(broken.splitlines()[0])
                self._last = source, text, module.bitcode()
        return self._last[1:]

    def _print(self, job: Job, code: Code) -> tuple[IRText, bool]:
        """The IR after the passes, and whether it compiles to the same code."""
        optimised: Compiled = self._compiler(replace(job, output="bitcode"))
        with self.llvm.context() as context:
            text = IRText(*ir_text(context.parse(optimised.output)))
        chosen = job.candidate.codegen
        with self.llvm.context() as context:
            again = parse_ir_text(context, text.text, text.header).bitcode()
        # What a module carries of the options is not in its text.
        _, made = codegen.finish(self.llvm, again, chosen, job.level)
        if not made:
            with self.llvm.context() as context, codegen.options(self.llvm, chosen):
                made = context.parse(again).emit(job.level)
        return text, code_of(made) == code

    def _list(self, data: bytes, triple: str, code: Code) -> AssemblyText:
        """An object's own assembly, which gives the object again."""
        text = AssemblyText(triple, object_text(self.llvm, data, triple))
        if self._assemble(text, False).code.code != code.code:
            raise LLVMError("the object cannot be written as assembly: it assembles to other code")
        return text

    def _assemble(self, source: AssemblyText, keep: bool) -> Rendered:
        """An object of assembly; LLVM's assembler is reached as assembly of a module."""
        check_text(source.text)
        made = assemble(self.llvm, restore_asm(source.text), source.triple)
        return Rendered(loaded_size(made), code_of(made), assembly=source if keep else None)


def assemble(llvm: LLVM, text: str, triple: str) -> bytes:
    """The object of assembly as compilers print it.

    Args:
        llvm: the loaded library; it may die.
        text: checked by :func:`irsmith.tasks.text.check_text`.
        triple: its target.

    Raises:
        LLVMError: LLVM's assembler refuses it.
    """
    lines = text.encode()
    with llvm.context() as context:
        module = context.parse(b"")
        module.set_target(triple)
        _set_assembly(llvm)(module.handle, lines, len(lines))
        return module.emit(features=_ASSEMBLER[arch_of(triple)])


@functools.cache
def _set_assembly(llvm: LLVM) -> Any:
    """LLVM-C's LLVMSetModuleInlineAsm2."""
    function = llvm.lib.LLVMSetModuleInlineAsm2
    function.restype, function.argtypes = None, (c_void_p, c_char_p, c_size_t)
    return function


class RenderWorker:
    """Renders in a process that may die. Use as a context manager.

    Args:
        toolchain: where LLVM is.
        triple: target; the library that generates code for it fastest is used.
        limits: of one request.
    """

    def __init__(self, toolchain: Toolchain, triple: str, limits: Limits = LIMITS) -> None:
        library = toolchain.library(arch_of(triple)).path
        self._worker: Worker[Request, Rendered] = Worker(renderer(library), limits)

    def __enter__(self) -> RenderWorker:
        """The process starts with the first request."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the process."""
        self._worker.close()

    def render(self, request: Request) -> Rendered:
        """Serve a request.

        Raises:
            LLVMError: LLVM refused, died, or ran out of time or memory.
        """
        if not isinstance(request.source, bytes):
            check_text(request.source.text)
        outcome = self._worker.call(request)
        if outcome.value is None:
            died = "" if outcome.failure == "refused" else f"compiler {outcome.failure}: "
            raise LLVMError(f"{died}{outcome.detail}")
        return outcome.value


def renderer(library: Path) -> Callable[[Callable[[int], None]], Callable[[Request], Rendered]]:
    """The preparation of a worker that renders.

    Args:
        library: path of libLLVM.
    """

    def prepare(_: Callable[[int], None]) -> Callable[[Request], Rendered]:
        return Renderer(load(library)).render

    return prepare


def at_level(source: IRText, version: str, level: str, form: Form = "compiler") -> Request:
    """The request that compiles a module as clang would at a level.

    A module of the corpus is marked for size throughout (its header says ``Oz``); other
    levels are measured without those marks.

    Args:
        source: an unoptimised module.
        version: of LLVM, whose pipelines are recorded.
        level: ``O0`` to ``O3``, ``Os``, ``Oz``.
        form: as which tool prints its assembly.
    """
    header = source.header
    if header.level:
        header = replace(header, level=level if level in ("Os", "Oz") else "")
    passes = "" if level == "O0" else clang_pipeline(version, header.triple, level)
    return Request(
        IRText(header, source.text), Candidate(passes), CODEGEN_LEVELS[level], ir=True,
        assembly=True, form=form,
    )  # fmt: skip
