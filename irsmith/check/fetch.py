"""Fetch and build the full suite: GCC's execution tests and Csmith's programs.

``plan`` says what is missing, ``install`` brings it once the person agreed,
``build_full`` does the rest. Everything is kept in a cache folder; an
interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from irsmith.check.compile_suite import (
    CompileResult,
    compile_command,
    compile_programs,
)
from irsmith.check.debian import architecture, find_csmith, gcc_tarball
from irsmith.check.packages import InstallError, Step, install, plan
from irsmith.check.sources import (
    CSMITH_OPTIONS,
    CSMITH_SECONDS,
    ORIGIN_FILE,
    SourceProgram,
    csmith_programs,
    csmith_version,
    torture_programs,
)
from irsmith.records import IrsmithError
from irsmith.toolchain.find import Toolchain

__all__ = ["FetchError", "InstallError", "Step", "build_full", "install", "plan"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, how many there are."""

_WANTED = (
    "gcc/testsuite/gcc.c-torture/execute/",
    "gcc/testsuite/gcc.dg/torture/",
)
_WANTED_FILES = frozenset(
    {
        "COPYING3",
        "gcc/BASE-VER",
        # Included by tests of gcc.dg/torture from the folder above.
        "gcc/testsuite/gcc.dg/builtins-config.h",
        "gcc/testsuite/gcc.dg/tg-tests.h",
    }
)


class FetchError(IrsmithError):
    """The full suite cannot be fetched or built."""


def _package_origin(tarball: Path) -> str:
    """Package and version of GCC's source; its folder is named after the package."""
    package = f"{tarball.parent.name}-source"
    query = ["dpkg-query", "-W", "-f", "${Version}", package]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False)
    except OSError:
        return tarball.name
    return f"{package} {done.stdout.strip()}" if done.returncode == 0 else tarball.name


def _wanted_members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    """The members that we need, with their path below the archive's top folder."""
    for member in archive:
        path = PurePosixPath(member.name)
        inside = "/".join(path.parts[1:])
        if not member.isfile() or ".." in path.parts or path.is_absolute():
            continue
        if inside in _WANTED_FILES or inside.startswith(_WANTED):
            yield member, PurePosixPath(inside)


def unpack_testsuite(cache_dir: Path, tarball: Path | None = None) -> Path:
    """Unpack the part of GCC's source that we need, once.

    Args:
        cache_dir: it goes to ``sources/`` there.
        tarball: GCC's source; by default what the Debian package installed.

    Returns:
        The folder ``gcc/testsuite``.

    Raises:
        FetchError: there is no tarball, or no testsuite in it.
    """
    tarball = tarball or gcc_tarball()
    if tarball is None:
        raise FetchError("GCC's source is not here; install gcc-12-source or give --gcc-testsuite")
    home = cache_dir / "sources" / tarball.name.split(".tar")[0]
    testsuite = home / "gcc" / "testsuite"
    if home.exists():
        return testsuite
    beside = home.with_name(home.name + ".partial")
    shutil.rmtree(beside, ignore_errors=True)
    count = 0
    try:
        with tarfile.open(tarball) as archive:
            # Written by hand and not by extract(): only plain files, and it is
            # safe on Pythons that have no extraction filters yet (3.11.0 to 3.11.3).
            for member, inside in _wanted_members(archive):
                content = archive.extractfile(member)
                assert content is not None  # plain files have one
                (beside / inside).parent.mkdir(parents=True, exist_ok=True)
                (beside / inside).write_bytes(content.read())
                count += 1
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise FetchError(f"cannot unpack {tarball}: {error}") from error
    if not (beside / "gcc" / "testsuite").is_dir():
        raise FetchError(f"no gcc/testsuite in {tarball} ({count} files wanted)")
    (beside / "gcc/testsuite" / ORIGIN_FILE).write_text(_package_origin(tarball) + "\n")
    beside.rename(home)
    return testsuite


@dataclass(frozen=True, slots=True)
class _Journal:
    """Results of an interrupted run, a line each, so that they are not made again.

    Attributes:
        file: the lines.
        prefix: what all programs of this build have in common: compiler and flags.
    """

    file: Path
    prefix: str

    def key(self, program: SourceProgram) -> str:
        """Equal keys, equal results."""
        parts = (self.prefix, program.name, program.language, *program.flags)
        text = "\0".join(parts).encode() + b"\0" + program.source.read_bytes()
        return hashlib.sha256(text).hexdigest()

    def read(self) -> dict[str, dict[str, Any]]:
        """Entries by key; a line that was cut off is left out."""
        found = {}
        if self.file.exists():
            for line in self.file.read_text().splitlines():
                try:
                    record = json.loads(line)
                    found[str(record["key"])] = record["entry"]
                except (ValueError, KeyError, TypeError):
                    continue
        return found

    def add(self, key: str, entry: dict[str, Any]) -> None:
        """Write one line."""
        with self.file.open("a") as out:
            out.write(json.dumps({"key": key, "entry": entry}) + "\n")


