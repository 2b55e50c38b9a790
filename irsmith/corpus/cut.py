"""Single functions cut out of a module, in process (for use inside a worker).

What a cut holds, and why:

- The function, external (a static one hidden, so that its address is taken as before),
  out of its comdat. It is compiled and never dropped.
- Local constants that it uses, up to :data:`LARGEST_CONSTANT` bytes, as they are: strings
  and small tables. A compiler may read, fold and drop them (``printf`` to ``puts``, a table
  turned into immediates), and they lie beside the function in a real object: so both the
  optimiser and the reader of machine code see what they would see. Tables of block
  addresses stay whatever their size; nothing else could define them.
- Everything else that it uses, declared: other functions, variables, constants that
  other modules own, larger tables (bytes that no pass list can change). What was local
  is hidden, so that it is still reached directly.
- Module flags, triple and data layout. Dropped: assembly at module level, constructors,
  ``llvm.used``, aliases and ifuncs (declared instead, without attributes).

``llvm-extract`` declares the constants too, all else is the same: a function without
constants of its own gives the same code either way (tested).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from irsmith.toolchain.globals import APPENDING, AVAILABLE_EXTERNALLY, EXTERNAL, globals_of
from irsmith.toolchain.llvm import IRModule

LARGEST_CONSTANT = 256
"""Bytes of the largest local constant that goes with a function."""

_CLEAN = "elim-avail-extern,globaldce,strip-dead-prototypes"


def cut_each(
    module: IRModule, names: Collection[str] | None = None, smallest: int = 1
) -> Iterator[tuple[str, int, IRModule]]:
    """Each function as a module of its own, in the order of the unit. Uses ``module`` up.

    Halves the unit until one function is left, so that each instruction is copied only
    as often as the unit can be halved.

    Args:
        module: the unit; lives in a context of its own.
        names: functions to cut; None cuts all.
        smallest: IR instructions of the smallest function to cut.

    Yields:
        The function's name, its IR instructions, and a module that is gone when the
        next one is asked for.

    Raises:
        LLVMError: a pass failed.
    """
    counts = module.instruction_counts()
    chosen = [
        name
        for name, count in counts.items()
        if count >= smallest and (names is None or name in names)
    ]
    _open(module)
    pending = [(module, chosen)] if chosen else []
    while pending:
        whole, part = pending.pop()
        if len(part) == 1:
            _keep(whole, set(part))
            yield part[0], counts[part[0]], whole
            whole.dispose()
            continue
        middle = len(part) // 2
        first = whole.clone()
        _keep(first, set(part[:middle]))
        _keep(whole, set(part[middle:]))
        pending += [(whole, part[middle:]), (first, part[:middle])]


def _open(module: IRModule) -> None:
    """Declare what no cut takes along, and make each function visible."""
    every = globals_of(module.llvm)
    every.drop_module_asm(module)
    for variable in every.each(module, "Global"):
        if every.linkage(variable) == APPENDING:
            every.delete(variable)
    for alias in every.each(module, "GlobalAlias"):
        every.declare_instead(module, alias)
    for ifunc in every.each(module, "GlobalIFunc"):
        every.declare_instead(module, ifunc)
        every.erase_ifunc(ifunc)
    for variable in every.each(module, "Global"):
        value = every.initializer(variable)
        if not value:
            continue
        stays = (
            every.is_local(variable)
            and every.is_constant(variable)
            and (
                every.size(module, variable) <= LARGEST_CONSTANT or every.holds_block_address(value)
            )
        )
        if not stays:
            if not every.name(variable):
                every.set_name(variable, b"unnamed", len(b"unnamed"))
            every.make_visible(variable, AVAILABLE_EXTERNALLY)
    for _, function in module.functions():
        every.make_visible(function, EXTERNAL)


def _keep(module: IRModule, names: set[str]) -> None:
    """Remove the bodies of all other functions, and what is then unused."""
    for name, function in module.functions():
        if name not in names:
            module.llvm.set_linkage(function, AVAILABLE_EXTERNALLY)
    module.run_passes(_CLEAN)
