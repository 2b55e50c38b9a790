"""Run one program under one candidate, in process: parse, passes, verify, emit, JIT, call.

This is what makes PassListEval cheap: about 3 ms a program against 89 ms with
``opt``, ``llc``, a linker and a process. It lives in a worker that may die; the
phase that it died in says who is guilty.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import signal
from collections.abc import Callable, Sequence
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint8, c_uint64, c_void_p
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from irsmith.records import Candidate
from irsmith.toolchain import codegen
from irsmith.toolchain.cache import cache_dir, write_beside
from irsmith.toolchain.clang import run_clang
from irsmith.toolchain.compile import VerifierError, prepare
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import LLVM, IRModule, LLVMError, load

PHASE_PASSES, PHASE_EMIT, PHASE_LINK, PHASE_RUN, PHASE_CLEAN = 1, 2, 3, 4, 5
RUN_SECONDS = 1.0
_OVERRIDES = {
    "exit": "irsmith_exit",
    "_exit": "irsmith_exit",
    "_Exit": "irsmith_exit",
    "abort": "irsmith_abort",
    "__assert_fail": "irsmith_abort",
    "printf": "irsmith_printf",
    "vprintf": "irsmith_vprintf",
    "puts": "irsmith_puts",
    "putchar": "irsmith_putchar",
    "atexit": "irsmith_nothing",
    "fflush": "irsmith_nothing",
    "__cxa_atexit": "irsmith_nothing",
}
_ORC_EXPORTED_CALLABLE = 5


@dataclass(frozen=True, slots=True)
class Task:
    """One program under one candidate.

    Attributes:
        program: index into the programs that the worker was made with.
        candidate: pass list and code generation options.
        level: code generation level, 0 to 3.
        run: whether to run the program here; else its object comes back.
    """

    program: int
    candidate: Candidate
    level: int = 2
    run: bool = True


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended.

    Attributes:
        status: exit status, or 256 after abort().
        output: hash of what it printed.
        object: the code, if it was not run here.
    """

    status: int
    output: int
    object: bytes = b""