def _entry(program: SourceProgram, sha256: str, error: str) -> dict[str, Any]:
    """One program as ``sources.json`` has it."""
    return {
        "name": program.name,
        "file": None if error else f"programs/{program.name}.bc",
        "language": program.language,
        "flags": list(program.flags),
        "origin": program.origin,
        "licence": program.licence,
        "sha256": None if error else sha256,
        "error": error or None,
    }


def _still_there(folder: Path, entry: dict[str, Any]) -> bool:
    if entry["file"] is None:
        return True
    file = folder / entry["file"]
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None
    return bool(digest == entry["sha256"])


def _compile_all(
    programs: Sequence[SourceProgram],
    folder: Path,
    toolchain: Toolchain,
    target: str,
    jobs: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Compile what the journal does not have yet; entries in the order of the programs."""
    command = compile_command("clang", target)
    journal = _Journal(folder / "journal.jsonl", " ".join([toolchain.fingerprint, *command]))
    keys = {program.name: journal.key(program) for program in programs}
    entries = {key: entry for key, entry in journal.read().items() if _still_there(folder, entry)}

    def keep(result: CompileResult) -> None:
        key = keys[result.program.name]
        entries[key] = _entry(result.program, result.sha256, result.error)
        journal.add(key, entries[key])
        progress("compile", len(entries), len(programs))

    todo = [program for program in programs if keys[program.name] not in entries]
    compile_programs(todo, folder / "programs", toolchain, target, jobs, keep)
    return [entries[keys[program.name]] for program in programs]


def _publish(partial: Path, final: Path) -> None:
    """Put a finished folder in place; there is never half a suite under its name."""
    old = final.with_name(final.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    partial.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """Say nothing."""


def build_full(
    cache_dir: Path,
    toolchain: Toolchain,
    target: str,
    csmith_seeds: Iterable[int] = range(1, 301),
    progress: Progress = _quiet,
    *,
    gcc_testsuite: Path | None = None,
    csmith: Path | None = None,
    jobs: int | None = None,
) -> Path:
    """Build the full suite for a target, or return the one that is there.

    The folder holds ``programs/NAME.bc``; ``sources.json``, a list with name,
    file, language, flags, origin, licence and sha256 of each program, or the
    error with which it did not compile; and ``build.json``, what it was built
    from. Whether a program is a good judge is not decided here.

    Args:
        cache_dir: holds ``sources/`` and ``suites/``.
        toolchain: its clang compiles.
        target: LLVM triple.
        csmith_seeds: one random program each.
        progress: called as work goes on.
        gcc_testsuite: a testsuite to use in place of the Debian package's.
        csmith: a Csmith to use in place of the one on the PATH.
        jobs: processes at a time; all cores by default.

    Returns:
        The folder ``suites/full-ARCHITECTURE``.

    Raises:
        FetchError: something has to be installed first (see :func:`plan`).
    """
    steps = plan(target, gcc_testsuite=gcc_testsuite, csmith=csmith)
    if steps:
        todo = "; ".join(f"{step.title}: {step.advice}" for step in steps)
        raise FetchError(f"missing: {todo}")
    csmith = csmith or find_csmith()
    if csmith is None:
        raise FetchError("no csmith on the PATH; install it or give --csmith PATH")
    seeds = list(csmith_seeds)
    final = cache_dir / "suites" / f"full-{architecture(target)}"
    progress("unpack", 0, 1)
    testsuite = gcc_testsuite or unpack_testsuite(cache_dir)
    progress("unpack", 1, 1)
    tests = torture_programs(testsuite, target)
    rules = [
        compile_command("clang", target),
        CSMITH_OPTIONS,
        [(test.name, test.flags) for test in tests],
    ]
    build = {
        "target": target,
        "toolchain": toolchain.fingerprint,
        "testsuite": tests[0].origin.split(",")[0],
        "csmith": csmith_version(csmith),
        "rules": hashlib.sha256(json.dumps(rules).encode()).hexdigest(),
        "seeds": seeds,
    }
    recorded = final / "build.json"
    if recorded.exists() and json.loads(recorded.read_text()) == build:
        return final

    folder = cache_dir / "sources" / str(build["csmith"]).replace(" ", "-")
    random_programs = []
    for done, seed in enumerate(seeds):
        progress("csmith", done, len(seeds))
        random_programs += csmith_programs(folder, [seed], csmith)
    progress("csmith", len(seeds), len(seeds))

    partial = final.with_name(final.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    programs = [*tests, *random_programs]
    entries = _compile_all(
        programs, partial, toolchain, target, jobs or os.cpu_count() or 1, progress
    )
    made = {program.name for program in random_programs}
    for seed in seeds:
        if f"csmith-{seed}" not in made:
            nothing = SourceProgram(
                f"csmith-{seed}", folder, "c", (), f"{build['csmith']} seed {seed}", "BSD-2-Clause"
            )
            entries.append(_entry(nothing, "", f"no program within {CSMITH_SECONDS:.0f} s"))
    (partial / "sources.json").write_text(json.dumps(entries, indent=1) + "\n")
    (partial / "build.json").write_text(json.dumps(build) + "\n")
    (partial / "journal.jsonl").unlink(missing_ok=True)
    _publish(partial, final)
    return final
