"""The sample corpus that ships in the repo: small modules under permissive licences.

    irsmith corpus merge RAW -o CORPUS
    python recipes/sample.py CORPUS --output examples/corpus

Modules of CORPUS whose licence lets anyone pass them on with nothing but its notice,
package after package in turn, so that no package fills it, both targets of a file
together, until the size is reached. The seed is fixed: the same corpus gives the same
sample. Writes one Parquet file a split and README.md, which names every package with its
licence.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from irsmith.corpus.rows import Row, corpus_files, parquet_bytes, read_rows
from irsmith.toolchain.cache import write_beside

PERMISSIVE = frozenset(
    (
        *("MIT", "ISC", "Zlib", "Apache-2.0", "BSL-1.0", "Unlicense", "CC0-1.0", "0BSD"),
        *("BSD-2-Clause", "BSD-3-Clause", "public-domain", "X11", "MIT-0", "curl", "Libpng"),
    )
)
SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
SMALLEST, LARGEST = 1_500, 24_000
SEED = 1


def files_of(rows: list[Row]) -> list[list[Row]]:
    """Rows of the same source file together, the files in a fixed random order."""
    files: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        files[(row.package, row.file, row.flags)].append(row)
    ordered = [group for _, group in sorted(files.items())]
    random.Random(SEED).shuffle(ordered)
    return ordered


def choose(rows: list[Row], size: int) -> list[Row]:
    """Package after package in turn, a file each, until the file is as large as it may be."""
    queues: dict[str, list[list[Row]]] = defaultdict(list)
    for group in files_of(rows):
        queues[group[0].package].append(group)
    order = sorted(queues)
    random.Random(SEED).shuffle(order)
    chosen: list[Row] = []
    while any(queues.values()):
        for package in order:
            if queues[package]:
                more = chosen + queues[package].pop()
                # Compressed, four bytes of bitcode take about one and a half.
                if sum(len(row.content) for row in more) * 0.45 > size:
                    return chosen
                chosen = more
    return chosen


def readme(chosen: dict[str, list[Row]]) -> str:
    """Names every package, its version and licences."""
    lines = [
        "# The sample corpus",
        "",
        "Unoptimised bitcode of real Debian builds under permissive licences, for tests, the",
        "demo and the laptop recipe. Made by `recipes/sample.py`; columns are described in",
        "[docs/formats.md](../../docs/formats.md). `irsmith corpus verify examples/corpus`",
        "checks it, `irsmith corpus stats examples/corpus` says what is in it.",
        "",
        "| split | package | version | modules | licences |",
        "|---|---|---|---|---|",
    ]
    for split, rows in chosen.items():
        packages: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            packages[row.package].append(row)
        for name, group in sorted(packages.items()):
            licences = ", ".join(sorted({row.license_expression for row in group}))
            lines.append(f"| {split} | {name} | {group[0].version} | {len(group)} | {licences} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path, help="a merged corpus")
    parser.add_argument("--output", type=Path, default=Path("examples/corpus"))
    parser.add_argument("--megabytes", type=float, default=4.6)
    arguments = parser.parse_args()
    rows: dict[str, list[Row]] = defaultdict(list)
    for path in corpus_files([arguments.corpus]):
        for row in read_rows(path):
            words = set(row.license_expression.replace("(", " ").replace(")", " ").split())
            if (words - {"AND", "OR"}) <= PERMISSIVE and SMALLEST <= len(row.content) <= LARGEST:
                rows[row.split].append(row)
    size = int(arguments.megabytes * 1e6)
    chosen = {split: choose(rows[split], int(size * share)) for split, share in SHARES.items()}
    for split, part in chosen.items():
        part.sort(key=lambda row: (row.package, row.file, row.target))
        write_beside(arguments.output / f"{split}-000.parquet", parquet_bytes(part))
        print(f"{split}: {len(part)} modules of {len({row.package for row in part})} packages")
    write_beside(arguments.output / "README.md", readme(chosen).encode())


if __name__ == "__main__":
    main()
