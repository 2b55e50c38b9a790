"""The whole way on a laptop: sample corpus, labels, tokenizer, a nano model, a report.

    python recipes/laptop.py --output RUN            # about 20 minutes on two cores
    python recipes/laptop.py --output RUN --short    # 3 minutes: the same way, a tiny model

RUN/report.md says what came out and what each step took. A model that has seen a million
tokens is poor, and the report says how poor: the point is that every step is there, with the
same commands and formats as on an accelerator (recipes/accelerator.py). A run that was
stopped goes on from its last finished step.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # tokenizers: equal texts give equal bytes

from irsmith.check.accept import Shipped, accept
from irsmith.corpus.function_set import cut_parts, gather
from irsmith.corpus.parts import parts_of
from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import Row, corpus_files, read_rows
from irsmith.labels.make import ExamplePlan, make_parts
from irsmith.labels.rows import read_labels
from irsmith.labels.run import Pick
from irsmith.labels.tune import SearchPlan
from irsmith.labels.tune_run import TunePlan, label_tune
from irsmith.model.slots import portfolio_name, read_portfolio
from irsmith.parallel.local import cores
from irsmith.parallel.processes import Processes
from irsmith.records import Candidate, IrsmithError, Verdict
from irsmith.search.evaluate import Evaluator
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.render import RenderWorker
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.train.config import Source, TrainConfig
from irsmith.train.recipes import REPLAY

SAMPLE = Path(__file__).resolve().parent.parent / "examples/corpus"
STAGES = ("pretrain", "emulate", "tune", "disassemble")
COUNTS = (1, 2, 4, 8)
TARGET = DEFAULT_TARGETS["X86"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything.

    Attributes:
        modules: share of the functions that get tune labels; a third of them is searched.
        examples: share of the functions that get emulation and disassembly labels.
        pretrained: share of the functions that pretraining sees.
        characters: of each target that the tokenizer is trained on.
        vocabulary: ids of the tokenizer.
        size: of the model.
        context: tokens.
        batch: sequences a step.
        minutes: of training, by stage.
        tested: validation functions of the report, for each task.
    """

    modules: float = 0.06
    examples: float = 0.4
    pretrained: float = 0.5
    characters: int = 2_000_000
    vocabulary: int = 8192
    size: str = "nano"
    context: int = 1024
    batch: int = 8
    minutes: tuple[float, float] = (4.5, 4.5)
    tested: int = 40


SHORT = Plan(0.004, 0.02, 0.03, 200_000, 2048, "tiny", 1024, 4, (0.15, 0.15), 4)


