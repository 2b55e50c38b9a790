"""One corpus of many files: each module once, and none in two splits, not even nearly.

What is left out, and why, is counted: packages of the never-train list, modules that LLVM
refuses or for other machines, equal content, equal code under other names, and in the
lower split what is nearly the same as a module of a higher one (test before validation
before train).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith.corpus.dedupe import cross_split
from irsmith.corpus.facts import Facts, facts_of
from irsmith.corpus.rows import UNKNOWN, Row, corpus_files, new_corpus, read_rows, write_rows
from irsmith.corpus.split import never_train, split_of
from irsmith.records import IrsmithError
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.llvm import LLVMError, arch_of

SHARD_BYTES = 64 << 20
"""Bitcode in one file; about a third of it on disk."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging gave.

    Attributes:
        read: rows read.
        kept: rows written, by split.
        left_out: why, and how many.
        files: written.
        damaged: a line about each file that cannot be read to its end; what stands
            before the damage is taken.
    """

    read: int
    kept: dict[str, int]
    left_out: dict[str, int]
    files: tuple[Path, ...]
    damaged: tuple[str, ...] = ()


def merge(
    toolchain: Toolchain,
    paths: Sequence[Path],
    folder: Path,
    jobs: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Merged:
    """Merge corpus files into ``train-000.parquet`` and so on.

    Rows are taken in the order of files and rows; the first of equal ones is kept.

    Args:
        toolchain: where LLVM is.
        paths: Parquet files, or folders of them.
        folder: for the result; must not hold Parquet files yet.
        jobs: processes.
        progress: told how many rows were looked at.

    Raises:
        IrsmithError: nothing to read, or the folder is in use.
    """
    files = corpus_files(paths)
    with new_corpus(folder) as new:
        merged = _merge(toolchain, files, new, jobs, progress)
    return replace(merged, files=tuple(folder / path.name for path in merged.files))


def _merge(
    toolchain: Toolchain,
    files: Sequence[Path],
    folder: Path,
    jobs: int,
    progress: Callable[[int], None],
) -> Merged:
    facts: dict[int, Facts] = {}
    damaged: dict[str, None] = {}
    left_out: Counter[str] = Counter()
    splits: dict[int, str] = {}
    seen: set[tuple[str, str]] = set()
    for number, (row, fact) in enumerate(_with_facts(toolchain, files, jobs, damaged)):
        progress(number + 1)
        reason = _unwanted(row, fact)
        identities = {("content", hashlib.sha256(row.content).hexdigest())}
        if fact.key:
            identities.add((f"{split_of(row.package)} {fact.target}", fact.key))
        if not reason and identities & seen:
            reason = "equal code"
        if reason:
            left_out[reason] += 1
            continue
        seen |= identities
        facts[number], splits[number] = fact, split_of(row.package)
    read = len(facts) + sum(left_out.values())
    with_text = [number for number, fact in facts.items() if fact.key]
    for low in cross_split(
        [splits[number] for number in with_text],
        [facts[number].key for number in with_text],
        [facts[number].signature for number in with_text],
    ):
        left_out[f"in {splits[with_text[low]]}, nearly as in a split that is measured on"] += 1
        del facts[with_text[low]]
    kept = Counter(splits[number] for number in facts)
    written = tuple(_write(files, facts, splits, folder))
    return Merged(read, dict(kept), dict(left_out), written, tuple(damaged))


def _rows(files: Sequence[Path], damaged: dict[str, None]) -> Iterator[Row]:
    """All rows in order; a damaged file costs what stands behind the damage."""
    for path in files:
        try:
            yield from read_rows(path)
        except IrsmithError as error:
            damaged[str(error)] = None


def _with_facts(
    toolchain: Toolchain, files: Sequence[Path], jobs: int, damaged: dict[str, None]
) -> Iterator[tuple[Row, Facts]]:
    waiting: list[Row] = []

    def bitcodes() -> Iterator[bytes]:
        for row in _rows(files, damaged):
            waiting.append(row)
            yield row.content

    for fact in facts_of(toolchain, bitcodes(), jobs, text=True):
        yield waiting.pop(0), fact


def _unwanted(row: Row, fact: Facts) -> str:
    """Why a row does not belong into a corpus, or an empty string."""
    if never_train(row.package):
        return "never-train list"
    if fact.problem:
        return "not a valid module"
    if not fact.functions:
        return "no functions"
    try:
        arch_of(fact.target)
    except LLVMError:
        return "for another machine"
    return ""


def _write(
    files: Sequence[Path], facts: dict[int, Facts], splits: dict[int, str], folder: Path
) -> Iterator[Path]:
    """Write the rows that are kept, split by split, in shards of bounded size."""
    for split in ("train", "validation", "test"):
        shard: list[Row] = []
        size = count = 0
        for row in _kept(files, facts, splits, split):
            if shard and size + len(row.content) > SHARD_BYTES:
                yield _shard(folder, split, count, shard)
                shard, size, count = [], 0, count + 1
            shard.append(row)
            size += len(row.content)
        if shard:
            yield _shard(folder, split, count, shard)


def _kept(
    files: Sequence[Path], facts: dict[int, Facts], splits: dict[int, str], split: str
) -> Iterator[Row]:
    for number, row in enumerate(_rows(files, {})):
        fact = facts.get(number)
        if fact is not None and splits[number] == split:
            yield replace(
                row,
                split=split,
                target=fact.target,
                license_expression=row.license_expression.strip() or UNKNOWN,
                instructions=fact.instructions,
                functions=fact.functions,
            )


def _shard(folder: Path, split: str, count: int, rows: Sequence[Row]) -> Path:
    path = folder / f"{split}-{count:03d}.parquet"
    write_rows(path, rows)
    return path
