"""The network: a decoder-only transformer over packed documents.

What is special about it:

- Llama-shaped, and its parameters are named as in Hugging Face's Llama, so that a
  release is the state dict as it stands.
- Several documents share a sequence. A token attends only to earlier tokens of its own
  document. Rotary positions are relative, so a document gives the same logits wherever
  in a sequence it lies.
- On an accelerator the document mask is a FlexAttention block mask (blocks in which no
  pair is allowed are skipped); elsewhere a dense mask, or plain causal attention where
  there is one document.
- The cross-entropy is taken over chunks of tokens and its logits are computed again in
  the backward pass, so that they never exist for the whole batch.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F  # noqa: N812 (the name that everybody knows)
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention
from torch.utils.checkpoint import checkpoint

from irsmith.model.config import ModelConfig

Mask = Tensor | BlockMask | None
"""A dense mask (batch, 1, queries, keys), a block mask, or None for plain causal attention."""

IGNORED = -100
"""The target of a position whose prediction does not count."""


class Soft(NamedTuple):
    """Places whose target is not one id but probabilities.

    Attributes:
        places: (batch, some) places in a row; unused ones are 0.
        likely: (batch, some, choices) probabilities; all 0 for unused places.
        choices: (choices,) ids that these are the probabilities of.
    """

    places: Tensor
    likely: Tensor
    choices: Tensor


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The compiled form, made once: FlexAttention that is not compiled is dense and slow."""
    return torch.compile(function)


def document_mask(documents: Tensor) -> Mask:
    """Causal attention within documents.

    Args:
        documents: (batch, tokens), the number of the document that each token belongs to;
            numbers differ between the documents of one row.

    Returns:
        A block mask on CUDA, where FlexAttention skips what it rules out; None where every
        row is one document; else a boolean mask of (batch, 1, tokens, tokens).
    """
    if documents.is_cuda:
        return flex_mask(documents)
    if bool((documents == documents[:, :1]).all()):
        return None
    tokens = documents.shape[1]
    causal = torch.ones(tokens, tokens, dtype=torch.bool, device=documents.device).tril()
    same = documents[:, None, :, None] == documents[:, None, None, :]
    return same & causal


def flex_mask(documents: Tensor) -> BlockMask:
    """:func:`document_mask` in FlexAttention's form, on any device."""
    batch, tokens = documents.shape

    def allowed(row: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (documents[row, query] == documents[row, key])

    make = _compiled(create_block_mask) if documents.is_cuda else create_block_mask
    return cast(BlockMask, make(allowed, batch, None, tokens, tokens, device=str(documents.device)))


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Mask) -> Tensor:
    """Attention with grouped queries.

    Args:
        query: (batch, heads, tokens, head width).
        key: (batch, kv heads, tokens, head width).
        value: as ``key``.
        mask: from :func:`document_mask`.

    Returns:
        (batch, heads, tokens, head width).
    """
    if isinstance(mask, BlockMask):
        attention: Callable[..., Any] = flex_attention
        if query.is_cuda and not torch.compiler.is_compiling():
            attention = _compiled(flex_attention)
        return cast(Tensor, attention(query, key, value, block_mask=mask, enable_gqa=True))
    # Repeated keys go through the fused kernel; enable_gqa on a CPU does not.
    group = query.shape[1] // key.shape[1]
    key, value = (part.repeat_interleave(group, dim=1) for part in (key, value))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=mask is None)


class Rotary(nn.Module):
    """Rotary positions: channel ``i`` of a head turns together with channel ``i + width / 2``.

    Su et al., "RoFormer", arXiv 2104.09864, with the halves laid out as in Hugging Face.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.cosine: Tensor
        self.sine: Tensor
        for name in ("cosine", "sine"):
            shape = (config.context, config.head_width // 2)
            self.register_buffer(name, torch.empty(shape), persistent=False)

    def fill(self) -> None:
        """Compute the tables (apart from construction, which may be on meta)."""
        half = self.config.head_width // 2
        device = self.cosine.device
        exponent = torch.arange(half, dtype=torch.float64, device=device) / half
        places = torch.arange(self.config.context, dtype=torch.float64, device=device)
        angle = places[:, None] * self.config.rope_base**-exponent
        self.cosine.copy_(angle.cos())
        self.sine.copy_(angle.sin())

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, heads, tokens, head width) by each token's place."""
        tokens = x.shape[2]
        cosine, sine = self.cosine[:tokens], self.sine[:tokens]
        # In float32 whatever the input: half precision blurs neighbouring places.
        first, second = x.float().chunk(2, dim=-1)
        turned = (first * cosine - second * sine, second * cosine + first * sine)
        return torch.cat(turned, dim=-1).to(x.dtype)