class Way:
    """The steps of one run, each done once, with what it took.

    Args:
        folder: of the run.
        plan: how much of everything.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.toolchain: Toolchain = find_toolchain()
        self.executor = Processes(cores())
        self._notes = folder / "steps.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.done: dict[str, Any] = {}
        if self._notes.exists():
            self.done = json.loads(self._notes.read_text())
        if self.done.setdefault("plan", asdict(plan) | {"minutes": list(plan.minutes)}) != (
            asdict(plan) | {"minutes": list(plan.minutes)}
        ):
            raise IrsmithError(f"{folder}: holds a run of another size: name another folder")

    def step(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Do a step unless it is done, and note its figures."""
        if name not in self.done:
            began = time.monotonic()
            print(f"{name} …", file=sys.stderr, flush=True)
            found = work()
            self.done[name] = {"seconds": round(time.monotonic() - began, 1), **found}
            write_beside(self._notes, json.dumps(self.done, indent=1).encode())

    def go(self) -> None:
        """All steps, in the order of the data."""
        self.step("functions", self.functions)
        self.step("tune labels", self.tune_labels)
        for kind in ("emulate", "disassemble"):
            self.step(f"{kind} labels", functools.partial(self.example_labels, kind))
        self.step("tokenizer", self.tokenizer)
        self.step("packing", self.pack)
        for number, stage in enumerate(("pretrain", "mixed")):
            self.step(stage, functools.partial(self.train, stage, number))
        self.step("tuning, measured", self.measure_tuning)
        for kind in ("disassemble", "emulate"):
            self.step(f"{kind}, measured", functools.partial(self.measure_reading, kind))

    def functions(self) -> dict[str, Any]:
        """Cut the sample's functions out, each kept once."""
        parts = parts_of([SAMPLE], 32)
        shards = cut_parts(parts, self.folder / "functions/shards", self.executor)
        found = gather(parts, shards, self.folder / "functions")
        return {"functions": sum(found.kept.values()), "by split": found.kept}

    def tune_labels(self) -> dict[str, Any]:
        """Search, judge with the quick suite, share out."""
        plan = TunePlan(
            SearchPlan(budget=48, insertions=0, swaps=0),
            self.plan.modules,
            searched=0.3,
            largest=1000,
            nominated=60,
            voters=30,
            shared=6,
            suite="quick",
        )
        files = [path for path in self._corpus() if not path.name.startswith("test")]
        made = label_tune(
            self.toolchain,
            parts_of(files, 256),
            plan,
            self.folder / "labels/tune",
            self.executor,
            cores(),
        )
        refused = sum(one.state != "passed" for one in made.judged)
        return {"labels": made.labels, "lists": len(made.judged), "refused": refused}

    def example_labels(self, kind: Any) -> dict[str, Any]:
        """Compilations to emulate, or to read back."""
        from irsmith.labels.gather import gather as gather_labels

        plan = ExamplePlan(kind, 1, longest=8000, pick=Pick(self.plan.examples, kind, 4, 400))
        folder = self.folder / "labels" / kind
        files = [path for path in self._corpus() if not path.name.startswith("test")]
        shards = make_parts(parts_of(files, 256), plan, folder / "shards", self.executor)
        found = gather_labels(kind, shards, folder)
        return {"labels": found.rows, "left out": sum(found.left_out.values())}

    def tokenizer(self) -> dict[str, Any]:
        """Train a tokenizer on the train split of the sample."""
        from irsmith.model.texts import sample_texts
        from irsmith.model.tokenizer import Tokenizer, train_tokenizer

        modules = read_modules(SAMPLE, "train")
        texts = [t.text for t in sample_texts(self.toolchain, modules, self.plan.characters)]
        data = train_tokenizer(texts, self.plan.vocabulary)
        write_beside(self.folder / "data/tokenizer.json", data)
        made, held = Tokenizer(data), 0
        modules = read_modules(SAMPLE, "validation")
        tokens: Counter[str] = Counter()
        for text in sample_texts(self.toolchain, modules, self.plan.characters // 8):
            tokens["tokens"] += len(made.encode(text.text))
            held += len(text.text)
        return {"ids": made.size, "characters a token": round(held / tokens["tokens"], 2)}

    def pack(self) -> dict[str, Any]:
        """Packed data of every stage."""
        from irsmith.model.tokenizer import load_tokenizer
        from irsmith.train.pack import PackPlan, pack_stage

        data = self.folder / "data"
        labels = tuple(self.folder / "labels" / kind for kind in STAGES[1:])
        for triple in DEFAULT_TARGETS.values():
            name = portfolio_name(triple)
            if (labels[1] / name).exists():
                write_beside(data / name, (labels[1] / name).read_bytes())
        plan = PackPlan(tuple(self._corpus()), labels, pretrained=self.plan.pretrained)
        tokenizer, found = load_tokenizer(data / "tokenizer.json"), {}
        for stage in STAGES:
            counts = pack_stage(self.toolchain, tokenizer, stage, plan, data, cores())
            found[stage] = counts["train"]["tokens"]
        return {"tokens": found}

    def train(self, stage: str, number: int) -> dict[str, Any]:
        """A stage, as long as the plan says."""
        from irsmith.model.onnx import export_engine
        from irsmith.train.loop import train
        from irsmith.train.publish import publish
        from irsmith.train.speed import measure_speed

        data, out = self.folder / "data", self.folder / stage
        config = self._config(stage)
        speed_file = self.folder / f"{stage}-steps.json"
        if not speed_file.exists():
            speed = measure_speed(config, data, self.folder / "speed", 8)
            note = asdict(speed) | {"steps": speed.steps(self.plan.minutes[number], 8)}
            write_beside(speed_file, json.dumps(note).encode())
        note = json.loads(speed_file.read_text())
        config = replace(config, steps=note["steps"])
        say = _quiet
        result = train(config, data, out, resume=(out / "checkpoints").exists(), say=say)
        release = publish(result, config, data, out)
        export_engine(release)
        return {
            "steps": result.step,
            "tokens": result.tokens,
            "tokens a second": round(note["tokens"]),
            "loss": round(result.loss or 0.0, 3),
            "validation": {name: _bits(figures) for name, figures in result.validation.items()},
        }

    def _config(self, stage: str) -> TrainConfig:
        shares = {"pretrain": 1.0}
        if stage == "mixed":
            shares = dict.fromkeys(STAGES[1:], (1 - REPLAY) / 3) | {"pretrain": REPLAY}
        start = "" if stage == "pretrain" else str(self.folder / "pretrain/release")
        return TrainConfig(
            stage=stage,
            size=self.plan.size,
            sources=tuple(Source(name, share) for name, share in shares.items()),
            context=self.plan.context,
            batch=self.plan.batch,
            micro=4,
            loss_chunk=2048,
            warmup=8,
            decay=0.4,
            rate=4e-3 if stage == "pretrain" else 2e-3,
            validate_every=0,
            validation_sequences=32,
            checkpoint_every=0,
            compile="no",
            start=start,
        )

    def measure_tuning(self) -> dict[str, Any]:
        """The model's first lists against the portfolio's, on validation functions."""
        from irsmith.evaluate.answers import tune_gain, tune_module
        from irsmith.infer.load import open_model

        release = self.folder / "mixed/release"
        model = open_model(release)
        portfolio = read_portfolio(release, TARGET)
        shipped = load_portfolio(TARGET)
        lists = Shipped(shipped.candidates, shipped.toolchain)
        verdicts: dict[Candidate, Verdict] = {}

        def judge(candidate: Candidate) -> Verdict:
            if candidate not in verdicts:
                verdicts[candidate] = accept(self.toolchain, TARGET, candidate, lists)
            return verdicts[candidate]

        results = []
        with (
            RenderWorker(self.toolchain, TARGET) as renders,
            Evaluator(self.toolchain, TARGET) as evaluator,
        ):
            for row, _ in self._labelled("tune"):
                results.append(
                    tune_module(renders, evaluator, model, row, portfolio, judge, COUNTS)
                )
        gains = {
            f"{who}, k = {k}": _interval(asdict(tune_gain(results, who, k)))
            for who in ("model", "portfolio")
            for k in COUNTS
        }
        seconds = sum(one.seconds for one in results) / max(1, len(results))
        silent = sum(bool(one.reason) for one in results)
        return {
            "n": len(results),
            "prompts that do not fit the window": silent,
            "model seconds": round(seconds, 2),
            **gains,
        }

    def measure_reading(self, kind: str) -> dict[str, Any]:
        """Grades of the model's answers on validation functions."""
        from irsmith.evaluate.answers import disassemble_module, emulate_module
        from irsmith.infer.load import open_model
        from irsmith.infer.sample import Settings

        model = open_model(self.folder / "mixed/release")
        settings = Settings(temperature=0, longest=400)
        grades: Counter[str] = Counter()
        with RenderWorker(self.toolchain, TARGET) as renders:
            for row, label in self._labelled(kind):
                if kind == "disassemble":
                    version = self.toolchain.version
                    read = disassemble_module(renders, model, row, label, version, settings)
                else:
                    read = emulate_module(renders, model, row, label, settings)
                grades[read.grade] += 1
        return {"n": sum(grades.values()), **grades}

    def _labelled(self, kind: str) -> Iterator[tuple[Row, Any]]:
        """Validation functions with labels of a kind, in the order of their hashes."""
        found = {}
        for path in corpus_files([self.folder / "labels" / kind]):
            for one in read_labels(path, tried=False):
                if one.split == "validation" and one.target == TARGET:
                    found[one.label.module] = one.label
        rows = [
            row
            for path in self._corpus()
            if path.name.startswith("validation")
            for row in read_rows(path)
            if row.sha256 in found
        ]
        for row in sorted(rows, key=lambda row: row.sha256)[: self.plan.tested]:
            yield row, found[row.sha256]

    def _corpus(self) -> list[Path]:
        return corpus_files([self.folder / "functions"])

    def report(self) -> str:
        """What came out, for people."""
        done = dict(self.done)
        plan = done.pop("plan")
        total = sum(step["seconds"] for step in done.values())
        lines = [
            "# From a sample corpus to a model on a laptop",
            "",
            f"A `{plan['size']}` model, LLVM {self.toolchain.version}, {cores()} cores, "
            f"{total / 60:.1f} minutes in all. It has seen very little: this shows the way, "
            "not what the method can do.",
            "",
            "| step | seconds | what came of it |",
            "|---|---|---|",
        ]
        for name, step in done.items():
            what = "; ".join(f"{key}: {_words(v)}" for key, v in step.items() if key != "seconds")
            lines.append(f"| {name} | {step['seconds']:.0f} | {what} |")
        lines += [
            "",
            "Bytes saved are of what -Oz loads, means over functions with 95 % intervals by "
            "package; everything that counts was compiled and passed the quick suite. "
            "`validation` is bits a byte of the text to be said, or a token where that is a list.",
        ]
        return "\n".join(lines) + "\n"


def _quiet(line: str) -> None:
    if "resumed" in line:
        print(line, file=sys.stderr)


def _bits(figures: dict[str, float]) -> str:
    """Bits a byte of text; where an answer is a list and not text, bits a token."""
    if figures.get("bits_per_byte"):
        return f"{figures['bits_per_byte']:.3f}"
    return f"{figures['bits_per_token']:.3f} a token"


def _interval(gain: dict[str, Any]) -> str:
    return f"{100 * gain['mean']:.2f} % [{100 * gain['low']:.2f}, {100 * gain['high']:.2f}]"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(one)}" for key, one in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def main() -> int:
    """Go the way and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, metavar="RUN")
    parser.add_argument("--short", action="store_true", help="3 minutes, a tiny model")
    arguments = parser.parse_args()
    try:
        way = Way(arguments.output, SHORT if arguments.short else Plan())
        way.go()
    except IrsmithError as error:
        print(f"laptop: {error}", file=sys.stderr)
        return 2
    report = way.report()
    write_beside(arguments.output / "report.md", report.encode())
    print(report, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
