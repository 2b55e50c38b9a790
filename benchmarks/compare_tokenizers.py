"""Which tokenizer learns best: bits a byte of one small network at equal compute.

    python benchmarks/compare_tokenizers.py --corpus CORPUS --flop 5e12 --seeds 1 2

Each candidate is trained on the same texts of the train split; then a network of one shape is
trained with each until the same number of floating-point operations is spent (so a coarse
tokenizer reads more text), and measured on functions of the validation split. Every candidate
gets the same pieces of text in the same order, so the same context in characters, and as many
tokens a step; the output matrix is counted, so a large vocabulary pays for itself.
``--keep FOLDER`` keeps texts and tokenizers for the next run; ``--device cuda`` runs on an
accelerator.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before tokenizers is imported

import torch

from irsmith.corpus.read import read_modules
from irsmith.model.config import ModelConfig
from irsmith.model.network import IGNORED, Network, build
from irsmith.model.texts import Text, sample_texts
from irsmith.model.tokenizer import SPLITS, Splits, Tokenizer, load_tokenizer, train_tokenizer
from irsmith.toolchain.find import find_toolchain
from irsmith.train.optimizer import make_optimizers, set_rate
from irsmith.train.recipes import pretrain

PIECE = 2000
"""Characters of a sequence at most; pieces end at line ends."""
FINE: Splits = ((r" ?[A-Za-z_]+|[0-9]| ?[^\sA-Za-z_0-9]+|\s+", "isolated"),)
"""Words, single digits and punctuation apart, as in GPT-2."""
APART: Splits = ((r"\n", "isolated"), *SPLITS[1:])
"""Ours, but a newline is a token of its own."""
CANDIDATES: dict[str, tuple[Splits, int]] = {
    "coarse-16k": (SPLITS, 16_384),
    "coarse-8k": (SPLITS, 8_192),
    "newline-16k": (APART, 16_384),
    "fine-16k": (FINE, 16_384),
    "fine-8k": (FINE, 8_192),
}


def main() -> None:
    """Train the candidates, train a network with each, and print the table."""
    options = arguments()
    torch.set_num_threads(options.threads)
    train = texts_of(options, "train", options.characters)
    validation = texts_of(options, "validation", options.validation)
    print(f"{len(train)} texts to train on, {len(validation)} to measure on")
    for seed in options.seeds:
        for name in options.candidates:
            tokenizer = candidate(name, train, options.keep)
            result = Run(options, tokenizer, seed).go(train, validation)
            print(f"{name:<12} seed {seed}  {result}", flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, action="append", default=[])
    parser.add_argument("--characters", type=int, default=16_000_000, help="of a target, train")
    parser.add_argument("--validation", type=int, default=1_000_000, help="of a target")
    parser.add_argument("--measured", type=int, default=300, help="pieces to measure on")
    parser.add_argument("--candidates", nargs="+", default=list(CANDIDATES), choices=CANDIDATES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--flop", type=float, default=5e12, help="of a run's training")
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=1000, help="of a step, at least")
    parser.add_argument("--rate", type=float, default=4e-3, help="peak learning rate")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for texts and tokenizers")
    return parser.parse_args()


def texts_of(options: argparse.Namespace, split: str, characters: int) -> list[Text]:
    """The sample of a split, drawn or kept from the last time."""
    kept = options.keep and options.keep / f"{split}.jsonl.gz"
    if kept and kept.exists():
        with gzip.open(kept, "rt", encoding="utf-8") as file:
            return [Text(*json.loads(line)) for line in file]
    modules = (m for folder in options.corpus for m in read_modules(folder, split))
    texts = list(sample_texts(find_toolchain(), modules, characters))
    if kept:
        options.keep.mkdir(parents=True, exist_ok=True)
        with gzip.open(kept, "wt", 2, encoding="utf-8") as file:
            for text in texts:
                row = [text.arch, text.package, text.kind, text.text]
                file.write(json.dumps(row) + "\n")
    return texts


def candidate(name: str, train: Sequence[Text], keep: Path | None) -> Tokenizer:
    """A candidate's tokenizer, trained or kept from the last time."""
    file = keep / f"{name}.json" if keep else None
    if file and file.exists():
        return load_tokenizer(file)
    splits, size = CANDIDATES[name]
    data = train_tokenizer([text.text for text in train], size, splits)
    if file:
        file.write_bytes(data)
    return Tokenizer(data)


