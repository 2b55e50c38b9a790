"""Modules from a folder of sources that is not built here.

A ``compile_commands.json`` says how each file is compiled. Without one, each C and C++
file is tried by itself with guessed include paths, and what needs a configured build is
left out and reported.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.recorder import Call, is_probe, parse_call, read_settings, record, unfold
from irsmith.corpus.recording import Origin, Recorded, collect, prepare_recording
from irsmith.corpus.split import never_train, split_of
from irsmith.records import IrsmithError, Module
from irsmith.toolchain.clang import language_of
from irsmith.toolchain.find import Toolchain

_MAX_PATHS = 40
_DATABASES = ("compile_commands.json", "build/compile_commands.json")


@dataclass(frozen=True, slots=True)
class Compilation:
    """One file and how it is compiled.

    Attributes:
        source: its path, from the working folder.
        language: ``c`` or ``c++``.
        call: with the flags.
        folder: the working folder.
    """

    source: str
    language: str
    call: Call
    folder: str


def find_database(folder: Path) -> Path | None:
    """The compilation database of a folder, or None."""
    return next((folder / name for name in _DATABASES if (folder / name).is_file()), None)


def from_database(path: Path) -> list[Compilation]:
    """The C and C++ files of a compilation database.

    Its form: https://clang.llvm.org/docs/JSONCompilationDatabase.html

    Raises:
        IrsmithError: it is not one.
    """
    found: list[Compilation] = []
    try:
        for entry in json.loads(path.read_text()):
            words = entry.get("arguments") or shlex.split(entry["command"])
            folder = str((path.parent / entry["directory"]).absolute())
            call = parse_call(Path(words[0]).name, unfold(words[1:], base=folder))
            found += [
                Compilation(source, language, call, folder)
                for source, language in call.sources
                if not is_probe(source, folder)
            ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IrsmithError(f"{path}: not a compilation database ({error!r})") from error
    return found


def guessed(folder: Path) -> list[Compilation]:
    """Every C and C++ file below a folder, with all folders that hold headers as include paths."""
    call = Call((), tuple(include_flags(folder)))
    found: list[Compilation] = []
    for path in sorted(folder.rglob("*")):
        language = language_of(str(path))
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # quilt's copies, version control
        if language in ("c", "c++") and path.is_file():
            found.append(Compilation(str(path), language, call, str(folder.absolute())))
    return found


def include_flags(folder: Path) -> list[str]:
    """``-I`` for each folder below that holds headers, the shallowest first."""
    folders = {path.parent for path in folder.rglob("*.h")} | {folder}
    ordered = sorted(folders, key=lambda path: (len(path.parts), str(path)))
    return [f"-I{path}" for path in ordered[:_MAX_PATHS]]


def record_directory(
    toolchain: Toolchain,
    origin: Origin,
    targets: Sequence[str],
    database: Path | None = None,
    jobs: int = 1,
) -> Recorded:
    """Compile the files of a folder.

    Args:
        toolchain: where clang is.
        origin: the folder is its root.
        targets: triples; the machine's own first.
        database: compilation database; None looks for one, then guesses.
        jobs: processes.

    Raises:
        IrsmithError: no such folder, or the database is damaged.
    """
    if not origin.root.is_dir():
        raise IrsmithError(f"{origin.root}: no such folder")
    database = database or find_database(origin.root)
    listed = from_database(database) if database else guessed(origin.root)
    # A database may name the same twice (a static and a shared library); once is enough.
    compilations = {(c.source, c.language, c.call.flags, c.folder): c for c in listed}.values()
    with tempfile.TemporaryDirectory(prefix="irsmith-record-") as temporary:
        folder = Path(temporary)
        prepare_recording(toolchain, folder, targets)
        settings = read_settings(temporary)

        def compile_one(one: Compilation) -> None:
            for triple in targets:
                record(settings, one.call, one.source, one.language, triple, one.folder)

        # Threads do: each only waits for a clang.
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(compile_one, compilations))
        return collect(toolchain, folder, origin, jobs)


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
        origin = Origin(Path(folder), package)
        recorded = record_directory(toolchain, origin, [triple], jobs=os.cpu_count() or 1)
        yield from (row.to_module() for row in recorded.rows)
