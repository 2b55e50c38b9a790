"""Splitting a person's file into functions, and recompiled IR into the same, in a worker.

Everything that reads a file which nobody vouches for, or compiles what a model said, runs
where LLVM may die.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from irsmith.corpus.assembly import restore_asm
from irsmith.corpus.linked import unlink
from irsmith.corpus.listing import quoted
from irsmith.corpus.normalise import ir_text, parse_ir_text
from irsmith.corpus.piece import Cutter, Piece, functions_of, same, same_instructions
from irsmith.records import Candidate, IrsmithError
from irsmith.sandbox.worker import Limits, Worker
from irsmith.tasks.disassemble import DisassembleAnswer
from irsmith.tasks.render import NO_PASSES, assemble
from irsmith.tasks.text import IRText, check_text
from irsmith.toolchain.compile import Compiler, Job
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import (
    SHF_EXEC,
    SHN_UNDEF,
    STB_LOCAL,
    STT_FUNC,
    ElfObject,
    read_object,
)
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import CODEGEN_LEVELS, LLVM, LLVMError, arch_of, load

LIMITS = Limits(cpu_seconds=60.0, wall_seconds=300.0, memory_bytes=3 << 30)
"""What one function of a large file may take; a model's answer takes far less."""


@dataclass(frozen=True, slots=True)
class CutOut:
    """Cut a function out of an object.

    Attributes:
        data: the object.
        index: which of its functions, by place.
    """

    data: bytes
    index: int


@dataclass(frozen=True, slots=True)
class Assemble:
    """Assemble a person's own file."""

    text: str


@dataclass(frozen=True, slots=True)
class Recompile:
    """Compile an answer, and cut the function out of what it gives.

    Attributes:
        answer: of a model.
        name: the function that it should be.
        by_assembler: whether its assembly is assembled: compilers and assemblers pad code
            with different instructions, and the truth came through an assembler.
        reached: names to which a linker lets code lead directly: those that the linked
            file, which it comes from, defines.
    """

    answer: DisassembleAnswer
    name: str
    by_assembler: bool = False
    reached: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Optimise:
    """Run passes on lifted code.

    Attributes:
        text: the module.
        candidate: passes.
    """

    text: IRText
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Recompiled:
    """What an answer compiles to.

    Attributes:
        ir: the whole module, as LLVM prints it.
        pieces: the function; of a linked file, with and without what a linker changes; none
            if what was compiled is something else.
        reason: why there is no piece.
    """

    ir: str
    pieces: tuple[Piece, ...]
    reason: str = ""


Ask = CutOut | Assemble | Recompile | Optimise
Told = Piece | bytes | Recompiled | IRText


class PieceWorker:
    """Cuts, assembles and recompiles in a process that may die. Use as a context manager.

    Args:
        toolchain: where LLVM is.
        triple: target.
        limits: of one request.
    """

    def __init__(self, toolchain: Toolchain, triple: str, limits: Limits = LIMITS) -> None:
        library = toolchain.library(arch_of(triple)).path
        self._worker: Worker[Ask, Told] = Worker(_prepare(library, triple), limits)

    def __enter__(self) -> PieceWorker:
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

    def object_of(self, text: str) -> bytes:
        """Assemble a file.

        Raises:
            LLVMError: LLVM's assembler refuses it.
        """
        made = self._ask(Assemble(text))
        assert isinstance(made, bytes)
        return made

    def cut(self, data: bytes, index: int) -> Piece:
        """A function of an object; its text assembles to its code.

        Raises:
            LLVMError: why it cannot be cut out.
        """
        made = self._ask(CutOut(data, index))
        assert isinstance(made, Piece)
        return made

    def recompile(
        self,
        answer: DisassembleAnswer,
        name: str,
        by_assembler: bool = False,
        reached: frozenset[str] = frozenset(),
    ) -> Recompiled:
        """What an answer compiles to.

        Raises:
            LLVMError: LLVM refuses it.
        """
        made = self._ask(Recompile(answer, name, by_assembler, reached))
        assert isinstance(made, Recompiled)
        return made

    def optimise(self, text: IRText, candidate: Candidate) -> IRText:
        """What passes make of a module.

        Raises:
            LLVMError: LLVM refuses it.
        """
        made = self._ask(Optimise(text, candidate))
        assert isinstance(made, IRText)
        return made

    def _ask(self, ask: Ask) -> Told:
        outcome = self._worker.call(ask)
        if outcome.value is None:
            died = "" if outcome.failure == "refused" else f"LLVM: {outcome.failure}: "
            detail = outcome.detail.splitlines()
            raise LLVMError(f"{died}{detail[0] if detail else 'no reason given'}")
        return outcome.value


