"""What LLVM and the normalised text say of modules: valid, how large, equal to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from irsmith.corpus.dedupe import key_of, renamed, signature_of
from irsmith.corpus.normalise import ir_text
from irsmith.parallel.local import in_order
from irsmith.sandbox.worker import Limits, Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import LLVMError, load

_LIMITS = Limits(cpu_seconds=120, wall_seconds=300, memory_bytes=8 << 30)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one module.

    Attributes:
        problem: why LLVM refuses it; empty if it parses and verifies.
        target: its triple.
        instructions: IR instructions.
        functions: functions with a body.
        characters: of the normalised text; 0 if it was not asked for, or there is none.
        key: exact key of the normalised text (:mod:`irsmith.corpus.dedupe`), or empty.
        signature: its MinHash signature, or empty.
    """

    problem: str
    target: str = ""
    instructions: int = 0
    functions: int = 0
    characters: int = 0
    key: str = ""
    signature: bytes = b""


def facts_of(
    toolchain: Toolchain, bitcodes: Iterable[bytes], jobs: int = 1, text: bool = False
) -> Iterator[Facts]:
    """Parse, verify and count modules, in worker processes.

    Args:
        toolchain: where LLVM is; the library with assertions, which knows every target.
        bitcodes: the modules.
        jobs: processes.
        text: normalise them too, for their length, key and signature.

    Yields:
        In the order of the modules.
    """
    library = toolchain.checked_library("AArch64").path

    def prepare(_: Callable[[int], None]) -> Callable[[bytes], Facts]:
        llvm = load(library)

        def handle(bitcode: bytes) -> Facts:
            with llvm.context() as context:
                module = context.parse(bitcode)
                counts = module.instruction_counts()
                problem = module.verify().split("\n")[0]
                facts = Facts(problem, module.triple, sum(counts.values()), len(counts))
                if not text or problem:
                    return facts
                try:
                    normal = ir_text(module)[1]
                except LLVMError:
                    return facts
                plain = renamed(normal)
                return replace(
                    facts,
                    characters=len(normal),
                    key=key_of(plain),
                    signature=signature_of(plain),
                )

        return handle

    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(prepare, _LIMITS)) for _ in range(jobs)]
        for outcome in in_order(workers, bitcodes):
            yield outcome.value or Facts(f"{outcome.failure}: {outcome.detail}".split("\n")[0])
