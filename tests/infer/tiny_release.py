"""A tiny release with the shipped tokenizer, for the tests of inference."""

from importlib import resources
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

from irsmith.model.config import ModelConfig  # noqa: E402
from irsmith.model.network import build  # noqa: E402
from irsmith.model.onnx import export_engine  # noqa: E402
from irsmith.model.release import save_release  # noqa: E402

SHAPES = {
    tied: ModelConfig(16_384, 64, 2, 4, 2, 96, context=1024, tied=tied) for tied in (True, False)
}
TOKENIZER = Path(str(resources.files("irsmith.model").joinpath("data/tokenizer.json")))


def network_of(shape, sharp=3.0, seed=4):
    """A network with random weights; the last norm's size says how sure it is."""
    network = build(shape, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # weights of norms are 1 at first, which would hide a mix-up
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.5, 1.5, generator=generator)
        network.model.norm.weight *= sharp
    return network


def write_release(folder, network, half=False):
    """A release with its graph."""
    save_release(folder, network, end=0, tokenizer=TOKENIZER, half=half)
    export_engine(folder)
    return folder
