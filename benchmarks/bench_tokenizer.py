"""The tokenizer on functions that it has not seen: characters a token, and speed.

    python benchmarks/bench_tokenizer.py --corpus CORPUS

Functions of validation packages (of ``--split``), unoptimised IR, -Oz IR and its assembly, for
each target that the corpus has; the median and the spread are those of packages, so that
none decides. The paper reports 2.02 characters a token. Speed is in processor time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before tokenizers is imported

from common import Figure, heading, table

from irsmith.corpus.read import read_modules
from irsmith.model.texts import Text, sample_texts
from irsmith.model.tokenizer import Tokenizer, load_tokenizer, shipped_tokenizer
from irsmith.toolchain.find import find_toolchain

PAPER = 2.02
_LOAD = (
    "import time; t = time.process_time(); "
    "from irsmith.model.tokenizer import shipped_tokenizer; shipped_tokenizer(); "
    "print(time.process_time() - t)"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, action="append", required=True)
    parser.add_argument("--split", default="validation", choices=["validation", "test"])
    parser.add_argument("--characters", type=int, default=1_000_000, help="of a target")
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json (default: the shipped)")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    options = parser.parse_args()
    toolchain = find_toolchain()
    heading("Tokenizer", toolchain)
    tokenizer = load_tokenizer(options.tokenizer) if options.tokenizer else shipped_tokenizer()
    print(f"  {tokenizer.size} ids, sha256 {tokenizer.digest[:16]}")
    modules = (m for folder in options.corpus for m in read_modules(folder, options.split))
    texts = list(sample_texts(toolchain, modules, options.characters, options.seed))
    lengths(tokenizer, texts)
    speed(tokenizer, texts)


def lengths(tokenizer: Tokenizer, texts: list[Text]) -> None:
    """Characters a token, by target and kind."""
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for text in texts:
        tokens = len(tokenizer.encode(text.text))
        form = "asm" if text.kind == "asm" else "ir"
        for group in (f"{text.arch} {text.kind}", f"all {form}"):
            for package in (text.package, ""):
                held = counts[group, package]
                held[0] += len(text.text)
                held[1] += tokens
    groups = sorted({group for group, _ in counts})
    figures = []
    for group in groups:
        rates = [c / t for (name, package), (c, t) in counts.items() if name == group and package]
        target = {"all ir": 5.5, "all asm": 3.4}.get(group)
        figures.append(Figure(f"{group}: packages", rates, "", target))
    table("characters a token", figures)
    for group in groups:
        characters, tokens = counts[group, ""]
        rate = characters / tokens
        print(
            f"  {group:<16} {rate:.2f} over {characters} characters "
            f"({rate / PAPER:.1f} times the paper's {PAPER})"
        )


def speed(tokenizer: Tokenizer, texts: list[Text]) -> None:
    """Megabytes a second of one core, and the time to load."""
    encoding, decoding = [], []
    for at in range(0, len(texts), 30):
        part = [text.text for text in texts[at : at + 30]]
        size = sum(len(text.encode()) for text in part) / 1e6
        began = time.process_time()
        ids = [tokenizer.encode(text) for text in part]
        middle = time.process_time()
        for row in ids:
            tokenizer.decode(row)
        encoding.append(size / (middle - began))
        decoding.append(size / (time.process_time() - middle))
    loading = [
        1000
        * float(
            subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, check=True).stdout
        )
        for _ in range(3)
    ]
    table(
        "speed, processor time of one core",
        [
            Figure("encode", encoding, "MB/s"),
            Figure("decode", decoding, "MB/s"),
            Figure("import and load", loading, "ms"),
        ],
    )


if __name__ == "__main__":
    main()
