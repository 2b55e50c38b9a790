"""A build, recorded: bitcode of every translation unit that it compiles.

There is a folder of compilers' names; behind each is :mod:`irsmith.corpus.recorder`,
which runs the real compiler and, beside it, clang for bitcode. A build gets there by
PATH, or by a library that sees what it starts (:mod:`irsmith.corpus.preload`). It keeps
its own compiler, objects and exit status.

The folder of a recording holds::

    settings        what the recorder needs to know
    bin/            gcc, cc, g++, x86_64-linux-gnu-gcc-12 ...
    units/KEY.unit  source, language, flags, target, and why it failed if it did
    units/KEY.bc    the bitcode
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import py_compile
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from irsmith.corpus.facts import facts_of
from irsmith.corpus.licence import Licences
from irsmith.corpus.recorder import COMPILERS, Settings, is_probe, write_settings
from irsmith.corpus.rows import Row
from irsmith.corpus.split import split_of
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import DEFAULT_TARGETS, cross_includes
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of

_POSITION = frozenset(("-fPIC", "-fpic", "-fPIE", "-fpie", "-DPIC", "-fvisibility=hidden"))
"""A static and a shared build of one file differ in these: it counts once."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the sources of a recording come from.

    Attributes:
        root: folder that the paths of the sources are told from.
        package: name of the source package; decides the split.
        version: of the package.
        source: for the column ``package_source``.
        licence: of all of it, if the person says so; else it is looked up.
    """

    root: Path
    package: str
    version: str = ""
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording gave.

    Attributes:
        rows: the modules, in the order of file and target.
        compiled: sources that the build compiled, probes and doubles left out, by target.
        failed: ``file: reason`` of each that clang could not read, or LLVM refuses, and
            a line about those that were not recorded to the end.
        doubles: units left out because the same file, or the same bitcode, is there already.
        outside: sources that lie outside the root.
    """

    rows: tuple[Row, ...]
    compiled: dict[str, int]
    failed: tuple[str, ...]
    doubles: int = 0
    outside: int = 0


@dataclass(slots=True)
class _Unit:
    """One line of a recording's notes."""

    key: str
    source: str
    language: str
    flags: list[str]
    target: str
    failure: str
    file: str = field(default="")


def prepare_recording(
    toolchain: Toolchain, folder: Path, targets: Sequence[str], path: str = ""
) -> Path:
    """Set a recording up.

    Args:
        toolchain: where clang is.
        folder: of the recording; made here.
        targets: triples that every unit is compiled for; the machine's own first.
        path: the PATH of the build, if it is not ours.

    Returns:
        The folder of the compilers' names, for :func:`recording_environment`.

    Raises:
        IrsmithError: no clang, no compiler, no headers of a target, or a full disk.
    """
    try:
        return _prepared(toolchain, folder, targets, path or os.environ.get("PATH", ""))
    except OSError as error:
        place = error.filename or folder
        raise IrsmithError(f"{place}: cannot be written: {error.strerror}") from error


def _prepared(toolchain: Toolchain, folder: Path, targets: Sequence[str], path: str) -> Path:
    names = bin_folder(folder)
    (folder / "units").mkdir(parents=True, exist_ok=True)
    names.mkdir(exist_ok=True)
    write_settings(
        Settings(
            str(folder.absolute()),
            str(toolchain.need_clang()),
            DEFAULT_TARGETS[arch_of(platform.machine())],
            list(targets),
            {triple: foreign_includes(triple) for triple in targets},
        )
    )
    # Compiled once: a script that is run by its path is compiled again each time.
    script = folder / "irsmith_recorder.py"
    script.write_bytes(resources.files("irsmith.corpus").joinpath("recorder.py").read_bytes())
    py_compile.compile(str(script), doraise=True)
    start = f"import sys; sys.path.insert(0, {str(folder.absolute())!r}); "
    start += "import irsmith_recorder as r; r.main(sys.argv[1], sys.argv[2:])"
    shell = f'exec {shlex.quote(sys.executable)} -I -S -c {shlex.quote(start)} "$0" "$@"\n'
    for name in sorted(compilers_on_path(path)):
        shim = names / name
        shim.write_text("#!/bin/sh\n" + shell)
        shim.chmod(0o755)
    return names


def bin_folder(folder: Path) -> Path:
    """Where a recording keeps the names of compilers."""
    return folder / "bin"


def compilers_on_path(path: str) -> set[str]:
    """Names of compilers that a build for this machine may call.

    Raises:
        IrsmithError: there is none.
    """
    plain = "|".join(re.escape(name) for name in COMPILERS)
    machine = re.escape(platform.machine())
    pattern = re.compile(rf"({machine}-[a-z0-9-]*gnu-)?({plain})(-\d+(\.\d+)*)?")
    found: set[str] = set()
    for folder in path.split(os.pathsep):
        if folder and Path(folder).is_dir():
            names = (path.name for path in Path(folder).iterdir())
            found |= {name for name in names if pattern.fullmatch(name)}
    if not found:
        raise IrsmithError("no C compiler on PATH: nothing that a build could call")
    return found


