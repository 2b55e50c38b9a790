"""Emulation and disassembly labels in shards: the same work on every part of a corpus.

What the compiler does is the truth here, so lists are not checked; one that crashes the
compiler, takes too long or leaves what no text can say gives no row and is counted.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from irsmith.corpus.parts import Loaded, Part
from irsmith.corpus.rows import Row
from irsmith.corpus.split import split_of
from irsmith.labels.columns import Label
from irsmith.labels.draw import Emulation, Wish, draw
from irsmith.labels.examples import Remembering, characters_of, digest_of
from irsmith.labels.rows import SPLITS, Labelled, LabelRow, label_format, refusal, row_of
from irsmith.labels.run import Pick, run_name
from irsmith.parallel.shards import Shard, make_shards
from irsmith.parallel.work import Executor, Work
from irsmith.records import IrsmithError
from irsmith.sandbox.worker import Limits, Outcome, Worker
from irsmith.tasks import disassemble, emulate
from irsmith.tasks.example import DisassembleLabel, EmulateLabel
from irsmith.tasks.render import Renderer, Request
from irsmith.toolchain.compile import VerifierError
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.toolchain.llvm import arch_of, load

LIMITS = Limits(cpu_seconds=20.0, wall_seconds=300.0)
"""Of one list on one module; what takes longer is no example to learn from."""
LONGEST = 20_000
"""Characters of the longest example: a window of 4,096 tokens takes it (of 943 the longest had
2,549 tokens)."""

EVERYTHING = Pick()
"""Takes every module."""

Kind = Literal["emulate", "disassemble"]


@dataclass(frozen=True, slots=True)
class ExamplePlan:
    """Which examples are made of a corpus.

    Attributes:
        kind: of labels.
        per_module: how many of each module.
        seed: with the module's hash, of everything random.
        longest: characters of text in prompt and answer.
        splits: of the packages that are taken.
        pick: which modules are taken.
    """

    kind: Kind
    per_module: int = 4
    seed: int = 0
    longest: int = LONGEST
    splits: tuple[str, ...] = SPLITS
    pick: Pick = EVERYTHING


@dataclass(frozen=True, slots=True)
class Order:
    """One example to be made; without a wish, only whether the module can be one."""

    bitcode: bytes
    sha256: str
    wish: Wish | None
    longest: int
    toolchain: str


@dataclass(frozen=True, slots=True)
class Built:
    """A label and its example's digest; or why there is none, in words to be counted."""

    label: Label | None = None
    digest: str = ""
    left_out: str = ""


def make_parts(
    parts: Sequence[Part],
    plan: ExamplePlan,
    folder: Path,
    executor: Executor,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Shard]:
    """Make the examples of all parts, a shard each; goes on where it was stopped.

    Args:
        parts: of the corpus.
        plan: what to make.
        folder: for the shards.
        executor: this machine's processes, or a cluster.
        progress: told parts done and in all.

    Raises:
        IrsmithError: a split that may not be learnt from is asked for, the folder holds
            another run's shards, or it cannot be written.
    """
    for split in plan.splits:
        if split not in SPLITS:
            raise IrsmithError(f"nothing may be learnt from the {split} split")
    here = Path(__file__).parent
    code = [here / f"{name}.py" for name in ("make", "draw", "examples", "columns", "rows")]
    code += [here.parent / f"tasks/{name}.py" for name in ("render", "emulate", "disassemble")]
    code += sorted(here.parent.glob("corpus/listing*.py"))
    code += [here.parent / f"corpus/{name}.py" for name in ("normalise", "assembly")]
    work = Work(functools.partial(_prepare, plan), label_format(plan.kind))
    run = run_name(parts, asdict(plan), code)
    return make_shards(work, Loaded(parts), folder, run, executor, 1, progress)


def _prepare(plan: ExamplePlan) -> Callable[[list[Row]], Labelled]:
    """In each process: workers with LLVM in them, and what is done to a part."""
    builders = Builders(find_toolchain())

    def work(rows: list[Row]) -> Labelled:
        made: list[LabelRow] = []
        left_out: Counter[str] = Counter()
        for row in rows:
            if refusal(row.package):
                left_out["module of a package that nothing may be learnt from"] += 1
            elif split_of(row.package) in plan.splits and plan.pick.takes(row):
                made += label_module(builders, row, plan, left_out)
        return Labelled(tuple(made), dict(left_out))

    return work


