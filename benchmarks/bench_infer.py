"""Inference on one core: prefill, samples of a shared prompt, key caches, 8 bits.

    python benchmarks/bench_infer.py [--size nano] [--repeats 7]
    python benchmarks/bench_infer.py --release RUN/release --texts DATA/pretrain/validation

Without a release the weights are random: costs do not depend on them, and answers do not
end by themselves, so that all have the same length. Ratios are taken in one run, the two
sides in turn, in processor time of one thread.

With trained weights and packed texts, what 8 bits cost is told in bits a token.

Caches that are compared, all with sixteen rows behind one prompt:

- *growing*: onnxruntime returns the whole cache anew with every token, rows are copies;
- *in place*: rows are copies in a buffer that is bound once as input and output;
- *irsmith*: one row, each token sees its own text; rows of their own once these are long
  (irsmith/infer/tree.py).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from common import Figure, heading, table

from irsmith.infer.engine import Engine
from irsmith.infer.engine_numpy import NumpyEngine
from irsmith.infer.engine_onnx import OnnxEngine
from irsmith.infer.sample import Settings, sample
from irsmith.model.config import ModelConfig, config_for
from irsmith.model.network import build
from irsmith.model.onnx import ENGINES, export_engine, export_onnx
from irsmith.model.release import load_release, save_release
from irsmith.model.weights import read_weights
from irsmith.toolchain.find import find_toolchain
from irsmith.train.data import PackedData

ROWS = 16
PARTS = ("prefill", "samples", "caches", "steps")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="nano", help="of random weights (default: nano)")
    parser.add_argument("--release", type=Path, help="trained weights in place of random ones")
    parser.add_argument("--texts", type=Path, help="packed texts: what 8 bits cost on them")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--answer", type=int, default=48, help="tokens of a sample (default: 48)")
    options = parser.parse_args()
    heading("Inference, one thread", find_toolchain())
    with tempfile.TemporaryDirectory() as name, Bench(Path(name), options).opened() as bench:
        if options.texts:
            quality(bench, options.texts)
        for part, measure in zip(PARTS, (prefill, samples, caches, steps), strict=True):
            if part in options.parts:
                measure(bench)


class Bench:
    """A release with all graphs, and the sides that are compared."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder, options
        self.repeats: int = options.repeats
        self.random = np.random.default_rng(1)

    @contextmanager
    def opened(self) -> Iterator[Bench]:
        """Write the graphs and open them."""
        import onnxruntime

        if self.options.release:
            network, about = load_release(self.options.release)
            save_release(self.folder, network, end=about.end)
        else:
            network = build(config_for(self.options.size), seed=1)
            save_release(self.folder, network, end=0)
        self.shape: ModelConfig = network.config
        export_onnx(network, self.folder / "last.onnx", "last")
        self.weights = read_weights(self.folder, self.shape)
        self.fp32 = self.engine("fp32")
        self.int8 = self.engine("int8")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self.raw = onnxruntime.InferenceSession(
            str(self.folder / "last.onnx"), options, ["CPUExecutionProvider"]
        )
        millions = self.shape.parameters / 1e6
        print(f"  {millions:.1f} M parameters, onnxruntime {onnxruntime.__version__}")
        yield self

    def engine(self, precision: Any) -> OnnxEngine:
        """The default engine on one thread."""
        export_engine(self.folder, precision)
        path = self.folder / ENGINES[precision]
        return OnnxEngine(path, self.shape, self.weights.digest, threads=1)

    def ids(self, count: int) -> list[int]:
        """A text without meaning."""
        return self.random.integers(1, self.shape.vocabulary, count).tolist()

    def feed(self, ids: np.ndarray, cache: list[np.ndarray]) -> dict[str, np.ndarray]:
        """The inputs of onnxruntime's own graph."""
        past = cache[0].shape[2]
        mask = np.ones((len(ids), past + ids.shape[1]), np.int64)
        feed = {"input_ids": ids, "attention_mask": mask}
        for index, array in enumerate(cache):
            feed[f"past_key_values.{index // 2}.{('key', 'value')[index % 2]}"] = array
        return feed

    def empty(self, rows: int = 1) -> list[np.ndarray]:
        """No cache."""
        size = (rows, self.shape.kv_heads, 0, self.shape.head_width)
        return [np.zeros(size, np.float32)] * (2 * self.shape.layers)