class Norm(nn.Module):
    """RMSNorm: Zhang and Sennrich, arXiv 1910.07467. The mean square is taken in float32."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.epsilon = config.norm_epsilon
        self.weight = nn.Parameter(torch.ones(config.width))

    def forward(self, x: Tensor) -> Tensor:
        """Scale (batch, tokens, width) to a mean square of 1, times the weight."""
        # One dtype for both, else torch leaves its fused kernel.
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.epsilon)


class Attention(nn.Module):
    """Grouped-query attention."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head_width = config.head_width
        keys = config.kv_heads * config.head_width
        self.q_proj = nn.Linear(config.width, config.width, bias=False)
        self.k_proj = nn.Linear(config.width, keys, bias=False)
        self.v_proj = nn.Linear(config.width, keys, bias=False)
        self.o_proj = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, rotary: Rotary, mask: Mask) -> Tensor:
        """Mix tokens: (batch, tokens, width) to the same."""
        batch, tokens, width = x.shape
        query, key, value = (
            matrix(x).view(batch, tokens, -1, self.head_width).transpose(1, 2)
            for matrix in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = attend(rotary(query), rotary(key), value, mask)
        return cast(Tensor, self.o_proj(mixed.transpose(1, 2).reshape(batch, tokens, width)))


class FeedForward(nn.Module):
    """SwiGLU: Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.hidden, bias=False)
        self.up_proj = nn.Linear(config.width, config.hidden, bias=False)
        self.down_proj = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Work on each token alone: (batch, tokens, width) to the same."""
        return cast(Tensor, self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x)))


class Block(nn.Module):
    """One layer: attention, then feed-forward, each normalised before and added after."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.input_layernorm = Norm(config)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = Norm(config)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, rotary: Rotary, mask: Mask) -> Tensor:
        """(batch, tokens, width) to the same."""
        x = x + self.self_attn(self.input_layernorm(x), rotary, mask)
        return cast(Tensor, x + self.mlp(self.post_attention_layernorm(x)))


class Decoder(nn.Module):
    """Everything below the output matrix."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = Norm(config)
        self.rotary = Rotary(config)

    def forward(self, tokens: Tensor, mask: Mask, recompute: bool = False) -> Tensor:
        """(batch, tokens) ids to (batch, tokens, width)."""
        x = self.embed_tokens(tokens)
        kind = x.device.type
        if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
            # The residual stream too: in float32 it would cost twice the memory traffic.
            x = x.to(torch.get_autocast_dtype(kind))
        for block in self.layers:
            if recompute:
                x = checkpoint(block, x, self.rotary, mask, use_reentrant=False)
            else:
                x = block(x, self.rotary, mask)
        return cast(Tensor, self.norm(x))


