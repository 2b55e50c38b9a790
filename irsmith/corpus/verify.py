"""Is a corpus what it says: every row parses, hashes, is licensed, and lies in the right split."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.corpus.dedupe import cross_split
from irsmith.corpus.facts import Facts, facts_of
from irsmith.corpus.rows import Row, corpus_files, read_rows
from irsmith.corpus.split import never_train, split_of
from irsmith.records import IrsmithError
from irsmith.toolchain.find import Toolchain

PROBLEMS = {
    "unreadable": "the file is damaged, or not a corpus file",
    "not a module": "LLVM does not parse it, or its verifier refuses it",
    "hash": "sha256 is not that of the content",
    "licence": "the licence is empty",
    "split": "the split is not what the package's name gives",
    "never-train": "the package is on the never-train list, outside the test split",
    "target": "the target is not the module's own",
    "count": "instructions or functions are not those of the module",
    "duplicate": "the content is there already",
    "near-duplicate": "a split that is measured on holds the same code or nearly so",
}
"""What can be wrong with a row."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        kind: a key of :data:`PROBLEMS`.
        where: file, and row if it is about one.
        detail: more.
    """

    kind: str
    where: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying found.

    Attributes:
        rows: looked at.
        findings: in the order of files and rows; near-duplicates last.
        unknown: rows whose licence is ``unknown`` (allowed, counted).
    """

    rows: int
    findings: tuple[Finding, ...]
    unknown: int

    def counts(self) -> dict[str, int]:
        """How many findings of each kind."""
        return dict(Counter(finding.kind for finding in self.findings))


def verify(
    toolchain: Toolchain,
    paths: Sequence[Path],
    jobs: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Check every row of a corpus.

    Args:
        toolchain: where LLVM is.
        paths: Parquet files, or folders of them.
        jobs: processes.
        progress: told how many rows are done.

    Raises:
        IrsmithError: there are no such files.
    """
    findings: list[Finding] = []
    places: list[str] = []
    splits: list[str] = []
    facts: list[Facts] = []
    seen: dict[str, str] = {}
    unknown = 0
    for where, row, fact in _looked_at(toolchain, corpus_files(paths), jobs, findings):
        findings += [Finding(kind, where, detail) for kind, detail in _wrong(row, fact)]
        if row.sha256 in seen:
            findings.append(Finding("duplicate", where, f"of {seen[row.sha256]}"))
        seen.setdefault(row.sha256, where)
        unknown += row.license_expression == "unknown"
        places.append(where)
        splits.append(row.split if row.split in ("train", "validation", "test") else "train")
        facts.append(fact)
        progress(len(places))
    with_text = [k for k, fact in enumerate(facts) if fact.key]
    leaves = cross_split(
        [splits[k] for k in with_text],
        [facts[k].key for k in with_text],
        [facts[k].signature for k in with_text],
    )
    for low, high in sorted(leaves.items()):
        one, other = with_text[low], with_text[high]
        detail = f"in {splits[one]}, like {places[other]} in {splits[other]}"
        findings.append(Finding("near-duplicate", places[one], detail))
    return Verified(len(places), tuple(findings), unknown)


def _looked_at(
    toolchain: Toolchain, files: Sequence[Path], jobs: int, findings: list[Finding]
) -> Iterator[tuple[str, Row, Facts]]:
    """Rows with their place and facts; a damaged file costs itself and no other."""
    waiting: list[tuple[str, Row]] = []

    def bitcodes() -> Iterator[bytes]:
        for path in files:
            number = 0
            try:
                for row in read_rows(path):
                    name = f"{row.package}/{row.file}" if row.file else row.package_source
                    waiting.append((f"{path.name} row {number} ({name})", row))
                    number += 1
                    yield row.content
            except IrsmithError as error:
                findings.append(Finding("unreadable", path.name, str(error)))

    for fact in facts_of(toolchain, bitcodes(), jobs, text=True):
        where, row = waiting.pop(0)
        yield where, row, fact


def _wrong(row: Row, fact: Facts) -> Iterator[tuple[str, str]]:
    """Kinds and details of what is wrong with one row by itself."""
    if fact.problem:
        yield "not a module", fact.problem
    digest = hashlib.sha256(row.content).hexdigest()
    if row.sha256 != digest:
        yield "hash", f"{row.sha256[:12]} is written, {digest[:12]} it is"
    if not row.license_expression.strip():
        yield "licence", ""
    if row.split != split_of(row.package):
        yield "split", f"{row.split!r} is written, {split_of(row.package)!r} it is"
    if never_train(row.package) and row.split != "test":
        yield "never-train", row.package
    if fact.problem:
        return
    if row.target and fact.target != row.target:
        yield "target", f"{row.target!r} is written, {fact.target!r} it is"
    for name, written, counted in (
        ("instructions", row.instructions, fact.instructions),
        ("functions", row.functions, fact.functions),
    ):
        if written not in (-1, counted):
            yield "count", f"{written} {name} are written, {counted} there are"
