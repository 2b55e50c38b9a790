"""One process's way to run versions of a module: link them, call their functions."""

from __future__ import annotations

import ctypes
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from irsmith.check.differential.build import Build
from irsmith.check.differential.data import Callee, CheckJob, Prepared, Result
from irsmith.check.differential.expose import drop_unused, settle
from irsmith.check.differential.externals import INTRODUCED, REAL
from irsmith.check.differential.library import RawOutcome, Runtime, Stub, Word
from irsmith.toolchain import codegen
from irsmith.toolchain.compile import VerifierError, prepare
from irsmith.toolchain.jit import Linked
from irsmith.toolchain.llvm import LLVM, Context, IRModule

MICROSECONDS = 50_000
"""Processor time of one run."""
LAST_CHANCE = 1_000_000
"""Processor time in microseconds of the second and last run of what ran out of time."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every version of a module is linked against.

    Attributes:
        linked: the harness.
        callers: addresses of its callers.
        stubs: array of ``struct stub``, with addresses.
        addresses: of external functions, by name.
    """

    linked: Linked
    callers: list[int]
    stubs: Any
    addresses: dict[str, int]


class Linker:
    """Links and runs.

    Args:
        llvm: the loaded library.
        runtime: the loaded runtime.
    """

    def __init__(self, llvm: LLVM, runtime: Runtime) -> None:
        self.llvm, self.runtime = llvm, runtime

    def emit_text(self, text: str, triple: str) -> bytes:
        """Unoptimised code of textual IR."""
        with self.llvm.context() as context:
            module = context.parse(text.encode())
            prepare(module, triple)
            return module.emit(0)

    def ground(self, prepared: Prepared) -> Ground:
        """Link the harness of a reference."""
        event = self.runtime.address("irsmith_event")
        linked = Linked(self.llvm, prepared.harness, {"irsmith_event": event})
        callers: list[int] = []
        if prepared.callers:
            table = linked.address("irsmith.callers")
            callers = list((ctypes.c_uint64 * prepared.callers).from_address(table))
        count = len(prepared.stubs) // ctypes.sizeof(Stub)
        stubs = (Stub * count).from_buffer_copy(prepared.stubs)
        addresses = {
            name: address
            for name in INTRODUCED
            if (address := self.runtime.address(f"known_{name}"))
        }
        if count and stubs[0].count + stubs[0].results + stubs[0].signature:
            table = linked.address("irsmith.stubs")
            for stub, address in zip(
                stubs, (ctypes.c_uint64 * count).from_address(table), strict=True
            ):
                stub.address = address
        addresses["_Unwind_Resume"] = self.runtime.address("irsmith_unsupported")
        addresses.update(zip(prepared.externals, (s.address for s in stubs), strict=False))
        return Ground(linked, callers, stubs, addresses)

    def addresses(self, module: IRModule, base: Mapping[str, int]) -> dict[str, int]:
        """Addresses of everything that a version declares; what nobody knows ends the run."""
        addresses = dict(base)
        for name in module.declarations():
            if name.startswith("llvm.") or name in addresses or name in REAL:
                continue
            known = self.runtime.address(f"known_{name}") or self.runtime.address(name)
            addresses[name] = known or self.runtime.address("irsmith_unsupported")
        return addresses

    def replay(
        self,
        callee: Callee,
        where: tuple[int, int],
        words: bytes,
        used: int,
        other: int,
        limit: int = MICROSECONDS,
    ) -> Result:
        """Call a function on an input; ``other`` puts memory and stack elsewhere."""
        out = RawOutcome()
        count = len(words) // ctypes.sizeof(Word)
        self.runtime.replay(
            *(*where, len(callee.kinds), callee.kinds, words, count, used, other, limit),
            ctypes.byref(out),
        )
        reason = out.reason if out.status else 0
        return Result(out.status, out.result, out.trace, out.memory, out.internal, reason)

    def version(
        self,
        job: CheckJob,
        transformed: bool,
        context: Context,
        called: Container[str] | None = None,
    ) -> IRModule:
        """One of the two versions of a comparison, before it is linked.

        Args:
            job: the comparison.
            transformed: which of the two.
            context: for the module.
            called: the functions that will be called, if nothing else need be there.
        """
        prepared = job.prepared
        copy = prepared.testing if job.testing else prepared.bitcode
        done = job.optimised if prepared.alike and not job.testing else b""
        other = (job.module or done) if transformed else b""
        module = context.parse(other or copy)
        prepare(module, prepared.triple)
        if transformed:
            if other:
                settle(module)
            if called is not None and not other:
                drop_unused(module, called)
            if not done:
                module.run_passes(job.candidate.passes, job.level)
                module = self._finished(job, module)
            broken = module.verify()
            if broken:
                raise VerifierError(f"verifier: {broken.splitlines()[0]}")
        return module

    def _finished(self, job: CheckJob, module: IRModule) -> IRModule:
        """A module after its passes, with what it carries of the code generation options."""
        chosen = job.candidate.codegen
        if job.testing or codegen.FRAMES not in chosen:
            return module
        made, _ = codegen.finish(self.llvm, module.bitcode(), chosen, job.level)
        return module.context.parse(made)

    def link(
        self, job: CheckJob, module: IRModule, transformed: bool, addresses: Mapping[str, int]
    ) -> Build:
        """Link one of the two versions of a comparison.

        The testing copy is there for what the passes do to hidden functions. The code
        generator is judged on the real module, so the copy gets its quick one.
        """
        judged = transformed and not job.testing
        with codegen.options(self.llvm, job.candidate.codegen if judged else ()):
            return Build(
                *(self.runtime, module, job.level if judged else 0),
                self.addresses(module, addresses),
                *(job.prepared.tokens, job.prepared.hidden, {}),
            )
