"""A suite: programs that judge well, with the answer that each must give.

A program judges a candidate only if it gives one answer (exit status 0 and the same
output) without passes and at all of clang's levels, through both of the code
generator's instruction selectors, and if it is clean under UBSan. The others are
kept by name with the reason.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.check.bench import PROGRAM_LIMITS, open_bench
from irsmith.records import Candidate, IrsmithError
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of, load

LEVELS = ("default<O1>", "default<O2>", "default<O3>", "default<Os>", "default<Oz>")


SHARED_STATE = frozenset(
    (
        *("fprintf", "vfprintf", "fputs", "fputc", "putc", "fwrite", "perror", "scanf", "fscanf"),
        *("__isoc99_scanf", "__isoc99_fscanf", "fopen", "fclose", "freopen", "setvbuf", "remove"),
        *("tmpnam", "open", "close", "read", "write", "mmap", "munmap", "mprotect"),
        *("signal", "sigaction", "sigprocmask", "alarm", "setitimer", "feenableexcept"),
        *("fork", "wait", "waitpid", "pthread_create", "setenv", "putenv", "setlocale"),
        *("rand", "srand", "random", "srandom"),
    )
)
"""Programs run one after the other in one process, so none may use what the next one sees."""


@dataclass(frozen=True, slots=True)
class Program:
    """A self-testing program.

    Attributes:
        name: unique in its suite.
        bitcode: unoptimised.
        output: hash of what it prints when it is right; its exit status is then 0.
        milliseconds: what it cost under ``default<Oz>`` when the suite was made.
        origin: where it comes from.
    """

    name: str
    bitcode: bytes
    output: int
    milliseconds: float = 0.0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """Programs for one target, in the order in which they refuse soonest.

    Attributes:
        name: ``quick`` or ``full``.
        triple: target.
        programs: the good judges.
        dropped: name and reason of each program that judges badly.
        digest: names the programs and their answers.
    """

    name: str
    triple: str
    programs: tuple[Program, ...]
    dropped: tuple[tuple[str, str], ...] = ()
    digest: str = ""

    @staticmethod
    def of(
        name: str,
        triple: str,
        programs: Iterable[Program],
        dropped: Iterable[tuple[str, str]] = (),
    ) -> Suite:
        """A suite with its digest."""
        kept = tuple(programs)
        hasher = hashlib.sha256(triple.encode())
        for program in sorted(kept, key=lambda p: p.name):
            hasher.update(f"{program.name} {program.output}\n".encode())
            hasher.update(hashlib.sha256(program.bitcode).digest())
        return Suite(name, triple, kept, tuple(dropped), hasher.hexdigest()[:16])


def qualify(
    toolchain: Toolchain,
    triple: str,
    programs: Sequence[tuple[str, bytes, str]],
    unclean: dict[str, str],
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Program], list[tuple[str, str]]]:
    """Keep the programs that judge well.

    Args:
        toolchain: where LLVM is.
        triple: target.
        programs: name, bitcode and origin of each.
        unclean: programs that are known to be undefined, with the reason.
        progress: told what is being done.

    Returns:
        Good judges with their answers, and name and reason of the others.
    """
    reasons = dict(unclean)
    for (name, _, _), imported in zip(
        programs, imports(toolchain, triple, [entry[1] for entry in programs]), strict=True
    ):
        shared = sorted(SHARED_STATE.intersection(imported))
        if shared:
            reasons.setdefault(name, f"uses state that programs share ({', '.join(shared)})")
    answers: dict[str, int] = {}
    costs: dict[str, float] = {}
    # mem2reg alone turns reads of uninitialised variables into undef, which UBSan does not see.
    plans = [("", 0), ("", 2), ("function(mem2reg)", 2)]
    plans += [*((level, 2) for level in LEVELS), ("default<Oz>", 0)]
    bench = open_bench(toolchain, triple, [entry[1] for entry in programs], checked=False)
    try:
        for passes, level in plans:
            left = [k for k, entry in enumerate(programs) if entry[0] not in reasons]
            progress(f"{len(left)} programs: {passes or 'no passes'}, code generation O{level}")
            last = time.perf_counter()
            for index, end in bench.run(Candidate(passes), left, level):
                now = time.perf_counter()
                name = programs[index][0]
                if (passes, level) == ("default<Oz>", 2):
                    costs[name] = (now - last) * 1000
                last = now
                what = end.what
                if not what and answers.setdefault(name, end.output) != end.output:
                    what = "wrong output"
                if what:
                    reasons[name] = f"{what} under {passes or 'no passes'} at O{level}"
    finally:
        bench.close()
    kept = [
        Program(name, bitcode, answers[name], round(costs[name], 2), origin)
        for name, bitcode, origin in programs
        if name not in reasons
    ]
    return kept, sorted(reasons.items())


def imports(
    toolchain: Toolchain, triple: str, bitcodes: Sequence[bytes]
) -> Iterable[tuple[str, ...]]:
    """Names of the functions that each program declares and does not define."""
    library = toolchain.library(arch_of(triple)).path

    def prepare(_: Callable[[int], None]) -> Callable[[int], tuple[str, ...]]:
        llvm = load(library)

        def handle(index: int) -> tuple[str, ...]:
            with llvm.context() as context:
                return tuple(context.parse(bitcodes[index]).declarations())

        return handle

    with Worker(prepare, PROGRAM_LIMITS) as worker:
        for outcome in worker.map(range(len(bitcodes))):
            yield outcome.value or ()


def save(suite: Suite, folder: Path) -> None:
    """Write a suite: ``suite.json`` and one ``.bc`` a program, the manifest last."""
    for program in suite.programs:
        file = folder / "programs" / f"{program.name}.bc"
        if not file.exists() or file.read_bytes() != program.bitcode:
            write_beside(file, program.bitcode)
    manifest = {
        "name": suite.name,
        "triple": suite.triple,
        "digest": suite.digest,
        "programs": [
            {
                "name": program.name,
                "output": f"{program.output:016x}",
                "milliseconds": program.milliseconds,
                "origin": program.origin,
            }
            for program in suite.programs
        ],
        "dropped": [list(entry) for entry in suite.dropped],
    }
    write_beside(folder / "suite.json", json.dumps(manifest, indent=1).encode())


def load_suite(folder: Path) -> Suite:
    """Read what :func:`save` wrote.

    Raises:
        IrsmithError: it is not there, or damaged.
    """
    try:
        manifest = json.loads((folder / "suite.json").read_text())
        programs = [
            Program(
                entry["name"],
                (folder / "programs" / f"{entry['name']}.bc").read_bytes(),
                int(entry["output"], 16),
                float(entry["milliseconds"]),
                entry["origin"],
            )
            for entry in manifest["programs"]
        ]
        dropped = [(str(name), str(why)) for name, why in manifest["dropped"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IrsmithError(
            f"the suite in {folder} cannot be read ({error}): make it again with "
            "`irsmith fetch-suite`"
        ) from error
    suite = Suite.of(manifest["name"], manifest["triple"], programs, dropped)
    if suite.digest != manifest["digest"]:
        raise IrsmithError(
            f"the suite in {folder} was changed after it was made: "
            "make it again with `irsmith fetch-suite`"
        )
    return suite
