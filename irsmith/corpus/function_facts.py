"""What is known of each function of a unit: length, key, signature, and the module itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.cut import cut_each
from irsmith.corpus.dedupe import key_of, renamed, signature_of
from irsmith.corpus.normalise import ir_text
from irsmith.toolchain.llvm import LLVMError, load


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """One function, cut out and normalised.

    Attributes:
        name: the function's.
        instructions: IR instructions.
        characters: of its normalised text.
        key: exact key (:func:`irsmith.corpus.dedupe.exact_key`).
        signature: MinHash signature.
        failure: why there is no text: what LLVM or :func:`ir_text` says.
        bitcode: the module of the function by itself, if it was asked for.
    """

    name: str
    instructions: int
    characters: int = 0
    key: str = ""
    signature: bytes = b""
    failure: str = ""
    bitcode: bytes = b""


def function_facts(
    library: Path, smallest: int = 1, keep: bool = False
) -> Callable[[Callable[[int], None]], Callable[[bytes], list[FunctionFacts]]]:
    """The preparation of a worker: bitcode of a unit in, its functions' facts out.

    Args:
        library: path of libLLVM.
        smallest: IR instructions of the smallest function.
        keep: give the modules too.
    """

    def prepare(_: Callable[[int], None]) -> Callable[[bytes], list[FunctionFacts]]:
        llvm = load(library)

        def handle(bitcode: bytes) -> list[FunctionFacts]:
            facts = []
            with llvm.context() as context:
                for name, count, module in cut_each(context.parse(bitcode), None, smallest):
                    problem = module.verify().split("\n")[0]
                    try:
                        text = "" if problem else ir_text(module)[1]
                    except LLVMError as error:
                        problem, text = str(error), ""
                    if problem:
                        facts.append(FunctionFacts(name, count, failure=problem))
                        continue
                    plain = renamed(text)
                    marks = (len(text), key_of(plain), signature_of(plain))
                    bitcode = module.bitcode() if keep else b""
                    facts.append(FunctionFacts(name, count, *marks, bitcode=bitcode))
            return facts

        return handle

    return prepare