class Network(nn.Module):
    """The language model.

    Args:
        config: its shape.

    Attributes:
        config: its shape.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        if not config.tied:
            self.lm_head = nn.Linear(config.width, config.vocabulary, bias=False)

    def initialise(self, seed: int) -> None:
        """Set all parameters and tables; see :func:`fresh`."""
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                set_parameter(parameter, fresh(self.config, name, parameter.shape, seed))
            self.model.rotary.fill()

    def _output(self, x: Tensor) -> Tensor:
        return F.linear(x, self.model.embed_tokens.weight) if self.config.tied else self.lm_head(x)

    def logits(self, tokens: Tensor, documents: Tensor | None = None) -> Tensor:
        """Logits of every position.

        Args:
            tokens: (batch, tokens) ids.
            documents: as :func:`document_mask` takes it; None: a row is one document.

        Returns:
            (batch, tokens, vocabulary).
        """
        mask = None if documents is None else document_mask(documents)
        return self._output(self.model(tokens, mask))

    def forward(
        self,
        tokens: Tensor,
        mask: Mask,
        targets: Tensor,
        chunk: int = 0,
        recompute: bool = False,
        soft: Soft | None = None,
        learned: Tensor | None = None,
    ) -> Tensor:
        """The loss of every position.

        Args:
            tokens: (batch, tokens) ids.
            mask: from :func:`document_mask`.
            targets: (batch, tokens), the id that follows, or :data:`IGNORED`.
            chunk: tokens whose logits exist at one time; 0: all.
            recompute: compute each block's activations again in the backward pass.
            soft: probabilities at places whose target is ignored.
            learned: from :func:`learned_places`, so that only these get logits.

        Returns:
            (batch, tokens) in nats, float32: the cross-entropy; 0 where the target is
            ignored and there are no probabilities.
        """
        x = self.model(tokens, mask, recompute)
        losses = self._hard_losses(x.flatten(0, 1), targets, chunk, learned)
        if soft is None:
            return losses
        return losses.scatter_add(1, soft.places, self._soft_losses(x, soft))

    def _hard_losses(
        self, x: Tensor, targets: Tensor, chunk: int, learned: Tensor | None
    ) -> Tensor:
        flat = targets.flatten()
        if learned is None:
            return self._in_chunks(x, flat, chunk).view(targets.shape)
        some = self._in_chunks(x[learned], flat[learned], chunk)
        return some.new_zeros(len(flat)).index_copy(0, learned, some).view(targets.shape)

    def _in_chunks(self, x: Tensor, targets: Tensor, chunk: int) -> Tensor:
        """The losses of (tokens, width), of which ``chunk`` have logits at one time."""
        if not chunk or chunk >= len(targets):
            return self._losses(x, targets)
        losses = [
            checkpoint(
                self._losses, x[at : at + chunk], targets[at : at + chunk], use_reentrant=False
            )
            for at in range(0, len(targets), chunk)
        ]
        return torch.cat(cast("list[Tensor]", losses))

    def _soft_losses(self, x: Tensor, soft: Soft) -> Tensor:
        """Cross-entropy with probabilities: (batch, some); 0 for unused places."""
        wanted = soft.places[:, :, None].expand(-1, -1, x.shape[2])
        logits = self._output(x.gather(1, wanted)).float()
        return -(soft.likely * logits.log_softmax(-1)[:, :, soft.choices]).sum(-1)

    def _losses(self, x: Tensor, targets: Tensor) -> Tensor:
        logits = self._output(x).float()
        return F.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="none")


def learned_places(targets: Tensor) -> Tensor | None:
    """Places of the flattened targets that are not ignored, on a CPU; elsewhere None.

    The output matrix is a third of a small model, and prompts have nothing to predict where
    answers alone are learned. On an accelerator a count that the data decides would stop
    the queue of kernels.
    """
    return (targets.flatten() != IGNORED).nonzero().flatten() if targets.is_cpu else None


def fresh(config: ModelConfig, name: str, shape: torch.Size, seed: int) -> Tensor:
    """A parameter before training, in float32 on the CPU.

    Normal of variance 1 / inputs; the two matrices that write into the residual stream
    smaller by the square root of their number (Radford et al., GPT-2, 2019); norms at 1.
    Each parameter has its own seed, so that it does not matter who makes which.
    """
    if len(shape) == 1:
        return torch.ones(shape)
    spread = config.width**-0.5 if "embed_tokens" in name else shape[1] ** -0.5
    if name.endswith(("o_proj.weight", "down_proj.weight")):
        spread *= (2 * config.layers) ** -0.5
    # torch's generator on the CPU takes 32 bits of a seed, so both go through a checksum.
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
    return torch.empty(shape).normal_(0.0, spread, generator=generator)


def set_parameter(parameter: Tensor, full: Tensor) -> None:
    """Give a parameter its values; of a sharded one, this process's part."""
    if isinstance(parameter, DTensor):
        # Every process made the same `full`: nothing needs to be sent.
        full = distribute_tensor(
            full.to(parameter.device),
            parameter.device_mesh,
            parameter.placements,
            src_data_rank=None,
        )
    parameter.copy_(full)


def build(config: ModelConfig, seed: int = 0, device: str = "cpu") -> Network:
    """A network with fresh weights in float32; equal seeds give equal weights everywhere."""
    with torch.device("meta"):
        network = Network(config)
    network = network.to_empty(device=device)
    network.initialise(seed)
    return network
