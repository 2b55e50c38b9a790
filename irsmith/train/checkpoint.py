"""Checkpoints: a folder a step, written beside and renamed, by any number of processes.

The tensors go through torch.distributed.checkpoint, which stores each process's share and
puts shares together for any other number of processes. ``state.json`` holds the rest.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.distributed.checkpoint import state_dict_loader, state_dict_saver
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict

from irsmith.model.network import Network
from irsmith.records import IrsmithError
from irsmith.train.config import TrainConfig
from irsmith.train.place import Place

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class State:
    """What a run is at, besides weights and moments.

    Attributes:
        step: steps done.
        tokens: places with a token that were trained on.
        spikes: losses that jumped.
        recent: the last losses, by which a jump is judged.
        seconds: wall time of training so far.
        places: the data stream's, as :attr:`irsmith.train.mixture.Mixture.places`.
        config: the run's.
    """

    step: int
    tokens: int
    spikes: int
    recent: tuple[float, ...]
    seconds: float
    places: tuple[tuple[int, int, int], ...]
    config: TrainConfig


def folder_of(out: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return out / "checkpoints" / f"step-{step:07d}"


def steps_kept(out: Path) -> list[int]:
    """Steps whose checkpoints are whole, oldest first."""
    found = (out / "checkpoints").glob("step-*/" + STATE)
    return sorted(int(path.parent.name.removeprefix("step-")) for path in found)


def save(
    out: Path,
    network: Network,
    optimizers: list[torch.optim.Optimizer],
    state: State,
    place: Place,
) -> Path:
    """Write a checkpoint; the ones before it stay as they are.

    Raises:
        IrsmithError: it could not be written; nothing of it is left.
    """
    final = folder_of(out, state.step)
    beside = final.with_name(f".{final.name}.part")
    if place.leads:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
    place.wait()
    tensors = _tensors(network, optimizers)
    failure = ""
    try:
        with _plain():
            state_dict_saver.save(tensors, checkpoint_id=beside, no_dist=place.world == 1)
        if place.leads:
            data = {name: getattr(state, name) for name in State.__slots__ if name != "config"}
            text = json.dumps(data | {"config": state.config.to_json()}, indent=1)
            (beside / STATE).write_text(text + "\n", encoding="utf-8")
            shutil.rmtree(final, ignore_errors=True)
            beside.rename(final)
    except (Exception, CheckpointException) as error:  # the latter is a BaseException
        failure = _reason(error)
    if failure:
        shutil.rmtree(beside, ignore_errors=True)
        kept = steps_kept(out)
        last = f"the one of step {kept[-1]} is whole" if kept else "there is no earlier one"
        raise IrsmithError(
            f"the checkpoint of step {state.step} could not be written ({failure}); {last}: "
            "make room and go on with --resume"
        )
    place.wait()
    return final


@contextmanager
def _plain() -> Iterator[None]:
    """Without torch's warning that one process is only one process."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        yield


def _reason(error: BaseException) -> str:
    """The system's own words, from inside torch's wrapping."""
    if isinstance(error, CheckpointException) and error.failures:
        error = next(iter(error.failures.values()))[0]
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    for line in reversed(str(error).strip().splitlines()):
        if "Error" in line:
            return line.strip()
    return f"{type(error).__name__}: {error}".splitlines()[0]


def prune(out: Path, keep: int, always: int) -> None:
    """Remove all but the newest checkpoints and the one of step ``always``."""
    for step in steps_kept(out)[:-keep]:
        if step != always:
            shutil.rmtree(folder_of(out, step))


def read_state(folder: Path) -> State:
    """The state of a checkpoint.

    Raises:
        IrsmithError: it is missing or damaged.
    """
    try:
        data = json.loads((folder / STATE).read_text(encoding="utf-8"))
        config = TrainConfig.from_json(data.pop("config"))
        places = tuple(tuple(map(int, place)) for place in data.pop("places"))
        recent = tuple(data.pop("recent"))
        return State(**data, recent=recent, places=places, config=config)  # type: ignore[arg-type]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IrsmithError(f"{folder}: not a whole checkpoint: {error}") from error


def load(
    folder: Path,
    network: Network,
    optimizers: list[torch.optim.Optimizer],
    place: Place,
) -> None:
    """Put a checkpoint's tensors into the network and the optimizers.

    Raises:
        IrsmithError: it is damaged or of another network.
    """
    tensors = _tensors(network, optimizers)
    _quietly(
        folder,
        lambda: state_dict_loader.load(tensors, checkpoint_id=folder, no_dist=place.world == 1),
    )
    set_state_dict(
        network,
        optimizers,
        model_state_dict=tensors["model"],
        optim_state_dict=tensors["optimizers"],
    )


def load_weights(folder: Path, network: Network) -> None:
    """Put only the weights of a checkpoint, made by any number of processes, into a network.

    Raises:
        IrsmithError: it is damaged or of another network.
    """
    tensors = {"model": network.state_dict()}
    _quietly(folder, lambda: state_dict_loader.load(tensors, checkpoint_id=folder, no_dist=True))


def _quietly(folder: Path, read: Callable[[], None]) -> None:
    try:
        with _plain():
            read()
    except (Exception, CheckpointException) as error:
        raise IrsmithError(f"{folder}: damaged or of another run: {_reason(error)}") from error


def _tensors(network: Network, optimizers: list[torch.optim.Optimizer]) -> dict[str, Any]:
    model, moments = get_state_dict(network, optimizers)
    return {"model": model, "optimizers": moments}
