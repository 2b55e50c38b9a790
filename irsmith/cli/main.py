"""The command ``irsmith``: finds the command's module and calls it.

Nothing but the standard library's small modules is imported before the command is
known, so that ``irsmith --help`` stays quick.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from irsmith.version import __version__

COMMANDS = {
    "optimize": "smaller code from C, C++ or IR, checked, never larger than -Oz",
    "cc": "a C compiler for your build (CC='irsmith cc'): smaller objects, each checked",
    "c++": "likewise for C++ (CXX='irsmith c++')",
    "build": "run your build with smaller objects, each checked; a lock file repeats it",
    "autotune": "search for the best pass list of one module",
    "disassemble": "IR from machine code, each function graded by recompiling it",
    "emulate": "what a model says that a pass list gives, beside the truth if asked",
    "check-passes": "PassListEval: may this pass list be trusted?",
    "check-modules": "differential execution: do two versions of a module do the same?",
    "fetch-suite": "get the full suite of PassListEval (asks before it installs anything)",
    "corpus": "modules of real builds, with licence, split and hash, as Parquet",
    "label": "labels to learn from: the best checked lists, emulation, disassembly",
    "tokenize": "normalise a file as for a prompt, and count its tokens",
    "train": "train a language model by a recipe",
    "passes": "the pass table: every pass of LLVM, whether search may use it, and why",
    "doctor": "what was found on this machine",
}

USAGE = "usage: irsmith COMMAND [options]   (irsmith COMMAND --help says more)"


def overview() -> str:
    """The text of ``irsmith --help``."""
    width = max(map(len, COMMANDS))
    lines = [USAGE, "", "Smaller, checked machine code from real C and C++.", "", "commands:"]
    lines += [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    lines += ["", "  --version shows irsmith's version"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0 done, 1 the answer is no (or clang refused the source), 2 misuse.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if words else 2
    if words[0] == "--version":
        print(f"irsmith {__version__}")
        return 0
    name = words.pop(0)
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f": did you mean {near[0]!r}?" if near else ": see irsmith --help"
        print(f"irsmith: unknown command {name!r}{hint}", file=sys.stderr)
        return 2
    from irsmith.records import IrsmithError

    module = importlib.import_module(f"irsmith.cli.{name.replace('-', '_').replace('+', 'x')}")
    try:
        return int(module.main(words))
    except IrsmithError as error:
        print(f"irsmith: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("irsmith: interrupted; nothing half-written is left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of stdout went away (`irsmith ... | head`): not an error of ours.
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
