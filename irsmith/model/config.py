"""The shape of the network: one frozen dataclass, and one dial that sets the size.

Llama-shaped (RMSNorm, rotary positions, SwiGLU, grouped queries): Touvron et al.,
"LLaMA", arXiv 2302.13971, and Ainslie et al., "GQA", arXiv 2305.13245. Counting needs
no torch: a dry run of the 13b takes no memory.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from irsmith.records import IrsmithError

ARCHITECTURE = "LlamaForCausalLM"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of one network.

    Attributes:
        vocabulary: number of token ids.
        width: of the residual stream.
        layers: number of blocks.
        heads: query heads.
        kv_heads: key and value heads; each serves ``heads / kv_heads`` query heads.
        hidden: width inside the feed-forward part.
        context: the most tokens that the network was made for.
        tied: whether the output matrix is the embedding matrix.
        rope_base: base of the rotary positions' wavelengths.
        norm_epsilon: added to the mean square in RMSNorm.
    """

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    context: int = 4096
    tied: bool = True
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        """Refuse a shape that cannot be built."""
        for name in ("vocabulary", "width", "layers", "heads", "kv_heads", "hidden", "context"):
            if getattr(self, name) < 1:
                raise IrsmithError(f"model config: {name} must be at least 1")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise IrsmithError(
                f"model config: width {self.width} does not split into {self.heads} heads "
                "of even width"
            )
        if self.heads % self.kv_heads:
            raise IrsmithError(
                f"model config: {self.heads} heads cannot share {self.kv_heads} key heads evenly"
            )

    @property
    def head_width(self) -> int:
        """Numbers in one head's query."""
        return self.width // self.heads

    @property
    def matrix_parameters(self) -> int:
        """Parameters that every token is multiplied with: all but norms and the lookup table."""
        attention = 2 * self.width * self.width + 2 * self.width * self.kv_heads * self.head_width
        block = attention + 3 * self.width * self.hidden
        return self.layers * block + self.vocabulary * self.width

    @property
    def parameters(self) -> int:
        """All parameters; tied matrices count once."""
        norms = (2 * self.layers + 1) * self.width
        table = 0 if self.tied else self.vocabulary * self.width
        return self.matrix_parameters + norms + table

    def flop(self, tokens: float, pairs: float) -> float:
        """Floating-point operations of training: forward and backward.

        Six a parameter and token, and twelve a layer, channel and attended pair, as in
        Chowdhery et al., "PaLM", arXiv 2204.02311, appendix B, but counting only the
        pairs that the causal document mask lets through.

        Args:
            tokens: input tokens.
            pairs: sum over tokens of the tokens that each attends to, itself included.
        """
        return 6.0 * self.matrix_parameters * tokens + 12.0 * self.layers * self.width * pairs

    def flop_per_token(self, document: int | None = None) -> float:
        """Training operations a token in documents of ``document`` tokens (default: context)."""
        length = document or self.context
        return self.flop(1.0, (length + 1) / 2)

    def to_json(self) -> dict[str, Any]:
        """Our own field names; :meth:`to_huggingface` is what a release stores."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ModelConfig:
        """Read what :meth:`to_json` wrote.

        Raises:
            IrsmithError: a field is missing or unknown.
        """
        known = {field.name for field in fields(ModelConfig)}
        if extra := sorted(set(data) - known):
            raise IrsmithError(f"model config: unknown field {extra[0]!r}")
        try:
            return ModelConfig(**data)
        except TypeError as error:
            raise IrsmithError(f"model config: a field is missing ({error})") from error

    def to_huggingface(self, end: int, dtype: str = "float32") -> dict[str, Any]:
        """The ``config.json`` from which transformers, vLLM and others build a Llama.

        Args:
            end: token id that ends a document.
            dtype: how the weights are stored.
        """
        return {
            "architectures": [ARCHITECTURE],
            "model_type": "llama",
            "vocab_size": self.vocabulary,
            "hidden_size": self.width,
            "intermediate_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_width,
            "hidden_act": "silu",
            "max_position_embeddings": self.context,
            "rms_norm_eps": self.norm_epsilon,
            # Both spellings: transformers 5 reads rope_parameters, older readers rope_theta.
            "rope_theta": self.rope_base,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_base},
            "attention_bias": False,
            "mlp_bias": False,
            "tie_word_embeddings": self.tied,
            "bos_token_id": None,
            "eos_token_id": end,
            "pad_token_id": end,
            "torch_dtype": dtype,
        }

    @staticmethod
    def from_huggingface(data: Mapping[str, Any]) -> ModelConfig:
        """Read a Llama's ``config.json``.

        Raises:
            IrsmithError: it is not a Llama of the plain kind that the network is.
        """
        if data.get("model_type") != "llama":
            raise IrsmithError(
                f"config.json: model_type is {data.get('model_type')!r}, not 'llama'"
            )
        rope = data.get("rope_parameters") or data.get("rope_scaling") or {}
        if rope.get("rope_type", "default") != "default":
            raise IrsmithError("config.json: scaled rotary positions are not supported")
        if data.get("attention_bias") or data.get("mlp_bias"):
            raise IrsmithError("config.json: biases are not supported")
        try:
            heads = int(data["num_attention_heads"])
            return ModelConfig(
                vocabulary=int(data["vocab_size"]),
                width=int(data["hidden_size"]),
                layers=int(data["num_hidden_layers"]),
                heads=heads,
                kv_heads=int(data.get("num_key_value_heads") or heads),
                hidden=int(data["intermediate_size"]),
                context=int(data["max_position_embeddings"]),
                tied=bool(data.get("tie_word_embeddings", False)),
                rope_base=float(rope.get("rope_theta", data.get("rope_theta", 10_000.0))),
                norm_epsilon=float(data["rms_norm_eps"]),
            )
        except KeyError as error:
            raise IrsmithError(f"config.json: {error.args[0]} is missing") from error


@dataclass(frozen=True, slots=True)
class _Shape:
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    tied: bool


# Heads of 64 where small and 128 from `large` on, which is what fused attention likes;
# feed-forward widths are multiples of 128, so that tensor cores have no ragged edge.
# `tiny` is for tests and rehearsals.
_SHAPES = {
    "tiny": _Shape(64, 2, 4, 2, 128, True),
    "nano": _Shape(384, 6, 6, 2, 1024, True),
    "small": _Shape(640, 9, 10, 5, 1792, True),
    "base": _Shape(768, 16, 12, 6, 2304, True),
    "large": _Shape(2048, 22, 16, 4, 5632, False),
    "7b": _Shape(4096, 32, 32, 8, 14336, False),
    "13b": _Shape(5120, 40, 40, 8, 16384, False),
}

SIZES = tuple(_SHAPES)
"""The positions of the dial, smallest first."""


def config_for(size: str, *, vocabulary: int = 16_384, context: int = 4096) -> ModelConfig:
    """The family's member of a size.

    Args:
        size: one of :data:`SIZES`.
        vocabulary: number of token ids.
        context: the most tokens in one sequence.

    Raises:
        IrsmithError: no such size.
    """
    shape = _SHAPES.get(size)
    if shape is None:
        near = difflib.get_close_matches(size, SIZES, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(SIZES)}"
        raise IrsmithError(f"no model size {size!r}: {hint}")
    return ModelConfig(vocabulary=vocabulary, context=context, **asdict(shape))
