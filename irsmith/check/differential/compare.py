"""Compare a version of a module with its prepared reference, and tell what differs."""

from __future__ import annotations

import ctypes
import time

from irsmith.check.differential.data import (
    CheckJob,
    Compared,
    Difference,
    Exercise,
    Explained,
    ExplainJob,
)
from irsmith.check.differential.expose import keep_called
from irsmith.check.differential.library import ENDED, RETURNED, TIMED_OUT, UNSUPPORTED
from irsmith.check.differential.linking import LAST_CHANCE, Linker
from irsmith.check.differential.tell import ended, named, told_words
from irsmith.toolchain.instructions import instructions_of
from irsmith.toolchain.llvm import LLVMError


def compare(linker: Linker, job: CheckJob) -> Compared:
    """Compare one version of a module with the reference.

    Raises:
        LLVMError: it cannot be read, compiled or linked.
        VerifierError: the passes left a broken module.
    """
    started = time.process_time()
    prepared = job.prepared
    ground = linker.ground(prepared)
    wanted = {e.name: inputs for e in prepared.functions if (inputs := job.inputs(e))}
    with linker.llvm.context() as context:
        module = linker.version(job, True, context, wanted if job.testing else None)
        if job.testing:
            keep_called(module, wanted)
        build = linker.link(job, module, True, ground.addresses)
    linker.runtime.module(None, 0, None, 0, None, None, ground.stubs, len(ground.stubs))
    build.activate()
    differences, missing = [], []
    compared: dict[str, int] = {}
    for exercise in prepared.functions:
        if exercise.name not in wanted or not exercise.callee:
            continue
        if exercise.name not in build.functions:
            missing.append(exercise.name)
            continue
        where = (ground.callers[exercise.callee.caller], build.functions[exercise.name])
        for number, each in wanted[exercise.name]:
            result = linker.replay(exercise.callee, where, each.words, each.used, 0)
            if result.status == UNSUPPORTED:
                continue
            compared[exercise.name] = compared.get(exercise.name, 0) + 1
            if result.status == TIMED_OUT:
                result = linker.replay(
                    exercise.callee, where, each.words, each.used, 0, LAST_CHANCE
                )
            if not result.same(each.expected, whole=job.testing):
                differences.append(Difference(exercise.name, number, each.expected, result))
                break
        else:
            differences += _stray(linker, exercise, where)
    build.close()
    ground.linked.close()
    seconds = time.process_time() - started
    return Compared(tuple(differences), compared, tuple(missing), seconds)


def _stray(linker: Linker, exercise: Exercise, where: tuple[int, int]) -> list[Difference]:
    """Where a version comes back and the reference did not, in twenty times the time."""
    assert exercise.callee
    for number, each in enumerate(exercise.stray):
        result = linker.replay(exercise.callee, where, each.words, each.used, 0)
        if result.status in (RETURNED, ENDED):
            at = len(exercise.inputs) + number
            return [Difference(exercise.name, at, each.expected, result)]
    return []


def explain(linker: Linker, job: ExplainJob) -> Explained:
    """What both versions do on one input, event by event.

    Raises:
        LLVMError: no such function or input.
    """
    prepared = job.check.prepared
    exercise = next((e for e in prepared.functions if e.name == job.function), None)
    if not exercise or not exercise.callee or not 0 <= job.number < len(exercise.inputs):
        raise LLVMError(f"there is no input {job.number} of a function {job.function!r}")
    given = exercise.inputs[job.number]
    ground = linker.ground(prepared)
    linker.runtime.module(None, 0, None, 0, None, None, ground.stubs, len(ground.stubs))
    logs, texts = [], []
    for transformed in (False, True):
        with linker.llvm.context() as context:
            module = linker.version(job.check, transformed, context)
            handle = instructions_of(linker.llvm).named_function(
                module.handle, job.function.encode()
            )
            texts.append(
                linker.llvm.take_string(instructions_of(linker.llvm).print_value(handle))
                if handle
                else ""
            )
            build = linker.link(job.check, module, transformed, ground.addresses)
        build.activate()
        text = linker.runtime.log(1)
        where = (ground.callers[exercise.callee.caller], build.functions.get(job.function, 0))
        result = linker.replay(exercise.callee, where, given.words, given.used, 0)
        log = ctypes.string_at(text, linker.runtime.log_length()).decode(errors="replace")
        linker.runtime.log(0)
        build.close()
        logs.append((*named(log, prepared.externals), ended(result)))
    ground.linked.close()
    told = tuple(told_words(given.words, prepared))
    return Explained(told, logs[0], logs[1], texts[0], texts[1])
