"""LLVM-C through ctypes: the thirty functions that irsmith needs, and nothing else.

One process loads one LLVM (two libraries of one version share their symbol
versions). A pass or the code generator may abort or loop, so other rooms use this
only inside a worker of :mod:`irsmith.sandbox` that may die.

Names follow LLVM-C: https://llvm.org/doxygen/group__LLVMC.html
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from irsmith.records import IrsmithError
from irsmith.toolchain.init_array import with_init_arrays

_RELOC_STATIC, _RELOC_PIC = 1, 2
_CODE_MODELS = {None: 0, 0: 2, 1: 3, 2: 4, 3: 5, 4: 6}
"""Module flag "Code Model" (llvm::CodeModel) to LLVMCodeModel; absent is the default."""
_ASSEMBLY, _OBJECT = 0, 1
_ARCHES = ("X86", "AArch64")
_INTERNAL_LINKAGE = 8

CODEGEN_LEVELS = {"O0": 0, "O1": 1, "O2": 2, "O3": 3, "Os": 2, "Oz": 2}
"""clang's level to LLVMCodeGenOptLevel, as clang's BackendUtil.cpp maps them."""


class LLVMError(IrsmithError):
    """LLVM refused: bad IR, an unknown pass, a module it cannot compile."""


def arch_of(triple: str) -> str:
    """LLVM's target name for a triple: ``X86`` or ``AArch64``.

    Raises:
        LLVMError: any other target.
    """
    head = triple.split("-", 1)[0]
    if head in ("x86_64", "amd64"):
        return "X86"
    if head in ("aarch64", "arm64"):
        return "AArch64"
    raise LLVMError(f"unknown target {triple!r}: x86-64 and aarch64 triples are supported")


class LLVM:
    """A loaded libLLVM.

    Args:
        path: the shared library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lib = lib = ctypes.CDLL(str(path))
        pointer = c_void_p

        def bind(name: str, result: Any, *args: Any) -> Any:
            function = getattr(lib, name)
            function.restype, function.argtypes = result, args
            return function

        self.context_create = bind("LLVMContextCreate", pointer)
        self.context_dispose = bind("LLVMContextDispose", None, pointer)
        self.discard_names = bind("LLVMContextSetDiscardValueNames", None, pointer, c_int)
        self.set_handler = bind("LLVMContextSetDiagnosticHandler", None, pointer, pointer, pointer)
        self.diagnostic_text = bind("LLVMGetDiagInfoDescription", pointer, pointer)
        self.diagnostic_severity = bind("LLVMGetDiagInfoSeverity", c_int, pointer)
        self.buffer_copy = bind(
            "LLVMCreateMemoryBufferWithMemoryRangeCopy", pointer, c_char_p, c_size_t, c_char_p
        )
        self.buffer_start = bind("LLVMGetBufferStart", pointer, pointer)
        self.buffer_size = bind("LLVMGetBufferSize", c_size_t, pointer)
        self.buffer_dispose = bind("LLVMDisposeMemoryBuffer", None, pointer)
        self.parse_bitcode = bind(
            "LLVMParseBitcodeInContext2", c_int, pointer, pointer, POINTER(pointer)
        )
        self.parse_ir = bind(
            "LLVMParseIRInContext", c_int, pointer, pointer, POINTER(pointer), POINTER(pointer)
        )
        self.write_bitcode = bind("LLVMWriteBitcodeToMemoryBuffer", pointer, pointer)
        self.print_module = bind("LLVMPrintModuleToString", pointer, pointer)
        self.clone_module = bind("LLVMCloneModule", pointer, pointer)
        self.dispose_module = bind("LLVMDisposeModule", None, pointer)
        self.dispose_message = bind("LLVMDisposeMessage", None, pointer)
        self.get_triple = bind("LLVMGetTarget", c_char_p, pointer)
        self.set_triple = bind("LLVMSetTarget", None, pointer, c_char_p)
        self.set_layout = bind("LLVMSetModuleDataLayout", None, pointer, pointer)
        self.make_layout = bind("LLVMCreateTargetDataLayout", pointer, pointer)
        self.layout_string = bind("LLVMGetDataLayoutStr", c_char_p, pointer)
        self.module_flag = bind("LLVMGetModuleFlag", pointer, pointer, c_char_p, c_size_t)
        self.as_value = bind("LLVMMetadataAsValue", pointer, pointer, pointer)
        self.metadata_operands = bind("LLVMGetMDNodeOperands", None, pointer, POINTER(pointer))
        self.constant_value = bind("LLVMConstIntGetZExtValue", c_uint64, pointer)
        self.verify_module = bind("LLVMVerifyModule", c_int, pointer, c_int, POINTER(pointer))
        self.run_passes_raw = bind("LLVMRunPasses", pointer, pointer, c_char_p, pointer, pointer)
        self.error_message = bind("LLVMGetErrorMessage", pointer, pointer)
        self.dispose_error_message = bind("LLVMDisposeErrorMessage", None, pointer)
        self.pass_options_create = bind("LLVMCreatePassBuilderOptions", pointer)
        self.emit_raw = bind(
            "LLVMTargetMachineEmitToMemoryBuffer",
            c_int,
            pointer,
            pointer,
            c_int,
            POINTER(pointer),
            POINTER(pointer),
        )
        self.target_from_triple = bind(
            "LLVMGetTargetFromTriple", c_int, c_char_p, POINTER(pointer), POINTER(pointer)
        )
        self.target_machine_create = bind(
            "LLVMCreateTargetMachine",
            pointer,
            pointer,
            c_char_p,
            c_char_p,
            c_char_p,
            c_int,
            c_int,
            c_int,
        )
        self.first_function = bind("LLVMGetFirstFunction", pointer, pointer)
        self.next_function = bind("LLVMGetNextFunction", pointer, pointer)
        self.first_block = bind("LLVMGetFirstBasicBlock", pointer, pointer)
        self.next_block = bind("LLVMGetNextBasicBlock", pointer, pointer)
        self.first_instruction = bind("LLVMGetFirstInstruction", pointer, pointer)
        self.next_instruction = bind("LLVMGetNextInstruction", pointer, pointer)
        self.value_name = bind("LLVMGetValueName2", pointer, pointer, POINTER(c_size_t))
        self.is_declaration = bind("LLVMIsDeclaration", c_int, pointer)
        self.set_linkage = bind("LLVMSetLinkage", None, pointer, c_int)
        self.parse_options = bind(
            "LLVMParseCommandLineOptions", None, c_int, POINTER(c_char_p), c_char_p
        )
        self.version_raw = bind(
            "LLVMGetVersion", None, POINTER(c_uint), POINTER(c_uint), POINTER(c_uint)
        )
        # AsmParser too, or inline assembly aborts emission.
        for arch in _ARCHES:
            for part in ("TargetInfo", "Target", "TargetMC", "AsmPrinter", "AsmParser"):
                initialise = getattr(lib, f"LLVMInitialize{arch}{part}", None)
                if initialise is not None:
                    initialise()
        self.pass_options = self.pass_options_create()
        self._machines: dict[tuple[str, int, int, int, str], int] = {}
        self._messages: list[str] = []
        self._handler = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)(self._on_diagnostic)

    def _on_diagnostic(self, info: int, _: int) -> None:
        # Without a handler of ours, LLVM prints and exits on the first error.
        if self.diagnostic_severity(info) == 0:
            self._messages.append(self.take_string(self.diagnostic_text(info)))

    def take_string(self, pointer: int) -> str:
        """Copy a string that LLVM allocated, and free it."""
        text = ctypes.string_at(pointer).decode(errors="replace")
        self.dispose_message(pointer)
        return text

    def take_buffer(self, buffer: Any) -> bytes:
        """Copy a memory buffer, and free it."""
        data = ctypes.string_at(self.buffer_start(buffer), self.buffer_size(buffer))
        self.buffer_dispose(buffer)
        return data

    def take_errors(self) -> str:
        """Error diagnostics since the last call, in one line."""
        text = "; ".join(self._messages)
        self._messages.clear()
        return text

    @property
    def version(self) -> str:
        """Such as ``22.1.8``."""
        parts = [c_uint() for _ in range(3)]
        self.version_raw(*[ctypes.byref(part) for part in parts])
        return ".".join(str(part.value) for part in parts)

    def set_options(self, options: Sequence[str]) -> None:
        """Set global options of LLVM's command line (code generation options).

        LLVM exits the process on an option that it does not know, so callers take
        them from :mod:`irsmith.toolchain.codegen` or run in a worker.
        """
        if options:
            argv = (c_char_p * (len(options) + 1))(b"irsmith", *[o.encode() for o in options])
            self.parse_options(len(options) + 1, argv, None)

    @contextmanager
    def context(self) -> Iterator[Context]:
        """A fresh LLVM context; everything parsed in it is freed at the end."""
        context = Context(self)
        try:
            yield context
        finally:
            context.close()

    def machine(
        self, triple: str, level: int, reloc: int = _RELOC_PIC, model: int = 0, features: str = ""
    ) -> int:
        """A target machine, made once.

        Args:
            triple: LLVM triple.
            level: 0 to 3, LLVMCodeGenOptLevel.
            reloc: LLVMRelocMode.
            model: LLVMCodeModel.
            features: of the processor, for what no function's attributes decide.

        Raises:
            LLVMError: this library cannot compile for the triple.
        """
        key = (triple, level, reloc, model, features)
        if key not in self._machines:
            target, error = c_void_p(), c_void_p()
            if self.target_from_triple(triple.encode(), ctypes.byref(target), ctypes.byref(error)):
                self.take_string(error.value or 0)
                raise LLVMError(f"{self.path.name} cannot compile for target {triple!r}")
            cpu = b"x86-64" if arch_of(triple) == "X86" else b"generic"
            self._machines[key] = self.target_machine_create(
                target, triple.encode(), cpu, features.encode(), level, reloc, model
            )
        return self._machines[key]


