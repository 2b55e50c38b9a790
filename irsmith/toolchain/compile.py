"""From bitcode and a candidate to section sizes, in process.

Runs inside a worker (passes abort and loop). The optimised module is always
written as bitcode and read back before code is generated: so equal IR (equal
bytes, named by their hash) gives equal code, which lets a second emission be
skipped, and the code that was measured is the code that is written later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith.records import Candidate, IrsmithError, Size
from irsmith.toolchain import codegen, elf
from irsmith.toolchain.alike import Outline, outline
from irsmith.toolchain.census import Census, census
from irsmith.toolchain.llvm import LLVM, IRModule, load

_Key = tuple[str, tuple[str, ...], int]
"""A pass list or the name of an optimised module, options, level."""
_Made = tuple[str, bytes, int]
"""An optimised module: its name, bitcode and number of instructions."""
_OBJECTS_KEPT = 4
_OPTIMISED_KEPT = 16 << 20
"""Bytes of optimised bitcode that are kept of a module, for lists that come again with other
code generation options."""


class VerifierError(IrsmithError):
    """A pass left a module that LLVM's verifier refuses."""


@dataclass(frozen=True, slots=True)
class Job:
    """One compilation.

    Attributes:
        bitcode: unoptimised module.
        triple: target.
        candidate: pass list and code generation options.
        level: code generation level, 0 to 3 (``-Oz`` is 2).
        output: ``""`` for sizes only, else ``object``, ``assembly``, ``ir`` or ``bitcode``;
            ``outline`` compiles nothing and says what the module consists of.
        direct: generate code from the module in memory, as clang does, and not from
            its bitcode (for the baseline, which must equal clang's own object).
        census: count what the unoptimised module is made of (with ``direct``).
    """

    bitcode: bytes
    triple: str
    candidate: Candidate
    level: int = 2
    output: str = ""
    direct: bool = False
    census: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a job gave: sizes, the name of the optimised IR, the output and counts asked for.

    With an object comes the bitcode that it was made of, so that a check of the module
    need not run the passes again.
    """

    size: Size
    ir_hash: str
    output: bytes = b""
    census: Census = ()
    optimised: bytes = b""
    outline: Outline | None = None


class Compiler:
    """Compiles jobs, remembering what the current module has already given.

    Args:
        llvm: the loaded library.
    """

    def __init__(self, llvm: LLVM) -> None:
        self.llvm = llvm
        self._module = b""
        self._made: dict[_Key, _Made] = {}
        self._kept = 0
        self._sizes: dict[_Key, Size] = {}
        self._objects: dict[_Key, bytes] = {}

    def __call__(self, job: Job) -> Compiled:
        """Compile one job.

        Raises:
            LLVMError: LLVM refuses the module or the pass list.
            VerifierError: the passes left a broken module.
        """
        if job.output == "outline":
            with self.llvm.context() as context:
                return Compiled(
                    Size(0, 0, 0, 0), "", outline=outline(context.parse(job.bitcode).text())
                )
        if job.direct:
            return self._direct(job)
        module = hashlib.blake2b(job.bitcode + job.triple.encode(), digest_size=16).digest()
        if module != self._module:
            self._module, self._kept = module, 0
            self._made.clear()
            self._sizes.clear()
            self._objects.clear()
        ir_hash, bitcode, instructions = self._optimised(job)
        key = (ir_hash, job.candidate.codegen, job.level)
        if key not in self._sizes or (job.output == "object" and key not in self._objects):
            self._remember(key, self._emit(bitcode, job, assembly=False))
        size = replace(self._sizes[key], instructions=instructions)
        output = b""
        if job.output == "object":
            return Compiled(size, ir_hash, self._objects[key], optimised=bitcode)
        if job.output == "assembly":
            output = self._emit(bitcode, job, assembly=True)
        elif job.output == "bitcode":
            output = bitcode
        elif job.output == "ir":
            with self.llvm.context() as context:
                output = context.parse(bitcode).text().encode()
        return Compiled(size, ir_hash, output)

    def _optimised(self, job: Job) -> _Made:
        """The module after its passes, with what it carries of the options."""
        passes, chosen = job.candidate.passes, job.candidate.codegen
        # A list with several sets of code generation options runs its passes once.
        if (passes, (), 0) not in self._made:
            self._keep((passes, (), 0), self._optimise(job))
        made = self._made[passes, (), 0]
        if codegen.FRAMES not in chosen:
            return made
        # By the name of the module: other passes that gave the same IR get the same decision.
        key = (made[0], chosen, job.level)
        if key not in self._made:
            bitcode, code = codegen.finish(self.llvm, made[1], chosen, job.level)
            self._keep(key, (_hash(bitcode), bitcode, made[2]))
            self._remember((_hash(bitcode), chosen, job.level), code)
        return self._made[key]

    def _remember(self, key: _Key, code: bytes) -> None:
        self._sizes[key] = elf.loaded_size(code)
        while len(self._objects) >= _OBJECTS_KEPT:
            self._objects.pop(next(iter(self._objects)))
        self._objects[key] = code

    def _keep(self, key: _Key, made: _Made) -> None:
        self._kept += len(made[1])
        while self._made and self._kept > _OPTIMISED_KEPT:
            self._kept -= len(self._made.pop(next(iter(self._made)))[1])
        self._made[key] = made

    def _emit(self, bitcode: bytes, job: Job, assembly: bool) -> bytes:
        with self.llvm.context() as context, codegen.options(self.llvm, job.candidate.codegen):
            return context.parse(bitcode).emit(job.level, assembly)

    def _direct(self, job: Job) -> Compiled:
        with self.llvm.context() as context:
            module = context.parse(job.bitcode)
            prepare(module, job.triple)
            counted = census(module) if job.census else ()
            module.run_passes(job.candidate.passes, job.level)
            bitcode = module.bitcode()
            count = sum(module.instruction_counts().values())
            output = module.text().encode() if job.output == "ir" else bitcode
            twin = module.clone() if job.output == "assembly" else None
            with codegen.options(self.llvm, job.candidate.codegen):
                made = module.emit(job.level)
                if twin is not None:
                    output = twin.emit(job.level, assembly=True)
        output = made if job.output == "object" else output if job.output else b""
        size = replace(elf.loaded_size(made), instructions=count)
        return Compiled(size, _hash(bitcode), output, counted, bitcode)

    def _optimise(self, job: Job) -> _Made:
        with self.llvm.context() as context:
            module = context.parse(job.bitcode)
            prepare(module, job.triple)
            module.run_passes(job.candidate.passes, job.level)
            broken = module.verify()
            if broken:
                raise VerifierError(broken.splitlines()[0])
            bitcode = module.bitcode()
            count = sum(module.instruction_counts().values())
        return _hash(bitcode), bitcode, count


def _hash(bitcode: bytes) -> str:
    return hashlib.blake2b(bitcode, digest_size=8).hexdigest()


def prepare(module: IRModule, triple: str) -> None:
    """Give a module its target, if it does not have it already."""
    if module.triple != triple:
        module.set_target(triple)


def compiler(library: Path) -> Callable[[Callable[[int], None]], Callable[[Job], Compiled]]:
    """The preparation of a worker that compiles: loads LLVM in the nursery.

    Args:
        library: path of libLLVM.
    """

    def prepare_worker(_: Callable[[int], None]) -> Callable[[Job], Compiled]:
        return Compiler(load(library))

    return prepare_worker
