"""Modules from a folder of plain sources, without a build: what compiles with guessed paths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from irsmith.corpus.split import never_train, split_of
from irsmith.records import IrsmithError, Module
from irsmith.toolchain.clang import CompileError, language_of, to_bitcode
from irsmith.toolchain.find import Toolchain

_MAX_PATHS = 40
_NO_CLOCK = ('-D__DATE__="Jan  1 2000"', '-D__TIME__="00:00:00"', '-D__TIMESTAMP__=""')
"""Some sources keep the time of their compilation: the same source must give the same module."""


def include_flags(folder: Path) -> list[str]:
    """``-I`` for each folder below that holds headers, the shallowest first."""
    folders = {path.parent for path in folder.rglob("*.h")} | {folder}
    ordered = sorted(folders, key=lambda path: (len(path.parts), str(path)))
    return [f"-I{path}" for path in ordered[:_MAX_PATHS]]


def compile_directory(
    toolchain: Toolchain, folder: Path, package: str, triple: str, licence: str = "unknown"
) -> Iterator[Module]:
    """Compile every C and C++ file by itself; files that need a configured build are left out.

    Args:
        toolchain: where clang is.
        folder: sources of one package.
        package: its name; decides the split.
        triple: target.
        licence: licence expression of the package.

    Yields:
        A module for each file that compiles, in the order of their paths.
    """
    flags = ["-w", "-fno-ident", *_NO_CLOCK, *include_flags(folder)]
    for path in sorted(folder.rglob("*")):
        language = language_of(str(path))
        if language is None or not path.is_file():
            continue
        try:
            bitcode = to_bitcode(toolchain, str(path), language, triple, flags)
        except CompileError:
            continue
        name = f"{package}/{path.relative_to(folder)}"
        digest = hashlib.sha256(bitcode).hexdigest()
        yield Module(bitcode, triple, name, package, licence, split_of(package), digest)


def named_sources(
    toolchain: Toolchain, sources: list[str], split: str, triple: str
) -> Iterator[Module]:
    """Modules of ``PACKAGE=FOLDER`` sources that belong to a split.

    Args:
        toolchain: where clang is.
        sources: each names a package and the folder of its sources.
        split: ``train``, ``validation`` or ``test``.
        triple: target.

    Raises:
        IrsmithError: no such folder, or a package of another split or of the
            never-train list.
    """
    for entry in sources:
        package, _, folder = entry.partition("=")
        if not folder or not Path(folder).is_dir():
            raise IrsmithError(f"{entry!r}: write PACKAGE=FOLDER, with a folder that exists")
        if split_of(package) != split:
            raise IrsmithError(f"{package} is of the split {split_of(package)}, not {split}")
        if split != "test" and never_train(package):
            raise IrsmithError(f"{package} is on the never-train list")
        yield from compile_directory(toolchain, Path(folder), package, triple)
