"""What disassembly grades the true IR as: it must be exact, whatever the function.

    python benchmarks/read_truth.py FUNCTIONS… [--target x86-64] [--count 120] [--levels Oz O2]

FUNCTIONS are Parquet files of single functions; packages of the test split in turn. Each is
compiled to an object, cut out of it as ``irsmith disassemble`` does, and the IR that it was
made from is graded in place of a model's answer. Printed: how many are exact, and why others
are not; and how many are asked about with the very text that training shows.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from common import choose_functions

from irsmith.apps.pieces import PieceWorker
from irsmith.corpus.piece import same
from irsmith.corpus.rows import Row
from irsmith.records import IrsmithError
from irsmith.search.evaluate import Evaluator
from irsmith.tasks.disassemble import DisassembleAnswer
from irsmith.tasks.render import NO_PASSES, RenderWorker, Request, at_level
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.compile import Job
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.llvm import CODEGEN_LEVELS


def graded(
    renders: RenderWorker, pieces: PieceWorker, evaluator: Evaluator, row: Row, level: str
) -> tuple[str, bool]:
    """What the true IR of a function is graded as, and whether training shows the same text.

    Raises:
        IrsmithError: the function cannot be compiled or cut out.
    """
    source = renders.render(Request(row.content, ir=True)).ir
    assert source is not None
    version = evaluator.toolchain.version
    made = renders.render(at_level(source, version, level, "object"))
    assert made.ir is not None and made.assembly is not None
    if not made.size.text or not made.faithful:
        return "left out: no code, or no IR to show", False
    answer = DisassembleAnswer(level, made.ir)
    whole = pieces.recompile(answer, "").ir.encode()
    compiled = evaluator.compile(Job(whole, row.target, NO_PASSES, CODEGEN_LEVELS[level], "object"))
    piece = pieces.cut(compiled.output, 0)
    found = pieces.recompile(answer, piece.name)
    if not found.pieces:
        return f"not found again: {found.reason[:60]}", False
    exact = any(same(piece, one) for one in found.pieces)
    return ("exact" if exact else "other"), piece.text == made.assembly.text


def main() -> int:
    """Grade and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, nargs="+", metavar="FUNCTIONS")
    parser.add_argument("--target", default="x86-64")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--levels", nargs="+", default=["Oz", "O2", "O0", "Os"])
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    arguments = parser.parse_args()
    triple = target_triple(arguments.target)
    toolchain = find_toolchain()
    rows = choose_functions(
        arguments.corpus, arguments.split, triple, arguments.count, salt="reading"
    )
    grades: Counter[str] = Counter()
    alike = 0
    with (
        RenderWorker(toolchain, triple) as renders,
        PieceWorker(toolchain, triple) as pieces,
        Evaluator(toolchain, triple) as evaluator,
    ):
        for number, row in enumerate(rows):
            level = arguments.levels[number % len(arguments.levels)]
            try:
                grade, shown = graded(renders, pieces, evaluator, row, level)
            except IrsmithError as error:
                grade, shown = f"cannot be read: {str(error)[:60]}", False
            grades[grade] += 1
            alike += shown
    for grade, count in grades.most_common():
        print(f"{count:>5}  {grade}")
    print(f"{alike:>5}  with the text that training shows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