def helper_library(toolchain: Toolchain) -> Path:
    """The compiled ``runner.c``; made with our clang at first use and kept."""
    source = resources.files("irsmith.check").joinpath("runner.c").read_bytes()
    digest = hashlib.sha256(source + toolchain.fingerprint.encode()).hexdigest()[:16]
    path = cache_dir() / f"runner-{digest}.so"
    if not path.exists():
        flags = ["-O2", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-w"]
        beside = path.with_suffix(".tmp.so")
        path.parent.mkdir(parents=True, exist_ok=True)
        run_clang(toolchain, [*flags, "-x", "c", "-", "-o", str(beside)], source)
        write_beside(path, beside.read_bytes())
        beside.unlink()
    return path


class _Symbol(ctypes.Structure):
    """LLVMOrcCSymbolMapPair."""

    _fields_ = (("name", c_void_p), ("address", c_uint64), ("flags", c_uint8), ("target", c_uint8))


class JIT:
    """LLJIT for objects that we emitted ourselves, with our own exit, abort and printf."""

    def __init__(self, llvm: LLVM, helper: Path) -> None:
        library = llvm.lib
        # C++ programs need an unwinder and a C++ runtime: those that libLLVM brought along.
        for name in ("libc++abi.so.1", "libstdc++.so.6"):
            try:
                ctypes.CDLL(name, ctypes.RTLD_GLOBAL)
                break
            except OSError:
                continue

        def bind(name: str, *arguments: object) -> Callable[..., int]:
            function = getattr(library, name)
            function.restype, function.argtypes = c_void_p, arguments
            bound: Callable[..., int] = function
            return bound

        self.llvm = llvm
        self._lookup = bind("LLVMOrcLLJITLookup", c_void_p, POINTER(c_uint64), c_char_p)
        self._add = bind("LLVMOrcLLJITAddObjectFileWithRT", c_void_p, c_void_p, c_void_p)
        self._tracker = bind("LLVMOrcJITDylibCreateResourceTracker", c_void_p)
        self._remove = bind("LLVMOrcResourceTrackerRemove", c_void_p)
        self._release = bind("LLVMOrcReleaseResourceTracker", c_void_p)
        create = bind("LLVMOrcCreateLLJIT", POINTER(c_void_p), c_void_p)
        main_dylib = bind("LLVMOrcLLJITGetMainJITDylib", c_void_p)
        session_of = bind("LLVMOrcLLJITGetExecutionSession", c_void_p)
        by_name = bind("LLVMOrcExecutionSessionGetJITDylibByName", c_void_p, c_char_p)
        intern = bind("LLVMOrcExecutionSessionIntern", c_void_p, c_char_p)
        absolute = bind("LLVMOrcAbsoluteSymbols", POINTER(_Symbol), c_size_t)
        define = bind("LLVMOrcJITDylibDefine", c_void_p, c_void_p)

        jit = c_void_p()
        self._check(create(ctypes.byref(jit), None))
        self._jit = jit
        self._dylib = main_dylib(jit)
        session = session_of(jit)
        functions = ctypes.CDLL(str(helper))
        symbols = (_Symbol * len(_OVERRIDES))()
        for index, (name, ours) in enumerate(_OVERRIDES.items()):
            address = ctypes.cast(getattr(functions, ours), c_void_p).value or 0
            symbols[index] = _Symbol(
                intern(session, name.encode()), address, _ORC_EXPORTED_CALLABLE, 0
            )
        process = by_name(session, b"<Process Symbols>")
        self._check(define(process, absolute(symbols, len(symbols))))
        self._call_main = functions.irsmith_call_main
        self._call_main.restype = c_int
        self._call_main.argtypes = [c_void_p, POINTER(c_uint64)]

    def _check(self, error: int | None) -> None:
        if error:
            message = ctypes.string_at(self.llvm.error_message(error)).decode(errors="replace")
            raise LLVMError(f"JIT: {message}")

    def run(self, code: bytes, report: Callable[[int], None]) -> Ran:
        """Link an object, call its main, remove it again.

        Raises:
            LLVMError: it does not link.
        """
        report(PHASE_LINK)
        tracker = self._tracker(self._dylib)
        try:
            buffer = self.llvm.buffer_copy(code, len(code), b"program")
            self._check(self._add(self._jit, tracker, buffer))
            address = c_uint64()
            self._check(self._lookup(self._jit, ctypes.byref(address), b"main"))
            report(PHASE_RUN)
            signal.setitimer(signal.ITIMER_PROF, RUN_SECONDS)
            output = c_uint64()
            status = self._call_main(address.value, ctypes.byref(output))
            report(PHASE_CLEAN)
        finally:
            # Also after a failure: the next program defines main again.
            self._check(self._remove(tracker))
            self._release(tracker)
        return Ran(status, output.value)


def emit_program(
    llvm: LLVM, bitcode: bytes, task: Task, triple: str, report: Callable[[int], None]
) -> bytes:
    """Passes, verifier and code generation of one program.

    Raises:
        LLVMError: the list is refused.
        VerifierError: the list breaks the module.
    """
    with llvm.context() as context:
        report(PHASE_PASSES)
        module: IRModule = context.parse(bitcode)
        prepare(module, triple)
        module.run_passes(task.candidate.passes, task.level)
        broken = module.verify()
        if broken:
            raise VerifierError(f"verifier: {broken.splitlines()[0]}")
        report(PHASE_EMIT)
        if codegen.FRAMES in task.candidate.codegen:
            return codegen.finish(llvm, module.bitcode(), task.candidate.codegen, task.level)[1]
        with codegen.options(llvm, task.candidate.codegen):
            return module.emit(task.level)


def runner(
    library: Path, helper: Path | None, programs: Sequence[bytes], triple: str
) -> Callable[[Callable[[int], None]], Callable[[Task], Ran]]:
    """The preparation of a worker that runs programs.

    Args:
        library: path of libLLVM.
        helper: the compiled ``runner.c``; None if programs are not run here.
        programs: unoptimised bitcode.
        triple: target.
    """
    return functools.partial(_prepare, library, helper, tuple(programs), triple)


def _prepare(
    library: Path,
    helper: Path | None,
    programs: tuple[bytes, ...],
    triple: str,
    report: Callable[[int], None],
) -> Callable[[Task], Ran]:
    llvm = load(library)
    jit = JIT(llvm, helper) if helper else None

    def handle(task: Task) -> Ran:
        code = emit_program(llvm, programs[task.program], task, triple, report)
        if jit is None or not task.run:
            return Ran(0, 0, code)
        return jit.run(code, report)

    return handle
