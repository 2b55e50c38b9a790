"""The only door to LLVM.

In: a C, C++ or IR file, flags, a pipeline text, code generation options.
Out: bitcode, IR, assembly, objects, sizes; the pass table; the pipelines of
clang's own levels; what was found on this machine.

``find`` says which LLVM there is, ``clang`` runs the frontend, ``llvm`` binds
LLVM-C, ``compile`` goes from bitcode to section sizes in process, ``elf`` reads
those sizes, ``passes`` is the pass table, ``pipelines`` and ``codegen`` hold
clang's levels and the vetted code generation options.
"""
