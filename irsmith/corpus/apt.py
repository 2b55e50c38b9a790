"""Debian's side of the corpus: which source packages there are, their sources, what they need."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from irsmith.records import IrsmithError

_HELPER = Path("/usr/lib/apt/apt-helper")
_PROFILES = "nocheck,nodoc"
_ENVIRONMENT = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
SOURCES_HINT = (
    "enable source packages: add deb-src (Types: deb deb-src) to the lists in /etc/apt, "
    "then run apt-get update"
)


class AptError(IrsmithError):
    """apt or dpkg could not do it; the message is the line that says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source package.

    Attributes:
        package: its name.
        version: Debian's.
        size: bytes of its archives.
    """

    package: str
    version: str
    size: int


def need_apt() -> None:
    """Check that this is a Debian (or its like) that can fetch and build sources.

    Raises:
        AptError: says what is missing.
    """
    for tool, package in (
        ("apt-get", "apt"),
        ("dpkg-source", "dpkg-dev"),
        ("dpkg-buildpackage", "dpkg-dev"),
        ("make", "build-essential"),
    ):
        if shutil.which(tool) is None:
            raise AptError(
                f"{tool} is not here: `irsmith corpus debian` needs Debian or Ubuntu with the "
                f"package {package} (elsewhere use `irsmith corpus record`)"
            )


def sources(packages: Sequence[str]) -> dict[str, Source]:
    """What apt knows of these source packages, the newest version of each.

    Raises:
        AptError: apt knows no source package at all.
    """
    found: dict[str, Source] = {}
    for start in range(0, len(packages), 200):
        part = list(packages[start : start + 200])
        text = _run(["apt-cache", "showsrc", "--only-source", *part], check=False)
        for paragraph in text.split("\n\n"):
            source = _source(paragraph)
            # apt lists the newest first.
            if source is not None and source.package not in found:
                found[source.package] = source
    if packages and not found and not _lists("Sources"):
        raise AptError(f"apt knows no source packages: {SOURCES_HINT}")
    return found


def _source(paragraph: str) -> Source | None:
    name = re.search(r"^Package: (\S+)$", paragraph, re.MULTILINE)
    version = re.search(r"^Version: (\S+)$", paragraph, re.MULTILINE)
    if not name or not version:
        return None
    files = re.search(r"^Checksums-Sha256:\s*\n((?: .*\n?)+)", paragraph, re.MULTILINE)
    sizes = [int(line.split()[1]) for line in files.group(1).splitlines()] if files else []
    return Source(name.group(1), version.group(1), sum(sizes))


def _lists(kind: str) -> list[str]:
    """apt's own copies of the mirrors' lists: ``Sources`` or ``Packages``."""
    text = _run(["apt-get", "indextargets", "--format", "$(FILENAME)", f"Created-By: {kind}"])
    return text.split()


def largest(count: int) -> list[str]:
    """The largest C and C++ source packages that apt knows, the largest first.

    Debian's own tags (``implemented-in::c``, ``implemented-in::c++``) say which they are.

    Raises:
        AptError: apt has no lists of sources, or of packages.
    """
    binaries = _lists("Packages")
    if not binaries or not _lists("Sources"):
        raise AptError(f"apt knows no source packages: {SOURCES_HINT}")
    wanted: set[str] = set()
    for path in binaries:
        for paragraph in _run([str(_HELPER), "cat-file", path]).split("\n\n"):
            if re.search(r"implemented-in::c(\+\+)?[,\s]", paragraph):
                name = re.search(r"^(?:Source): (\S+)", paragraph, re.MULTILINE) or re.search(
                    r"^Package: (\S+)", paragraph, re.MULTILINE
                )
                if name:
                    wanted.add(name.group(1))
    known = sources(sorted(wanted)).values()
    ordered = sorted(known, key=lambda source: (-source.size, source.package))
    return [source.package for source in ordered[:count]]


def fetch(package: str, folder: Path) -> Path:
    """Download and unpack a source package with Debian's patches.

    Args:
        package: its name.
        folder: where to; made if it is not there.

    Returns:
        The folder of the sources.

    Raises:
        AptError: the mirror does not have it, or it does not unpack.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "source", "--download-only", "--only-source", "-q", package], cwd=folder)
    descriptions = sorted(folder.glob("*.dsc"))
    if not descriptions:
        raise AptError(f"{package}: apt-get source brought no .dsc file")
    root = folder / "source"
    shutil.rmtree(root, ignore_errors=True)
    _run(
        ["dpkg-source", "--no-check", "-q", "-x", descriptions[0].name, "source"],
        cwd=folder,
    )
    return root


def missing_dependencies(package: str) -> list[str]:
    """Packages that building this one would install; empty if all are here.

    Raises:
        AptError: they cannot be had together with what is installed.
    """
    text = _run([*_build_dep("-s"), package])
    return re.findall(r"^Inst (\S+)", text, re.MULTILINE)


def install_dependencies(package: str, lock: Path) -> None:
    """Install what building a package needs; never removes anything.

    Args:
        package: source package.
        lock: a file that our processes wait for one another at: apt serves one at a time.

    Raises:
        AptError: it cannot be installed, or only by removing something.
    """
    with _turn(lock):
        if not missing_dependencies(package):
            return
        if os.geteuid() != 0:
            raise AptError(
                f"{package} needs packages that only root can install: "
                f"sudo apt-get build-dep {package}"
            )
        _run([*_build_dep("-y"), package], seconds=1800)


def _build_dep(mode: str) -> list[str]:
    return [
        *("apt-get", "build-dep", mode, "-q", "--no-install-recommends", "--no-remove"),
        *("--arch-only", "-P", _PROFILES, "-o", "DPkg::Lock::Timeout=600"),
        *("-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0"),
    ]


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(
    command: Sequence[str], cwd: Path | None = None, check: bool = True, seconds: float = 900
) -> str:
    """Standard output of a command.

    Raises:
        AptError: it failed; the line that says why.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, **_ENVIRONMENT},
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AptError(f"{command[0]} did not finish within {seconds:.0f} s") from error
    if check and done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"(E|dpkg-source: error|error)\b", line)]
        last = (errors or lines or [f"status {done.returncode}"])[0]
        raise AptError(f"{Path(command[0]).name}: {last.strip()[:300]}")
    return done.stdout