def seconds(work: Callable[[], object]) -> float:
    """Processor time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def in_turn(repeats: int, *sides: Callable[[], object]) -> list[list[float]]:
    """Seconds of each side, after one run that does not count."""
    for side in sides:
        side()
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for times, side in zip(found, sides, strict=True):
            times.append(seconds(side))
    return found


def ratios(above: list[float], below: list[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]


def prefill(bench: Bench) -> None:
    """Our engine against one call of onnxruntime's graph on the same tokens."""
    figures = []
    for tokens in (1024, 3072):
        if tokens > bench.shape.context:
            continue
        ids = bench.ids(tokens)
        feed = bench.feed(np.array([ids]), bench.empty())
        ours, eight, raw = in_turn(
            bench.repeats,
            lambda ids=ids: bench.fp32.prefill(ids),
            lambda ids=ids: bench.int8.prefill(ids),
            lambda feed=feed: bench.raw.run(None, feed),
        )
        target = 3000.0 if tokens == 1024 and bench.options.size == "nano" else None
        figures += [
            Figure(f"{tokens} tokens: fp32", [tokens / t for t in ours], "/s", target),
            Figure(f"{tokens} tokens: int8", [tokens / t for t in eight], "/s"),
            Figure(f"{tokens} tokens: session.run alone", [tokens / t for t in raw], "/s"),
            Figure(f"{tokens} tokens: fp32 to session.run", ratios(raw, ours), "x", 0.9),
        ]
    table("prefill, tokens a second", figures)


