"""The library that finds compilers which a build calls by their full path."""

from __future__ import annotations

import hashlib
import os
from importlib import resources
from pathlib import Path

from irsmith.toolchain.cache import cache_dir, write_beside
from irsmith.toolchain.clang import run_clang
from irsmith.toolchain.find import Toolchain

_OLDEST = (2, 34)
"""The glibc from which on every process has ``dlsym`` without a library of its own."""


def preload_library(toolchain: Toolchain) -> Path | None:
    """The compiled ``preload.c``, made with our clang at first use and kept.

    Returns:
        Its path; None where it would not work (no glibc, an old one, a path that
        ``LD_PRELOAD`` cannot hold): then only compilers called by name are seen.
    """
    try:
        kind, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
        new = kind == "glibc" and tuple(map(int, version.split(".")[:2])) >= _OLDEST
    except ValueError:
        new = False
    source = resources.files("irsmith.corpus").joinpath("preload.c").read_bytes()
    digest = hashlib.sha256(source + toolchain.fingerprint.encode()).hexdigest()[:16]
    path = cache_dir() / f"preload-{digest}.so"
    if not new or set(str(path)) & set(": \t$"):
        return None
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.so")
        flags = ["-O2", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-w", "-x", "c", "-"]
        try:
            run_clang(toolchain, [*flags, "-o", str(beside)], source)
            write_beside(path, beside.read_bytes())
        finally:
            beside.unlink(missing_ok=True)
    return path
