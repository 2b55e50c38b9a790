"""Opening a release for inference."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from irsmith.model.config import SIZES
from irsmith.records import IrsmithError

if TYPE_CHECKING:
    from irsmith.infer.engine import Engine
    from irsmith.model.config import ModelConfig
    from irsmith.model.release import About
    from irsmith.model.tokenizer import Tokenizer
    from irsmith.tasks.pack import Packer

EngineName = Literal["auto", "onnxruntime", "numpy", "torch", "server"]
ENGINES: tuple[EngineName, ...] = ("auto", "onnxruntime", "numpy", "torch", "server")
_NEEDS = ("numpy", "tokenizers")


@dataclass(frozen=True, slots=True)
class Model:
    """A release that can answer.

    Attributes:
        folder: of the release.
        engine: computes.
        tokenizer: text to ids and back.
        packer: prompts to ids, ids to answers.
        about: what the release says of itself.
        note: what the person should know of the choice of engine; usually empty.
    """

    folder: Path
    engine: Engine
    tokenizer: Tokenizer
    packer: Packer
    about: About
    note: str = ""


def shipped_models() -> dict[str, Path]:
    """The releases that come with this package, by name, smallest first."""
    folder = Path(str(resources.files("irsmith"))) / "weights"
    return {name: folder / name for name in SIZES if (folder / name / "config.json").exists()}


_ADDRESS = ("http://", "https://")


def open_named(name: str, threads: int = 0) -> Model:
    """Open what a person named on a command line.

    Args:
        name: of a shipped release, such as ``nano``; or a release folder; or the address of
            a server that serves the shipped weights, such as ``http://localhost:8000/v1``.
        threads: of onnxruntime; 0: one a core.

    Raises:
        IrsmithError: there is no such model, or it cannot be opened.
    """
    folder = folder_of(name)
    if name.startswith(_ADDRESS):
        return open_model(folder, "server", url=name)
    return open_model(folder, threads=threads)


def folder_of(name: str) -> Path:
    """The release folder of what a person named; of a server, the one that it serves.

    Raises:
        IrsmithError: there is no such model.
    """
    shipped = shipped_models()
    if name.startswith(_ADDRESS):
        if not shipped:
            raise IrsmithError("a server needs a shipped release for its tokenizer: none is here")
        return next(iter(shipped.values()))
    folder = shipped.get(name, Path(name))
    if not folder.is_dir():
        known = ", ".join(shipped) or "none ships"
        raise IrsmithError(f"no model {name!r}: name one that ships ({known}), a folder or a URL")
    return folder


def open_model(
    folder: Path,
    engine: EngineName = "auto",
    precision: Literal["fp32", "int8"] = "fp32",
    threads: int = 0,
    device: str = "cpu",
    url: str = "",
    top: int = 20,
) -> Model:
    """Open a release folder.

    Args:
        folder: the release.
        engine: ``auto`` takes onnxruntime, or numpy where that cannot be.
        precision: of onnxruntime's graph.
        threads: of onnxruntime; 0: one a core.
        device: of torch.
        url: of a server that serves these weights, such as ``http://localhost:8000/v1``.
        top: likeliest tokens that a server is asked for.

    Raises:
        IrsmithError: a package or a file is missing, damaged, or files do not belong
            together.
    """
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise IrsmithError(f"a model needs {missing[0]}: pip install 'irsmith[infer]'")
    from irsmith.model.release import TOKENIZER, read_about
    from irsmith.model.tokenizer import load_tokenizer
    from irsmith.tasks.pack import Packer

    if engine not in ENGINES:
        raise IrsmithError(f"no engine {engine!r}: choose one of {', '.join(ENGINES)}")
    about = read_about(folder)
    path = folder / TOKENIZER
    if not path.exists():
        raise IrsmithError(f"{folder}: {TOKENIZER} is missing: a release without it cannot read")
    tokenizer = load_tokenizer(path)
    if tokenizer.size > about.shape.vocabulary or tokenizer.end != about.end:
        raise IrsmithError(
            f"{path}: {tokenizer.size} ids, end {tokenizer.end}; the weights have "
            f"{about.shape.vocabulary}, end {about.end}: not the tokenizer of these weights"
        )
    if engine == "server":
        from irsmith.infer.engine_server import ServerEngine

        return Model(
            folder, ServerEngine(url, about.shape, top), tokenizer, Packer(tokenizer), about
        )
    if engine == "torch":
        return Model(folder, _torch(folder, device), tokenizer, Packer(tokenizer), about)
    made, note = _local(folder, about.shape, engine, precision, threads)
    return Model(folder, made, tokenizer, Packer(tokenizer), about, note)


def _local(
    folder: Path,
    shape: ModelConfig,
    name: EngineName,
    precision: Literal["fp32", "int8"],
    threads: int,
) -> tuple[Engine, str]:
    """An engine that reads the weights without torch, and a note."""
    from irsmith.model.onnx import ENGINES as GRAPHS
    from irsmith.model.weights import read_weights

    weights = read_weights(folder, shape)
    graph = folder / GRAPHS[precision]
    note = ""
    if name == "auto":
        if importlib.util.find_spec("onnxruntime") is None:
            note = "onnxruntime is not installed: numpy computes, at about half the speed"
        elif not graph.exists():
            note = f"{graph.name} is missing: numpy computes, at about half the speed"
    if name == "numpy" or note:
        from irsmith.infer.engine_numpy import NumpyEngine

        return NumpyEngine(shape, weights.arrays), note
    from irsmith.infer.engine_onnx import OnnxEngine

    if not graph.exists():
        raise IrsmithError(
            f"{graph}: missing: irsmith.model.onnx.export_engine writes it into a release"
        )
    return OnnxEngine(graph, shape, weights.digest, threads), ""


def _torch(folder: Path, device: str) -> Engine:
    if importlib.util.find_spec("torch") is None:
        raise IrsmithError("this engine needs torch: pip install 'irsmith[train]'")
    from irsmith.infer.engine_torch import TorchEngine
    from irsmith.model.release import load_release

    network, _ = load_release(folder)
    return TorchEngine(network, device, half=device.startswith("cuda"))
