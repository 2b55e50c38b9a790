"""How many tokens a corpus holds, by counting those of some of its modules."""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from irsmith.corpus.rows import Row
from irsmith.model.tokenizer import Tokenizer
from irsmith.records import IrsmithError
from irsmith.tasks.render import RenderWorker, at_level
from irsmith.tasks.render import Request as RenderRequest
from irsmith.toolchain.find import Toolchain

_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one kind of text.

    Attributes:
        total: tokens of all modules.
        low: lower end of its 95 % interval, packages of the sample drawn again.
        high: upper end.
        rate: characters a token, over the sample.
    """

    total: float
    low: float
    high: float
    rate: float


@dataclass(frozen=True, slots=True)
class CorpusTokens:
    """Of the modules of one target.

    Attributes:
        target: triple.
        modules: in the corpus.
        counted: whose tokens were counted.
        failed: of the sample, that LLVM or normalising refused.
        ir: of their normalised unoptimised IR.
        assembly: of the assembly that -Oz makes of them.
    """

    target: str
    modules: int
    counted: int
    failed: int
    ir: Estimate
    assembly: Estimate


@dataclass(frozen=True, slots=True)
class _Counted:
    package: str
    ir: tuple[int, int]
    assembly: tuple[int, int]


def count_tokens(
    toolchain: Toolchain, tokenizer: Tokenizer, rows: Iterable[Row], sample: int
) -> Iterator[CorpusTokens]:
    """Count some modules of each target, and reckon up all of them.

    Args:
        toolchain: where LLVM is.
        tokenizer: counts.
        rows: of the corpus.
        sample: modules of a target; those with the smallest hashes, so that equal corpora
            give equal samples.

    Raises:
        IrsmithError: no module of the sample of a target could be read.
    """
    modules: Counter[str] = Counter()
    kept: dict[str, list[tuple[int, int, Row]]] = defaultdict(list)
    for number, row in enumerate(rows):
        modules[row.target] += 1
        entry = (-int(row.sha256[:15], 16), -number, row)
        heap = kept[row.target]
        if len(heap) < sample:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    for target, heap in sorted(kept.items()):
        chosen = [row for _, _, row in sorted(heap, reverse=True)]
        counted = list(_count(toolchain, tokenizer, target, chosen))
        if not counted:
            raise IrsmithError(f"none of {len(chosen)} modules for {target} could be read")
        yield CorpusTokens(
            target,
            modules[target],
            len(counted),
            len(chosen) - len(counted),
            _estimate([(one.package, one.ir) for one in counted], modules[target]),
            _estimate([(one.package, one.assembly) for one in counted], modules[target]),
        )


def _count(
    toolchain: Toolchain, tokenizer: Tokenizer, target: str, rows: Sequence[Row]
) -> Iterator[_Counted]:
    with RenderWorker(toolchain, target) as renders:
        for row in rows:
            try:
                source = renders.render(RenderRequest(row.content, ir=True)).ir
                if source is None:
                    continue
                made = renders.render(at_level(source, toolchain.version, "Oz")).assembly
            except IrsmithError:
                continue
            texts = [source.text, made.text if made else ""]
            ir, assembly = ((len(text), len(tokenizer.encode(text))) for text in texts)
            yield _Counted(row.package, ir, assembly)


def _estimate(counted: Sequence[tuple[str, tuple[int, int]]], modules: int) -> Estimate:
    """Tokens of all modules, from characters and tokens of some."""
    groups: dict[str, list[int]] = defaultdict(list)
    for package, (_, tokens) in counted:
        groups[package].append(tokens)
    names, rng = sorted(groups), random.Random(0)
    sums = {name: (sum(groups[name]), len(groups[name])) for name in names}
    draws = []
    for _ in range(_DRAWS):
        drawn = [sums[name] for name in rng.choices(names, k=len(names))]
        draws.append(modules * sum(t for t, _ in drawn) / sum(n for _, n in drawn))
    draws.sort()
    tokens = sum(tokens for _, (_, tokens) in counted)
    characters = sum(characters for _, (characters, _) in counted)
    return Estimate(
        modules * tokens / len(counted),
        draws[round(0.025 * _DRAWS)],
        draws[round(0.975 * _DRAWS) - 1],
        characters / max(1, tokens),
    )
