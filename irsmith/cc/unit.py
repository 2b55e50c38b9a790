"""One unit of a build: from what the real compiler made of it to an object that is smaller.

Whatever is not understood, and whatever fails, leaves the real compiler's object, with a
reason.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith.apps.optimize import Optimized, Request, optimize
from irsmith.apps.own_tests import known_bad
from irsmith.cc.call import Unit
from irsmith.cc.engine import Engine
from irsmith.cc.flags import NotForUsError, for_clang
from irsmith.cc.frontend import read_unit
from irsmith.cc.interface import is_gcc, mismatch
from irsmith.cc.lock import REAL, Entry, Lock
from irsmith.cc.place import Found, look_at, put_in_place
from irsmith.cc.real import Real, ask_real
from irsmith.cc.settings import Settings
from irsmith.cc.state import Record, State
from irsmith.records import IrsmithError, Module, Objective
from irsmith.toolchain import elf
from irsmith.toolchain.clang import codegen_flags
from irsmith.toolchain.find import Toolchain

NOT_SMALLER = "the compiler's object is as small"
NOT_LOCKED = "not in the lock file"


@dataclass(frozen=True, slots=True)
class Task:
    """What a call asked for.

    Attributes:
        real: the real compiler's command.
        words: the arguments, response files unfolded.
        root: the folder where the build began.
        settings: of the environment.
    """

    real: Sequence[str]
    words: Sequence[str]
    root: Path
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Made:
    """An object of a unit, and what is to be told of it."""

    data: bytes
    record: Record


def treat(toolchain: Toolchain, task: Task, unit: Unit, lock: Lock) -> Record:
    """Replace a unit's object by a smaller one, if there is one.

    Args:
        toolchain: where LLVM is.
        task: the call.
        unit: source and object, from the working folder.
        lock: what was chosen before.

    Returns:
        What became of it; the object in place is the real compiler's unless it is
        ``optimised``.
    """
    started = time.monotonic()
    folder = str(Path.cwd())
    record = Record(unit.source, folder, str(Path(folder, unit.output)), "passed")
    state = State(Path(task.settings.state)) if task.settings.state else None
    try:
        found = look_at(Path(unit.output))
        size = elf.loaded_size(found.data)
        record = replace(record, real=size.total, text_real=size.text)
        if state and (chosen := state.choice(record.key)):
            return _again(state, record, found, chosen)
        made = _make(toolchain, task, unit, lock, found, record, state)
        record = _place(unit, found, made, state)
    except NotForUsError as error:
        record = replace(record, reason=str(error))
    except IrsmithError as error:
        record = replace(record, reason=f"it cannot be compiled: {str(error).splitlines()[0]}")
    return replace(record, seconds=round(time.monotonic() - started, 3))


def _again(state: State, record: Record, found: Found, chosen: str) -> Record:
    """A unit that is compiled again while tests look for the one to blame."""
    before = next(old for old in state.records() if old.key == record.key)
    if found.data != state.kept(record.key, "real"):
        raise NotForUsError("the compiler gave another object the second time")
    if chosen != "real":
        put_in_place(Path(record.output), state.kept(record.key, chosen), found)
    return before


def _make(
    toolchain: Toolchain,
    task: Task,
    unit: Unit,
    lock: Lock,
    found: Found,
    record: Record,
    state: State | None,
) -> Sequence[_Made]:
    """Our objects for a unit, best first; the last one of a search is clang's own -Oz."""
    settings = task.settings
    real = ask_real(toolchain, task.real, task.words, unit.language)
    flags = [*for_clang(task.words), *real.flags]
    if _interposable(real, found.data, task.words):
        flags.append("-fsemantic-interposition")
    if codegen_flags(flags):
        flags.append("-fno-addrsig")  # a section that older tools do not know, and no other has
    read = read_unit(toolchain, unit.source, unit.language, real.triple, flags)
    bitcode = read.bitcode
    with Engine(toolchain, real.triple) as engine:
        nameable = bitcode
        if read.dated or any(str(task.root) in word for word in task.words):
            anywhere = [*flags, f"-fmacro-prefix-map={task.root}=."]
            nameable = read_unit(
                toolchain, unit.source, unit.language, real.triple, anywhere, undated=True
            ).bitcode
        name = engine.name(nameable, flags)
        module = Module(
            bitcode, real.triple, unit.source, sha256=hashlib.sha256(bitcode).hexdigest()
        )
        never = known_bad(module)
        record = replace(
            record, name=name, target=real.triple, check=settings.check,
            objective=settings.objective,
        )  # fmt: skip
        if state:
            state.keep(record.key, "bc", bitcode)
            state.keep(record.key, "flags", json.dumps(flags).encode())
        entry = lock.entries.get(name)
        if (
            entry
            and entry.serves(settings.check, settings.objective)
            and (entry.candidate not in never)
        ):
            return _from_lock(engine, entry, bitcode, flags, record)
        if settings.locked:
            raise NotForUsError(NOT_LOCKED)
        if engine.baseline in never:
            raise NotForUsError("its tests failed with clang's own -Oz before")
    objective: Objective = "size" if settings.objective == "size" else "instructions"
    request = Request(
        objective, settings.effort, flags=tuple(flags), check=settings.check, never=never
    )
    return _from_search(optimize(toolchain, module, request, settings.jobs), record)


