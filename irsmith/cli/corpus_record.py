"""``irsmith corpus record``."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from irsmith.cli.common import Parser, check_writable, parser, say, split_flags
from irsmith.corpus.preload import preload_library
from irsmith.corpus.recording import (
    Origin,
    Recorded,
    collect,
    prepare_recording,
    recording_environment,
)
from irsmith.corpus.rows import write_rows
from irsmith.parallel.local import cores
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.find import find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "corpus record",
        "Record the bitcode of every C and C++ file that a build compiles. The build keeps\n"
        "its own compiler, its objects and its exit status.",
        "example: irsmith corpus record -o zlib.parquet --package zlib -- make -j2",
    )
    add_origin_options(to)
    to.add_argument("--root", type=Path, help="folder that holds all sources (default: this one)")
    to.add_argument("--keep", type=Path, metavar="DIR", help="keep the recording's own folder")
    return to


def add_origin_options(to: Parser) -> None:
    """Options that say what is recorded, and where it goes."""
    to.add_argument("-o", "--output", required=True, metavar="FILE", help="Parquet file to write")
    to.add_argument("--package", help="name of the source package (default: the folder's)")
    to.add_argument("--package-version", default="", metavar="V", help="version of the package")
    to.add_argument("--licence", default="", help="licence of all of it (default: looked up)")
    to.add_argument(
        "--target",
        action="append",
        help="compile for x86-64 or aarch64; repeat it for both (default: this machine)",
    )
    to.add_argument("--json", action="store_true", help="one JSON object on stdout")


def origin_of(options: argparse.Namespace, root: Path) -> Origin:
    """Where the sources come from.

    Raises:
        IrsmithError: no such folder.
    """
    root = root.absolute()
    if not root.is_dir():
        raise IrsmithError(f"{root}: no such folder")
    package = options.package or root.name
    source = f"recorded:{package}"
    return Origin(root, package, options.package_version, source, options.licence)


def targets_of(options: argparse.Namespace) -> list[str]:
    """Triples that are asked for, each once; this machine's if none is."""
    names = options.target or [platform.machine()]
    return list(dict.fromkeys(target_triple(name) for name in names))


def main(words: Sequence[str]) -> int:
    """Record a build; its exit status is ours."""
    own, command = split_flags(words)
    options = arguments_parser().parse_args(own)
    if not command:
        raise IrsmithError("no build to record: irsmith corpus record -o FILE.parquet -- make")
    check_writable(options.output)
    toolchain = find_toolchain()
    origin = origin_of(options, options.root or Path.cwd())
    with tempfile.TemporaryDirectory(prefix="irsmith-record-") as temporary:
        folder = options.keep or Path(temporary)
        prepare_recording(toolchain, folder, targets_of(options))
        environment = recording_environment(folder, preload_library(toolchain))
        started = time.monotonic()
        status = run_build(command, environment)
        seconds = time.monotonic() - started
        recorded = collect(toolchain, folder, origin, cores())
    write_rows(Path(options.output), recorded.rows)
    report(recorded, status, seconds, options.json, origin.root)
    return status


def run_build(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a build to its end, also after Ctrl-C; its status, 128 + signal if it was killed.

    Raises:
        IrsmithError: there is no such command.
    """
    before = signal.getsignal(signal.SIGINT)
    if shutil.which(command[0]) is None:
        there = Path(command[0]).exists() and "/" in command[0]
        why = "Permission denied" if there else "No such file or directory"
        raise IrsmithError(f"{command[0]}: cannot be run: {why}")
    # By a shell, in which the library is loaded: the command may be a compiler itself.
    build = subprocess.Popen(["/bin/sh", "-c", 'exec "$@"', "sh", *command], env=environment)
    try:
        # The build hears Ctrl-C too; what it compiled until then is worth keeping.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = build.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def report(recorded: Recorded, status: int, seconds: float, as_json: bool, root: Path) -> None:
    """Say what was recorded, and what was not and why."""
    if as_json:
        print(
            json.dumps(
                {
                    "units": len(recorded.rows),
                    "compiled": recorded.compiled,
                    "doubles": recorded.doubles,
                    "outside": recorded.outside,
                    "failed": list(recorded.failed),
                    "instructions": sum(row.instructions for row in recorded.rows),
                    "functions": sum(row.functions for row in recorded.rows),
                    "build_status": status,
                    "seconds": round(seconds, 2),
                }
            )
        )
        return
    functions = sum(row.functions for row in recorded.rows)
    say(
        f"{len(recorded.rows)} modules with {functions} functions recorded, "
        f"{recorded.doubles} doubles left out, {len(recorded.failed)} failed"
    )
    for line in recorded.failed[:10]:
        say(f"  {line}")
    if recorded.outside:
        say(f"{recorded.outside} left out: their sources lie outside of {root} (see --root)")
    elif not recorded.compiled and not recorded.failed:
        say("nothing was compiled: is there anything to build? (make clean first)")
    if status:
        say(f"the build itself ended with status {status}")
