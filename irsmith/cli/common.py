"""What commands share: parsers, progress on a terminal, writing a result."""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from irsmith.apps.ask import DEFAULT
from irsmith.apps.source import Input
from irsmith.records import OBJECTIVES, IrsmithError
from irsmith.toolchain.cache import write_beside

if TYPE_CHECKING:
    from irsmith.parallel.work import Executor


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to learn more; exit status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser(name: str, description: str, epilog: str = "") -> Parser:
    """A parser for a command."""
    return Parser(
        prog=f"irsmith {name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


DATA_MODULES = ("pyarrow", "numpy", "rensa", "debian")
"""What the extra ``data`` brings, pictures apart."""


def need_extra(what: str, extra: str, modules: Sequence[str]) -> None:
    """Check that an extra is installed before any work is done.

    Raises:
        IrsmithError: names what is missing, and the line that installs it.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise IrsmithError(f"{what} needs {', '.join(missing)}: pip install 'irsmith[{extra}]'")


def run_subcommand(command: str, known: Mapping[str, str], words: Sequence[str]) -> int:
    """Find a subcommand's module, ``irsmith.cli.COMMAND_SUBCOMMAND``, and call it.

    Args:
        command: such as ``corpus``.
        known: subcommands, and what each does in a line.
        words: of the command line, behind the command.

    Returns:
        The exit status: 2 if there is no such subcommand.

    Raises:
        IrsmithError: the extra ``data`` is not installed, which all of them need.
    """
    if not words or words[0] in ("-h", "--help"):
        width = max(map(len, known))
        lines = [f"usage: irsmith {command} SUBCOMMAND [options]", "", "subcommands:"]
        lines += [f"  {name:<{width}}  {what}" for name, what in known.items()]
        print("\n".join(lines))
        return 0 if words else 2
    if words[0] not in known:
        near = difflib.get_close_matches(words[0], known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"see irsmith {command} --help"
        say(f"irsmith {command}: unknown subcommand {words[0]!r}: {hint}")
        return 2
    if not {"-h", "--help"} & set(split_flags(words)[0]):
        need_extra(f"irsmith {command} {words[0]}", "data", DATA_MODULES)
    module = importlib.import_module(f"irsmith.cli.{command}_{words[0]}")
    return int(module.main(words[1:]))


def split_flags(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Our own words, and clang's after ``--``."""
    words = list(words)
    if "--" in words:
        at = words.index("--")
        return words[:at], tuple(words[at + 1 :])
    return words, ()


def add_input_options(to: Parser) -> None:
    """Options that say how to read an input."""
    to.add_argument("-x", dest="language", choices=["c", "c++", "ir"], help="language of the input")
    to.add_argument("--target", help="x86-64 (default), aarch64, or a triple of those")
    to.add_argument("--objective", choices=OBJECTIVES, default="size", help="what is minimised")
    to.add_argument("-j", "--jobs", type=positive, default=None, help="processes (default: cores)")


def add_model_options(to: Parser) -> None:
    """Options that say which model is asked, and how its answers are drawn."""
    from irsmith.apps.sampling import TEMPERATURE  # brings what opens a model

    to.add_argument(
        "--model",
        metavar="NAME",
        help=f"{DEFAULT} (default, where it ships), a release folder, or the URL of a server",
    )
    to.add_argument(
        "--samples",
        type=positive,
        default=1,
        metavar="K",
        help="answers a function at most: the likeliest one, then drawn ones; all are checked, "
        "the best is kept, and an exact one ends it (default: 1)",
    )
    to.add_argument(
        "--temperature", type=float, default=TEMPERATURE, help="of drawn answers (default: 0.7)"
    )
    to.add_argument("--seed", type=int, default=0, help="of drawn answers (default: 0)")


def positive(text: str) -> int:
    """An argument that must be a whole number of at least 1."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def read_input(name: str, language: str | None) -> Input:
    """An input; ``-`` is stdin."""
    if name == "-":
        return Input("-", sys.stdin.buffer.read(), language)
    return Input(name, None, language)


def write_output(name: str, data: bytes) -> None:
    """Write a result to a file, whole or not at all; ``-`` is stdout.

    Raises:
        IrsmithError: it cannot be written.
    """
    if name == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a device such as /dev/null, which must stay what it is
        elif not path.parent.is_dir():
            raise IrsmithError(f"{name}: the folder does not exist")
        else:
            write_beside(path, data)
    except OSError as error:
        raise IrsmithError(f"{name}: cannot be written: {error.strerror}") from error


def check_writable(name: str) -> None:
    """Refuse an output that cannot be written before any work is done.

    Raises:
        IrsmithError: says why.
    """
    if name == "-":
        return
    path = Path(name)
    folder = path.parent
    if not folder.is_dir():
        raise IrsmithError(f"{name}: the folder does not exist")
    if path.is_dir():
        raise IrsmithError(f"{name}: is a folder")
    if not path.exists() and not os.access(folder, os.W_OK):
        raise IrsmithError(f"{name}: cannot be written: the folder is read-only")
    if path.exists() and not os.access(path, os.W_OK):
        raise IrsmithError(f"{name}: cannot be written: the file is read-only")


class Progress:
    """A counter that overwrites itself, on a terminal only."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __call__(self, done: int) -> None:
        """Show a number."""
        if self.shown:
            print(f"\r{self.what} {done}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove it."""
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def agreed(question: str) -> bool:
    """Ask on the terminal; without one the answer is no."""
    if not sys.stdin.isatty():
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def say(text: str) -> None:
    """Talk, on stderr."""
    print(text, file=sys.stderr)


def executor_of(jobs: int | None, cluster: str | None) -> Executor:
    """Where shards are made: on a Ray cluster if one is named, else here on all cores."""
    if cluster:
        from irsmith.parallel.cluster import Cluster

        return Cluster(cluster)
    from irsmith.parallel.local import cores
    from irsmith.parallel.processes import Processes

    return Processes(jobs or cores())


def percent(before: int, after: int) -> str:
    """A change such as ``-3.2 %``."""
    return f"{100 * (after - before) / before:+.1f} %" if before else "0 %"
