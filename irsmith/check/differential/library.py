"""The compiled runtime: C that calls tested code, and its data as ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
from ctypes import c_int, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from importlib import resources
from pathlib import Path
from typing import Any

from irsmith.toolchain.cache import cache_dir, write_beside
from irsmith.toolchain.clang import run_clang
from irsmith.toolchain.find import Toolchain

HEADERS = ("runtime.h", "guard.h")
SOURCES = ("memory.c", "draw.c", "cover.c", "guard.c", "events.c", "known.c", "run.c")
_FLAGS = (
    *("-O3", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-w", "-fno-strict-aliasing"),
    *("-fno-semantic-interposition", "-Wl,-Bsymbolic"),
)

RETURNED, ENDED, SIGNALLED, TIMED_OUT, TOO_LONG, UNDEFINED, LEARNT, UNSUPPORTED = range(8)
"""How a run ended, as ``runtime.h`` numbers it."""
REASONS = (
    *("", "overflow", "shift", "division", "misaligned access", "uninitialised read"),
    *("access out of bounds", "null pointer", "access of another type", "unreachable code"),
    *("not a number", "broken assumption", "call of another type", "unrelated pointers"),
    *("value out of range", "write to a constant", "use of freed memory"),
)
"""Why a guarded run was undefined."""
ARENA, ARGUMENT, RESULT, FILL, SEEN, GONE, GLOBAL = 0, 1, 2, 3, 4, 5, 8
VARIABLE, CONSTANT_DATA, FUNCTION, LAZY, INTERNAL_STATE, FRESH = 1, 2, 4, 8, 16, 32


class Word(ctypes.Structure):
    """One piece of an input."""

    _fields_ = (
        ("where", c_uint32),
        ("segment", c_uint16),
        ("kind", c_uint8),
        ("size", c_uint8),
        ("value", c_uint64),
    )


class RawOutcome(ctypes.Structure):
    """What a run came to."""

    _fields_ = (
        *((name, c_uint32) for name in ("status", "reason", "events", "draws")),
        *((name, c_uint64) for name in ("result", "trace", "memory", "internal")),
    )


class Site(ctypes.Structure):
    """A load, store, copy or call of the guarded reference."""

    _fields_ = (
        ("size", c_uint32),
        ("function", c_uint32),
        ("tag", c_uint16),
        *((name, c_uint8) for name in ("kind", "align", "tolerant", "atomic", "nonnull", "ranged")),
        ("low", ctypes.c_int64),
        ("high", ctypes.c_int64),
    )


class Stub(ctypes.Structure):
    """An external function, or a signature that is called through pointers."""

    _fields_ = (
        *((name, c_uint8) for name in ("count", "results", "noreturn", "pure")),
        *((name, c_uint8) for name in ("returned", "nonnull", "fresh", "indirect")),
        ("signature", c_uint32),
        ("writes", c_uint32),
        ("name", c_uint32),
        ("dropped", c_uint32),
        ("quiet", c_uint32),
        ("kept", c_uint32),
        ("kind", c_uint8 * 24),
        ("width", c_uint8 * 24),
        ("result_kind", c_uint8 * 8),
        ("result_width", c_uint8 * 8),
        ("address", c_uint64),
    )


class Symbol(ctypes.Structure):
    """A global variable or function of a linked build."""

    _fields_ = (
        ("address", c_uint64),
        ("size", c_uint64),
        ("token", c_uint64),
        ("kind", c_uint32),
        ("signature", c_uint32),
    )


class Parameter(ctypes.Structure):
    """How to draw an argument."""

    _fields_ = (
        *((name, c_uint8) for name in ("kind", "width", "nonnull", "exclusive")),
        ("by_value", c_uint32),
        ("align", c_uint32),
    )


class Suggestion(ctypes.Structure):
    """A draw, and a value that would make a comparison come out otherwise."""

    _fields_ = (("draw", c_uint32), ("spare", c_uint32), ("value", c_uint64))


def compile_runtime(toolchain: Toolchain) -> Path:
    """The compiled runtime; made with our clang at first use and kept."""
    folder = resources.files("irsmith.check.differential")
    headers = b"".join(folder.joinpath(name).read_bytes() for name in HEADERS)
    sources = [folder.joinpath(name).read_bytes() for name in SOURCES]
    digest = hashlib.sha256(
        headers + b"".join(sources) + toolchain.fingerprint.encode()
    ).hexdigest()
    path = cache_dir() / f"differential-{digest[:16]}.so"
    if not path.exists():
        # One unit: the headers once, then every source without its own #include.
        text = headers + re.sub(rb'#include "\w+.h"', b"", b"\n".join(sources))
        beside = path.with_suffix(f".{os.getpid()}.so")
        path.parent.mkdir(parents=True, exist_ok=True)
        run_clang(toolchain, [*_FLAGS, "-x", "c", "-", "-o", str(beside)], text)
        write_beside(path, beside.read_bytes())
        beside.unlink()
    return path


class Runtime:
    """The functions of the runtime, loaded into this process.

    Args:
        path: what :func:`compile_runtime` gave.
    """

    def __init__(self, path: Path) -> None:
        self.lib = lib = ctypes.CDLL(str(path))

        def bind(name: str, result: Any, *arguments: Any) -> Any:
            function = getattr(lib, f"irsmith_{name}")
            function.restype, function.argtypes = result, arguments
            return function

        p, u32, u64 = c_void_p, c_uint32, c_uint64
        self.start = bind("start", None)
        self.module = bind("module", None, p, u32, p, u32, p, p, p, u32)
        self.global_shadows = bind("global_shadows", None, u64, u64, p, p)
        self.build = bind("build", None, p, u32, p, u32, p, p)
        self.hints_reset = bind("hints_reset", None)
        self.draws = bind("draws", None, u64, u32, p, p)
        self.explore = bind("explore", u32, p, p, u32, u32, p, p, u32, u64, p)
        self.replay = bind("replay", u32, p, p, u32, p, p, u32, u64, c_int, u64, p)
        self.new_features = bind("new_features", u32, c_int)
        self.forget_features = bind("forget_features", None, p)
        self.suggestions = bind("suggestions", u32, p)
        self.hidden = bind("hidden", c_int)
        self.largest = bind("largest", None)
        self.used = bind("used", u64)
        self.input = bind("input", u32, p, ctypes.POINTER(u64))
        self.log = bind("log", p, c_int)
        self.log_length = bind("log_length", u32)
        self.library = bind("library", None, u64, u64)
        self.start()
        for low, high in _libraries(path.name):
            self.library(low, high)

    def address(self, name: str) -> int:
        """Address of a function of the runtime, 0 if it has none of that name."""
        try:
            function = getattr(self.lib, name)
        except AttributeError:
            return 0
        return ctypes.cast(function, c_void_p).value or 0


def _libraries(own: str) -> list[tuple[int, int]]:
    """Where libc and the runtime itself lie in this process: what tested code may read there."""
    found: dict[str, list[int]] = {}
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        words = line.split()
        name = words[-1].rpartition("/")[2]
        if name == own or name.startswith("libc.so"):
            low, _, high = words[0].partition("-")
            found.setdefault(name, []).extend((int(low, 16), int(high, 16)))
    return [(min(each), max(each)) for each in found.values()]
