"""Muon for matrices with AdamW for the rest, or AdamW alone.

Muon: Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/, with the scale of
Liu et al., "Muon is Scalable for LLM Training", arXiv 2502.16982, under which it takes
AdamW's rate and weight decay. AdamW: Loshchilov and Hutter, arXiv 1711.05101.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from irsmith.train.config import TrainConfig
from irsmith.train.muon import Muon


def make_optimizers(network: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """The optimizers of a run; together they hold each parameter once.

    The matrices of the blocks decay. Embeddings and norms do not: their scale is not
    undone by a norm that follows, or is the point of them.
    """
    matrices: list[Tensor] = []
    rest: list[Tensor] = []
    for name, parameter in network.named_parameters():
        inside = parameter.ndim == 2 and "embed_tokens" not in name and "lm_head" not in name
        (matrices if inside else rest).append(parameter)
    groups = [{"params": rest, "weight_decay": 0.0}]
    if config.optimizer == "adamw":
        groups.insert(0, {"params": matrices, "weight_decay": config.weight_decay})
    cuda = rest[0].is_cuda
    adam = torch.optim.AdamW(
        groups,
        lr=config.rate,
        betas=(config.beta1, config.beta2),
        eps=1e-8,
        fused=True if cuda else None,
    )
    if config.optimizer == "adamw":
        return [adam]
    muon = Muon(
        matrices,
        lr=config.rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    return [muon, adam]


def set_rate(optimizers: list[torch.optim.Optimizer], rate: float) -> None:
    """Give every group the rate of the step to come."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
