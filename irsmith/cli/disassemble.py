"""``irsmith disassemble``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from irsmith.apps.disassemble import GRADES, Disassembled, Recovered, disassemble
from irsmith.apps.machine_code import MachineCode, load_code
from irsmith.apps.sampling import By, Sampling, opener
from irsmith.cli.common import (
    Parser,
    Progress,
    add_model_options,
    check_writable,
    parser,
    say,
    write_output,
)
from irsmith.records import IrsmithError
from irsmith.toolchain.find import find_toolchain

_EPILOG = """grades, best first:
  exact       recompiles to the same bytes, relocations compared by symbol
  equivalent  other code, which did the same in differential execution (x86-64)
  compiles    LLVM takes it; what it does has not been shown to be the same
  failed      no IR: it says why"""
_UNSAFE = str.maketrans({"/": "_", "\0": "_"})
_LONGEST_NAME = 200


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser("disassemble", "IR from machine code, graded by recompiling it.", _EPILOG)
    to.add_argument(
        "file", metavar="FILE", help="an object, executable, shared object, .s, or - for stdin"
    )
    to.add_argument(
        "--function",
        action="append",
        default=[],
        metavar="NAME",
        help="only this function (again for more)",
    )
    to.add_argument(
        "-o",
        dest="output",
        metavar="DIR",
        help="a folder for one .ll a function that was recovered (of one function: FILE.ll); "
        "without it, IR goes to stdout",
    )
    to.add_argument("--target", help="of assembly: x86-64 or aarch64 (default: as it looks)")
    to.add_argument(
        "--by",
        choices=get_args(By),
        default="both",
        help="lift: by rules; model: by a model; both (default): a model is asked for "
        "what rules do not get exact",
    )
    add_model_options(to)
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Disassemble a file."""
    options = arguments_parser().parse_args(words)
    sampling = Sampling(options.samples, options.temperature, options.seed, options.by)
    toolchain = find_toolchain()
    data = sys.stdin.buffer.read() if options.file == "-" else None
    code = load_code(toolchain, options.file, data, options.target)
    _check_output(options.output, code, options.function)
    opens, name = opener(options.model)
    progress = Progress("functions done:")
    try:
        result = disassemble(toolchain, code, opens, name, sampling, options.function, progress)
    finally:
        progress.clear()
    written = _write(options.output, result) if options.output else []
    if options.json:
        print(json.dumps(result.to_json()), flush=True)
    elif not options.output:
        sys.stdout.write("\n".join(as_ir(one) for one in result.functions))
    for line in as_text(result, written):
        say(line)
    return 0


def _check_output(output: str | None, code: MachineCode, names: Sequence[str]) -> None:
    """Refuse what cannot be written before the model is asked."""
    if output is None:
        return
    path = Path(output)
    if path.suffix == ".ll":
        check_writable(output)
        if len(code.chosen(names)) > 1:
            raise IrsmithError(
                f"{output}: a file takes one function: choose it with --function, or give a folder"
            )
    elif path.exists() and not path.is_dir():
        raise IrsmithError(f"{output}: is not a folder")


def _write(output: str, result: Disassembled) -> list[str]:
    """Write what was recovered; the paths."""
    folder = Path(output)
    single = folder.suffix == ".ll"
    if not single:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IrsmithError(f"{output}: cannot be made: {error.strerror}") from error
    written: list[str] = []
    for one in result.functions:
        if not one.ir:
            continue
        path = folder if single else _free(folder, one.name, written)
        write_output(str(path), as_ir(one).encode())
        written.append(str(path))
    return written


def _free(folder: Path, name: str, taken: Sequence[str]) -> Path:
    """A path for a function; static functions of several files may have one name."""
    stem = name.translate(_UNSAFE)[:_LONGEST_NAME]
    path, number = folder / f"{stem}.ll", 1
    while str(path) in taken:
        number += 1
        path = folder / f"{stem}.{number}.ll"
    return path


def as_ir(one: Recovered) -> str:
    """A function's IR behind a comment that says what is known of it."""
    reason = f": {one.reason}" if one.reason else ""
    lines = [f"; {one.name}: {one.grade}{reason}"]
    if one.ir:
        lines.append(f"; code is generated at {one.level}: llc -O{one.level[-1:].translate(_LLC)}")
    return "\n".join(lines) + "\n" + one.ir


_LLC = str.maketrans({"s": "2", "z": "2"})


def as_text(result: Disassembled, written: Sequence[str]) -> list[str]:
    """The report for people."""
    lines = [f"{result.name}  ({result.target}, model {result.model})"]
    width = max(len(one.name) for one in result.functions)
    for one in result.functions:
        reason = f"  {one.reason}" if one.reason else ""
        drawn = "1 sample" if one.samples == 1 else f"{one.samples} samples"
        if not one.samples:
            drawn = f"{one.lifted} lifted"
        lines.append(
            f"  {one.name:<{min(width, 40)}}  {one.grade:<10}  {drawn}, {one.seconds:.2f} s{reason}"
        )
    counts = ", ".join(f"{result.count(grade)} {grade}" for grade in GRADES)
    many = len(result.functions)
    functions = "1 function" if many == 1 else f"{many} functions"
    lines.append(f"  {functions}: {counts}; {result.seconds:.2f} s")
    if written:
        lines.append(f"  written: {', '.join(written[:3])}{' …' if len(written) > 3 else ''}")
    return lines
