"""The testing copy of a module, and what is added to a version before it is linked.

Functions that no other module sees cannot be called from outside. In the *testing copy*
functions and variables are visible, and the pass list runs on that. Passes may treat
visible functions otherwise than hidden ones, so the copy is evidence; the functions that
the real module shows are always called in the real module too.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from irsmith.toolchain.globals import (
    AVAILABLE_EXTERNALLY,
    EXTERNAL,
    INTERNAL,
    PRIVATE,
    Globals,
    globals_of,
)
from irsmith.toolchain.instructions import (
    POINTER_TYPE,
    Instructions,
    handles,
    instructions_of,
)
from irsmith.toolchain.llvm import IRModule

TABLE = "irsmith.table"
_LINKONCE, _LINKONCE_ODR, _WEAK, _WEAK_ODR = 2, 3, 5, 6
_OPAQUE_BYTES = 512
_OF_THE_JIT = ("__dso_handle",)
_STREAMS = {"stdin": 0x5F0000000000, "stdout": 0x5F0000001000, "stderr": 0x5F0000002000}
"""What these hold: addresses of nothing, which the runtime knows (``known.c``)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A global of a version, in the order of the table that was added to it.

    Attributes:
        name: the global's.
        size: bytes.
        function: whether it is a function.
        constant: a variable that cannot change.
        zero: a variable that starts with nothing but zeros.
        declared: it was declared only, and we gave it memory.
        local: no other module sees it.
    """

    name: str
    size: int
    function: bool
    constant: bool
    zero: bool
    declared: bool
    local: bool


def settle(module: IRModule) -> bool:
    """What both versions get before any pass.

    Names for all globals. No thread-local storage, which the JIT does not have: a variable
    of one thread is then a variable. Bodies that stand here only to be inlined stay, for
    there is no library that holds them.

    Returns:
        Whether it may as well be done after the passes: nothing but storage was changed.
    """
    alike = True
    found, llvm = globals_of(module.llvm), instructions_of(module.llvm)
    for kind in ("Global", "Function"):
        for handle in found.each(module, kind):
            if found.linkage(handle) == AVAILABLE_EXTERNALLY:
                module.llvm.set_linkage(handle, _LINKONCE_ODR)
                alike = False
    taken = 0
    for kind in ("Global", "Function"):
        for handle in found.each(module, kind):
            if not found.name(handle):
                name = f"irsmith.unnamed.{taken}".encode()
                found.set_name(handle, name, len(name))
                taken += 1
                alike = False
    local = False
    for handle in found.each(module, "Global"):
        if llvm.is_thread_local(handle):
            llvm.set_thread_local(handle, 0)
            local = True
    if local:
        for _, function in module.functions():
            for instruction in list(llvm.of_function(function)):
                if _intrinsic(found, llvm, instruction).startswith(b"llvm.threadlocal.address"):
                    llvm.replace(instruction, llvm.operand(instruction, 0))
                    llvm.erase(instruction)
    return alike


def _intrinsic(found: Globals, llvm: Instructions, instruction: int) -> bytes:
    from irsmith.toolchain.instructions import CALL

    if llvm.opcode(instruction) != CALL:
        return b""
    called = llvm.called(instruction)
    return found.name(called) if llvm.is_function(called) else b""


def expose(module: IRModule) -> None:
    """Make the testing copy: every function and every variable that can change is visible."""
    found = globals_of(module.llvm)
    for _, function in module.functions():
        linkage = found.linkage(function)
        if linkage in (INTERNAL, PRIVATE):
            found.make_visible(function, EXTERNAL)
        elif linkage in (_LINKONCE, _LINKONCE_ODR):
            found.make_visible(function, _WEAK if linkage == _LINKONCE else _WEAK_ODR)
    for handle in found.each(module, "Global"):
        if found.name(handle).startswith(b"llvm.") or not found.initializer(handle):
            continue
        if found.is_local(handle) and not found.is_constant(handle):
            found.make_visible(handle, EXTERNAL)


def has_hidden(module: IRModule) -> bool:
    """Whether :func:`expose` would change anything."""
    found = globals_of(module.llvm)
    hidden = (INTERNAL, PRIVATE, _LINKONCE, _LINKONCE_ODR)
    if any(found.linkage(function) in hidden for _, function in module.functions()):
        return True
    return any(
        found.is_local(handle) and not found.is_constant(handle)
        for handle in found.each(module, "Global")
    )


def keep_called(module: IRModule, names: Container[str]) -> None:
    """Drop what is neither called by us nor by what is: it would be compiled for nothing.

    Args:
        module: after the passes.
        names: functions that will be called.
    """
    found = globals_of(module.llvm)
    for name, function in module.functions():
        if name not in names and found.linkage(function) != AVAILABLE_EXTERNALLY:
            found.make_local(function)
    module.run_passes("globaldce")


def drop_unused(module: IRModule, names: Container[str]) -> None:
    """Drop functions that are not called by us and that nothing names, before any pass.

    What is left keeps its linkage, so that passes treat it as they would have. They work
    from callees to callers, and none learns anything of a visible function from its callers.
    """
    found, llvm = globals_of(module.llvm), instructions_of(module.llvm)
    while True:
        unused = [
            function
            for name, function in module.functions()
            if name not in names
            and not llvm.first_use(function)
            and found.linkage(function) != AVAILABLE_EXTERNALLY
        ]
        if not unused:
            return
        for function in unused:
            found.make_local(function)
        module.run_passes("globaldce")


def complete(module: IRModule, padded: bool = False) -> list[Entry]:
    """Prepare a version for linking: memory for declared variables, and the table.

    Args:
        module: changed in place; no pass may run after this.
        padded: leave room behind each variable, so that what runs over its end is seen.

    Returns:
        What the table names, in its order.
    """
    found, llvm = globals_of(module.llvm), instructions_of(module.llvm)
    context, layout = module.context.handle, llvm.layout(module.handle)
    entries, addresses = [], []
    for handle in found.each(module, "Global"):
        name = found.name(handle).decode(errors="replace")
        if name.startswith("llvm.") or name in _OF_THE_JIT:
            continue
        kind = llvm.value_type(handle)
        declared = not found.initializer(handle)
        if found.linkage(handle) == AVAILABLE_EXTERNALLY:
            module.llvm.set_linkage(handle, EXTERNAL)
        size = llvm.abi_size(layout, kind) if llvm.is_sized(kind) else 0
        constant, local = bool(found.is_constant(handle)), found.is_local(handle)
        zero = declared or bool(llvm.is_null(found.initializer(handle)))
        if declared:
            size = max(size, _OPAQUE_BYTES if not size else 0)
        if declared and name in _STREAMS:
            zero = declared = False
            size = 8
            llvm.set_initializer(handle, llvm.const_null(kind))
            handle = _stream(module, handle, _STREAMS[name])
        elif (padded and not llvm.section(handle)) or declared:
            handle = _with_room(module, handle, size, declared, 64 if padded else 0)
        entries.append(Entry(name, size, False, constant and not declared, zero, declared, local))
        addresses.append(handle)
    for name, handle in module.functions():
        if found.linkage(handle) == AVAILABLE_EXTERNALLY or name.startswith("irsmith."):
            continue
        entries.append(Entry(name, 1, True, True, False, False, found.is_local(handle)))
        addresses.append(handle)
    pointer = llvm.pointer_type(context, 0)
    values = llvm.const_array(pointer, handles(addresses), len(addresses))
    table = llvm.add_global(module.handle, llvm.array_type(pointer, len(addresses)), TABLE.encode())
    llvm.set_initializer(table, values)
    assert llvm.kind(pointer) == POINTER_TYPE
    return entries


def _with_room(module: IRModule, handle: int, size: int, declared: bool, room: int) -> int:
    """The same variable with bytes behind it (and memory, if it was declared only)."""
    found, llvm = globals_of(module.llvm), instructions_of(module.llvm)
    context = module.context.handle
    byte = llvm.int_type(context, 8)
    empty = llvm.const_null(llvm.array_type(byte, size))
    value = empty if declared else found.initializer(handle)
    parts = [value, llvm.const_null(llvm.array_type(byte, room))] if room else [value]
    whole = llvm.const_struct(context, handles(parts), len(parts), 0)
    name = found.name(handle)
    found.set_name(handle, b"", 0)
    made = llvm.add_global(module.handle, llvm.type_of(whole), name)
    llvm.set_initializer(made, whole)
    llvm.set_global_constant(made, 0 if declared else found.is_constant(handle))
    llvm.set_alignment(made, max(16, llvm.alignment(handle)))
    if not declared and found.is_local(handle):
        module.llvm.set_linkage(made, INTERNAL)
    llvm.replace(handle, made)
    found.delete(handle)
    return int(made)


def _stream(module: IRModule, handle: int, value: int) -> int:
    """A variable of libc's that points to a stream."""
    found, llvm = globals_of(module.llvm), instructions_of(module.llvm)
    wide = llvm.int_type(module.context.handle, 64)
    name = found.name(handle)
    found.set_name(handle, b"", 0)
    made = llvm.add_global(module.handle, wide, name)
    llvm.set_initializer(made, llvm.const_int(wide, value, 0))
    llvm.replace(handle, made)
    found.delete(handle)
    return int(made)
