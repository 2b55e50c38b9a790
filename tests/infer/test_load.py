"""A release that is not whole, or not of one piece, is refused in one line."""

import json
import shutil
import subprocess
import sys

import pytest
from tiny_release import SHAPES, TOKENIZER, network_of

from irsmith.infer.load import open_model
from irsmith.model.release import save_release
from irsmith.records import IrsmithError


@pytest.fixture
def folder(release, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(release, copy)
    return copy


def refused(folder, match, engine="onnxruntime"):
    with pytest.raises(IrsmithError, match=match) as caught:
        open_model(folder, engine)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ["onnxruntime", "numpy", "torch"])
def test_truncated_and_missing_weights(folder, engine):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for length in (len(whole) - 5, 3000, 20, 4, 0):
        path.write_bytes(whole[:length])
        refused(folder, "damaged or cut short", engine)
    path.unlink()
    refused(folder, "missing: copy the release again", engine)


def test_missing_parts(folder):
    (folder / "tokenizer.json").unlink()
    refused(folder, "tokenizer.json is missing")
    (folder / "config.json").unlink()
    refused(folder, "no model there")


def test_another_tokenizer(folder):
    path = folder / "tokenizer.json"
    path.write_text(path.read_text() + " ")
    refused(folder, "not the tokenizer that these weights were trained with")


def test_a_tokenizer_that_does_not_fit_the_weights(tmp_path):
    save_release(tmp_path, network_of(SHAPES[True]), end=5, tokenizer=TOKENIZER)
    refused(tmp_path, "not the tokenizer of these weights")


def test_weights_of_another_shape(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"intermediate_size": 128}))
    refused(folder, r"down_proj.weight is \(64, 96\), but config.json says \(64, 128\)")
    path.write_text(json.dumps(config | {"num_hidden_layers": 3}))
    refused(folder, "missing from the file")


def test_unknown_engine(folder):
    refused(folder, "no engine 'cuda'", "cuda")
    refused(folder, "no address of a server", "server")


WITHOUT = """
import sys
for name in sys.argv[2].split(","):
    sys.modules[name] = None
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in sys.argv[2].split(",") else found(name)
from pathlib import Path
from irsmith.infer.load import open_model
from irsmith.records import IrsmithError
try:
    model = open_model(Path(sys.argv[1]))
    state = model.engine.prefill([3, 4, 5])
    print(type(model.engine).__name__, "|", model.note, "|", "torch" in sys.modules)
except IrsmithError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("none", "OnnxEngine |  | False"),
        ("onnxruntime", "NumpyEngine | onnxruntime is not installed"),
        ("numpy", "a model needs numpy: pip install 'irsmith[infer]'"),
        ("tokenizers", "a model needs tokenizers: pip install 'irsmith[infer]'"),
        ("torch,onnx,safetensors,transformers", "OnnxEngine |  | "),
    ],
)
def test_what_is_needed_and_what_is_not(release, missing, said):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(release), missing],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert done.stdout.startswith(said), done.stdout + done.stderr
