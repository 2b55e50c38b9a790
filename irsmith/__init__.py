"""irsmith: smaller, checked machine code from C, C++ and LLVM-IR.

The rooms, in the order in which data flows (a room imports only rooms above it):

    records     the contracts between the rooms
    passlist    pipeline text, parsed and printed
    toolchain   the only door to LLVM
    sandbox     the only place where foreign code runs
    parallel    map over items
    corpus      programs in, modules out
    search      pass lists for a module, and portfolios
    check       verdicts: verifier, PassListEval
    apps        what a person asks for
    api         the commands as Python functions
    cli         parse and print
"""

from irsmith.version import __version__

_API = ("optimize", "autotune", "check_passes", "disassemble", "emulate")
__all__ = [*_API, "IrsmithError", "__version__"]


def __getattr__(name: str) -> object:
    """The Python API, imported when it is first used: ``irsmith --help`` must stay quick."""
    if name in _API:
        from irsmith import api

        return getattr(api, name)
    if name == "IrsmithError":
        from irsmith.records import IrsmithError

        return IrsmithError
    raise AttributeError(f"module 'irsmith' has no attribute {name!r}")
