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
    cli         parse and print
"""

__version__ = "0.1.0"