def samples(bench: Bench) -> None:
    """Sixteen samples of one prompt against sixteen runs, each with its own prefill."""
    figures = []
    for tokens in (256, 1024):
        if tokens + bench.options.answer > bench.shape.context:
            continue
        ids = bench.ids(tokens)
        how = Settings(longest=bench.options.answer)

        def together(engine: Engine, ids: list[int] = ids, how: Settings = how) -> None:
            sample(engine, engine.prefill(ids), ROWS, (), how)

        def one_by_one(ids: list[int] = ids, how: Settings = how) -> None:
            for _ in range(ROWS):
                sample(bench.fp32, bench.fp32.prefill(ids), 1, (), how)

        def one_prefill(ids: list[int] = ids, how: Settings = how) -> None:
            sample(bench.fp32, bench.fp32.prefill(ids), ROWS, (), how, batch=1)

        shared, eight, alone, seats = in_turn(
            max(3, bench.repeats // 2),
            lambda: together(bench.fp32),
            lambda: together(bench.int8),
            one_by_one,
            one_prefill,
        )
        target = 5.0 if tokens == 1024 else None
        name = f"prompt of {tokens}"
        figures += [
            Figure(f"{name}: 16 runs to 16 samples", ratios(alone, shared), "x", target),
            Figure(f"{name}: one prefill, row by row, to 16 samples", ratios(seats, shared), "x"),
            Figure(f"{name}: fp32 to int8", ratios(shared, eight), "x"),
            Figure(f"{name}: 16 samples, seconds", shared, "s"),
        ]
    table(f"16 samples of {bench.options.answer} tokens", figures)


def caches(bench: Bench) -> None:
    """Milliseconds a token for sixteen rows, by how the key cache is kept."""
    figures = []
    new = np.array(bench.ids(ROWS))[:, None]
    for tokens, answer in ((1024, 48), (256, 48), (256, 512)):
        if tokens + answer > bench.shape.context:
            continue
        ids = bench.ids(tokens)
        _, *prompt = bench.raw.run(None, bench.feed(np.array([ids]), bench.empty()))
        state = bench.fp32.prefill(ids)

        def growing(prompt: list[np.ndarray] = prompt, answer: int = answer) -> None:
            cache = [np.repeat(part, ROWS, axis=0) for part in prompt]
            for _ in range(answer):
                _, *cache = bench.raw.run(None, bench.feed(new, cache))

        def in_place(prompt: list[np.ndarray] = prompt, answer: int = answer) -> None:
            decode_in_place(bench, prompt, new, answer)

        def tree(state: Any = state, answer: int = answer) -> None:
            rows = bench.fp32.fork([state] * ROWS)
            for at in range(answer):
                if at in (64, 256):  # as irsmith.infer.sample does
                    rows = bench.fp32.fork(rows)
                rows = bench.fp32.step(rows, new[:, 0].tolist())

        repeats = 3 if answer > 100 else bench.repeats
        sides = in_turn(repeats, growing, in_place, tree)
        name = f"prompt {tokens}, answer {answer}"
        for kind, times in zip(("growing", "in place", "irsmith"), sides, strict=True):
            figures.append(Figure(f"{name}: {kind}", [1000 * t / answer for t in times], "ms"))
        figures.append(Figure(f"{name}: in place to irsmith", ratios(sides[1], sides[2]), "x"))
    table("key caches: one step of 16 rows, fork included", figures)


def decode_in_place(bench: Bench, prompt: list[np.ndarray], new: np.ndarray, answer: int) -> None:
    """Rows as copies of the prompt, in a buffer bound as input and as output."""
    tokens, shape = prompt[0].shape[2], bench.shape
    binding = bench.raw.io_binding()
    size = (ROWS, shape.kv_heads, tokens + answer, shape.head_width)
    buffers = [np.empty(size, np.float32) for _ in prompt]
    for index, (buffer, part) in enumerate(zip(buffers, prompt, strict=True)):
        buffer[:, :, :tokens] = part
        name = f"{index // 2}.{('key', 'value')[index % 2]}"
        for bind, kind in (
            (binding.bind_input, "past_key_values"),
            (binding.bind_output, "present"),
        ):
            bind(f"{kind}.{name}", "cpu", 0, np.float32, size, buffer.ctypes.data)
    logits = np.empty((ROWS, 1, shape.vocabulary), np.float32)
    for at in range(answer):
        mask = np.ones((ROWS, tokens + at + 1), np.int64)
        binding.bind_cpu_input("input_ids", new)
        binding.bind_cpu_input("attention_mask", mask)
        binding.bind_output("logits", "cpu", 0, np.float32, logits.shape, logits.ctypes.data)
        bench.raw.run_with_iobinding(binding)


def steps(bench: Bench) -> None:
    """Steps of one row and of sixteen, and what a fork costs."""
    ids = bench.ids(min(1024, bench.shape.context // 2))
    oracle = NumpyEngine(bench.shape, bench.weights.arrays)
    figures = []
    for name, engine in (("fp32", bench.fp32), ("int8", bench.int8), ("numpy", oracle)):
        state = engine.prefill(ids)
        repeats = 5 if engine is oracle else 5 * bench.repeats
        for rows in (1, ROWS):
            start = engine.fork([state] * rows)

            def step(engine: Any = engine, start: Any = start) -> None:
                engine.step(start, [7] * len(start))

            (times,) = in_turn(repeats, step)
            figures.append(Figure(f"{name}: step of {rows}", [1000 * t for t in times], "ms"))

        def fork(engine: Any = engine, state: Any = state) -> None:
            engine.fork([state] * ROWS)

        (times,) = in_turn(repeats, fork)
        figures.append(Figure(f"{name}: fork into {ROWS}", [1000 * t for t in times], "ms"))
    table(f"steps behind {len(ids)} tokens", figures)


def quality(bench: Bench, texts: Path) -> None:
    """What 8 bits cost: bits a token on packed texts, document by document."""
    data = PackedData(texts)
    rows = [row for row in data.documents if 64 <= row["tokens"] <= bench.shape.context]
    losses, extra, agree = [], [], []
    for row in rows[:: max(1, len(rows) // 60)]:
        ids = data.read(int(row["start"]), int(row["tokens"])).tolist()
        one, two = bench.fp32.scores(ids), bench.int8.scores(ids)
        losses.append(-float(one.mean()) / np.log(2))
        extra.append(float((one - two).mean()) / np.log(2))
        cut = ids[: len(ids) // 2]
        agree.append(
            bench.fp32.prefill(cut).logits.argmax() == bench.int8.prefill(cut).logits.argmax()
        )
    table(
        "8 bits, documents",
        [
            Figure("fp32, bits a token", losses, ""),
            Figure("more with int8, bits a token", extra, ""),
        ],
    )
    share = statistics.fmean(extra) / statistics.fmean(losses)
    print(f"  int8 adds {100 * share:.3f} % of the bits; the likeliest token is the same in")
    print(f"  {sum(agree)} of {len(agree)} places (the middle of each document)")


if __name__ == "__main__":
    main()
