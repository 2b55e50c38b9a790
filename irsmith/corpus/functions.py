"""Single functions cut out of a module as modules of their own."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

from irsmith.records import Module
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of, load


def function_names(toolchain: Toolchain, modules: list[Module]) -> Iterator[dict[str, int]]:
    """Defined functions of each module with their IR instructions."""
    library = toolchain.library(arch_of(modules[0].target)).path

    def prepare(_: Callable[[int], None]) -> Callable[[int], dict[str, int]]:
        llvm = load(library)

        def handle(index: int) -> dict[str, int]:
            with llvm.context() as context:
                return context.parse(modules[index].bitcode).instruction_counts()

        return handle

    with Worker(prepare) as worker:
        for outcome in worker.map(range(len(modules))):
            yield outcome.value or {}


def cut_function(toolchain: Toolchain, module: Module, name: str) -> Module | None:
    """One function with what it needs declared, or None if LLVM cannot cut it out.

    ``llvm-extract`` makes a static function visible, so it is compiled and not dropped.
    """
    command = [str(toolchain.tool("llvm-extract")), f"--func={name}", "-o", "-", "-"]
    done = subprocess.run(command, input=module.bitcode, capture_output=True, check=False)
    if done.returncode:
        return None
    digest = hashlib.sha256(done.stdout).hexdigest()
    return replace(module, bitcode=done.stdout, name=f"{module.name}:{name}", sha256=digest)