@functools.cache
def load(path: Path) -> LLVM:
    """The library, loaded once a process."""
    return LLVM(path)


class Context:
    """An LLVM context and the modules in it."""

    def __init__(self, llvm: LLVM) -> None:
        self.llvm = llvm
        self.handle = llvm.context_create()
        # Names of values cost time and would make equal IR look different.
        llvm.discard_names(self.handle, 1)
        llvm.set_handler(self.handle, llvm._handler, None)
        self._modules: list[IRModule] = []

    def close(self) -> None:
        """Free the modules, then the context."""
        for module in self._modules:
            module.dispose()
        self.llvm.context_dispose(self.handle)

    def parse(self, data: bytes) -> IRModule:
        """Parse bitcode or textual IR.

        Raises:
            LLVMError: it is neither, it is truncated, or a newer LLVM wrote it.
        """
        llvm, module = self.llvm, c_void_p()
        llvm.take_errors()
        buffer = llvm.buffer_copy(data, len(data), b"module")
        if data[:4] in (b"BC\xc0\xde", b"\xde\xc0\x17\x0b"):
            failed = llvm.parse_bitcode(self.handle, buffer, ctypes.byref(module))
            llvm.buffer_dispose(buffer)
            message = llvm.take_errors()
        else:
            error = c_void_p()
            # LLVM's text parser needs the names while it reads.
            llvm.discard_names(self.handle, 0)
            failed = llvm.parse_ir(self.handle, buffer, ctypes.byref(module), ctypes.byref(error))
            llvm.discard_names(self.handle, 1)
            message = llvm.take_string(error.value) if error.value else llvm.take_errors()
        if failed or not module.value:
            raise LLVMError(message.strip() or "not LLVM-IR or bitcode")
        return self.adopt(module.value)

    def adopt(self, handle: int) -> IRModule:
        """Own a module handle."""
        module = IRModule(self, handle)
        self._modules.append(module)
        return module


