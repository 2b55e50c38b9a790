"""What a step of training nano costs on a processor, against what it would cost otherwise.

    python benchmarks/bench_train.py [--rounds 3]

Muon's step against torch's own, which computes in bfloat16, on the gradients of all matrices;
and forward and backward of 2,048 tokens of which a third are answers, with the output matrix
at answers alone against at every place. One thread, processor time, both sides of a ratio in
turn; random weights and tokens (costs do not depend on them).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from common import Figure, heading, table

from irsmith.model.config import config_for
from irsmith.model.network import IGNORED, Network, build, learned_places
from irsmith.toolchain.find import find_toolchain
from irsmith.train.muon import Muon

ROWS, TOKENS = 4, 512


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def optimizers(network: Network) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Ours and torch's, each with matrices of its own."""
    shapes = [p.shape for p in network.model.layers.parameters() if p.ndim == 2]

    def matrices() -> list[torch.Tensor]:
        made = [torch.randn(shape).requires_grad_() for shape in shapes]
        for one in made:
            one.grad = torch.randn_like(one)
        return made

    return (
        Muon(matrices(), adjust_lr_fn="match_rms_adamw"),
        torch.optim.Muon(matrices(), adjust_lr_fn="match_rms_adamw"),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    heading("Training on a processor", find_toolchain())
    network = build(config_for("nano"), seed=0)
    ours, torchs = optimizers(network)
    tokens = torch.randint(0, network.config.vocabulary, (ROWS, TOKENS))
    every = torch.randint(0, network.config.vocabulary, (ROWS, TOKENS))
    answers = every.clone()
    answers[:, : TOKENS * 2 // 3] = IGNORED

    def learn(targets: torch.Tensor) -> None:
        network(tokens, None, targets, learned=learned_places(targets)).sum().backward()

    ours.step()
    learn(answers)
    muon, loss, steps = [], [], []
    for _ in range(options.rounds):
        one = seconds(ours.step)
        muon.append(seconds(torchs.step) / one)
        part = seconds(lambda: learn(answers))
        loss.append(seconds(lambda: learn(every)) / part)
        steps.append(ROWS * TOKENS / part)
    table(
        "nano, one thread",
        [
            Figure("torch's Muon step against ours", muon),
            Figure("output matrix everywhere against at answers", loss),
            Figure("forward and backward, tokens a second", steps, ""),
        ],
    )


if __name__ == "__main__":
    main()
