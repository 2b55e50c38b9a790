"""irsmith: smaller, checked machine code from C, C++ and LLVM-IR.

The rooms, in the order in which data flows (a room imports only rooms above it):

    passlist    pipeline text, parsed and printed
    records     the contracts between the rooms
    toolchain   the only door to LLVM
    sandbox     the only place where foreign code runs
    parallel    map over items
    search      pass lists for a module, and portfolios
    check       verdicts: verifier, PassListEval
    apps        what a person asks for
    cli         parse and print
"""

__version__ = "0.1.0"