def _from_lock(
    engine: Engine, entry: Entry, bitcode: bytes, flags: Sequence[str], record: Record
) -> Sequence[_Made]:
    if entry.keep == REAL:
        reason = "the lock file says so: its tests failed with any code of clang's"
        raise NotForUsError(reason)
    made = engine.compile(bitcode, entry.candidate, flags)
    record = replace(
        record, oz=entry.baseline, candidate=entry.candidate, origin="lock",
        proposed=entry.origin, verdict=dict(entry.verdict), compilations=1, check=entry.check,
    )  # fmt: skip
    return [_Made(made, record)]


def _from_search(result: Optimized, record: Record) -> Sequence[_Made]:
    oz = replace(
        record,
        oz=elf.loaded_size(result.fallback).total,
        candidate=result.baseline_candidate,
        origin="baseline",
        proposed="baseline",
        candidates=result.candidates,
        compilations=result.compilations,
        refused=result.refused,
    )
    best = replace(
        oz,
        candidate=result.candidate,
        origin=result.source,
        proposed=result.source,
        verdict={key: str(value) for key, value in result.verdict.to_json().items()},
        evidence=result.verdict.evidence,
    )
    made = [_Made(result.output, best), _Made(result.fallback, oz)]
    # With the fewest instructions wanted, code may be larger than that of -Oz.
    small = result.source != "baseline" and elf.loaded_size(result.output).total <= oz.oz
    return made if small else made[1:]


def _place(unit: Unit, found: Found, made: Sequence[_Made], state: State | None) -> Record:
    """Put the object in place that fits where the real compiler's stood, and is smaller."""
    problem = ""
    for one in made:
        size = elf.loaded_size(one.data)
        record = replace(one.record, ours=size.total, text_ours=size.text)
        if size.total >= record.real:
            return replace(record, outcome="kept", reason=NOT_SMALLER)
        why = mismatch(found.data, one.data, unit.language == "c++")
        if why:
            problem = problem or why
            continue
        if state:
            state.keep(record.key, "real", found.data)
            state.keep(record.key, "ours", one.data)
            if record.origin != "lock":
                state.keep(record.key, "oz", made[-1].data)
        put_in_place(Path(record.output), one.data, found)
        return replace(
            record, outcome="optimised", placed="ours", sha256=hashlib.sha256(one.data).hexdigest()
        )
    return replace(made[0].record, reason=problem)


def _interposable(real: Real, data: bytes, words: Sequence[str]) -> bool:
    """Whether other libraries may replace what the object defines: GCC's rule for -fPIC."""
    shared = any(flag in ("-fPIC", "-fpic") for flag in real.flags)
    told = any("semantic-interposition" in word for word in words)
    return shared and not told and (is_gcc(data) or real.gcc)
