"""Read IR that a person wrote or that another compiler made: in a worker, with clear errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from irsmith.records import IrsmithError
from irsmith.sandbox.worker import Limits, Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import load


@dataclass(frozen=True, slots=True)
class ReadModule:
    """A module that parses and verifies.

    Attributes:
        triple: its target, possibly empty.
        remarks: what a person should know of it.
    """

    triple: str
    remarks: tuple[str, ...]


def read_module(toolchain: Toolchain, data: bytes, name: str) -> ReadModule:
    """Parse and verify bitcode or textual IR.

    Args:
        toolchain: where LLVM is.
        data: the file.
        name: for messages.

    Raises:
        IrsmithError: it is empty, truncated, of a newer LLVM, or no IR at all.
    """
    if not data.strip():
        raise IrsmithError(f"{name}: the file is empty, not LLVM-IR")
    library = toolchain.checked or toolchain.library("X86")

    def prepare(_: Callable[[int], None]) -> Callable[[bytes], ReadModule]:
        llvm = load(library.path)

        def handle(text: bytes) -> ReadModule:
            with llvm.context() as context:
                module = context.parse(text)
                broken = module.verify()
                if broken:
                    raise IrsmithError(f"the verifier refuses it: {broken.splitlines()[0]}")
                remarks = []
                if b"optnone" in text or "optnone" in module.text():
                    remarks.append(
                        "functions are marked optnone, so passes leave them alone: compile with "
                        "`clang -Oz -Xclang -disable-llvm-passes`, not with -O0"
                    )
                return ReadModule(module.triple, tuple(remarks))

        return handle

    with Worker(prepare, Limits(cpu_seconds=60, memory_bytes=8 << 30)) as worker:
        outcome = worker.call(data)
    if outcome.value is None:
        reason = outcome.detail.splitlines()[0] if outcome.detail else outcome.failure
        raise IrsmithError(f"{name}: cannot be read by LLVM {toolchain.version}: {reason}")
    return outcome.value