class Builders:
    """Workers that build examples, one for each target, started when needed.

    Args:
        toolchain: where LLVM is.
        limits: of one example.
    """

    def __init__(self, toolchain: Toolchain, limits: Limits = LIMITS) -> None:
        self.toolchain, self.limits = toolchain, limits
        self._workers: dict[str, Worker[Order, Built]] = {}

    def of(self, target: str) -> Worker[Order, Built]:
        """The worker for a target.

        Raises:
            IrsmithError: no such target.
        """
        arch = arch_of(target)
        if arch not in self._workers:
            library = self.toolchain.library(arch).path
            self._workers[arch] = Worker(builder(library), self.limits)
        return self._workers[arch]

    def __enter__(self) -> Builders:
        """Workers start with the first order of a target."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        for worker in self._workers.values():
            worker.close()


def label_module(
    builders: Builders, row: Row, plan: ExamplePlan, left_out: Counter[str]
) -> list[LabelRow]:
    """The rows of one module.

    Args:
        builders: make examples.
        row: of a corpus.
        plan: what to make.
        left_out: what gives no row is counted here.
    """
    by = builders.toolchain.fingerprint

    def order(wish: Wish | None) -> Order:
        return Order(row.content, row.sha256, wish, plan.longest, by)

    try:
        worker = builders.of(row.target)
    except IrsmithError:
        left_out["module for another target"] += 1
        return []
    first = _outcome(worker.call(order(None)))
    if first.left_out:
        left_out[f"module: {first.left_out}"] += 1
        return []
    wishes = draw(plan.kind, row.sha256, row.target, plan.per_module, plan.seed)
    made = []
    for outcome in worker.map(order(wish) for wish in wishes):
        built = _outcome(outcome)
        if built.label is None:
            left_out[f"example: {built.left_out}"] += 1
        else:
            made.append(row_of(built.label, row, built.digest))
    return made


def _outcome(outcome: Outcome[Built]) -> Built:
    if outcome.value is not None:
        return outcome.value
    died = {"crash": "the compiler crashes", "time-out": "the compiler takes too long"}
    return Built(left_out=died.get(outcome.failure, f"the compiler refuses: {outcome.detail[:80]}"))


def builder(
    library: Path,
) -> Callable[[Callable[[int], None]], Callable[[Order], Built]]:
    """The preparation of a worker that builds examples and keeps what is known of them.

    Args:
        library: path of libLLVM.
    """

    def prepare(_: Callable[[int], None]) -> Callable[[Order], Built]:
        renderer = Renderer(load(library))
        version = renderer.llvm.version
        renders = Remembering(renderer)

        def handle(order: Order) -> Built:
            try:
                return _build(renders, version, order)
            except VerifierError:
                return Built(left_out="the passes leave a broken module")
            except IrsmithError as error:
                return Built(left_out=_general(str(error)))

        return handle

    return prepare


def _build(renders: Remembering, version: str, order: Order) -> Built:
    source = renders.render(Request(order.bitcode, ir=True))
    assert source.ir is not None
    too_long = f"longer than {order.longest} characters"
    if len(source.ir.text) > order.longest:
        return Built(left_out=too_long)
    wish = order.wish
    if wish is None:
        return Built()
    label: Label
    if isinstance(wish, Emulation):
        after = renders.render(Request(order.bitcode, wish.candidate)).size
        given = (order.sha256, wish.candidate, wish.output, source.size, after, order.toolchain)
        label = EmulateLabel(*given)
        example = emulate.build(renders, order.bitcode, label)
    else:
        label = DisassembleLabel(order.sha256, wish.level, order.toolchain, wish.form)
        example = disassemble.build(renders, order.bitcode, label, version)
    if characters_of(example) > order.longest:
        return Built(left_out=too_long)
    return Built(label, digest_of(example))


def _general(message: str) -> str:
    """Why LLVM refuses, without what differs from module to module."""
    line = message.splitlines()[0] if message else "LLVM refuses"
    return line.split(":")[0].split("'")[0].split('"')[0].strip()[:80]
