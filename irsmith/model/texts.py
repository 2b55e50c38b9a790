"""Texts of a corpus's functions: what a tokenizer is trained on and measured with.

A sample is drawn so that no package and no unit decides: each package of a target gives
at most its even share of characters, each unit a few functions, each function its
unoptimised IR, its -Oz IR and the assembly of that. The order of the corpus's files does
not matter, and equal corpora give equal samples.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.assembly import asm_text
from irsmith.corpus.cut import cut_each
from irsmith.corpus.normalise import ir_text, parse_ir_text
from irsmith.records import Module
from irsmith.sandbox.worker import Limits, Worker
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import LLVM, LLVMError, arch_of, load
from irsmith.toolchain.pipelines import clang_pipeline

KINDS = ("ir", "ir-oz", "asm")
_UNITS = 120
"""Units of a package that are held at most."""
_LARGEST_UNIT = 400_000
"""Bytes of bitcode."""
_FUNCTIONS = 10
"""Functions of a unit at most."""
LARGEST = 28_000
"""Characters of the largest text that is kept, about a window of 4,096 tokens: a few huge functions
would fill the vocabulary with the numbers of their values."""
_LIMITS = Limits(cpu_seconds=60, wall_seconds=600)


@dataclass(frozen=True, slots=True)
class Text:
    """One normalised text.

    Attributes:
        arch: LLVM's name of the architecture: ``X86`` or ``AArch64``.
        package: where it came from.
        kind: one of :data:`KINDS`.
        text: the text.
    """

    arch: str
    package: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Request:
    bitcode: bytes
    seed: str


def sample_texts(
    toolchain: Toolchain, modules: Iterable[Module], characters: int, seed: int = 0
) -> Iterator[Text]:
    """Draw texts from modules.

    Args:
        toolchain: where LLVM is.
        modules: of any targets and packages; those of other architectures are left out.
        characters: of each target, shared evenly by its packages.
        seed: of the draw.

    Yields:
        Texts of functions of up to :data:`LARGEST` characters, each function once, one after
        the other; package by package.
    """
    seen: set[bytes] = set()
    for arch, packages in sorted(_chosen_units(modules, seed).items()):
        share = characters // len(packages)
        with Worker(_texts_maker(toolchain.library(arch).path), _LIMITS) as worker:
            for package, units in sorted(packages.items()):
                left = share
                for unit in units:
                    outcome = worker.call(_Request(unit, str(seed)))
                    for texts in outcome.value or []:
                        key = hashlib.blake2b(texts[0].encode(), digest_size=16).digest()
                        if left <= 0 or key in seen or len(texts[0]) > LARGEST:
                            continue
                        seen.add(key)
                        left -= sum(map(len, texts))
                        for kind, text in zip(KINDS, texts, strict=True):
                            yield Text(arch, package, kind, text)
                    if left <= 0:
                        break


def _chosen_units(modules: Iterable[Module], seed: int) -> dict[str, dict[str, list[bytes]]]:
    """Bitcode by architecture and package: those with the smallest keyed hashes, in that order."""
    held: dict[str, dict[str, list[tuple[int, bytes]]]] = defaultdict(lambda: defaultdict(list))
    for module in modules:
        if len(module.bitcode) > _LARGEST_UNIT:
            continue
        try:
            arch = arch_of(module.target)
        except LLVMError:
            continue
        heap = held[arch][module.package]
        digest = hashlib.blake2b(f"{seed}:{module.sha256}".encode(), digest_size=8).digest()
        entry = (-int.from_bytes(digest), module.bitcode)
        if len(heap) < _UNITS:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    return {
        arch: {
            package: [bitcode for _, bitcode in sorted(heap, reverse=True)]
            for package, heap in packages.items()
        }
        for arch, packages in held.items()
    }


def _texts_maker(
    library: Path,
) -> Callable[[Callable[[int], None]], Callable[[_Request], list[tuple[str, ...]]]]:
    def prepare(_: Callable[[int], None]) -> Callable[[_Request], list[tuple[str, ...]]]:
        llvm = load(library)

        def handle(request: _Request) -> list[tuple[str, ...]]:
            rng = random.Random(request.seed + hashlib.sha256(request.bitcode).hexdigest())
            with llvm.context() as context:
                unit = context.parse(request.bitcode)
                names = sorted(unit.instruction_counts())
                chosen = rng.sample(names, min(len(names), _FUNCTIONS))
                cuts = [module.bitcode() for _, _, module in cut_each(unit, chosen)]
            return [texts for cut in cuts if (texts := _texts(llvm, cut))]

        return handle

    return prepare


def _texts(llvm: LLVM, bitcode: bytes) -> tuple[str, ...]:
    """A function's texts, one a kind; none where LLVM refuses."""
    try:
        with llvm.context() as context:
            header, text = ir_text(context.parse(bitcode))
        with llvm.context() as context:
            module = parse_ir_text(context, text, header)
            module.run_passes(clang_pipeline(llvm.version, header.triple))
            _, optimised = ir_text(module)
            assembly = module.emit(assembly=True).decode()
    except (LLVMError, UnicodeDecodeError):
        return ()
    return text, optimised, asm_text(assembly, header.triple)
