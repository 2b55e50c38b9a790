"""The network in numpy: the method on one page, and the oracle of the other engines.

It also serves where onnxruntime is not installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from irsmith.infer.engine import State, check_ids, check_window, log_probabilities
from irsmith.model.config import ModelConfig
from irsmith.model.graph import rotary_tables

Array = NDArray[np.float32]
Past = tuple[tuple[Array, Array], ...]
"""Keys and values of each layer, (tokens, kv heads, head width)."""
_CHUNK = 512


class NumpyEngine:
    """See :class:`irsmith.infer.engine.Engine`.

    Args:
        shape: of the network.
        weights: by Hugging Face's names, matrices as (outputs, inputs).
    """

    def __init__(self, shape: ModelConfig, weights: Mapping[str, Array]) -> None:
        self._shape = shape
        self._weights = {name: np.ascontiguousarray(weights[name]) for name in weights}
        self._cosine, self._sine = rotary_tables(shape)

    @property
    def shape(self) -> ModelConfig:
        """The network's."""
        return self._shape

    def prefill(self, ids: Sequence[int], after: State | None = None) -> State:
        """See :meth:`irsmith.infer.engine.Engine.prefill`."""
        array = check_ids(ids, after.length if after else 0, self._shape)
        past: Past = after.cache if after else self._nothing()
        length = after.length if after else 0
        for at in range(0, len(array), _CHUNK):
            x, (past,) = self._blocks(array[at : at + _CHUNK], [past])
        return State(self._logits(x[-1:])[0], length + len(array), past)

    def fork(self, states: Sequence[State]) -> list[State]:
        """See :meth:`irsmith.infer.engine.Engine.fork`; states share nothing here."""
        return list(states)

    def step(self, states: Sequence[State], ids: Sequence[int]) -> list[State]:
        """See :meth:`irsmith.infer.engine.Engine.step`."""
        if not states:
            return []
        array = check_ids(ids, 0, self._shape)
        check_window(max(state.length for state in states) + 1, self._shape)
        x, pasts = self._blocks(array, [state.cache for state in states])
        logits = self._logits(x)
        return [
            State(logits[row], state.length + 1, pasts[row]) for row, state in enumerate(states)
        ]

    def scores(self, ids: Sequence[int]) -> Array:
        """See :meth:`irsmith.infer.engine.Engine.scores`."""
        array = check_ids(ids, 0, self._shape)
        past, found = self._nothing(), [np.empty(0, np.float32)]
        for at in range(0, len(array) - 1, _CHUNK):
            part, next_ = array[at : at + _CHUNK], array[at + 1 : at + 1 + _CHUNK]
            x, (past,) = self._blocks(part, [past])
            logits = log_probabilities(self._logits(x[: len(next_)]))
            found.append(logits[np.arange(len(next_)), next_])
        return np.concatenate(found)

    def _nothing(self) -> Past:
        empty = np.empty((0, self._shape.kv_heads, self._shape.head_width), np.float32)
        return ((empty, empty),) * self._shape.layers

    def _blocks(self, ids: NDArray[np.int64], pasts: Sequence[Past]) -> tuple[Array, list[Past]]:
        """All layers; each past takes an equal share of the tokens.

        Returns:
            The residual stream, (tokens, width), and the pasts with the new tokens.
        """
        shape, new = self._shape, len(ids) // len(pasts)
        places = np.concatenate([np.arange(len(p[0][0]), len(p[0][0]) + new) for p in pasts])
        after: list[list[tuple[Array, Array]]] = [[] for _ in pasts]
        x = self._weights["model.embed_tokens.weight"][ids]
        for layer in range(shape.layers):
            at = f"model.layers.{layer}"
            normed = self._norm(x, f"{at}.input_layernorm")
            query, key, value = (
                self._matrix(normed, f"{at}.self_attn.{part}_proj").reshape(
                    len(ids), -1, shape.head_width
                )
                for part in "qkv"
            )
            query, key = self._turn(query, places), self._turn(key, places)
            mixed = np.empty((len(ids), shape.width), np.float32)
            for row, past in enumerate(pasts):
                own = slice(row * new, (row + 1) * new)
                keys = np.concatenate((past[layer][0], key[own]))
                values = np.concatenate((past[layer][1], value[own]))
                mixed[own] = _attend(query[own], keys, values)
                after[row].append((keys, values))
            x = x + self._matrix(mixed, f"{at}.self_attn.o_proj")
            normed = self._norm(x, f"{at}.post_attention_layernorm")
            gate = self._matrix(normed, f"{at}.mlp.gate_proj")
            gate = gate / (1 + np.exp(-gate))
            up = self._matrix(normed, f"{at}.mlp.up_proj")
            x = x + self._matrix(gate * up, f"{at}.mlp.down_proj")
        return x, [tuple(layers) for layers in after]

    def _logits(self, x: Array) -> Array:
        output = "model.embed_tokens" if self._shape.tied else "lm_head"
        return self._matrix(self._norm(x, "model.norm"), output)

    def _matrix(self, x: Array, name: str) -> Array:
        product: Array = x @ self._weights[f"{name}.weight"].T
        return product

    def _norm(self, x: Array, name: str) -> Array:
        scale = np.sqrt((x * x).mean(axis=-1, keepdims=True) + self._shape.norm_epsilon)
        normed: Array = x / scale * self._weights[f"{name}.weight"]
        return normed

    def _turn(self, x: Array, places: NDArray[np.int64]) -> Array:
        """Rotary positions: channel i turns together with channel i + half."""
        cosine, sine = self._cosine[places][:, None], self._sine[places][:, None]
        first, second = np.split(x, 2, axis=-1)
        turned = (first * cosine - second * sine, second * cosine + first * sine)
        return np.concatenate(turned, axis=-1)


def _attend(query: Array, keys: Array, values: Array) -> Array:
    """Causal attention with grouped queries: the last queries of a text to all of it.

    Args:
        query: (new, heads, head width).
        keys: (tokens, kv heads, head width).
        values: as ``keys``.

    Returns:
        (new, heads * head width).
    """
    new, heads, width = query.shape
    tokens, groups, _ = keys.shape
    grouped = query.reshape(new, groups, heads // groups, width).transpose(1, 2, 0, 3)
    scores = grouped @ keys.transpose(1, 2, 0)[:, None] / np.float32(np.sqrt(width))
    scores += np.triu(np.full((new, tokens), -np.inf, np.float32), tokens - new + 1)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    mixed: Array = scores @ values.transpose(1, 0, 2)[:, None]
    return mixed.transpose(2, 0, 1, 3).reshape(new, heads * width)
