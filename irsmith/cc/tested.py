"""A person's own tests on a build: the units that make them fail are found, and fall back.

The tree is built, so objects are exchanged where they lie, newer than what was linked of
them, and the build command is run again. What it compiles again all the same becomes what was
chosen (:meth:`irsmith.cc.state.State.choose`).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith.apps.own_tests import blame, keep_case
from irsmith.cc.build import run
from irsmith.cc.engine import Engine
from irsmith.cc.place import swap
from irsmith.cc.state import Record, State, Variant, told_from
from irsmith.records import Candidate, IrsmithError, Module
from irsmith.records import State as Said
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.pipelines import clang_pipeline

NO_CLANG = "your tests fail with any code of clang's"


@dataclass(frozen=True, slots=True)
class Project:
    """What is built.

    Attributes:
        toolchain: where LLVM is.
        state: of the build.
        root: where it began.
        command: of the build.
        environment: of the build.
        quiet: whether stdout is not the build's to write to.
    """

    toolchain: Toolchain
    state: State
    root: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    quiet: bool


@dataclass(frozen=True, slots=True)
class Tested:
    """What the tests left.

    Attributes:
        units: records; those to blame have fallen back.
        state: ``passed``: the tests pass with what is there; ``unknown``: they fail with the
            compiler's own objects too; ``failed``: units that could not be exchanged are to
            blame, or one of them is; ``not run``.
        runs: of the tests.
        blamed: sources of the units that fell back.
        fixed: sources of units that could not be exchanged.
        real: names of the modules that no code of clang's is taken for.
        cases: files that were kept of what happened.
    """

    units: tuple[Record, ...]
    state: Said = "not run"
    runs: int = 0
    blamed: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    real: frozenset[str] = frozenset()
    cases: tuple[Path, ...] = ()


def tested(project: Project, units: Sequence[Record], command: str) -> Tested:
    """Run the tests on a build, and on failure find the units to blame.

    Args:
        project: built, with status 0.
        units: its records.
        command: the tests, for the shell.

    Raises:
        IrsmithError: an object cannot be exchanged.
        KeyboardInterrupt: and the compiler's own objects are back, whatever is raised.
    """
    try:
        if _passes(command):
            return Tested(tuple(_said(unit, "passed") for unit in units), "passed", 1)
        return _settled(_Bench(project, units, command), units)
    except BaseException:
        put_back(project, units)
        os.write(2, b"irsmith: the compiler's own objects are back: build again to link them\n")
        raise


def put_back(project: Project, units: Sequence[Record]) -> None:
    """Put the compiler's own objects back, since no test has seen what is there."""
    for unit in units:
        if unit.placed == "real":
            continue
        for path in _places(project.root, unit):
            try:
                _exchange(path, project.state.kept(unit.key, "real"))
            except OSError:
                continue


class _Bench:
    """The tree, with whatever objects the next run of the tests wants."""

    def __init__(self, project: Project, units: Sequence[Record], command: str) -> None:
        self.project, self.command = project, command
        placed = [unit for unit in units if unit.placed != "real"]
        self.places = {unit.key: _places(project.root, unit) for unit in placed}
        self.units = [unit for unit in placed if self.places[unit.key]]
        self.fixed = [unit for unit in placed if not self.places[unit.key]]
        self.now: dict[str, Variant] = {unit.key: "ours" for unit in self.units}
        self.runs = 1
        self._known = {self._signature(): False}

    def _signature(self) -> tuple[str, ...]:
        return tuple(self.data(unit, self.now[unit.key]).hex() for unit in self.units)

    def data(self, unit: Record, variant: Variant) -> bytes:
        """An object of a unit; -Oz's is made now if the lock file spared us to make it."""
        state = self.project.state
        try:
            return state.kept(unit.key, variant)
        except FileNotFoundError:
            flags = json.loads(state.kept(unit.key, "flags"))
            with Engine(self.project.toolchain, unit.target) as engine:
                made = engine.compile(state.kept(unit.key, "bc"), engine.baseline, flags)
            state.keep(unit.key, variant, made)
            return made

    def good(self, wanted: Mapping[str, Variant]) -> bool:
        """Whether the tests pass with these objects; the others stay as they are."""
        self.put(wanted)
        signature = self._signature()
        if signature not in self._known:
            self.runs += 1
            self._known[signature] = self.rebuild() and _passes(self.command)
            self.built = signature
        return self._known[signature]

    def put(self, wanted: Mapping[str, Variant]) -> None:
        """Exchange objects; what is linked of them is out of date then."""
        for unit in self.units:
            variant = wanted[unit.key]
            before = self.data(unit, self.now[unit.key])
            data = self.data(unit, variant)
            self.project.state.choose(unit.key, variant)
            self.now[unit.key] = variant
            if data != before:
                for path in self.places[unit.key]:
                    _exchange(path, data)

    def rebuild(self) -> bool:
        """Run the build command again; False if it fails."""
        project = self.project
        return run(project.command, project.environment, project.quiet) == 0


