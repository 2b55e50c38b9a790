"""From a corpus and its labels to the packed data of a stage.

Pretraining takes modules; the other stages take label rows and the modules that they are
of. What is left out is counted with its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import corpus_files
from irsmith.labels.rows import read_head, read_labels
from irsmith.labels.run import Pick
from irsmith.model.release import TOKENIZER, hash_of
from irsmith.model.slots import read_portfolio
from irsmith.model.tokenizer import Tokenizer
from irsmith.records import IrsmithError, Module
from irsmith.tasks import rank
from irsmith.tasks.example import Example, TuneLabel
from irsmith.tasks.make import Label, Order, Pretrain, make_examples
from irsmith.tasks.pack import Packer
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import arch_of
from irsmith.train.data import PackedWriter

SPLITS = ("train", "validation")
Progress = Callable[[str], Callable[[int, int], None]]
"""Given the name of a part, gives what is told done and in all."""


@dataclass(frozen=True, slots=True)
class PackPlan:
    """What to pack.

    Attributes:
        corpus: Parquet files, or folders of them.
        labels: label files, or folders of them; what pretraining does not need.
        levels: of the IR and assembly that pretraining sees, beyond unoptimised IR.
        pretrained: share of the modules that pretraining sees.
        lists: whether tune labels teach to write lists, besides ranking the portfolio.
    """

    corpus: tuple[Path, ...]
    labels: tuple[Path, ...] = ()
    levels: tuple[str, ...] = ("Oz",)
    pretrained: float = 1.0
    lists: bool = True


def pack_stage(
    toolchain: Toolchain,
    tokenizer: Tokenizer,
    stage: str,
    plan: PackPlan,
    data: Path,
    jobs: int = 1,
    progress: Progress = lambda part: lambda done, total: None,
) -> dict[str, Counter[str]]:
    """Write ``DATA/STAGE/train`` and ``DATA/STAGE/validation``.

    Args:
        toolchain: where LLVM is.
        tokenizer: that of ``DATA/tokenizer.json``.
        stage: ``pretrain``, or the kind of the labels to take.
        plan: what to pack.
        data: folder; holds ``tokenizer.json``, and ``portfolio-*.json`` if the model is to
            rank those lists.
        jobs: workers.
        progress: of each part.

    Returns:
        For each split: modules, documents, tokens, and what was left out by reason.

    Raises:
        IrsmithError: the stage is packed already, or there is nothing to pack.
    """
    counts: dict[str, Counter[str]] = {}
    packer = Packer(tokenizer)
    for split in SPLITS:
        count = counts[split] = Counter()
        with ExitStack() as stack:
            writer: PackedWriter | None = None
            for example in _split(toolchain, stage, split, plan, data, jobs, progress, count):
                if writer is None:  # an empty folder would be no packed data
                    writer = PackedWriter(
                        data / stage / split,
                        vocabulary=tokenizer.size,
                        end=tokenizer.end,
                        tokenizer=hash_of(data / TOKENIZER),
                        choices=packer.slots,
                    )
                    stack.enter_context(writer)
                document = packer.document(example)
                writer.add(document.tokens, **document.arguments())
                count["documents"] += 1
                count["tokens"] += len(document.tokens)
        if split == "train" and not count["documents"]:
            raise IrsmithError(f"{stage}: nothing to learn from: {_why(stage, plan)}")
    return counts


def _split(
    toolchain: Toolchain,
    stage: str,
    split: str,
    plan: PackPlan,
    data: Path,
    jobs: int,
    progress: Progress,
    count: Counter[str],
) -> Iterator[Example]:
    """The examples of a split, target after target."""
    for triple in DEFAULT_TARGETS.values():
        orders = list(_orders(stage, plan, split, triple))
        told = progress(f"{stage} {split} {arch_of(triple)}")
        for done, example in _examples(toolchain, triple, orders, plan, data, jobs, count):
            yield example
            told(done, len(orders))


def _orders(stage: str, plan: PackPlan, split: str, triple: str) -> Iterator[Order]:
    """What to make, module after module."""
    if stage == "pretrain":
        pick = Pick(plan.pretrained, "pretrain")
        for module in _modules(plan, split, triple):
            if pick.draws(module.sha256):
                yield Order(module, Pretrain(plan.levels))
        return
    labels = read_stage(plan.labels, stage, split)
    for module in _modules(plan, split, triple):
        for label in labels.pop(module.sha256, ()):
            yield Order(module, label)


def read_stage(paths: Sequence[Path], kind: str, split: str) -> dict[str, list[Label]]:
    """Labels of a kind and a split, by the hash of their modules.

    Raises:
        IrsmithError: a file is damaged, or there are no label files.
    """
    found: dict[str, list[Label]] = defaultdict(list)
    for path in corpus_files(paths) if paths else ():
        if read_head(path).kind == kind:
            for row in read_labels(path):
                if row.split == split:
                    found[row.label.module].append(row.label)
    return found


def _modules(plan: PackPlan, split: str, triple: str) -> Iterator[Module]:
    for path in corpus_files(plan.corpus):
        for module in read_modules(path, split):
            if arch_of(module.target) == arch_of(triple):
                yield module


def _examples(
    toolchain: Toolchain,
    triple: str,
    orders: Sequence[Order],
    plan: PackPlan,
    data: Path,
    jobs: int,
    counts: Counter[str],
) -> Iterator[tuple[int, Example]]:
    """Examples of orders, with how many orders are done."""
    portfolio = read_portfolio(data, triple)
    waiting = deque(orders)
    for done, outcome in enumerate(make_examples(toolchain, triple, iter(orders), jobs), 1):
        order = waiting.popleft()
        counts["modules" if outcome.value else f"left out: {outcome.detail[:80]}"] += 1
        for example in outcome.value or ():
            if plan.lists or not isinstance(order.label, TuneLabel):
                yield done, example
            if isinstance(order.label, TuneLabel) and portfolio:
                weights = rank.weights_of(order.label, portfolio)
                if weights is not None:
                    yield done, rank.example(example.target, example.prompt, weights)


def _why(stage: str, plan: PackPlan) -> str:
    if stage == "pretrain":
        return "the corpus has no module of the train split"
    if not plan.labels:
        return "name label files (irsmith label makes them)"
    return f"no {stage} label is of a module of the corpus"
