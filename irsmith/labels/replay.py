"""Labels made again: does every row come out to the byte?

Only the module's bitcode is needed, which the corpus has under the row's hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.rows import Row, corpus_files, read_rows
from irsmith.labels.examples import Remembering, digest_of
from irsmith.labels.rows import LabelRow
from irsmith.records import Candidate, Size
from irsmith.sandbox.worker import Limits, Outcome, Worker
from irsmith.tasks import disassemble, emulate, tune
from irsmith.tasks.example import EmulateLabel, Tried, TuneLabel
from irsmith.tasks.render import Renderer, Request
from irsmith.toolchain.compile import Compiler, Job
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of, load
from irsmith.toolchain.pipelines import clang_pipeline

LIMITS = Limits(cpu_seconds=120.0, wall_seconds=900.0)
"""Of one row; where lists that were tried are compiled again, of one list."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a row.

    Attributes:
        number: of the row in its file.
        row: the row.
        problem: what does not come out again, in one line; ``""`` if all does.
        unsure: whether that is because the row cannot be tried at all here.
    """

    number: int
    row: LabelRow
    problem: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class _Order:
    """A row to make again, or one list that it tried."""

    bitcode: bytes
    row: LabelRow
    tried: Tried | None = None


def find_modules(corpus: Sequence[Path], wanted: set[str]) -> dict[str, Row]:
    """Rows of a corpus by the hash of their bitcode.

    Args:
        corpus: Parquet files, or folders of them.
        wanted: hashes.

    Raises:
        IrsmithError: there is no corpus there.
    """
    found: dict[str, Row] = {}
    for path in corpus_files(corpus):
        here = {row.sha256 for row in read_rows(path, ("sha256", "license_expression"))}
        if (wanted - found.keys()) & here or "" in here:
            found |= {row.sha256: row for row in read_rows(path) if row.sha256 in wanted}
    return found


def replay(
    toolchain: Toolchain,
    rows: Iterable[tuple[int, LabelRow]],
    modules: dict[str, Row],
    tried: bool = False,
) -> Iterator[Replayed]:
    """Make rows again.

    Args:
        toolchain: where LLVM is; must be the rows'.
        rows: with their numbers.
        modules: from :func:`find_modules`.
        tried: also compile what a search tried, and compare each size.

    Yields:
        What became of each row, in order.
    """
    workers: dict[str, Worker[_Order, str]] = {}
    try:
        for number, row in rows:
            problem = _hindrance(toolchain, row, modules)
            if problem:
                yield Replayed(number, row, problem, unsure=True)
                continue
            arch = arch_of(row.target)
            if arch not in workers:
                workers[arch] = Worker(_player(toolchain.library(arch).path), LIMITS)
            orders = list(_orders(modules[row.label.module], row, tried))
            outcomes = workers[arch].map(orders)
            problems = [o.value if o.value is not None else _died(o) for o in outcomes]
            yield Replayed(number, row, next(filter(None, problems), ""))
    finally:
        for worker in workers.values():
            worker.close()


def _hindrance(toolchain: Toolchain, row: LabelRow, modules: dict[str, Row]) -> str:
    if row.label.module not in modules:
        return "its module is not in the corpus"
    if row.label.toolchain != toolchain.fingerprint:
        return f"made with {row.label.toolchain}; this is {toolchain.fingerprint}"
    return ""


def _orders(module: Row, row: LabelRow, tried: bool) -> Iterator[_Order]:
    yield _Order(module.content, row)
    if tried and isinstance(row.label, TuneLabel):
        # What failed then may only have been slow.
        yield from (_Order(module.content, row, one) for one in row.label.tried if one.size)


def _died(outcome: Outcome[str]) -> str:
    return f"{outcome.failure}: {outcome.detail}"


def _player(library: Path) -> Callable[[Callable[[int], None]], Callable[[_Order], str]]:
    """The preparation of a worker that makes a row again, and says what differs."""

    def prepare(_: Callable[[int], None]) -> Callable[[_Order], str]:
        llvm = load(library)
        renders = Remembering(Renderer(llvm))
        compiler = Compiler(llvm)

        def handle(order: _Order) -> str:
            label = order.row.label
            if order.tried is not None:
                found = renders.render(Request(order.bitcode, order.tried.candidate)).size
                return _difference(order.tried.candidate.key()[:60], found, order.tried.size)
            if isinstance(label, EmulateLabel):
                example = emulate.build(renders, order.bitcode, label)
            elif isinstance(label, TuneLabel):
                baseline = _baseline(renders, compiler, order)
                problem = _difference("-Oz", baseline, label.baseline)
                if problem:
                    return problem
                example = tune.build(renders, order.bitcode, label)
            else:
                example = disassemble.build(renders, order.bitcode, label, llvm.version)
            if order.row.digest and digest_of(example) != order.row.digest:
                return "prompt or answer are other text (made by another irsmith?)"
            return ""

        return handle

    return prepare


def _baseline(renders: Remembering, compiler: Compiler, order: _Order) -> Size:
    """What clang's own -Oz gives for the normalised module."""
    normal = renders.render(Request(order.bitcode, normal=True)).normal
    triple = order.row.target
    passes = Candidate(clang_pipeline(compiler.llvm.version, triple, "Oz"))
    return compiler(Job(normal, triple, passes, direct=True)).size


def _difference(what: str, found: Size, said: Size | None) -> str:
    if found == said:
        return ""
    return f"{what} gives {_words(found)} where the row says {_words(said)}"


def _words(size: Size | None) -> str:
    return "nothing" if size is None else f"{size.total} bytes, {size.instructions} instructions"
