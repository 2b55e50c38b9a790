"""Trains the tokenizer on the train split of a corpus, and writes ``tokenizer.json``.

    python recipes/tokenizer.py --corpus CORPUS --output irsmith/model/data/tokenizer.json

Name ``--corpus`` more than once for several folders. Every package of a target gives at most
its even share of characters (see irsmith/model/texts.py); packages of other splits and of the
never-train list are not read. Equal corpora give equal bytes: the whole runs on one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"  # before tokenizers is imported

from irsmith.corpus.read import read_modules
from irsmith.model.texts import sample_texts
from irsmith.model.tokenizer import VOCABULARY, Tokenizer, train_tokenizer
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.find import find_toolchain


def main() -> None:
    """Sample, train, write, and say what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--corpus", type=Path, action="append", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--characters", type=int, default=16_000_000, help="of each target (default: 16 million)"
    )
    parser.add_argument("--size", type=int, default=VOCABULARY, help="ids (default: 16384)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    options = parser.parse_args()
    began = time.monotonic()
    counts: Counter[str] = Counter()
    texts = []
    modules = (m for folder in options.corpus for m in read_modules(folder, "train"))
    try:
        for text in sample_texts(find_toolchain(), modules, options.characters, options.seed):
            texts.append(text.text)
            counts[f"{text.arch} {text.kind}"] += len(text.text)
        print(f"{len(texts)} texts in {time.monotonic() - began:.0f} s")
        for name, count in sorted(counts.items()):
            print(f"  {name}: {count} characters")
        data = train_tokenizer(texts, options.size)
    except IrsmithError as error:
        sys.exit(f"recipes/tokenizer.py: {error}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_beside(options.output, data)
    made = Tokenizer(data)
    print(f"{made.size} ids, {made.digest[:16]}, {time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
