"""The network as an ONNX graph for onnxruntime, built node by node.

Grouped attention with rotary positions and a key cache is one node
(``com.microsoft.GroupQueryAttention``), which is what makes it fast on a CPU; exporters
through torch leave it as dozens. Computing is in float32.

:func:`export_engine` writes the graph that :mod:`irsmith.infer` runs. It has no weights of
its own: it points into the release's ``model.safetensors``. The new tokens of a row may
continue different places of one cache (a tree of continuations), because position and mask
are inputs:

- ``input_ids`` and ``position_ids`` (batch, new) int64; ``places`` (wanted) int64, which of
  the new tokens get logits, counted through all rows; ``attention_bias`` (batch, 1, new,
  total) float32, added to the scores: 0 where a token may look, a large negative number
  elsewhere; ``seqlens_k`` (batch) int32, each row's tokens, the new ones included, less one.
  ``cosine`` and ``sine`` (turns, head width / 2) float32 are the rotary tables: onnxruntime
  wants as many turns as the cache has tokens, and a tree has more of them than a text.
- ``past_key_values.I.key`` and ``.value`` (batch, kv heads, held, head width): a buffer that
  may hold more than ``total``; bound to ``present.I.*`` too, it is written in place. Many
  rows add one token each, one row any number.
- ``logits`` (wanted, vocabulary).

:func:`export_onnx` writes a graph with its weights for others' programs, named as
onnxruntime-genai names its parts: with the logits of the last position, or of all. Inputs:
``input_ids`` (batch, new) int64, ``attention_mask`` (batch, past + new) int64 and the cache
(batch, kv heads, past, head width). Outputs: ``logits`` (batch, 1 or new, vocabulary) and
``present.I.*``. The mask is 1 everywhere: rows of one call have the same length. With more
than one row, new tokens come either first (past 0) or one at a time; one row may add any
number to any past.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from irsmith.model.graph import FORMAT, Graph, Precision
from irsmith.model.release import read_about
from irsmith.model.weights import read_weights
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

if TYPE_CHECKING:
    from irsmith.model.network import Network

ENGINES: dict[Precision, str] = {"fp32": "engine.onnx", "int8": "engine-int8.onnx"}
"""The graphs of a release, by precision."""


def export_onnx(network: Network, path: Path, logits: Literal["last", "all"] = "last") -> Path:
    """Write one graph; weights of two gigabytes or more go into ``PATH.data`` beside it.

    Args:
        network: with whole weights.
        path: the file.
        logits: ``last`` or ``all`` positions.

    Returns:
        The file.

    Raises:
        IrsmithError: package onnx is missing, or the file cannot be written.
    """
    onnx = _library()
    weights = {name: t.detach().float().numpy() for name, t in network.state_dict().items()}
    model = Graph(network.config, weights, logits).model()
    try:
        if sum(array.nbytes for array in weights.values()) < 1_900_000_000:
            write_beside(path, model.SerializeToString())
        else:
            beside = path.with_suffix(path.suffix + ".part")
            onnx.save(model, beside, save_as_external_data=True, location=path.name + ".data")
            beside.replace(path)
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def export_engine(folder: Path, precision: Precision = "fp32") -> Path:
    """Write the graph that :mod:`irsmith.infer` runs into a release folder; needs no torch.

    Args:
        folder: a release.
        precision: ``fp32`` computes with the weights as they lie there. ``int8`` writes the
            matrices once more, rounded to 8 bits with a scale a block of 128
            weights, into a file beside the graph; inputs of a product are then rounded too.

    Returns:
        The graph.

    Raises:
        IrsmithError: package onnx is missing, the folder is no release, or it cannot be
            written.
    """
    _library()
    about = read_about(folder)
    weights = read_weights(folder, about.shape)
    path = folder / ENGINES[precision]
    graph = Graph(about.shape, weights.arrays, "places", weights, precision)
    graph.data_name = path.name + ".data"
    model = graph.model()
    for key, value in (("weights", weights.digest), ("format", FORMAT)):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    try:
        if graph.data:
            write_beside(folder / graph.data_name, b"".join(graph.data))
        write_beside(path, model.SerializeToString())
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _library() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise IrsmithError("export needs onnx: pip install 'irsmith[export]'") from error
    return onnx
