"""From a run's last checkpoint to a release folder, its graph for inference included."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from irsmith.model.onnx import export_engine
from irsmith.model.release import TOKENIZER, hash_of, save_release
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.train.config import TrainConfig
from irsmith.train.data import read_meta
from irsmith.train.loop import Trained
from irsmith.train.setup import weights_of


def find_tokenizer(config: TrainConfig, data: Path) -> Path | None:
    """``DATA/tokenizer.json``, or None if there is none.

    Raises:
        IrsmithError: it is not the one that packed the data.
    """
    path = data / TOKENIZER
    if not path.exists():
        return None
    meta = read_meta(data / config.sources[0].name / "train")
    if meta.tokenizer and hash_of(path) != meta.tokenizer:
        raise IrsmithError(f"{path}: not the tokenizer that packed the data")
    return path


def publish(result: Trained, config: TrainConfig, data: Path, out: Path) -> Path:
    """Write ``OUT/release`` from a finished run; tokenizer and portfolios of DATA go with it.

    The graph for inference too, where package onnx is installed.

    Args:
        result: what :func:`irsmith.train.loop.train` returned.
        config: the run.
        data: its data folder.
        out: its folder.

    Returns:
        The release folder.

    Raises:
        IrsmithError: the tokenizer does not fit, or the folder cannot be written.
    """
    meta = read_meta(data / config.sources[0].name / "train")
    network, _ = weights_of(result.checkpoint, meta)
    trained = {
        "stage": config.stage,
        "size": config.size,
        "steps": result.step,
        "tokens": result.tokens,
        "loss": result.loss,
        "optimizer": config.optimizer,
        "data": ", ".join(f"{s.name} {s.weight:.2f}" for s in config.sources),
        "validation": result.validation,
    }
    folder = out / "release"
    tokenizer = find_tokenizer(config, data)
    save_release(folder, network, end=meta.end, tokenizer=tokenizer, trained=trained)
    for portfolio in sorted(data.glob("portfolio-*.json")):
        write_beside(folder / portfolio.name, portfolio.read_bytes())
    # A machine that only trains may be without onnx; whoever opens the release is told.
    if importlib.util.find_spec("onnx") is not None:
        export_engine(folder)
    return folder
