"""The card of a folder of labels: what is in it, for people and for the Hugging Face hub.

Format: https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from irsmith.corpus.rows import corpus_files
from irsmith.labels.columns import Kind
from irsmith.labels.rows import SPLITS, VERSION, read_head, read_labels
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.version import __version__

_TITLES: dict[Kind, str] = {
    "tune": "pass lists that make modules smaller than clang -Oz",
    "emulate": "what LLVM makes of modules under given pass lists",
    "disassemble": "machine code and the IR that it came from",
}
_ROWS: dict[Kind, str] = {
    "tune": (
        "A row is the best checked pass list that a search found for a module (`passes`, "
        "`codegen`; null where nothing beats -Oz), the module's sizes without passes "
        "(`before`), with clang's own -Oz (`baseline`) and with the list (`after`), what each "
        "check said (`verdict`), every list that was measured with its sizes (`tried`), and "
        "the smallest list that no check accepted (`unchecked`)."
    ),
    "emulate": (
        "A row is one compilation: a pass list and code generation options (`passes`, "
        "`codegen`), sizes without and with it (`before`, `after`), and whether the example "
        "shows the IR or the assembly that comes out (`output`). Lists are not checked: what "
        "the compiler does is the truth here."
    ),
    "disassemble": (
        "A row names the level at which a module is compiled (`level`) and how the assembly "
        "is printed (`form`): as the compiler prints it, or as a disassembled object."
    ),
}
_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def write_card(
    folder: Path, command: str, seed: int, left_out: dict[str, int] | None = None
) -> Path:
    """Write ``README.md`` beside the label files of a folder.

    Args:
        folder: holds ``train-000.parquet`` and so on, of one kind.
        command: that made them.
        seed: of all that is random.
        left_out: what gave no row: reason and how many.

    Returns:
        Its path.

    Raises:
        IrsmithError: there are no label files, or it cannot be written.
    """
    path = folder / "README.md"
    text = card(corpus_files([folder]), command, seed, left_out or {})
    try:
        write_beside(path, text.encode())
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def card(files: Sequence[Path], command: str, seed: int, left_out: dict[str, int]) -> str:
    """The text of a card.

    Args:
        files: label files of one kind; their names begin with the split.
        command: that made them.
        seed: of all that is random.
        left_out: what gave no row: reason and how many.

    Raises:
        IrsmithError: a file cannot be read, or they are of several kinds.
    """
    kinds = {read_head(path).kind for path in files}
    if len(kinds) != 1:
        raise IrsmithError(f"labels of several kinds lie together: {', '.join(sorted(kinds))}")
    kind = kinds.pop()
    rows: Counter[str] = Counter()
    modules: dict[str, set[str]] = {split: set() for split in SPLITS}
    packages: dict[str, set[str]] = {split: set() for split in SPLITS}
    targets: Counter[str] = Counter()
    toolchains: set[str] = set()
    for path in files:
        for row in read_labels(path, kind, tried=False):
            rows[row.split] += 1
            modules[row.split].add(row.label.module)
            packages[row.split].add(row.package)
            targets[row.target] += 1
            toolchains.add(row.label.toolchain)
    splits = [split for split in SPLITS if rows[split]]
    table = [
        f"| {split} | {rows[split]} | {len(modules[split])} | {len(packages[split])} |"
        for split in splits
    ]
    dropped = [
        f"| {count} | {reason} |"
        for reason, count in sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "\n".join(
        [
            *_front(kind, splits, rows.total()),
            "",
            f"# irsmith labels: {_TITLES[kind]}",
            "",
            f"{_ROWS[kind]} Every row names its module by the SHA-256 of its bitcode, with "
            "package, file, target, split and toolchain; `digest` names the example's prompt "
            "and answer.",
            "",
            "| split | rows | modules | packages |",
            "|---|---|---|---|",
            *table,
            "",
            *(f"- {count} rows for `{target}`" for target, count in sorted(targets.items())),
            f"- toolchain: {', '.join(sorted(toolchains)) or 'none'}",
            f"- made by irsmith {__version__} (label rows of version {VERSION}) with seed {seed}:",
            "",
            "```",
            command,
            "```",
            "",
            *(
                ["Left out:", "", "| how many | why |", "|---|---|", *dropped, ""]
                if dropped
                else []
            ),
            "The split is a function of the package's name; no package of the test split and",
            "none that shares code with public benchmarks is in any file.",
            "",
            "## From rows to examples",
            "",
            "There is no program text in these files. With the corpus that they were made of,",
            "every example is made again, and",
            "",
            "```",
            "irsmith label replay FILE[:ROW] --corpus CORPUS",
            "```",
            "",
            "says whether each comes out to the byte.",
            "",
            "## Licence",
            "",
            "The rows hold facts about compilations: hashes, names of files and functions, pass",
            "lists, sizes. Examples made of them show code of the packages, which stays under",
            "its own licence: each row of the corpus says which.",
            "",
        ]
    )


def _front(kind: Kind, splits: Sequence[str], rows: int) -> list[str]:
    """What the hub reads."""
    bounds = [_short(size) for size in _SIZES]
    at = sum(rows >= size for size in _SIZES)
    size = f"n<{bounds[0]}" if not at else f"n>{bounds[-1]}"
    if 0 < at < len(_SIZES):
        size = f"{bounds[at - 1]}<n<{bounds[at]}"
    lines = [
        "---",
        f"pretty_name: {json.dumps(f'irsmith labels: {kind}')}",
        "license: other",
        "license_name: see-the-corpus",
        "task_categories:",
        "- text-generation",
        "tags:",
        "- code",
        "- compilers",
        "- llvm",
        "size_categories:",
        f"- {size}",
    ]
    if splits:
        lines += ["configs:", "- config_name: default", "  data_files:"]
    for split in splits:
        lines += [f"  - split: {split}", f"    path: {split}-*.parquet"]
    return [*lines, "---"]


def _short(size: int) -> str:
    return f"{size // 1000}K" if size < 1_000_000 else f"{size // 1_000_000}M"
