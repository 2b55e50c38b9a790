"""Modules to packed training data: what `irsmith train` reads.

    python recipes/pack.py examples/corpus --output DATA
    irsmith train recipes/pretrain.py:laptop --data DATA --out RUN

The pretraining stage: normalised IR, unoptimised and of -Oz, and assembly, of every
module (or function) of the train and validation splits, both targets; packages of the
test split and of the never-train list are never read. DATA/tokenizer.json is the shipped
tokenizer, which the release takes along.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import corpus_files
from irsmith.model.release import hash_of
from irsmith.model.tokenizer import shipped_tokenizer
from irsmith.parallel.progress import meter
from irsmith.records import Module
from irsmith.tasks.make import Order, Pretrain, make_examples
from irsmith.tasks.pack import Packer
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.llvm import arch_of
from irsmith.train.data import PackedWriter


def modules_of(paths: list[Path], split: str, triple: str) -> Iterator[Module]:
    """Modules of a split for one target."""
    for path in corpus_files(paths):
        for module in read_modules(path, split):
            if arch_of(module.target) == arch_of(triple):
                yield module


def pack(paths: list[Path], folder: Path, split: str, levels: tuple[str, ...], jobs: int) -> None:
    """Write one split of the pretraining stage."""
    toolchain, tokenizer = find_toolchain(), shipped_tokenizer()
    packer = Packer(tokenizer)
    writer = PackedWriter(
        folder / "pretrain" / split,
        vocabulary=tokenizer.size,
        end=tokenizer.end,
        tokenizer=hash_of(folder / "tokenizer.json"),
    )
    counts: Counter[str] = Counter()
    with writer:
        for triple in DEFAULT_TARGETS.values():
            modules = list(modules_of(paths, split, triple))
            orders = (Order(module, Pretrain(levels)) for module in modules)
            progress = meter(f"{split} {triple}")
            for done, outcome in enumerate(make_examples(toolchain, triple, orders, jobs), 1):
                counts["modules" if outcome.value else outcome.failure] += 1
                for example in outcome.value or ():
                    document = packer.document(example)
                    writer.add(document.tokens, **document.arguments())
                    counts["documents"] += 1
                    counts["tokens"] += len(document.tokens)
                progress(done, len(modules))
    print(split, dict(counts), file=sys.stderr)


def main() -> None:
    """Pack what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path, nargs="+", help="Parquet files, or folders of them")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--levels", nargs="*", default=["Oz"])
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    shipped = resources.files("irsmith.model").joinpath("data/tokenizer.json").read_bytes()
    write_beside(arguments.output / "tokenizer.json", shipped)
    for split in ("train", "validation"):
        pack(arguments.corpus, arguments.output, split, tuple(arguments.levels), arguments.jobs)
    print(arguments.output)


if __name__ == "__main__":
    main()
