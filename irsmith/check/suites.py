"""The two suites: ``quick`` comes with the package, ``full`` is fetched and built once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from irsmith.check.aliasing import UNMARKED, unclear_types, without_marks
from irsmith.check.bench import open_bench
from irsmith.check.compile_suite import compile_programs
from irsmith.check.debian import architecture, find_csmith, is_native
from irsmith.check.fetch import build_full, unpack_testsuite
from irsmith.check.sources import (
    SourceProgram,
    csmith_programs,
    quick_programs,
    torture_programs,
)
from irsmith.check.suite import Program, Suite, load_suite, qualify, save
from irsmith.parallel.local import cores
from irsmith.records import Candidate, IrsmithError
from irsmith.toolchain.cache import cache_dir
from irsmith.toolchain.find import Toolchain

FULL_COUNT = {"csmith": 120, "": 1400}
"""How many programs judge for a target that runs here, Csmith's and all others: so many
that a list costs at most 6 s on one core. The smallest are kept (bytes of bitcode are a
measure of cost that is the same on every machine); all good judges are many more."""

FULL_COUNT_EMULATED = {"csmith": 180, "": 1900}
"""The same for a target that runs under an emulator, and at most 60 s."""

REFUSE_FIRST = (
    *("torture-pr91632", "dg-ssa-fre-2", "torture-930406-1", "dg-pr53663-2"),
    *("torture-20030916-1", "csmith-198", "csmith-226"),
)
"""Programs of ``full`` that caught the bad lists met so far: first in the suite, so that a
bad list is refused soon. All programs must pass for a list to be accepted."""

_TRAPS = ("SIGILL", "signal 4", "SIGTRAP", "signal 5")
_UBSAN = ("-fsanitize=undefined", "-fsanitize-trap=undefined")


def full_folder(triple: str) -> Path:
    """Where the full suite of a target lies once it is built."""
    return cache_dir() / "suites" / f"full-{architecture(triple)}"


def have_full(triple: str) -> bool:
    """Whether the full suite of a target is built."""
    return (full_folder(triple) / "suite.json").exists()


def get_suite(name: str, toolchain: Toolchain, triple: str) -> Suite:
    """A suite, ready to judge; ``quick`` is compiled at first use.

    Raises:
        IrsmithError: ``full`` was not fetched yet, or the target's programs cannot run here.
    """
    if name == "full":
        if not have_full(triple):
            raise IrsmithError(
                "the full suite is not here: `irsmith fetch-suite` gets it (it asks before it "
                "installs anything); or use --suite quick"
            )
        return load_suite(full_folder(triple))
    sources = quick_programs()
    folder = _quick_folder(sources, toolchain, triple)
    if (folder / "suite.json").exists():
        return load_suite(folder)
    bitcodes = _compiled(sources, folder / "all", toolchain, triple)
    kept, dropped = qualify(toolchain, triple, bitcodes, {})
    # By size and not by time, so that the order is the same on every machine.
    kept.sort(key=lambda p: (len(p.bitcode), p.name))
    suite = Suite.of("quick", triple, kept, dropped)
    save(suite, folder)
    return suite


def _quick_folder(sources: Sequence[SourceProgram], toolchain: Toolchain, triple: str) -> Path:
    """Named by the programs' text, so that a suite in the cache is never the wrong one."""
    stamp = json.dumps([[s.name, s.source.read_text(), list(s.flags)] for s in sources])
    digest = hashlib.sha256(f"{toolchain.fingerprint} {stamp}".encode()).hexdigest()[:12]
    return cache_dir() / "suites" / f"quick-{architecture(triple)}-{digest}"


def _compiled(
    sources: Sequence[SourceProgram], folder: Path, toolchain: Toolchain, triple: str
) -> list[tuple[str, bytes, str]]:
    """Name, bitcode and origin of the programs that compile."""
    results = compile_programs(sources, folder, toolchain, triple, jobs=cores())
    return [
        (result.program.name, result.bitcode.read_bytes(), result.program.origin)
        for result in results
        if result.bitcode is not None
    ]


