"""What the full suite needs from outside, where it lies, which Debian package brings it.

Everything is looked for by its files, not in dpkg's list, so that the same
things put there by another system or by hand are found too.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from irsmith.records import IrsmithError

_DEBIAN_NAMES = {"aarch64": "arm64", "x86_64": "amd64", "riscv64": "riscv64"}
_GCC_VERSIONS = (12, 13, 14, 11)  # best tried first


class MissingError(IrsmithError):
    """Something that a package brings is not on this machine."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that is needed.

    Attributes:
        what: in words.
        packages: Debian packages that bring it; any one of them will do, best first.
        otherwise: what to do on a system without these packages.
    """

    what: str
    packages: tuple[str, ...]
    otherwise: str


@dataclass(frozen=True, slots=True)
class CrossFiles:
    """The C library and GCC's support library of another architecture.

    Attributes:
        headers: folder of the C library's headers.
        libraries: folder with ``crt1.o`` and ``libc.a``.
        support: folder with ``libgcc.a`` and ``libgcc_eh.a``.
        cxx: ``libstdc++.a``, or None.
    """

    headers: Path
    libraries: Path
    support: Path
    cxx: Path | None


def architecture(target: str) -> str:
    """The first part of a triple."""
    return target.split("-", 1)[0]


def is_native(target: str) -> bool:
    """Whether this machine runs the target's programs itself."""
    return architecture(target) == platform.machine()


def gcc_tarball(sources: Path = Path("/usr/src")) -> Path | None:
    """GCC's source, as the packages ``gcc-N-source`` install it."""
    for version in _GCC_VERSIONS:
        found = sorted((sources / f"gcc-{version}").glob(f"gcc-{version}*.tar.xz"))
        if found:
            return found[0]
    return None


def find_csmith() -> Path | None:
    """Csmith on the PATH."""
    found = shutil.which("csmith")
    return Path(found) if found else None


def csmith_headers(csmith: Path) -> Path | None:
    """The folder with ``csmith.h`` that belongs to a ``csmith``."""
    prefix = csmith.resolve().parent.parent
    folders = [prefix / "include", *sorted(prefix.glob("include/csmith*")), prefix / "runtime"]
    return _first(folders, "csmith.h")


def find_emulator(target: str) -> Path | None:
    """QEMU's user-mode emulator of an architecture."""
    arch = architecture(target)
    found = shutil.which(f"qemu-{arch}") or shutil.which(f"qemu-{arch}-static")
    return Path(found) if found else None


def _first(folders: Iterable[Path], *names: str) -> Path | None:
    """The first folder that holds all of these files."""
    return next((f for f in folders if all((f / name).exists() for name in names)), None)


def _newest_first(folders: Iterable[Path]) -> list[Path]:
    return sorted(folders, key=lambda f: int(f.name) if f.name.isdecimal() else 0, reverse=True)


def _roots(target: str, prefix: Path) -> list[Path]:
    """Where systems put another architecture's C library: Debian and Arch, then Fedora."""
    base = prefix / f"{architecture(target)}-linux-gnu"
    return [base, base / "sys-root/usr"]


def cross_headers(target: str, prefix: Path = Path("/usr")) -> Path | None:
    """The headers of the target's C library."""
    return _first((root / "include" for root in _roots(target, prefix)), "stdio.h")


def find_cross(target: str, prefix: Path = Path("/usr")) -> CrossFiles | None:
    """All that linking for another architecture needs, or None if a part is missing."""
    triple = f"{architecture(target)}-linux-gnu"
    headers = cross_headers(target, prefix)
    places = [root / lib for root in _roots(target, prefix) for lib in ("lib", "lib64")]
    libraries = _first(places, "crt1.o", "crti.o", "crtn.o", "libc.a", "libm.a")
    versions = _newest_first(
        [*prefix.glob(f"lib/gcc-cross/{triple}/*"), *prefix.glob(f"lib/gcc/{triple}/*")]
    )
    support = _first(versions, "libgcc.a", "libgcc_eh.a")
    if headers is None or libraries is None or support is None:
        return None
    cxx = _first([support, libraries], "libstdc++.a")
    return CrossFiles(headers, libraries, support, cxx / "libstdc++.a" if cxx else None)


def cross_needs(target: str) -> list[Need]:
    """What is missing to compile for and run another architecture's programs."""
    arch = architecture(target)
    debian = _DEBIAN_NAMES.get(arch, arch)
    missing = []
    if find_emulator(target) is None:
        missing.append(
            Need(
                f"an emulator of {arch}",
                ("qemu-user",),
                f"install QEMU's user-mode emulation, so that qemu-{arch} is on the PATH",
            )
        )
    if find_cross(target) is None:
        where = f"/usr/{arch}-linux-gnu/include and lib"
        missing.append(
            Need(
                f"a C library for {arch}",
                (f"libc6-dev-{debian}-cross",),
                f"install a glibc for {arch} with headers and libc.a under {where}",
            )
        )
        missing.append(
            Need(
                f"GCC's support library for {arch}",
                tuple(f"libgcc-{version}-dev-{debian}-cross" for version in _GCC_VERSIONS),
                f"install a GCC for {arch}-linux-gnu (libgcc.a and libgcc_eh.a)",
            )
        )
    return missing


def needs(target: str, *, testsuite: bool = True, csmith: bool = True) -> list[Need]:
    """What is missing here to build the full suite for a target.

    Args:
        target: LLVM triple.
        testsuite: whether GCC's testsuite is wanted from a package.
        csmith: whether Csmith is wanted from a package.
    """
    missing = []
    if testsuite and gcc_tarball() is None:
        missing.append(
            Need(
                "GCC's testsuite",
                tuple(f"gcc-{version}-source" for version in _GCC_VERSIONS),
                "unpack GCC 12's source (gcc.gnu.org) and give --gcc-testsuite DIR, "
                "its folder gcc/testsuite",
            )
        )
    generator = find_csmith()
    if csmith and generator is None:
        advice = "build Csmith (github.com/csmith-project/csmith) and give --csmith PATH"
        missing.append(Need("Csmith", ("csmith",), advice))
    if csmith and (generator is None or csmith_headers(generator) is None):
        advice = "its headers are needed beside it (PREFIX/include of --csmith PREFIX/bin/csmith)"
        missing.append(Need("Csmith's headers", ("libcsmith-dev",), advice))
    return missing if is_native(target) else missing + cross_needs(target)


def cross_flags(target: str) -> tuple[str, ...]:
    """Flags with which clang finds the headers of the target's C library.

    Raises:
        MissingError: the headers of another architecture are not here.
    """
    if is_native(target):
        return ()
    headers = cross_headers(target)
    if headers is None:
        debian = _DEBIAN_NAMES.get(architecture(target), architecture(target))
        raise MissingError(
            f"no C library headers for {target} found; on Debian: "
            f"apt-get install libc6-dev-{debian}-cross"
        )
    # After clang's own: glibc's limits.h goes back to the compiler's.
    return ("-nostdlibinc", "-idirafter", str(headers))