def pieces(texts: Sequence[Text], seed: int) -> Iterator[Text]:
    """Texts in a seeded order, cut at line ends."""
    order = list(texts)
    random.Random(seed).shuffle(order)
    for text in order:
        lines, held = [], 0
        for line in text.text.splitlines(keepends=True):
            if lines and held + len(line) > PIECE:
                yield Text(text.arch, text.package, text.kind, "".join(lines))
                lines, held = [], 0
            lines.append(line[:PIECE])
            held += len(line)
        yield Text(text.arch, text.package, text.kind, "".join(lines))


class Run:
    """One training.

    Args:
        options: the command line.
        tokenizer: the candidate.
        seed: of weights and order.
    """

    def __init__(self, options: argparse.Namespace, tokenizer: Tokenizer, seed: int) -> None:
        self.options, self.tokenizer, self.seed = options, tokenizer, seed
        self.config = ModelConfig(
            vocabulary=tokenizer.size,
            width=options.width,
            layers=options.layers,
            heads=options.width // 64 or 1,
            kv_heads=options.width // 64 or 1,
            hidden=options.width * 8 // 3 // 64 * 64,
            context=PIECE + 1,
        )

    def go(self, train: Sequence[Text], validation: Sequence[Text]) -> str:
        """Spend the operations, then measure; what it came to, in a line."""
        options = self.options
        network = build(self.config, self.seed, options.device)
        optimizers = make_optimizers(network, pretrain())
        spent, steps, characters, began = 0.0, 0, 0, time.monotonic()
        stream = self._forever(train)
        while spent < options.flop:
            share = spent / options.flop
            set_rate(optimizers, options.rate * min(1.0, share / 0.05 + 0.02, (1 - share) / 0.3))
            rows: list[list[int]] = []
            while sum(map(len, rows)) < options.tokens:
                text = next(stream)
                rows.append(self._ids(text))
                characters += len(text.text)
            losses, counted, flop = self._losses(network, rows)
            (losses.sum() / counted).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
            network.zero_grad()
            spent += flop
            steps += 1
        seconds = time.monotonic() - began
        kinds = self._measure(network, validation)
        return (
            f"{kinds['all']:.4f} bits a byte  ("
            + "  ".join(f"{kind} {bits:.3f}" for kind, bits in kinds.items() if kind != "all")
            + f")  {steps} steps, {characters / 1e6:.2f} MB read, {seconds:.0f} s"
        )

    def _forever(self, train: Sequence[Text]) -> Iterator[Text]:
        for epoch in range(10**6):
            yield from pieces(train, self.seed * 1000 + epoch)

    def _ids(self, text: Text) -> list[int]:
        return [self.tokenizer.end, *self.tokenizer.encode(text.text)]

    def _losses(
        self, network: Network, rows: Sequence[list[int]]
    ) -> tuple[torch.Tensor, int, float]:
        """Losses (pieces, tokens) in nats, tokens counted, operations of training on them."""
        end = self.tokenizer.end
        longest = max(map(len, rows)) - 1
        inputs = torch.full((len(rows), longest), end)
        targets = torch.full((len(rows), longest), IGNORED)
        for at, row in enumerate(rows):
            inputs[at, : len(row) - 1] = torch.tensor(row[:-1])
            targets[at, : len(row) - 1] = torch.tensor(row[1:])
        lengths = [len(row) - 1 for row in rows]
        flop = self.config.flop(sum(lengths), sum(n * (n + 1) / 2 for n in lengths))
        device = self.options.device
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            losses = network(inputs.to(device), None, targets.to(device))
        return losses, sum(lengths), flop

    def _measure(self, network: Network, validation: Sequence[Text]) -> dict[str, float]:
        """Bits a byte of all, and of each target and kind."""
        nats: dict[str, float] = defaultdict(float)
        size: dict[str, int] = defaultdict(int)
        chosen = list(pieces(validation, 0))[: self.options.measured]
        with torch.no_grad():
            for text in chosen:
                losses, _, _ = self._losses(network, [self._ids(text)])
                for key in ("all", f"{text.arch} {text.kind}"):
                    nats[key] += float(losses.sum())
                    size[key] += len(text.text.encode())
        return {key: nats[key] / size[key] / math.log(2) for key in sorted(nats)}


if __name__ == "__main__":
    main()
