"""The nodes of the network's ONNX graph; what the graphs are for is told in ``onnx``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irsmith.model.config import ModelConfig
from irsmith.model.weights import Weights

Logits = Literal["last", "all", "places"]
"""Positions that get logits; ``places``: those that an input names."""
Precision = Literal["fp32", "int8"]

FORMAT = "1"
"""Of the inputs and outputs of the graph for :mod:`irsmith.infer`; kept in the file."""
OPSET = 17
MICROSOFT = "com.microsoft"
BLOCK = 128
"""Weights that share a scale in int8: a block of one output's inputs."""


def rotary_tables(config: ModelConfig) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines of the rotary positions, each (context, head width / 2)."""
    half = config.head_width // 2
    frequency = config.rope_base ** -(np.arange(half, dtype=np.float64) / half)
    angle = np.arange(config.context, dtype=np.float64)[:, None] * frequency
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def round_to_int8(
    matrix: NDArray[np.float32], block: int = BLOCK
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A matrix in 8 bits, as ``MatMulNBits`` reads it.

    Args:
        matrix: (outputs, inputs).
        block: inputs that share a scale; the last block is filled with zeros.

    Returns:
        Values plus 128, (outputs, blocks, block), and scales, (outputs, blocks): the largest
        magnitude of a block becomes 127.
    """
    outputs, inputs = matrix.shape
    blocks = -(-inputs // block)
    padded = np.zeros((outputs, blocks * block), np.float32)
    padded[:, :inputs] = matrix
    parts = padded.reshape(outputs, blocks, block)
    scales = np.maximum(np.abs(parts).max(axis=2), np.float32(1e-12)) / np.float32(127)
    return (np.rint(parts / scales[:, :, None]) + 128).astype(np.uint8), scales


class Graph:
    """Nodes and weights as they are added, first to last. Tokens are rows: (tokens, width)."""

    def __init__(
        self,
        config: ModelConfig,
        weights: Mapping[str, NDArray[np.float32]],
        logits: Logits,
        stored: Weights | None = None,
        precision: Precision = "fp32",
    ) -> None:
        self.config, self.weights, self.kind = config, weights, logits
        self.stored, self.precision = stored, precision
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.data: list[bytes] = []
        self.data_name = ""

    def node(self, op: str, inputs: list[str], output: str, domain: str = "", **how: Any) -> str:
        """Add a node; its first output. ``more`` names further ones, the rest are attributes."""
        from onnx import helper

        outputs = [output, *how.pop("more", [])]
        self.nodes.append(helper.make_node(op, inputs, outputs, name=output, domain=domain, **how))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """An array within the graph."""
        from onnx import numpy_helper

        if name not in self.initializers:
            array = np.ascontiguousarray(value)
            self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def numbers(self, name: str, *values: int) -> str:
        """A vector of integers within the graph."""
        return self.constant(name, np.array(values, np.int64))

    def weight(self, name: str) -> str:
        """A parameter: within the graph, or where it lies in the release."""
        if self.stored is None:
            return self.constant(name, self.weights[name])
        if name in self.initializers:
            return name
        from onnx import TensorProto

        place = self.stored.places[name]
        half = place.dtype == "BF16"
        held = f"{name}.bf16" if half else name
        kind = TensorProto.BFLOAT16 if half else TensorProto.FLOAT
        where = (self.stored.path.name, place.offset, place.length)
        self.initializers[name] = _pointer(held, kind, place.shape, where)
        # Taken once, when the session is made: constants are folded.
        return self.node("Cast", [held], name, to=TensorProto.FLOAT) if half else name

    def append(self, name: str, array: NDArray[Any]) -> str:
        """An array in the file beside the graph."""
        from onnx import helper

        data = array.tobytes()
        where = (self.data_name, sum(map(len, self.data)), len(data))
        # Rounded up, so that each can be mapped where it lies.
        self.data.append(data + bytes(-len(data) % 4096))
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        self.initializers[name] = _pointer(name, kind, array.shape, where)
        return name

    def matrix(self, x: str, weight: str, output: str) -> str:
        """Multiply rows by a linear layer's weight, (outputs, inputs)."""
        if self.precision == "fp32":
            return self.node("Gemm", [x, self.weight(weight)], output, transB=1)
        values, scales = round_to_int8(self.weights[weight])
        inputs = [x, self.append(f"{weight}.int8", values), self.append(f"{weight}.scale", scales)]
        outputs, width = self.weights[weight].shape
        # Level 4: inputs are rounded to int8 as well, and products are taken in integers.
        how: dict[str, Any] = {"bits": 8, "block_size": BLOCK, "accuracy_level": 4}
        return self.node("MatMulNBits", inputs, output, MICROSOFT, K=width, N=outputs, **how)

    def norm(self, x: str, skip: str, weight: str, output: str) -> tuple[str, str]:
        """Add ``skip`` to the residual stream, normalise; (normalised, the new stream)."""
        total = f"{output}.sum"
        how: dict[str, Any] = {"epsilon": self.config.norm_epsilon, "more": ["", "", total]}
        inputs = [x, skip, self.weight(weight)]
        self.node("SkipSimplifiedLayerNormalization", inputs, output, MICROSOFT, **how)
        return output, total

    def block(self, index: int, stream: str, normed: str) -> tuple[str, str]:
        """One layer; (its feed-forward output, the stream that it is to be added to)."""
        at = f"model.layers.{index}"
        query, key, value = (
            self.node(
                "Reshape",
                [self.matrix(normed, f"{at}.self_attn.{part}_proj.weight", f"{at}.{part}"), "rows"],
                f"{at}.{part}_rows",
            )
            for part in "qkv"
        )
        past = [f"past_key_values.{index}.key", f"past_key_values.{index}.value"]
        chosen = ["position_ids", "attention_bias"] if self.kind == "places" else []
        mixed = self.node(
            "GroupQueryAttention",
            [query, key, value, *past, "seqlens_k", "total_length", "cosine", "sine", *chosen],
            f"{at}.mixed",
            MICROSOFT,
            num_heads=self.config.heads,
            kv_num_heads=self.config.kv_heads,
            do_rotary=1,
            rotary_interleaved=0,
            more=[f"present.{index}.key", f"present.{index}.value"],
        )
        flat = self.node("Reshape", [mixed, "as_tokens"], f"{at}.mixed_tokens")
        added = self.matrix(flat, f"{at}.self_attn.o_proj.weight", f"{at}.attention")
        normed, stream = self.norm(
            stream, added, f"{at}.post_attention_layernorm.weight", f"{at}.norm2"
        )
        gate = self.matrix(normed, f"{at}.mlp.gate_proj.weight", f"{at}.gate")
        up = self.matrix(normed, f"{at}.mlp.up_proj.weight", f"{at}.up")
        # QuickGelu with alpha 1 is SiLU, in one node.
        silu = self.node("QuickGelu", [gate], f"{at}.silu", MICROSOFT, alpha=1.0)
        product = self.node("Mul", [silu, up], f"{at}.product")
        return self.matrix(product, f"{at}.mlp.down_proj.weight", f"{at}.down"), stream

    def lengths(self) -> None:
        """What the attention nodes want to know, from the mask."""
        from onnx import TensorProto

        if self.kind == "places":
            length = self.node("Shape", ["attention_bias"], "length", start=3, end=4)
        else:
            one = self.numbers("one", 1)
            total = self.node("ReduceSum", ["attention_mask", one], "total", keepdims=0)
            before = self.node("Sub", [total, one], "total_before")
            self.node("Cast", [before], "seqlens_k", to=TensorProto.INT32)
            length = self.node("Shape", ["attention_mask"], "length", start=1, end=2)
        length = self.node("Squeeze", [length], "length_scalar")
        self.node("Cast", [length], "total_length", to=TensorProto.INT32)
        shape = self.node("Shape", ["input_ids"], "ids_shape")
        self.node("Concat", [shape, self.numbers("rest", -1)], "rows", axis=0)
        self.numbers("as_tokens", -1, self.config.width)
        if self.kind != "places":
            for name, table in zip(("cosine", "sine"), rotary_tables(self.config), strict=True):
                self.constant(name, table)

    def model(self) -> Any:
        """The whole graph."""
        from onnx import helper

        config = self.config
        self.lengths()
        ids = self.node("Reshape", ["input_ids", "rest"], "tokens")
        table = self.weight("model.embed_tokens.weight")
        stream = self.node("Gather", [table, ids], "embedded", axis=0)
        first: dict[str, Any] = {"epsilon": config.norm_epsilon, "axis": -1, "stash_type": 1}
        weight = self.weight("model.layers.0.input_layernorm.weight")
        normed = self.node("SimplifiedLayerNormalization", [stream, weight], "norm0", **first)
        for index in range(config.layers):
            added, stream = self.block(index, stream, normed)
            last = index == config.layers - 1
            name = "model.norm" if last else f"model.layers.{index + 1}.input_layernorm"
            normed, stream = self.norm(stream, added, f"{name}.weight", f"norm{index + 1}")
        self._output(normed)
        graph = helper.make_graph(
            self.nodes,
            "irsmith",
            *self._signature(),
            initializer=list(self.initializers.values()),
        )
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=domains, producer_name="irsmith")
        model.ir_version = 8
        return model

    def _output(self, normed: str) -> None:
        name = "model.embed_tokens.weight" if self.config.tied else "lm_head.weight"
        if self.kind == "places":
            chosen = self.node("Gather", [normed, "places"], "chosen", axis=0)
            self.matrix(chosen, name, "logits")
            return
        if self.kind == "last":
            whole = self.node("Reshape", [normed, "rows"], "whole")
            most = self.numbers("most", np.iinfo(np.int64).max)
            ends = ["rest", most, self.numbers("axis", 1)]
            whole = self.node("Slice", [whole, *ends], "last")
            normed = self.node("Reshape", [whole, "as_tokens"], "last_tokens")
        flat = self.matrix(normed, name, "flat_logits")
        batch = self.node("Shape", ["input_ids"], "batch", start=0, end=1)
        size = self.numbers("sizes", -1, self.config.vocabulary)
        shape = self.node("Concat", [batch, size], "logits_shape", axis=0)
        self.node("Reshape", [flat, shape], "logits")

    def _signature(self) -> tuple[list[Any], list[Any]]:
        from onnx import TensorProto, helper

        config, real, whole = self.config, TensorProto.FLOAT, TensorProto.INT64
        info = helper.make_tensor_value_info
        inputs = [info("input_ids", whole, ["batch", "new"])]
        held, kept = "past", "total"
        if self.kind == "places":
            inputs.append(info("position_ids", whole, ["batch", "new"]))
            inputs.append(info("places", whole, ["wanted"]))
            inputs.append(info("attention_bias", real, ["batch", 1, "new", "total"]))
            inputs.append(info("seqlens_k", TensorProto.INT32, ["batch"]))
            for table in ("cosine", "sine"):
                inputs.append(info(table, real, ["turns", config.head_width // 2]))
            outputs = [info("logits", real, ["wanted", config.vocabulary])]
            held, kept = "held", "kept"
        else:
            inputs.append(info("attention_mask", whole, ["batch", "total"]))
            places = 1 if self.kind == "last" else "new"
            outputs = [info("logits", real, ["batch", places, config.vocabulary])]
        for index in range(config.layers):
            for part in ("key", "value"):
                heads, width = config.kv_heads, config.head_width
                inputs.append(
                    info(f"past_key_values.{index}.{part}", real, ["batch", heads, held, width])
                )
                outputs.append(info(f"present.{index}.{part}", real, ["batch", heads, kept, width]))
        return inputs, outputs


def _pointer(name: str, kind: int, shape: tuple[int, ...], where: tuple[str, int, int]) -> Any:
    """A tensor whose bytes lie in another file: its name, the first byte, how many."""
    from onnx import TensorProto

    tensor = TensorProto(name=name, data_type=kind, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in zip(("location", "offset", "length"), where, strict=True):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return tensor
