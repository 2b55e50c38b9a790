"""Muon on processors: torch's, with its iteration in the precision that they compute in.

torch.optim.Muon makes a matrix orthogonal in bfloat16 wherever it runs. Processors without
instructions for that compute it some hundred times as slowly as float32: more than all the
rest of a step of a small model (`benchmarks/bench_muon.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Muon(torch.optim.Muon):
    """torch's Muon with ``match_rms_adamw``; a step on a CPU in float32.

    Its state and its options are those of :class:`torch.optim.Muon`.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; see :class:`torch.optim.Muon`."""
        if self.param_groups[0]["params"][0].device.type != "cpu":
            return super().step(closure)  # type: ignore[no-untyped-call]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for parameter in group["params"]:
                if (gradient := parameter.grad) is None:
                    continue
                state = self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(gradient)
                mean = state["momentum_buffer"]
                mean.lerp_(gradient, 1 - momentum)
                update = orthogonal(
                    gradient.lerp(mean, momentum) if group["nesterov"] else mean,
                    group["ns_coefficients"],
                    group["ns_steps"],
                    group["eps"],
                )
                parameter.mul_(1 - rate * group["weight_decay"])
                # Liu et al., arXiv 2502.16982: as large as an update of AdamW.
                scale = 0.2 * max(parameter.shape) ** 0.5
                parameter.add_(update, alpha=-rate * scale)
        return loss


def orthogonal(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, tiny: float
) -> Tensor:
    """A matrix with singular values near 1 in place of its own (Newton-Schulz, float32).

    Args:
        matrix: any.
        coefficients: of the quintic, from Jordan et al., 2024.
        steps: iterations.
        tiny: the least norm that is divided by.
    """
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.float().T if tall else matrix.float()
    x = x / x.norm().clamp(min=tiny)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x
