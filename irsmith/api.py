"""The commands as functions: ``irsmith.optimize``, ``autotune``, ``disassemble`` and others.

Each returns a frozen result and raises :class:`irsmith.IrsmithError` with one clear line.
They start worker processes by ``fork``: call them from a program's main thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from irsmith.apps.ask import proposer
from irsmith.apps.autotune import Autotuned
from irsmith.apps.autotune import autotune as _autotune
from irsmith.apps.disassemble import Disassembled
from irsmith.apps.disassemble import disassemble as _disassemble
from irsmith.apps.emulate import Emulated, Wish
from irsmith.apps.emulate import emulate as _emulate
from irsmith.apps.machine_code import load_code
from irsmith.apps.optimize import EFFORTS, Optimized, Request
from irsmith.apps.optimize import optimize as _optimize
from irsmith.apps.sampling import TEMPERATURE, By, Sampling, opener
from irsmith.apps.source import Input, load
from irsmith.check.accept import CHECKS
from irsmith.check.passlisteval import ListVerdict, PassListEval
from irsmith.check.suites import get_suite
from irsmith.parallel.local import cores
from irsmith.passlist import PassList
from irsmith.records import Candidate, IrsmithError, Objective
from irsmith.search.autotune import Strategy
from irsmith.tasks.example import Output
from irsmith.toolchain import codegen as codegen_options
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.passes import load_passes


def _input(source: str | Path | bytes, language: str | None) -> Input:
    if isinstance(source, bytes):
        return Input("-", source, language)
    return Input(str(source), None, language)


def optimize(
    source: str | Path | bytes,
    *,
    language: str | None = None,
    target: str | None = None,
    objective: Objective = "size",
    effort: str = "balanced",
    flags: Sequence[str] = (),
    output: str = "object",
    check: str = "module",
    model: str | None = None,
    jobs: int | None = None,
) -> Optimized:
    """Smaller code from C, C++ or IR, checked, never larger than ``-Oz``.

    Example:
        >>> import irsmith
        >>> made = irsmith.optimize(b"int twice(int x) { return x + x; }", language="c")
        >>> made.result.total <= made.baseline.total
        True
        >>> made.output[1:4]
        b'ELF'

    Args:
        source: a path, or the text (or bitcode) itself as bytes.
        language: ``c``, ``c++`` or ``ir``; needed for bytes, else the suffix says it.
        target: ``x86-64`` (default), ``aarch64``, or a triple of those.
        objective: ``size`` (loaded bytes) or ``instructions`` (of IR).
        effort: ``fast``, ``balanced`` or ``max``.
        flags: clang's own flags.
        output: ``object``, ``assembly``, ``ir`` or ``bitcode``.
        check: ``module`` (PassListEval on the list, differential execution of the module),
            ``list`` (PassListEval alone) or ``none`` (LLVM's verifier alone).
        model: who says what is compiled first: ``forest`` (None: the same), ``none`` (the
            portfolio in its own order), the name of a shipped language model, a release
            folder, or the URL of a server.
        jobs: worker processes (default: cores); does not change the result.

    Raises:
        CompileError: clang refused the source.
        IrsmithError: any other bad input.
    """
    if effort not in EFFORTS:
        raise IrsmithError(f"unknown effort {effort!r}: choose one of {', '.join(EFFORTS)}")
    if check not in CHECKS:
        raise IrsmithError(f"unknown check {check!r}: choose one of {', '.join(CHECKS)}")
    toolchain = find_toolchain()
    module, _ = load(toolchain, _input(source, language), target, flags)
    request = Request(objective, effort, output, tuple(flags), check=check)
    return _optimize(toolchain, module, request, jobs or cores(), proposer=proposer(model))


def autotune(
    source: str | Path | bytes,
    *,
    language: str | None = None,
    target: str | None = None,
    objective: Objective = "size",
    budget: int = 200,
    seed: int = 0,
    strategy: Strategy = "portfolio",
    flags: Sequence[str] = (),
    jobs: int | None = None,
) -> Autotuned:
    """The best list that a search of ``budget`` compilations finds: minimised, checked.

    Example:
        >>> import irsmith
        >>> found = irsmith.autotune(b"int f(int x) { return x * 8; }", language="c", budget=8)
        >>> found.compilations[0]
        8
        >>> found.result.total <= found.baseline.total
        True

    Args:
        source: a path, or the text (or bitcode) itself as bytes.
        language: ``c``, ``c++`` or ``ir``; needed for bytes, else the suffix says it.
        target: ``x86-64`` (default), ``aarch64``, or a triple of those.
        objective: ``size`` (loaded bytes) or ``instructions`` (of IR).
        budget: compilations of the search; minimisation is counted apart.
        seed: same seed, same result.
        strategy: ``random``, or ``portfolio`` first and then local search.
        flags: clang's own flags.
        jobs: worker processes (default: cores); does not change the result.

    Raises:
        CompileError: clang refused the source.
        IrsmithError: any other bad input.
    """
    toolchain = find_toolchain()
    module, _ = load(toolchain, _input(source, language), target, flags)
    return _autotune(
        toolchain,
        module,
        objective=objective,
        budget=budget,
        seed=seed,
        strategy=strategy,
        jobs=jobs or cores(),
    )


def check_passes(
    passes: str,
    *,
    codegen: Sequence[str] = (),
    suite: str = "quick",
    target: str = "x86-64",
    reduce: bool = True,
    jobs: int | None = None,
) -> ListVerdict:
    """PassListEval's verdict on a pass list.

    Example:
        >>> import irsmith
        >>> verdict = irsmith.check_passes("function(structurizecfg)")
        >>> verdict.state, verdict.smallest
        ('failed', 'function(structurizecfg)')

    Args:
        passes: pipeline text, as ``opt -passes=`` takes it.
        codegen: code generation options.
        suite: ``quick``, or ``full`` if it was fetched.
        target: ``x86-64`` or ``aarch64``.
        reduce: look for the smallest list that still fails.
        jobs: worker processes (default: cores).

    Raises:
        IrsmithError: not a pass list, an unknown pass or option, no such suite.
    """
    codegen_options.check(codegen)
    text = PassList.parse(passes).canonical(load_passes()).text
    toolchain = find_toolchain()
    programs = get_suite(suite, toolchain, target_triple(target))
    with PassListEval(toolchain, programs, jobs=jobs or cores()) as judge:
        return judge.judge(Candidate(text, tuple(codegen)), reduce=reduce)


def disassemble(
    source: str | Path | bytes,
    *,
    functions: Sequence[str] = (),
    target: str | None = None,
    model: str | None = None,
    samples: int = 1,
    temperature: float = TEMPERATURE,
    seed: int = 0,
    by: By = "both",
) -> Disassembled:
    """IR from machine code, each function graded by recompiling it.

    Args:
        source: a path, or the content itself as bytes: an object, an executable, a shared
            object, or assembly.
        functions: names; empty: all.
        target: of assembly: ``x86-64``, ``aarch64``, or a triple; None: as it looks.
        model: the name of a shipped model, a release folder, or the URL of a server; None:
            the shipped ``nano``.
        samples: answers a function at most; the first is the likeliest one.
        temperature: of the others, which are drawn.
        seed: of those.
        by: ``lift``: rules read the code back; ``model``: a model; ``both``: a model what
            rules do not get exact.

    Raises:
        IrsmithError: bad input, no such function, or no model.
    """
    toolchain = find_toolchain()
    given = _input(source, None)
    code = load_code(toolchain, given.name, given.data, target)
    opens, name = opener(model)
    sampling = Sampling(samples, temperature, seed, by)
    return _disassemble(toolchain, code, opens, name, sampling, functions)


def emulate(
    source: str | Path | bytes,
    passes: str,
    *,
    codegen: Sequence[str] = (),
    output: Output = "ir",
    compare: bool = False,
    language: str | None = None,
    target: str | None = None,
    flags: Sequence[str] = (),
    model: str | None = None,
    samples: int = 1,
    temperature: float = TEMPERATURE,
    seed: int = 0,
) -> Emulated:
    """What a model says that a pass list gives: a guess, graded if it is compared.

    Args:
        source: a path, or the text (or bitcode) itself as bytes.
        passes: pipeline text, as ``opt -passes=`` takes it.
        codegen: code generation options.
        output: ``ir`` or ``assembly``.
        compare: whether to run the passes too, and grade.
        language: ``c``, ``c++`` or ``ir``; needed for bytes, else the suffix says it.
        target: ``x86-64`` (default), ``aarch64``, or a triple of those.
        flags: clang's own flags.
        model: as in :func:`disassemble`.
        samples: answers a function at most; the first is the likeliest one.
        temperature: of the others, which are drawn.
        seed: of those.

    Raises:
        CompileError: clang refused the source.
        IrsmithError: any other bad input, or no model.
    """
    if output not in get_args(Output):
        raise IrsmithError(f"unknown output {output!r}: choose ir or assembly")
    toolchain = find_toolchain()
    module, _ = load(toolchain, _input(source, language), target, flags)
    opens, name = opener(model)
    sampling = Sampling(samples, temperature, seed)
    wish = Wish(Candidate(passes, tuple(codegen)), output, compare, sampling)
    return _emulate(toolchain, module, opens, name, wish)
