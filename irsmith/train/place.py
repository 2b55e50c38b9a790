"""Where a run computes: the device, the processes, the precision.

Under ``torchrun`` every process finds its rank in the environment; alone, the world is 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from irsmith.model.config import ModelConfig
from irsmith.model.network import Network, learned_places
from irsmith.train.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run computes.

    Attributes:
        device: this process's device.
        rank: this process, counted from 0.
        world: number of processes.
        bf16: whether the network computes in bfloat16.
        compiled: whether it goes through torch.compile.
    """

    device: torch.device
    rank: int
    world: int
    bf16: bool
    compiled: bool

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass."""
        # Under FSDP the shards are gathered in bfloat16 already, the rest follows them.
        if not self.bf16:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over all processes."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def learned(self, targets: torch.Tensor) -> torch.Tensor | None:
        """Places that get logits, or None for all.

        A compiled network would be compiled again for each number of them.
        """
        return None if self.compiled else learned_places(targets)

    def wait(self) -> None:
        """Until every process is here."""
        if self.world > 1:
            dist.barrier()

    def peak(self) -> float | None:
        """Peak operations a second of all devices together, or None if not known."""
        from irsmith.train.machines import peak_of

        if self.device.type != "cuda":
            return None
        peak = peak_of(torch.cuda.get_device_name(self.device))
        return peak * self.world if peak else None


@contextmanager
def find_place(config: TrainConfig) -> Iterator[Place]:
    """Choose device and precision, and join the other processes for as long as it lasts."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    cuda = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
    if world > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    hardware = cuda or bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    bf16 = config.precision == "bf16" or (config.precision == "auto" and hardware)
    compiled = config.compile == "yes" or (config.compile == "auto" and cuda)
    try:
        yield Place(device, dist.get_rank() if world > 1 else 0, world, bf16, compiled)
    finally:
        if world > 1:
            dist.destroy_process_group()


def place_network(shape: ModelConfig, seed: int, place: Place) -> Network:
    """A fresh network on the device, split over the processes block by block (FSDP2).

    Zhao et al., "PyTorch FSDP", arXiv 2304.11277. No process ever holds more of the
    network than its own share and one whole parameter.
    """
    with torch.device("meta"):
        network = Network(shape)
    if place.world > 1:
        mesh = init_device_mesh(place.device.type, (place.world,))
        half = torch.bfloat16 if place.bf16 else None
        policy = MixedPrecisionPolicy(param_dtype=half, reduce_dtype=torch.float32)
        for block in network.model.layers:
            fully_shard(block, mesh=mesh, mp_policy=policy)
        fully_shard(network, mesh=mesh, mp_policy=policy)
    network.to_empty(device=place.device)
    network.initialise(seed)
    if place.compiled and place.world > 1:
        for block in network.model.layers:
            block.compile(dynamic=False)
    elif place.compiled:
        network.compile(dynamic=False)
    return network
