"""What a run takes, before it starts: parameters, operations, memory by part, time, disk.

Nothing is allocated: the network is built of tensors without storage, and what its forward
pass keeps for the backward pass is counted there, tensor by tensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from irsmith.model.config import ModelConfig
from irsmith.records import IrsmithError
from irsmith.train.config import TrainConfig
from irsmith.train.machines import GIB, Machine


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run takes on a machine. Bytes are of one device.

    Attributes:
        machine: its name.
        parameters: of the network.
        flop_per_token: training operations a token, in documents as long as the context.
        tokens: places in all batches.
        weights: bytes of float32 weights.
        gradients: bytes of float32 gradients.
        moments: bytes of the optimizers' state.
        activations: bytes kept for the backward pass of one micro batch.
        gathered: bytes of whole bfloat16 weights: autocast's copies on one device, the two
            largest groups that FSDP holds at a time on several.
        fits: whether the sum is under nine tenths of the memory.
        seconds: of training, if ``share`` of the peak is reached.
        share: of the peak that is assumed.
        checkpoint: bytes on disk of one checkpoint.
    """

    machine: str
    parameters: int
    flop_per_token: float
    tokens: int
    weights: float
    gradients: float
    moments: float
    activations: float
    gathered: float
    fits: bool
    seconds: float
    share: float
    checkpoint: float

    @property
    def memory(self) -> float:
        """Bytes of one device, all parts."""
        return self.weights + self.gradients + self.moments + self.activations + self.gathered

    def to_json(self) -> dict[str, Any]:
        """All figures, and their sum as ``memory``."""
        return asdict(self) | {"memory": self.memory}

    def lines(self) -> list[str]:
        """For people."""
        parts = ("weights", "gradients", "moments", "gathered", "activations")
        memory = ", ".join(f"{name} {getattr(self, name) / GIB:.2f}" for name in parts)
        verdict = "fits" if self.fits else "DOES NOT FIT"
        return [
            f"parameters      {self.parameters / 1e6:,.1f} M",
            f"FLOP a token    {self.flop_per_token:.3g} (forward and backward)",
            f"tokens          {self.tokens:,}",
            f"memory, GiB     {self.memory / GIB:.2f} a device: {memory}: {verdict}",
            f"time            {_duration(self.seconds)} on {self.machine}"
            f" (assumes {self.share:.0%} of its peak)",
            f"a checkpoint    {self.checkpoint / GIB:.2f} GiB",
        ]


def estimate(config: TrainConfig, shape: ModelConfig, machine: Machine) -> Estimate:
    """Estimate a run in bfloat16.

    Args:
        config: the run.
        shape: of its network.
        machine: what it is to run on.

    Raises:
        IrsmithError: the batch does not split over the machine's devices.
    """
    if config.batch % machine.devices:
        raise IrsmithError(
            f"batch {config.batch} does not split over {machine.devices} devices of {machine.name}"
        )
    tokens = config.steps * config.batch * config.context
    flop = shape.flop_per_token()
    all_ = float(shape.parameters)
    tables = (1 if shape.tied else 2) * shape.vocabulary * shape.width
    plain = all_ if config.optimizer == "adamw" else tables
    moments = 8.0 * plain + 4.0 * (all_ - plain)
    micro = min(config.micro, config.batch // machine.devices)
    block = (all_ - tables) / shape.layers
    gathered = 2.0 * (all_ if machine.devices == 1 else tables + 2 * block)
    parts = [4 * all_ / machine.devices, 4 * all_ / machine.devices, moments / machine.devices]
    parts += [float(kept_activations(config, shape, micro)), gathered]
    return Estimate(
        machine=machine.name,
        parameters=shape.parameters,
        flop_per_token=flop,
        tokens=tokens,
        weights=parts[0],
        gradients=parts[1],
        moments=parts[2],
        activations=parts[3],
        gathered=parts[4],
        fits=sum(parts) < 0.9 * machine.memory,
        seconds=tokens * flop / (machine.devices * machine.peak * machine.share),
        share=machine.share,
        checkpoint=4 * all_ + moments,
    )


def kept_activations(config: TrainConfig, shape: ModelConfig, micro: int) -> int:
    """Bytes that the forward pass of ``micro`` sequences keeps, and the logits' chunk.

    Without torch.compile, which keeps less: an upper bound.
    """
    places = micro * shape.context
    at_once = min(config.loss_chunk or places, places)
    logits = at_once * shape.vocabulary * (4 + 4)  # themselves and their gradient, in float32
    one, two = (_kept(replace(shape, layers=layers), config.recompute) for layers in (1, 2))
    kept = one + (shape.layers - 1) * (two - one)  # every layer keeps the same
    if config.recompute:
        # The block whose backward pass runs has its activations again.
        kept += _kept(replace(shape, layers=1), recompute=False)
    return kept * micro + logits


def _kept(shape: ModelConfig, recompute: bool) -> int:
    """Bytes kept for one sequence, logits apart."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from irsmith.model.network import Network

    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage  # held, so that its address stays its own
        return tensor

    # Fake tensors have a device, by which attention takes its fused kernel; on meta it would
    # keep every pair.
    with (
        _default_bf16(),
        FakeTensorMode(),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        network = Network(shape)
        tokens = torch.zeros(1, shape.context, dtype=torch.long)
        weights = {p.untyped_storage()._cdata for p in network.parameters()}
        network(tokens, None, tokens, shape.context // 2, recompute)
    return sum(storage.nbytes() for storage in kept.values())


@contextmanager
def _default_bf16() -> Iterator[None]:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} seconds"
