"""The network as an ONNX graph for onnxruntime, built node by node.

Two graphs of one kind: with the logits of the last position, for decoding and ranking,
and with those of every position, for scoring. Inputs and outputs are named as
onnxruntime-genai names them. Grouped attention with rotary positions and a key cache is
one node (``com.microsoft.GroupQueryAttention``), which is what makes it fast on a CPU;
exporters through torch leave it as dozens. Weights are float32.

Inputs: ``input_ids`` (batch, new) int64, ``attention_mask`` (batch, past + new) int64,
``past_key_values.I.key`` and ``.value`` (batch, kv heads, past, head width). Outputs:
``logits`` (batch, 1 or new, vocabulary), ``present.I.key`` and ``.value``. The mask is 1
everywhere: rows of one call have the same length. With more than one row, new tokens come
either first (past 0) or one at a time; one row may add any number to any past.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from irsmith.model.config import ModelConfig
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

if TYPE_CHECKING:
    from irsmith.model.network import Network

Logits = Literal["last", "all"]

OPSET = 17
MICROSOFT = "com.microsoft"


def export_onnx(network: Network, path: Path, logits: Logits = "last") -> Path:
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
    try:
        import onnx
    except ImportError as error:
        raise IrsmithError("export needs onnx: pip install 'irsmith[export]'") from error
    weights = {name: t.detach().float().numpy() for name, t in network.state_dict().items()}
    model = _Graph(network.config, weights, logits).model()
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


class _Graph:
    """Nodes and weights as they are added, first to last."""

    def __init__(
        self, config: ModelConfig, weights: dict[str, NDArray[np.float32]], logits: Logits
    ) -> None:
        self.config, self.weights, self.kind = config, weights, logits
        self.nodes: list[Any] = []
        self.initializers: dict[str, NDArray[Any]] = {}

    def node(self, op: str, inputs: list[str], output: str, domain: str = "", **how: Any) -> str:
        from onnx import helper

        outputs = [output, *how.pop("more", [])]
        self.nodes.append(helper.make_node(op, inputs, outputs, name=output, domain=domain, **how))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.initializers[name] = np.ascontiguousarray(value)
        return name

    def matrix(self, x: str, weight: str, output: str) -> str:
        """Multiply by a linear layer's weight, stored the way round that MatMul wants."""
        return self.node("MatMul", [x, self.constant(weight, self.weights[weight].T)], output)

    def norm(self, x: str, skip: str, weight: str, output: str) -> tuple[str, str]:
        """Add ``skip`` to the residual stream, normalise; (normalised, the new stream)."""
        inputs = [x, skip, self.constant(weight, self.weights[weight])]
        total = f"{output}.sum"
        how: dict[str, Any] = {"epsilon": self.config.norm_epsilon, "more": ["", "", total]}
        self.node("SkipSimplifiedLayerNormalization", inputs, output, MICROSOFT, **how)
        return output, total

    def first_norm(self, x: str, weight: str, output: str) -> str:
        inputs = [x, self.constant(weight, self.weights[weight])]
        how: dict[str, Any] = {"epsilon": self.config.norm_epsilon, "axis": -1, "stash_type": 1}
        return self.node("SimplifiedLayerNormalization", inputs, output, **how)

    def block(self, index: int, stream: str, normed: str) -> tuple[str, str]:
        """One layer; (its feed-forward output, the stream that it is to be added to)."""
        at = f"model.layers.{index}"
        query, key, value = (
            self.matrix(normed, f"{at}.self_attn.{part}_proj.weight", f"{at}.{part}")
            for part in "qkv"
        )
        past = [f"past_key_values.{index}.key", f"past_key_values.{index}.value"]
        present = [f"present.{index}.key", f"present.{index}.value"]
        mixed = self.node(
            "GroupQueryAttention",
            [query, key, value, *past, "seqlens_k", "total_length", "cosine", "sine"],
            f"{at}.mixed",
            MICROSOFT,
            num_heads=self.config.heads,
            kv_num_heads=self.config.kv_heads,
            do_rotary=1,
            rotary_interleaved=0,
            more=present,
        )
        added = self.matrix(mixed, f"{at}.self_attn.o_proj.weight", f"{at}.attention")
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

        one = self.constant("one", np.array([1], np.int64))
        total = self.node("ReduceSum", ["attention_mask", one], "total", keepdims=0)
        before = self.node("Sub", [total, one], "total_before")
        self.node("Cast", [before], "seqlens_k", to=TensorProto.INT32)
        shape = self.node("Shape", ["attention_mask"], "mask_shape")
        index = self.constant("index_one", np.array(1, np.int64))
        length = self.node("Gather", [shape, index], "length", axis=0)
        self.node("Cast", [length], "total_length", to=TensorProto.INT32)
        half = self.config.head_width // 2
        frequency = self.config.rope_base ** -(np.arange(half, dtype=np.float64) / half)
        angle = np.arange(self.config.context, dtype=np.float64)[:, None] * frequency
        self.constant("cosine", np.cos(angle).astype(np.float32))
        self.constant("sine", np.sin(angle).astype(np.float32))

    def model(self) -> Any:
        """The whole graph."""
        from onnx import helper, numpy_helper

        config = self.config
        self.lengths()
        table = self.constant(
            "model.embed_tokens.weight", self.weights["model.embed_tokens.weight"]
        )
        stream = self.node("Gather", [table, "input_ids"], "embedded", axis=0)
        normed = self.first_norm(stream, "model.layers.0.input_layernorm.weight", "norm0")
        for index in range(config.layers):
            added, stream = self.block(index, stream, normed)
            last = index == config.layers - 1
            weight = "model.norm" if last else f"model.layers.{index + 1}.input_layernorm"
            normed, stream = self.norm(stream, added, f"{weight}.weight", f"norm{index + 1}")
        if self.kind == "last":
            ends = [
                self.constant(f"slice{i}", np.array([v], np.int64))
                for i, v in enumerate((-1, np.iinfo(np.int64).max, 1))
            ]
            normed = self.node("Slice", [normed, *ends], "last")
        self._output(normed)
        graph = helper.make_graph(
            self.nodes,
            "irsmith",
            *self._signature(),
            initializer=[numpy_helper.from_array(v, n) for n, v in self.initializers.items()],
        )
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=domains, producer_name="irsmith")
        model.ir_version = 8
        return model

    def _output(self, normed: str) -> None:
        name = "model.embed_tokens.weight" if self.config.tied else "lm_head.weight"
        if self.config.tied:
            # Gemm reads the table as it lies; a transposed copy would double its size. It
            # takes matrices only.
            width = self.constant("as_rows", np.array([-1, self.config.width], np.int64))
            rows = self.node("Reshape", [normed, width], "rows")
            flat = self.node("Gemm", [rows, name], "flat_logits", transB=1)
            shape = self.node("Shape", [normed], "normed_shape", start=0, end=2)
            size = self.constant("vocabulary", np.array([self.config.vocabulary], np.int64))
            whole = self.node("Concat", [shape, size], "logits_shape", axis=0)
            self.node("Reshape", [flat, whole], "logits")
        else:
            self.matrix(normed, name, "logits")

    def _signature(self) -> tuple[list[Any], list[Any]]:
        from onnx import TensorProto, helper

        config, real, whole = self.config, TensorProto.FLOAT, TensorProto.INT64
        info = helper.make_tensor_value_info
        inputs = [
            info("input_ids", whole, ["batch", "new"]),
            info("attention_mask", whole, ["batch", "total"]),
        ]
        outputs = [
            info("logits", real, ["batch", 1 if self.kind == "last" else "new", config.vocabulary])
        ]
        for index in range(config.layers):
            for part in ("key", "value"):
                head = (config.kv_heads, config.head_width)
                before: list[Any] = ["batch", head[0], "past", head[1]]
                after: list[Any] = ["batch", head[0], "total", head[1]]
                inputs.append(info(f"past_key_values.{index}.{part}", real, before))
                outputs.append(info(f"present.{index}.{part}", real, after))
        return inputs, outputs
