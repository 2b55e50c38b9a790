"""The learning rate: warm-up, constant, decay.

Constant until the last steps, so that a run can be lengthened from the checkpoint before
its decay (Hu et al., "MiniCPM", arXiv 2404.06395); the decay is one minus the square root
(Hägele et al., arXiv 2405.18392, which found it the best of the shapes they tried).
"""

from __future__ import annotations

from irsmith.train.config import TrainConfig


def rate(config: TrainConfig, step: int) -> float:
    """The rate of a step, counted from 0."""
    start = config.decay_start
    if step >= start:
        gone = (step - start + 1) / (config.steps - start + 1)
        return config.rate * min(1.0, _rise(config, step)) * float(1 - gone**0.5)
    return config.rate * _rise(config, step)


def _rise(config: TrainConfig, step: int) -> float:
    return min(1.0, (step + 1) / (config.warmup + 1))
