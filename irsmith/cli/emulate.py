"""``irsmith emulate``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from irsmith.apps.emulate import GRADES, Emulated, Emulation, Wish, emulate
from irsmith.apps.sampling import Sampling, opener
from irsmith.apps.source import load
from irsmith.cli.common import (
    Parser,
    Progress,
    add_model_options,
    check_writable,
    parser,
    read_input,
    say,
    split_flags,
    write_output,
)
from irsmith.records import Candidate, Size
from irsmith.toolchain.find import find_toolchain

_EPILOG = """What a model says is a guess. With --compare the passes run too, and it is graded:
  exact       the very text
  same bytes  another text that gives the same code, data and relocations
  compiles    LLVM takes it; with --compare: it gives other code
  failed      LLVM refuses it, or there is no answer

clang's own flags go after --:  irsmith emulate f.c --passes 'default<Oz>' -- -Iinclude"""


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser("emulate", "What a model says that a pass list makes of a file.", _EPILOG)
    to.add_argument("file", metavar="FILE", help=".c .cc .cpp .ll .bc, or - for stdin")
    to.add_argument("--passes", required=True, metavar="LIST", help="as opt -passes= takes it")
    to.add_argument(
        "--codegen",
        action="append",
        default=[],
        metavar="OPTION",
        help="code generation option, as --codegen=-disable-lsr (again for more)",
    )
    to.add_argument("-S", dest="assembly", action="store_true", help="assembly in place of IR")
    to.add_argument("--compare", action="store_true", help="run the passes too, and grade")
    to.add_argument("-x", dest="language", choices=["c", "c++", "ir"], help="language of the input")
    to.add_argument("--target", help="x86-64 (default), aarch64, or a triple of those")
    to.add_argument("-o", dest="output", default="-", help="where to write (default: stdout)")
    add_model_options(to)
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Emulate a pass list on a file."""
    ours, flags = split_flags(words)
    options = arguments_parser().parse_args(ours)
    sampling = Sampling(options.samples, options.temperature, options.seed)
    check_writable(options.output)
    toolchain = find_toolchain()
    given = read_input(options.file, options.language)
    module, remarks = load(toolchain, given, options.target, flags)
    opens, name = opener(options.model)
    candidate = Candidate(options.passes, tuple(options.codegen))
    output = "assembly" if options.assembly else "ir"
    wish = Wish(candidate, "assembly" if output == "assembly" else "ir", options.compare, sampling)
    progress = Progress("functions done:")
    try:
        result = emulate(toolchain, module, opens, name, wish, progress)
    finally:
        progress.clear()
    for remark in remarks:
        say(f"{module.name}: note: {remark}")
    if not options.json or options.output != "-":
        write_output(
            options.output, "\n".join(as_code(result, o) for o in result.functions).encode()
        )
    if options.json:
        print(json.dumps(result.to_json()), flush=True)
    for line in as_text(result):
        say(line)
    sys.stdout.flush()
    return 0


def as_code(result: Emulated, one: Emulation) -> str:
    """What the model said, behind a comment that says what that is."""
    mark = ";" if result.output == "ir" else "//" if "aarch64" in result.target else "#"
    reason = f": {one.reason}" if one.reason else ""
    head = f"{mark} {one.name}: {one.grade}{reason}\n"
    if not one.ir:
        return head
    return f"{head}{mark} a guess of model {result.model}, {_predicted(one)}\n{one.ir}"


def _predicted(one: Emulation) -> str:
    return f"which says: {_sizes(one.predicted)}" if one.predicted else "without sizes"


def _sizes(size: Size) -> str:
    counted = "" if size.instructions is None else f", {size.instructions} IR instructions"
    return (
        f"{size.total} bytes (text {size.text}, rodata {size.rodata}, data {size.data}, "
        f"unwind {size.unwind}){counted}"
    )


def as_text(result: Emulated) -> list[str]:
    """The report for people."""
    lines = [
        f"{result.name}  ({result.target}, model {result.model}): a guess, not a compilation",
        f"  {' '.join([result.candidate.passes or '(no passes)', *result.candidate.codegen])}",
    ]
    for one in result.functions:
        drawn = "1 sample" if one.samples == 1 else f"{one.samples} samples"
        reason = f"  {one.reason}" if one.reason else ""
        lines.append(f"  {one.name}: {one.grade}, {drawn}, {one.seconds:.2f} s{reason}")
        if one.predicted:
            lines.append(f"    predicted {_sizes(one.predicted)}")
        if one.actual:
            error = "" if one.size_error is None else f"; total off by {one.size_error:.1%}"
            lines.append(f"    actual    {_sizes(one.actual)}{error}")
    counts = ", ".join(
        f"{result.count(grade)} {grade}"
        for grade in GRADES
        if result.compared or grade in GRADES[2:]
    )
    lines.append(f"  {counts}; {result.seconds:.2f} s")
    return lines
