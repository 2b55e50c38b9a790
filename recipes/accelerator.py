"""One accelerator for 25 minutes: pack here, train there in calls of some minutes, join here.

    python recipes/accelerator.py pack CORPUS… --labels DIR… --output UP       # here
    python recipes/accelerator.py run --pieces UP --state STATE --minutes 9    # there, again
    python recipes/accelerator.py collect --state STATE --output OUT --part 0  # there
    python recipes/accelerator.py join OUT… --output RELEASE                   # here

``pack`` writes the packed data of all stages as pieces of at most ``--piece`` MiB, for
machines that take a little at a time: bring them all into one folder there. ``run`` unpacks
them, measures the speed, sets the steps of each stage so that all fit into ``--total``
minutes, and trains until ``--minutes`` are over; the same command goes on where it stopped,
and does nothing when all is done. It needs torch, numpy, safetensors and this package, no
LLVM. ``collect`` puts part after part of the result (bfloat16 weights, metrics, curves) into
a folder, and ``join`` makes the release of them.

    python recipes/accelerator.py run --pieces UP --state STATE --toy    # a rehearsal on a CPU
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.train.config import Source, TrainConfig
from irsmith.train.recipes import REPLAY

MIB = 1 << 20
LATER = ("emulate", "tune", "disassemble")
SHARES = {"pretrain": 0.5, "mixed": 0.4}
"""Of the whole time; the rest is for compiling, validation and checkpoints."""
CALIBRATION = 40
"""Steps that measure the speed; the first quarter of them warms up."""


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Unpack an archive of our own; Pythons before 3.11.4 know no filter."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
    else:
        tar.extractall(folder)


def stages(data: Path) -> dict[str, TrainConfig]:
    """Pretraining, and one mixed stage of all the others, without their steps.

    Args:
        data: packed; a stage that is not there is left out of the mixture.
    """
    base = TrainConfig(
        stage="pretrain",
        size="small",
        sources=(Source("pretrain"),),
        batch=64,
        micro=16,
        loss_chunk=16_384,
        validate_every=500,
        checkpoint_every=0,
    )
    found = {"pretrain": base}
    there = [name for name in LATER if (data / name / "train").exists()]
    if there:
        sources = [Source(name, (1 - REPLAY) / len(there)) for name in there]
        found["mixed"] = replace(
            base,
            stage="mixed",
            sources=(*sources, Source("pretrain", REPLAY)),
            rate=1e-3,
            decay=0.5,
        )
    return found


def toy(config: TrainConfig) -> TrainConfig:
    """The same run at a size that a CPU does in seconds."""
    return replace(
        config, size="tiny", context=256, batch=2, micro=2, loss_chunk=0, warmup=2,
        validation_sequences=4, compile="no", precision="fp32",
    )  # fmt: skip


def pack(arguments: argparse.Namespace) -> None:
    """Pack every stage for which there are labels, and cut the archive into pieces."""
    here = Path(__file__).resolve().parent
    data = arguments.output / "data"
    command = [sys.executable, str(here / "pack.py"), *map(str, arguments.corpus)]
    command += ["--output", str(data), "--jobs", str(arguments.jobs), "--stages", "pretrain"]
    if arguments.labels:
        command += [*kinds(arguments.labels), "--labels", *map(str, arguments.labels)]
    if subprocess.run(command, check=False).returncode:
        raise IrsmithError("packing failed: see above")
    archive = arguments.output / "data.tar.xz"
    with tarfile.open(archive, "w:xz") as tar:
        tar.add(data, arcname="data")
    names = split(archive, arguments.output, "piece", arguments.piece * MIB)
    archive.unlink()
    shutil.rmtree(data)
    print(*names, sep="\n")


def kinds(labels: Sequence[Path]) -> list[str]:
    """The stages for which label files are there."""
    from irsmith.corpus.rows import corpus_files
    from irsmith.labels.rows import read_head

    found = {read_head(path).kind for path in corpus_files(labels)}
    return [name for name in LATER if name in found]


def split(whole: Path, folder: Path, stem: str, size: int) -> list[Path]:
    """Cut a file into ``STEM-000`` and so on; ``STEM.json`` says what they must be."""
    made: list[Path] = []
    entries: list[dict[str, str]] = []
    with whole.open("rb") as file:
        while part := file.read(size):
            path = folder / f"{stem}-{len(made):03d}"
            write_beside(path, part)
            made.append(path)
            entries.append({"name": path.name, "sha256": hashlib.sha256(part).hexdigest()})
    manifest = folder / f"{stem}.json"
    write_beside(manifest, json.dumps({"file": whole.name, "parts": entries}).encode())
    return [*made, manifest]


def parts_of(folders: Sequence[Path], stem: str) -> Iterator[bytes]:
    """The parts of a file that was cut, each checked.

    Raises:
        IrsmithError: a part is missing or damaged.
    """
    every = {path.name: path for folder in folders for path in folder.glob(f"{stem}*")}
    if f"{stem}.json" not in every:
        raise IrsmithError(f"{', '.join(map(str, folders))}: no {stem}.json there")
    for entry in json.loads(every[f"{stem}.json"].read_text())["parts"]:
        path = every.get(entry["name"])
        data = path.read_bytes() if path else b""
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise IrsmithError(f"{entry['name']} is {'damaged' if path else 'missing'}")
        yield data


def run(arguments: argparse.Namespace) -> None:
    """Go on with the run until the minutes are over."""
    from irsmith.train.loop import train
    from irsmith.train.publish import publish

    until = time.monotonic() + 60 * arguments.minutes
    state: Path = arguments.state
    data = unpacked(arguments.pieces, state)
    configs = stages(data)
    if arguments.toy:
        configs = {name: toy(config) for name, config in configs.items()}
    if arguments.size:
        configs = {name: replace(config, size=arguments.size) for name, config in configs.items()}
    steps = plan(configs, data, state, arguments.total)
    start = ""
    for name, config in configs.items():
        out = state / name
        if not (out / "release" / "config.json").exists():
            left = (until - time.monotonic()) / 60
            if left <= 0:
                print("time is over: run again to go on")
                return
            config = replace(config, steps=steps[name], start=start)
            resume = (out / "checkpoints").exists()
            result = train(config, data, out, resume=resume, minutes=left)
            if result.step < config.steps:
                print(f"{name}: {result.step} of {config.steps} steps: run again to go on")
                return
            publish(result, config, data, out)
        start = str(out / "release")
    print(f"done: {start}; collect it")


def unpacked(pieces: Path, state: Path) -> Path:
    """The data folder, unpacked if it is not yet."""
    data = state / "data"
    if not data.exists():
        archive = io.BytesIO(b"".join(parts_of([pieces], "piece")))
        shutil.rmtree(state / "half", ignore_errors=True)
        with tarfile.open(fileobj=archive, mode="r:xz") as tar:
            _unpack(tar, state / "half")
        (state / "half" / "data").rename(data)
    return data


def plan(
    configs: dict[str, TrainConfig], data: Path, state: Path, minutes: float
) -> dict[str, int]:
    """The steps of each stage, by a measurement of the speed that is made once."""
    from irsmith.train.speed import measure_speed

    path = state / "plan.json"
    if not path.exists():
        speed = measure_speed(configs["pretrain"], data, state / "calibration", CALIBRATION)
        made = {name: speed.steps(minutes * SHARES[name], CALIBRATION) for name in configs}
        note = {**asdict(speed), "steps": made}
        print("plan:", json.dumps(note))
        write_beside(path, json.dumps(note).encode())
    steps: dict[str, int] = json.loads(path.read_text())["steps"]
    return steps


def collect(arguments: argparse.Namespace) -> None:
    """Put one part of the result into a folder; the parts are made the first time."""
    state: Path = arguments.state
    parts = state / "parts"
    if not parts.exists():
        last = [name for name in SHARES if (state / name / "release" / "config.json").exists()]
        if not last:
            raise IrsmithError(f"{state}: no stage is finished: run again to go on")
        half = state / "half-release"
        shrink(state / last[-1] / "release", half)
        archive = state / "result.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(half, arcname="release")
            for name in last:
                for file in ("metrics.jsonl", "curves.png"):
                    if (state / name / file).exists():
                        tar.add(state / name / file, arcname=f"{name}-{file}")
            tar.add(state / "plan.json", arcname="plan.json")
        parts.mkdir()
        split(archive, parts, "result", arguments.piece * MIB)
    arguments.output.mkdir(parents=True, exist_ok=True)
    every = sorted(parts.glob("result-*"))
    chosen = every[arguments.part * arguments.count : (arguments.part + 1) * arguments.count]
    for path in (parts / "result.json", *chosen):
        shutil.copy(path, arguments.output / path.name)
    print(f"{len(chosen)} of {len(every)} parts")


def shrink(release: Path, folder: Path) -> None:
    """A release with its weights in bfloat16."""
    from irsmith.model.release import load_release, save_release

    network, about = load_release(release)
    tokenizer = release / "tokenizer.json"
    save_release(
        folder,
        network,
        end=about.end,
        tokenizer=tokenizer if tokenizer.exists() else None,
        trained=about.trained,
        half=True,
    )
    for path in release.glob("portfolio-*.json"):
        shutil.copy(path, folder / path.name)


def join(arguments: argparse.Namespace) -> None:
    """Make the release of all parts."""
    archive = io.BytesIO(b"".join(parts_of(arguments.folders, "result")))
    with tarfile.open(fileobj=archive) as tar:
        _unpack(tar, arguments.output)
    print(arguments.output)


def main() -> int:
    """Do one of the four steps."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(required=True)
    here = steps.add_parser("pack", help="data into pieces")
    here.add_argument("corpus", type=Path, nargs="+")
    here.add_argument("--labels", type=Path, nargs="*", default=[])
    here.add_argument("--jobs", type=int, default=1)
    here.set_defaults(step=pack)
    there = steps.add_parser("run", help="train until the minutes are over")
    there.add_argument("--pieces", type=Path, required=True)
    there.add_argument("--minutes", type=float, default=9.0, help="of this call")
    there.add_argument("--total", type=float, default=25.0, help="minutes of the whole run")
    there.add_argument("--size", help="of the model (default small)")
    there.add_argument("--toy", action="store_true", help="a rehearsal on a CPU")
    there.set_defaults(step=run)
    back = steps.add_parser("collect", help="part after part of the result")
    back.add_argument("--part", type=int, default=0)
    back.add_argument("--count", type=int, default=4, help="files a part")
    back.set_defaults(step=collect)
    for step in (there, back):
        step.add_argument("--state", type=Path, required=True)
    again = steps.add_parser("join", help="parts into a release")
    again.add_argument("folders", type=Path, nargs="+")
    again.set_defaults(step=join)
    for step in (here, back, again):
        step.add_argument("--output", type=Path, required=True)
    for step in (here, back):
        step.add_argument("--piece", type=int, default=15, help="MiB of a piece at most")
    arguments = parser.parse_args()
    try:
        arguments.step(arguments)
    except IrsmithError as error:
        print(f"accelerator: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
