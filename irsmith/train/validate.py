"""Validation: bits a token and bits a byte, for each task and each target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from irsmith.model.network import Network, Soft, document_mask
from irsmith.train.config import TrainConfig
from irsmith.train.data import PackedData
from irsmith.train.mixture import Batch, assemble
from irsmith.train.packing import pack
from irsmith.train.place import Place


@dataclass(frozen=True)
class Holdout:
    """Sequences that are held out, the same at every validation.

    Attributes:
        data: where they lie.
        sequences: the pieces of each.
    """

    data: PackedData
    sequences: tuple[NDArray[np.void], ...]


def hold_out(data: PackedData, context: int, most: int, seed: int) -> Holdout:
    """Choose at most ``most`` sequences of a validation folder, at random but always the same."""
    plan = pack(data, context, seed)
    return Holdout(data, tuple(plan.sequence(i) for i in range(min(most, len(plan)))))


def validate(
    network: Network, holdouts: Sequence[Holdout], config: TrainConfig, place: Place
) -> dict[str, dict[str, float]]:
    """Loss on held-out documents.

    Returns:
        For each ``task/target`` its ``bits_per_token``, ``tokens`` (counted targets) and, if
        the data says how many bytes they stand for, ``bits_per_byte``.
    """
    found: dict[str, dict[str, float]] = {}
    for holdout in holdouts:
        meta = holdout.data.meta
        kinds = len(meta.tasks) * 256
        sums = torch.zeros(3, kinds, dtype=torch.float64)
        # Every process makes the same number of steps, as FSDP's exchanges need.
        stride = config.micro * place.world
        for at in range(0, len(holdout.sequences), stride):
            first = at + place.rank * config.micro
            _add(network, holdout, first, config, place, sums)
        sums = place.total(sums.to(place.device)).cpu()
        for kind in sums[1].nonzero().flatten().tolist():
            task, target = divmod(kind, 256)
            nats, tokens, size = sums[:, kind].tolist()
            row = {"bits_per_token": nats / tokens / math.log(2), "tokens": tokens}
            if size:
                row["bits_per_byte"] = nats / size / math.log(2)
            found[f"{meta.tasks[task]}/{meta.targets[target]}"] = row
    return found


def soft_targets(batch: Batch, part: slice, place: Place) -> Soft | None:
    """The probabilities of some sequences, as the network takes them; None without any."""
    if not batch.soft[part].any():
        return None
    places, likely, choices = (
        torch.from_numpy(array).to(place.device)
        for array in (batch.soft_places[part], batch.soft[part], batch.choices)
    )
    return Soft(places, likely, choices)


@torch.no_grad()
def _add(
    network: Network,
    holdout: Holdout,
    first: int,
    config: TrainConfig,
    place: Place,
    sums: torch.Tensor,
) -> None:
    chosen = holdout.sequences[first : first + config.micro]
    empty = holdout.sequences[0][:0]
    padded = [(holdout.data, pieces) for pieces in chosen]
    padded += [(holdout.data, empty)] * (config.micro - len(chosen))
    batch = assemble(padded, config.context, holdout.data.meta.end)
    mask = document_mask(torch.from_numpy(batch.documents).to(place.device))
    tokens = torch.from_numpy(batch.tokens).to(place.device)
    targets = torch.from_numpy(batch.targets).to(place.device)
    with place.autocast():
        soft = soft_targets(batch, slice(None), place)
        learned = place.learned(targets)
        losses = network(tokens, mask, targets, config.loss_chunk, False, soft, learned)
    counted = batch.counts > 0
    groups = torch.from_numpy(batch.groups[counted])
    nats = losses.double().cpu()[torch.from_numpy(counted)]
    sums[0].index_add_(0, groups, nats)
    sums[1].index_add_(0, groups, torch.ones_like(nats))
    for pieces in chosen:
        where = torch.from_numpy(pieces["group"].astype(np.int64))
        sums[2].index_add_(0, where, torch.from_numpy(pieces["bytes"].astype(np.float64)))