def _settled(bench: _Bench, units: Sequence[Record]) -> Tested:
    root = bench.project.root
    fixed = tuple(told_from(unit, root).source for unit in bench.fixed)
    keys = [unit.key for unit in bench.units]

    def good(other: Variant) -> Callable[[Sequence[int]], bool]:
        return lambda places: bench.good(
            {key: "ours" if place in places else other for place, key in enumerate(keys)}
        )

    places = range(len(keys))
    active = [
        place for place in places
        if bench.data(bench.units[place], "ours") != bench.data(bench.units[place], "oz")
    ]  # fmt: skip
    fallback: Variant = "oz"
    guilty = blame(active, good("oz"))
    if guilty is None:
        fallback = "real"
        guilty = blame(list(places), good("real"))
    if guilty is None:
        bench.put(dict.fromkeys(keys, "ours"))
        bench.rebuild()
        state: Said = "failed" if fixed else "unknown"
        return Tested(tuple(_said(unit, state) for unit in units), state, bench.runs, (), fixed)
    final: dict[str, Variant] = {
        key: fallback if place in guilty else "ours" for place, key in enumerate(keys)
    }
    if not bench.good(final):
        raise IrsmithError("the tests gave another answer the second time: nothing is sure")
    bench.put(final)
    bench.rebuild()
    blamed = {keys[place] for place in guilty}
    cases = [case for place in guilty for case in _cases(bench, bench.units[place], fallback)]
    return Tested(
        tuple(
            _fallen(bench, unit, fallback) if unit.key in blamed else _said(unit, "passed")
            for unit in units
        ),
        "passed",
        bench.runs,
        tuple(told_from(unit, root).source for unit in units if unit.key in blamed),
        fixed,
        frozenset(u.name for u in units if u.key in blamed) if fallback == "real" else frozenset(),
        tuple(cases),
    )


def _cases(bench: _Bench, unit: Record, fallback: Variant) -> list[Path]:
    """Keep what broke the tests: it is never written for that module again."""
    module = Module(bench.project.state.kept(unit.key, "bc"), unit.target, unit.source)
    bad = [unit.candidate] if unit.candidate else []
    if fallback == "real":
        bad = list(dict.fromkeys([*bad, _oz(bench.project.toolchain, unit)]))
    return [keep_case(module, candidate, bench.command) for candidate in bad]


def _oz(toolchain: Toolchain, unit: Record) -> Candidate:
    return Candidate(clang_pipeline(toolchain.version, unit.target, "Oz"))


def _fallen(bench: _Bench, unit: Record, fallback: Variant) -> Record:
    tried = unit.candidate.key() if unit.candidate else "-Oz"
    unit = replace(
        unit, placed=fallback, evidence=(*unit.evidence, f"the tests failed with {tried}"),
        refused=unit.refused + 1, origin="baseline", proposed="baseline",
        verdict={"tests": "passed"},
    )  # fmt: skip
    if fallback == "real":
        return replace(unit, outcome="kept", reason=NO_CLANG)
    data = bench.data(unit, "oz")
    return replace(
        unit, ours=unit.oz, candidate=_oz(bench.project.toolchain, unit),
        sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip


def _said(unit: Record, state: Said) -> Record:
    return (
        replace(unit, verdict={**unit.verdict, "tests": state}) if unit.placed != "real" else unit
    )


def _passes(command: str) -> bool:
    """Run the tests; what they print goes to stderr."""
    return subprocess.run(command, shell=True, stdout=2, check=False).returncode == 0


def _places(root: Path, unit: Record) -> list[Path]:
    """Where a unit's object lies now: builds move and copy objects."""
    found = [Path(unit.output)] if _is(Path(unit.output), unit.sha256) else []
    if found:
        return found
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in (".git", ".hg", ".svn"))
        for name in sorted(files):
            if name.endswith((".o", ".lo", ".obj", ".os", ".oS", ".pico", ".So")):
                path = Path(folder, name)
                if _is(path, unit.sha256):
                    found.append(path)
    return found


def _is(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def _exchange(path: Path, data: bytes) -> None:
    """Put another object in place, newer than all that was made of the old one."""
    try:
        swap(path, data, None, path.stat().st_mode)
        # Libtool's builds look at the time of the text file that stands for two objects.
        folder = path.parent.parent if path.parent.name == ".libs" else path.parent
        note = folder / f"{path.stem}.lo"
        if note.is_file() and note != path:
            note.touch()
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be exchanged: {error.strerror}") from error