def make_full(
    toolchain: Toolchain,
    triple: str,
    *,
    seeds: Iterable[int] = range(1, 301),
    gcc_testsuite: Path | None = None,
    csmith: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Suite:
    """Build the full suite of a target and keep its good judges.

    Args:
        toolchain: where LLVM is.
        triple: target; programs of a foreign one run under qemu.
        seeds: Csmith's seeds.
        gcc_testsuite: an unpacked GCC testsuite, if not Debian's package.
        csmith: the Csmith to use, if not the one on PATH.
        say: told what is being done.

    Raises:
        IrsmithError: something has to be installed first.
    """
    seeds = list(seeds)
    last = ""

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal last
        if stage != last or done == total:
            say(f"{stage}: {done} of {total}")
            last = stage

    folder = build_full(
        cache_dir(), toolchain, triple, seeds, progress, gcc_testsuite=gcc_testsuite, csmith=csmith
    )
    entries = json.loads((folder / "sources.json").read_text())
    programs = [
        (entry["name"], (folder / entry["file"]).read_bytes(), entry["origin"])
        for entry in entries
        if not entry["error"]
    ]
    testsuite = gcc_testsuite or unpack_testsuite(cache_dir())
    build = json.loads((folder / "build.json").read_text())
    random_sources = cache_dir() / "sources" / build["csmith"].replace(" ", "-")
    sources = torture_programs(testsuite, triple)
    generator = csmith or find_csmith()
    if generator is not None:
        sources += csmith_programs(random_sources, seeds, generator)
    say("looking for undefined behaviour with UBSan")
    unclean = undefined_programs(sources, folder / "ubsan", toolchain, triple)
    say("looking for accesses by other types with TypeSanitizer")
    unmarked = [without_marks(source) for source in unclear_in(sources, toolchain, programs)]
    again = {entry[0]: entry for entry in _compiled(unmarked, folder / "all", toolchain, triple)}
    programs = [again.get(entry[0], entry) for entry in programs]
    say(f"{len(again)} of {len(programs)} programs are compiled with {UNMARKED}")
    kept, dropped = qualify(toolchain, triple, programs, unclean, say)
    kept, rest = smallest_of(kept, FULL_COUNT if is_native(triple) else FULL_COUNT_EMULATED)
    dropped += [(name, "left out to save time") for name in rest]
    kept.sort(key=lambda p: p.name not in REFUSE_FIRST)
    suite = Suite.of("full", triple, kept, dropped)
    save(suite, folder)
    return suite


def unclear_in(
    sources: Sequence[SourceProgram],
    toolchain: Toolchain,
    programs: Sequence[tuple[str, bytes, str]],
) -> list[SourceProgram]:
    """The sources of those programs that TypeSanitizer does not find clean."""
    compiled = {entry[0] for entry in programs}
    sources = [source for source in sources if source.name in compiled]
    unclear = unclear_types(toolchain, sources, cores())
    return [source for source in sources if source.name in unclear]


def undefined_programs(
    sources: Sequence[SourceProgram], folder: Path, toolchain: Toolchain, triple: str
) -> dict[str, str]:
    """Programs that trap under UBSan: what they mean is not defined, so they cannot judge."""
    trapping = [replace(source, flags=(*source.flags, *_UBSAN)) for source in sources]
    bitcodes = _compiled(trapping, folder, toolchain, triple)
    bench = open_bench(toolchain, triple, [entry[1] for entry in bitcodes], checked=False)
    try:
        found = {}
        for index, end in bench.run(Candidate(""), range(len(bitcodes)), level=0):
            if end.what == "program crash" and end.detail.startswith(_TRAPS):
                found[bitcodes[index][0]] = "undefined behaviour (UBSan)"
        return found
    finally:
        bench.close()


def smallest_of(
    programs: Sequence[Program], counts: Mapping[str, int] = FULL_COUNT
) -> tuple[list[Program], list[str]]:
    """The smallest programs of each kind up to its count, and the names of the rest."""
    left = dict(counts)
    kept: list[Program] = []
    rest: list[str] = []
    for program in sorted(programs, key=lambda p: (len(p.bitcode), p.name)):
        kind = "csmith" if program.name.startswith("csmith-") else ""
        if left[kind]:
            left[kind] -= 1
            kept.append(program)
        else:
            rest.append(program.name)
    return kept, rest
