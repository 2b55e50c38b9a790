"""torch, for batches on an accelerator. Imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the name that everybody knows)
from numpy.typing import NDArray
from torch import Tensor

from irsmith.infer.tree import Call, Source, TreeEngine
from irsmith.model.network import Block, Network, Rotary


class TorchEngine(TreeEngine):
    """See :class:`irsmith.infer.engine.Engine`.

    Tokens of all texts go through the matrices together; attention is taken text by text.

    Args:
        network: with whole weights; it is moved to the device.
        device: as torch names it.
        half: whether weights and cache are bfloat16.
    """

    def __init__(self, network: Network, device: str = "cpu", half: bool = False) -> None:
        super().__init__(network.config)
        self._device = torch.device(device)
        self._kind = torch.bfloat16 if half else torch.float32
        self._network = network.to(self._device, self._kind).eval()
        self._network.model.rotary = _tables(network, self._device)

    def hold(self, capacity: int, source: Source | None) -> Any:
        """A buffer on the device."""
        shape = self.shape
        size = (2 * shape.layers, shape.kv_heads, capacity, shape.head_width)
        held = torch.empty(size, dtype=self._kind, device=self._device)
        if source is not None:
            start, count = source.start, len(source.rest)
            held[:, :, :start] = source.held[:, :, :start]
            rest = torch.from_numpy(source.rest).to(self._device)
            held[:, :, start : start + count] = source.held[:, :, rest]
        return held

    @torch.inference_mode()
    def compute(self, calls: Sequence[Call]) -> list[NDArray[np.float32]]:
        """All trees in one pass."""
        model, shape = self._network.model, self.shape
        ids, positions = (
            torch.from_numpy(np.concatenate(parts)).to(self._device)
            for parts in ([call.ids for call in calls], [call.positions for call in calls])
        )
        masks = [torch.from_numpy(call.bias).to(self._device, self._kind) for call in calls]
        x = model.embed_tokens(ids)
        cosine, sine = model.rotary.cosine[positions], model.rotary.sine[positions]
        for layer, module in enumerate(model.layers):
            block = cast(Block, module)
            attention = block.self_attn
            normed = block.input_layernorm(x)
            query, key, value = (
                matrix(normed).view(len(ids), -1, shape.head_width).transpose(0, 1)
                for matrix in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            query, key = _turn(query, cosine, sine), _turn(key, cosine, sine)
            mixed, at = [], 0
            for call, mask in zip(calls, masks, strict=True):
                new, total = call.bias.shape
                own, held = slice(at, at + new), call.tree.held
                held[2 * layer, :, total - new : total] = key[:, own]
                held[2 * layer + 1, :, total - new : total] = value[:, own]
                keys, values = held[2 * layer, :, :total], held[2 * layer + 1, :, :total]
                mixed.append(_attend(query[:, own], keys, values, mask))
                at += new
            x = x + attention.o_proj(torch.cat(mixed))
            x = x + block.mlp(block.post_attention_layernorm(x))
        wanted, first = [], 0
        for call in calls:
            wanted.append(call.places + first)
            first += len(call.ids)
        chosen = x[torch.from_numpy(np.concatenate(wanted)).to(self._device)]
        output = model.embed_tokens if shape.tied else self._network.lm_head
        logits = F.linear(model.norm(chosen), output.weight).float().cpu().numpy()
        return np.split(logits, np.cumsum([len(call.places) for call in calls])[:-1])


def _tables(network: Network, device: torch.device) -> Rotary:
    """The rotary tables in float32 whatever the weights."""
    rotary = Rotary(network.config).to(device)
    rotary.fill()
    return rotary


def _turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn (heads, tokens, head width) by each token's place."""
    first, second = x.float().chunk(2, dim=-1)
    turned = (first * cosine - second * sine, second * cosine + first * sine)
    return torch.cat(turned, dim=-1).to(x.dtype)


def _attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """(heads, new, head width) against a text's cache; (new, width)."""
    group = query.shape[0] // keys.shape[0]
    keys, values = (part.repeat_interleave(group, dim=0) for part in (keys, values))
    mixed = F.scaled_dot_product_attention(query[None], keys[None], values[None], attn_mask=mask)
    return mixed[0].transpose(0, 1).reshape(query.shape[1], -1)
