"""Prepare a reference: inputs for its functions, and what it does on them."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping
from typing import Any

from irsmith.check.differential.build import Build
from irsmith.check.differential.callees import (
    agrees,
    count_reason,
    parameters_of,
    problems_of,
    sets_any,
    tokens_of,
)
from irsmith.check.differential.data import (
    Callee,
    Exercise,
    Input,
    Prepared,
    PrepareJob,
)
from irsmith.check.differential.expose import expose, has_hidden, settle
from irsmith.check.differential.externals import (
    REAL,
    External,
    abi_attributes,
    add_to,
    externals_of,
    stub_data,
)
from irsmith.check.differential.guard import (
    constants_arrays,
    guard,
    site_array,
)
from irsmith.check.differential.harness import Harness
from irsmith.check.differential.library import SIGNALLED, TIMED_OUT, Runtime, Stub
from irsmith.check.differential.linking import LAST_CHANCE, Ground, Linker
from irsmith.check.differential.search import Target, search
from irsmith.check.differential.types import Signature, UnsupportedError, signature_of
from irsmith.check.differential.writer import Guarded, check_names
from irsmith.toolchain.compile import prepare
from irsmith.toolchain.globals import globals_of
from irsmith.toolchain.instructions import RETURN_INDEX, instructions_of
from irsmith.toolchain.llvm import LLVM, IRModule, LLVMError

_MOST_TOKENS = 60_000
_MOST_RUNS, _USUAL_RUNS = 40_000, 220
"""Runs of all functions of a module, and of one function as a rule."""
_Called = Mapping[str, tuple[Callee, Signature] | str]


class Signatures:
    """Numbers for function types, and which of them are called through pointers."""

    def __init__(self, llvm: LLVM) -> None:
        self._llvm = instructions_of(llvm)
        self._numbers: dict[str, int] = {}
        self.called: dict[int, tuple[Signature, str]] = {}

    def number(self, kind: int, call: int = 0) -> int:
        """The number of a type; with a call through a pointer, a stub will be made for it."""
        number = self._numbers.setdefault(self._llvm.type_text(kind), len(self._numbers) + 1)
        if call and number not in self.called:
            words = ("zeroext", "signext")
            has = [w for w in words if self._llvm.call_attribute(call, RETURN_INDEX, w)]
            try:
                self.called[number] = (signature_of(self._llvm, kind), " ".join(has))
            except UnsupportedError:
                return number
        return number


class Preparation:
    """Prepares references.

    Args:
        linker: of this process.
    """

    def __init__(self, linker: Linker) -> None:
        self.linker = linker
        self.llvm: LLVM = linker.llvm
        self.runtime: Runtime = linker.runtime

    def prepare(self, job: PrepareJob) -> Prepared:
        """Find inputs for the functions of a reference, and what it does on them.

        Raises:
            LLVMError: the module cannot be read, compiled or linked.
        """
        started = time.process_time()
        with self.llvm.context() as context:
            module = context.parse(job.bitcode)
            prepare(module, job.triple)
            alike = settle(module)
            real = module.bitcode()
            testing = has_hidden(module)
            found = globals_of(self.llvm)
            hidden = frozenset(
                found.name(h).decode(errors="replace")
                for kind in ("Global", "Function")
                for h in found.each(module, kind)
                if found.is_local(h)
            )
            expose(module)
            copy = module.bitcode() if testing else b""
            tokens = tokens_of(module)
            if len(tokens) > _MOST_TOKENS:
                raise LLVMError("too many globals")
            signatures = Signatures(self.llvm)
            types = {
                name: signatures.number(instructions_of(self.llvm).value_type(function))
                for name, function in module.functions()
            }
            informed = module.clone()
            informed.run_passes("inferattrs")
            externals = [
                each
                for each in externals_of(informed, signatures.number)
                if each.name not in REAL and not self.runtime.address(f"known_{each.name}")
            ]
            guarded_module = module.clone()
            guarded = guard(guarded_module, signatures.number)
            harness, stubs, called = self._harness(module, externals, signatures)
            code = self.linker.emit_text(harness.text(), job.triple)
            names = tuple(each.name for each in externals if each.signature)
            prepared = Prepared(
                *(real, copy, job.triple, code, len(harness.callers), bytes(stubs), names),
                *(tokens, hidden, [], alike),
            )
            self._exercise(prepared, job, module, guarded_module, guarded, types, called)
        prepared.seconds = time.process_time() - started
        return prepared

    def _harness(
        self, module: IRModule, externals: list[External], signatures: Signatures
    ) -> tuple[Harness, Any, dict[str, tuple[Callee, Signature] | str]]:
        harness = Harness()
        data: list[Stub] = []
        for each in externals:
            if each.signature:
                add_to(harness, each)
                data.append(each.data)
        for number, (signature, attribute) in sorted(signatures.called.items()):
            harness.stub(signature, attribute, [""] * len(signature.parameters), False)
            stub = stub_data(signature)
            stub.signature, stub.indirect, stub.name = number, 1, number
            data.append(stub)
        llvm = instructions_of(self.llvm)
        layout = llvm.layout(module.handle)
        called: dict[str, tuple[Callee, Signature] | str] = {}
        for name, function in module.functions():
            try:
                signature = signature_of(llvm, llvm.value_type(function))
            except UnsupportedError as error:
                called[name] = f"type: {error}"
                continue
            result, parameters = abi_attributes(llvm, layout, function)
            caller = harness.caller(signature, result, parameters)
            kinds = "".join(scalar.kind for scalar in signature.results).encode()
            called[name] = (Callee(caller, kinds), signature)
        return harness, (Stub * max(len(data), 1))(*data), called

    def _exercise(
        self,
        prepared: Prepared,
        job: PrepareJob,
        module: IRModule,
        guarded_module: IRModule,
        guarded: Guarded,
        types: Mapping[str, int],
        called: _Called,
    ) -> None:
        ground = self.linker.ground(prepared)
        callers, addresses = ground.callers, ground.addresses
        checks = {name: self.runtime.address(name) for name in check_names()}
        common = (prepared.tokens, prepared.hidden, types)
        names = list(types)
        under_guard = Build(
            self.runtime,
            guarded_module,
            0,
            self.linker.addresses(guarded_module, addresses) | checks,
            *common,
            padded=True,
        )
        plain = Build(self.runtime, module, 0, self.linker.addresses(module, addresses), *common)
        sites = site_array(guarded.sites)
        constants, starts = constants_arrays(guarded.constants)
        self.runtime.module(
            *(sites, len(guarded.sites), guarded.tags, guarded.tag_count),
            *(constants, starts, ground.stubs, len(ground.stubs)),
        )
        self.runtime.hints_reset()
        under_guard.add_shadows()
        total = sum(count for _, count in guarded.blocks.values())
        covered = (ctypes.c_uint8 * (total + 1))()
        problems = problems_of(guarded)
        waiting: list[tuple[Exercise, list[Any]]] = []
        stray: list[tuple[Exercise, list[Any]]] = []
        searched = max(len(set(names) - job.skip), 1)
        effort = job.effort * min(1.0, _MOST_RUNS / (_USUAL_RUNS * searched))
        under_guard.activate()
        for index, name in enumerate(names):
            first, count = guarded.blocks[name]
            skipped = name in job.skip
            exercise = Exercise(name, name in prepared.hidden, blocks=count, skipped=skipped)
            prepared.functions.append(exercise)
            if skipped:
                continue
            how = called[name]
            exercise.problem = problems.get(name, how if isinstance(how, str) else "")
            if exercise.problem or isinstance(how, str):
                continue
            exercise.callee, signature = how
            parameters = parameters_of(guarded_module, name, signature)
            target = Target(
                *(name, index, callers[exercise.callee.caller], under_guard.functions[name]),
                *(exercise.callee.kinds, parameters, len(parameters)),
            )
            result = search(self.runtime, target, covered, effort, job.seed)
            exercise.tried, exercise.reasons = result.tried, result.reasons
            waiting.append((exercise, list(result.found)))
            if job.stray:
                stray.append((exercise, list(result.stray)))
        plain.activate()
        internal = {prepared.tokens[n] for n in prepared.hidden if n in prepared.tokens}
        for exercise, every in waiting:
            assert exercise.callee
            where = (callers[exercise.callee.caller], plain.functions[exercise.name])
            for each in every:
                first_run = self.linker.replay(exercise.callee, where, each.words, each.used, 0)
                other_run = self.linker.replay(exercise.callee, where, each.words, each.used, 1)
                if first_run != other_run:
                    count_reason(exercise, "depends on addresses or uninitialised memory")
                elif not agrees(each.outcome, first_run):
                    count_reason(exercise, "differs under guard")
                else:
                    is_hidden = sets_any(each.words, internal)
                    exercise.inputs.append(Input(each.words, each.used, is_hidden, first_run))
        for exercise, every in stray:
            assert exercise.callee
            where = (callers[exercise.callee.caller], plain.functions[exercise.name])
            for each in every:
                run = self.linker.replay(
                    exercise.callee, where, each.words, each.used, 0, LAST_CHANCE
                )
                if run.status in (TIMED_OUT, SIGNALLED):
                    exercise.stray.append(Input(each.words, each.used, False, run))
        if job.sanitised:
            self._drop_undefined(prepared, job, ground)
        for exercise in prepared.functions:
            first, count = guarded.blocks[exercise.name]
            exercise.covered = sum(covered[first : first + count])
        for build in (under_guard, plain):
            build.close()
        ground.linked.close()

    def _drop_undefined(self, prepared: Prepared, job: PrepareJob, ground: Ground) -> None:
        """Inputs on which the build with UBSan's traps does anything else are no good."""
        with self.llvm.context() as context:
            module = context.parse(job.sanitised)
            prepare(module, job.triple)
            settle(module)
            expose(module)
            build = Build(
                *(self.runtime, module, 0, self.linker.addresses(module, ground.addresses)),
                *(prepared.tokens, prepared.hidden, {}),
            )
        build.activate()
        for exercise in prepared.functions:
            if not exercise.callee or exercise.name not in build.functions:
                continue
            where = (ground.callers[exercise.callee.caller], build.functions[exercise.name])
            kept = []
            for each in exercise.inputs:
                result = self.linker.replay(exercise.callee, where, each.words, each.used, 0)
                if result.status == each.expected.status:
                    kept.append(each)
                else:
                    count_reason(exercise, "undefined behaviour found by UBSan")
            exercise.inputs = kept
        build.close()