class IRModule:
    """A module in a context."""

    def __init__(self, context: Context, handle: int) -> None:
        self.context, self.llvm, self.handle = context, context.llvm, handle

    def dispose(self) -> None:
        """Free it; a second call does nothing."""
        if self.handle:
            self.llvm.dispose_module(self.handle)
            self.handle = 0

    def clone(self) -> IRModule:
        """A copy in the same context (code generation changes a module)."""
        return self.context.adopt(self.llvm.clone_module(self.handle))

    @property
    def triple(self) -> str:
        """The module's target triple, possibly empty."""
        return str(self.llvm.get_triple(self.handle).decode())

    def set_target(self, triple: str) -> None:
        """Set triple and data layout."""
        llvm = self.llvm
        llvm.set_triple(self.handle, triple.encode())
        llvm.set_layout(self.handle, llvm.make_layout(llvm.machine(triple, 2)))

    def flag(self, name: str) -> int | None:
        """An integer module flag such as ``PIC Level``, or None."""
        llvm = self.llvm
        metadata = llvm.module_flag(self.handle, name.encode(), len(name))
        if not metadata:
            return None
        # A constant in metadata counts as a node whose one operand is the constant.
        constant = c_void_p()
        value = llvm.as_value(self.context.handle, metadata)
        llvm.metadata_operands(value, ctypes.byref(constant))
        return int(llvm.constant_value(constant))

    def machine(self, level: int, features: str = "") -> int:
        """The target machine that clang would make for this module at a code generation level.

        Relocation and code model are read from the flags that clang leaves in the module.
        """
        pic = self.flag("PIC Level")
        model = _CODE_MODELS.get(self.flag("Code Model"), 0)
        # Textual IR written by hand has no flags: clang then compiles it as
        # position-independent, its default on Linux.
        static = pic is None and self.flag("wchar_size") is not None
        reloc = _RELOC_STATIC if static else _RELOC_PIC
        return self.llvm.machine(self.triple, level, reloc, model, features)

    def verify(self) -> str:
        """The verifier's complaint, or an empty string."""
        message = c_void_p()
        broken = self.llvm.verify_module(self.handle, 2, ctypes.byref(message))
        text = self.llvm.take_string(message.value) if message.value else ""
        return (text.strip() or "broken module") if broken else ""

    def run_passes(self, pipeline: str, level: int = 2) -> None:
        """Run a pipeline. May abort the process or never return.

        Args:
            pipeline: text as ``opt -passes=`` takes it; empty runs nothing.
            level: code generation level of the target machine that passes may ask.

        Raises:
            LLVMError: the text is refused, or a pass reports an error.
        """
        if not pipeline:
            return
        llvm = self.llvm
        llvm.take_errors()
        error = llvm.run_passes_raw(
            self.handle, pipeline.encode(), self.machine(level), llvm.pass_options
        )
        if error:
            pointer = llvm.error_message(error)
            text = ctypes.string_at(pointer).decode(errors="replace")
            llvm.dispose_error_message(pointer)
            raise LLVMError(text)
        message = llvm.take_errors()
        if message:
            raise LLVMError(message)

    def emit(self, level: int = 2, assembly: bool = False, features: str = "") -> bytes:
        """Generate code. Changes the module; may abort the process.

        Args:
            level: of the code generator.
            assembly: text in place of an object.
            features: of the processor, for assembly in the module.

        Returns:
            An ELF object, or assembly text.

        Raises:
            LLVMError: the code generator reports an error.
        """
        llvm, buffer, error = self.llvm, c_void_p(), c_void_p()
        llvm.take_errors()
        failed = llvm.emit_raw(
            self.machine(level, features),
            self.handle,
            _ASSEMBLY if assembly else _OBJECT,
            ctypes.byref(error),
            ctypes.byref(buffer),
        )
        if failed:
            raise LLVMError(llvm.take_string(error.value or 0))
        data = llvm.take_buffer(buffer)
        message = llvm.take_errors()
        if message:
            raise LLVMError(message)
        # LLVM-C leaves constructors in .ctors, which lld never runs; clang does not.
        return data if assembly else with_init_arrays(data)

    def bitcode(self) -> bytes:
        """The module as bitcode."""
        return self.llvm.take_buffer(self.llvm.write_bitcode(self.handle))

    def text(self) -> str:
        """The module as textual IR."""
        return self.llvm.take_string(self.llvm.print_module(self.handle))

    def ir_hash(self) -> str:
        """16 hexadecimal digits: equal for equal IR."""
        return hashlib.blake2b(self.bitcode(), digest_size=8).hexdigest()

    def functions(self) -> Iterator[tuple[str, int]]:
        """Name and handle of each defined function."""
        llvm, length = self.llvm, c_size_t()
        function = llvm.first_function(self.handle)
        while function:
            if not llvm.is_declaration(function):
                pointer = llvm.value_name(function, ctypes.byref(length))
                yield ctypes.string_at(pointer, length.value).decode(errors="replace"), function
            function = llvm.next_function(function)

    def declarations(self) -> Iterator[str]:
        """Name of each function that is declared and not defined."""
        llvm, length = self.llvm, c_size_t()
        function = llvm.first_function(self.handle)
        while function:
            if llvm.is_declaration(function):
                pointer = llvm.value_name(function, ctypes.byref(length))
                yield ctypes.string_at(pointer, length.value).decode(errors="replace")
            function = llvm.next_function(function)

    def instruction_counts(self) -> dict[str, int]:
        """IR instructions of each defined function, by name."""
        llvm = self.llvm
        counts: dict[str, int] = {}
        for name, function in self.functions():
            count, block = 0, llvm.first_block(function)
            while block:
                instruction = llvm.first_instruction(block)
                while instruction:
                    count += 1
                    instruction = llvm.next_instruction(instruction)
                block = llvm.next_block(block)
            counts[name] = count
        return counts