def _prepare(
    library: Path, triple: str
) -> Callable[[Callable[[int], None]], Callable[[Ask], Told]]:
    def prepare(_: Callable[[int], None]) -> Callable[[Ask], Told]:
        return _Pieces(load(library), triple)

    return prepare


class _Pieces:
    """The handler of the worker; remembers the object that it cut last."""

    def __init__(self, llvm: LLVM, triple: str) -> None:
        self.llvm, self.triple = llvm, triple
        self._compiler = Compiler(llvm)
        self._last: tuple[bytes, Cutter] | None = None

    def __call__(self, ask: Ask) -> Told:
        try:
            return self._serve(ask)
        except IrsmithError:
            raise
        except (ValueError, LookupError, struct.error, RecursionError) as error:
            raise LLVMError(f"out of the ordinary: {error}") from error

    def _serve(self, ask: Ask) -> Told:
        if isinstance(ask, Assemble):
            check_text(ask.text)
            return assemble(self.llvm, ask.text, self.triple)
        if isinstance(ask, Recompile):
            return self._recompile(ask)
        if isinstance(ask, Optimise):
            return self._optimise(ask)
        if self._last is None or self._last[0] != ask.data:
            self._last = ask.data, self._cutter(ask.data)
        cutter = self._last[1]
        return self._checked(cutter.cut(cutter.functions[ask.index]))

    def _cutter(self, data: bytes) -> Cutter:
        read = read_object(data)
        if read.kind == "relocatable":
            return Cutter(self.llvm, read, self.triple)
        linked = unlink(self.llvm, data, read, self.triple)
        return Cutter(self.llvm, linked.object, self.triple, linked.widths)

    def _checked(self, piece: Piece) -> Piece:
        """A piece whose text says all of it; one with short jumps, as an assembler has it."""
        check_text(piece.text)
        sizes = "".join(
            f".type {quoted(name)},@object\n.size {quoted(name)}, {size}\n"
            for name, size in piece.sizes
        )
        code = assemble(self.llvm, restore_asm(piece.text) + sizes, self.triple)
        read = read_object(code)
        whole = {s.number: s.size for s in read.sections if s.flags & SHF_EXEC}
        typed = tuple(
            replace(s, type=STT_FUNC, size=whole[s.section] - s.value)
            if s.name == piece.name and s.section in whole
            else s
            for s in read.symbols
        )
        again = self._only(replace(read, symbols=typed), piece.name)
        if same(piece, again):
            return piece
        if same_instructions(piece, again):
            # Another assembler may encode them otherwise: what is compared stays the original.
            return again if piece.short else piece
        raise ObjectError("it cannot be written as assembly: that gives other code")

    def _optimise(self, ask: Optimise) -> IRText:
        job = Job(self._bitcode(ask.text), ask.text.header.triple, ask.candidate)
        made = self._compiler(replace(job, output="bitcode")).output
        with self.llvm.context() as context:
            return IRText(*ir_text(context.parse(made)))

    def _bitcode(self, ir: IRText) -> bytes:
        check_text(ir.text)
        with self.llvm.context() as context:
            module = parse_ir_text(context, ir.text, ir.header)
            broken = module.verify()
            if broken:
                raise LLVMError(broken.splitlines()[0])
            return module.bitcode()

    def _recompile(self, ask: Recompile) -> Recompiled:
        ir = ask.answer.ir
        bitcode = self._bitcode(ir)
        level = CODEGEN_LEVELS[ask.answer.level]
        job = Job(bitcode, ir.header.triple, NO_PASSES, level)
        output = "assembly" if ask.by_assembler else "object"
        made = self._compiler(replace(job, output=output)).output
        if ask.by_assembler:
            made = assemble(self.llvm, made.decode(), self.triple)
        text = self._compiler(replace(job, output="ir")).output.decode()
        try:
            read = read_object(made)
            ways = (ask.reached, frozenset[str]()) if ask.reached else (ask.reached,)
            return Recompiled(text, tuple(self._only(read, ask.name, way) for way in ways))
        except ObjectError as error:
            return Recompiled(text, (), str(error))

    def _only(self, read: ElfObject, name: str, reached: frozenset[str] = frozenset()) -> Piece:
        """The one function that an object holds.

        Raises:
            ObjectError: it holds something else.
        """
        found = functions_of(read)
        names = {s.name for s in read.symbols if s.binding != STB_LOCAL and s.section != SHN_UNDEF}
        names |= {f.name for f in found}
        others = sorted(n for n in names - {name} if not n.startswith("DW.ref."))
        if name not in names or not found:
            raise ObjectError(f"it does not define {name}")
        if others:
            raise ObjectError(f"it defines more than {name}: {others[0]}")
        return Cutter(self.llvm, read, self.triple, reached=reached).cut(found[0])