def foreign_includes(triple: str) -> list[str]:
    """Where headers of a target that is not this machine's are found.

    After the C library's cross headers stand this machine's own, for the libraries that
    are installed for it alone: what their headers say is nearly always the same.
    """
    if arch_of(triple) == arch_of(platform.machine()):
        return []
    flags = list(cross_includes(triple))
    if not flags:
        raise IrsmithError(
            f"no headers of the C library for {triple}: "
            "sudo apt-get install libc6-dev-arm64-cross libstdc++-12-dev-arm64-cross"
        )
    native = f"/usr/include/{platform.machine()}-linux-gnu"
    return [*flags, "-idirafter", "/usr/include", "-idirafter", native]


def recording_environment(folder: Path, preload: Path | None = None) -> dict[str, str]:
    """The environment for the build: ours, and what brings the recorder in.

    Args:
        folder: of the recording.
        preload: from :func:`irsmith.corpus.preload.preload_library`; with it PATH stays as
            it is, so that CMake writes down no compiler of ours, and compilers that are
            called by their path are seen too. None puts the recorder's names first on PATH.
    """
    own = str(bin_folder(folder).absolute())
    if preload is None:
        return {**os.environ, "PATH": own + os.pathsep + os.environ.get("PATH", "")}
    others = os.environ.get("LD_PRELOAD", "")
    return {
        **os.environ,
        "LD_PRELOAD": f"{preload}:{others}" if others else str(preload),
        "IRSMITH_PRELOAD": str(preload),
        "IRSMITH_RECORDER": own,
    }


def collect(toolchain: Toolchain, folder: Path, origin: Origin, jobs: int = 1) -> Recorded:
    """Turn a recording into rows.

    Each file counts once a target, whatever number of times it was compiled with and
    without ``-fPIC``; equal bitcode counts once.

    Args:
        toolchain: where LLVM is.
        folder: of the recording.
        origin: of the sources.
        jobs: processes.
    """
    units, outside = _units(folder, origin.root)
    compiled = Counter(unit.target for unit in units)
    failed = [f"{unit.file}: {unit.failure}" for unit in units if unit.failure]
    failed += _lost(folder)
    kept: list[tuple[_Unit, bytes, str]] = []
    seen: set[tuple[str, str]] = set()
    doubles = 0
    for unit in units:
        if unit.failure:
            continue
        bitcode = (folder / "units" / f"{unit.key}.bc").read_bytes()
        digest = hashlib.sha256(bitcode).hexdigest()
        flags = " ".join(flag for flag in unit.flags if flag not in _POSITION)
        identities = {(unit.target, digest), (unit.target, f"{unit.file} {flags}")}
        if identities & seen:
            doubles += 1
            continue
        seen |= identities
        kept.append((unit, bitcode, digest))
    licences = Licences(origin.root, origin.licence)
    rows: list[Row] = []
    facts = facts_of(toolchain, (bitcode for _, bitcode, _ in kept), jobs)
    for (unit, bitcode, digest), fact in zip(kept, facts, strict=True):
        if fact.problem:
            failed.append(f"{unit.file}: {fact.problem}")
        elif fact.functions:
            licence = licences.of(unit.file)
            rows.append(
                Row(
                    bitcode,
                    licence.expression,
                    licence.source,
                    licence.files,
                    origin.source,
                    unit.language,
                    origin.package,
                    origin.version,
                    unit.file,
                    shlex.join(_told_from(unit.flags, origin.root)),
                    fact.target,
                    toolchain.version,
                    split_of(origin.package),
                    digest,
                    fact.instructions,
                    fact.functions,
                )
            )
    return Recorded(tuple(rows), dict(compiled), tuple(failed), doubles, outside)


def _units(folder: Path, root: Path) -> tuple[list[_Unit], int]:
    """The units of a recording that lie below the root, in order, and how many do not."""
    top = os.path.realpath(root)
    units: list[_Unit] = []
    outside = 0
    for path in sorted((folder / "units").glob("*.unit")):
        unit = _Unit(path.stem, **ast.literal_eval(path.read_text()))
        unit.file = os.path.relpath(os.path.realpath(unit.source), top)
        if is_probe(unit.file, ""):
            continue
        if unit.file.startswith(".."):
            outside += 1
        else:
            units.append(unit)
    return sorted(units, key=lambda u: (u.file, u.target, u.flags, u.key)), outside


def _lost(folder: Path) -> Iterator[str]:
    """A line about compilations whose recording was begun and has no end."""
    begun = {path.name.split(".")[0] for path in (folder / "units").glob("*.tmp")}
    lost = len(begun - {path.stem for path in (folder / "units").glob("*.unit")})
    if lost:
        files = "1 file was" if lost == 1 else f"{lost} files were"
        why = f"the build was stopped, or no space is left in {folder.parent}"
        yield f"{files} not recorded to the end: {why}"


def _told_from(flags: Sequence[str], root: Path) -> Iterator[str]:
    """Flags with the folder of the build left out, so that they read alike everywhere."""
    places = sorted({str(root), os.path.realpath(root)}, key=len, reverse=True)
    for flag in flags:
        for place in places:
            flag = flag.replace(place, ".")
        yield flag
