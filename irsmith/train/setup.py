"""What a run begins with: its data, its shape, a checkpoint or a release to go on from."""

from __future__ import annotations

from pathlib import Path

import torch

from irsmith.model.config import ModelConfig, config_for
from irsmith.model.network import Network, build, set_parameter
from irsmith.records import IrsmithError
from irsmith.train import checkpoint
from irsmith.train.config import MAY_CHANGE, TrainConfig
from irsmith.train.data import Meta, PackedData
from irsmith.train.validate import Holdout, hold_out


def model_config(config: TrainConfig, meta: Meta) -> ModelConfig:
    """The shape of a run's network; the vocabulary is rounded up to a multiple of 128."""
    vocabulary = -(-meta.vocabulary // 128) * 128
    return config_for(config.size, vocabulary=vocabulary, context=config.context)


def open_sources(config: TrainConfig, data: Path) -> list[tuple[PackedData, float]]:
    """The training data of a run, with each source's weight.

    Raises:
        IrsmithError: a source is missing or damaged.
    """
    return [(PackedData(data / s.name / "train"), s.weight) for s in config.sources]


def open_holdouts(config: TrainConfig, data: Path) -> list[Holdout]:
    """The sequences that a run validates on, from each source that has some."""
    found = [data / source.name / "validation" for source in config.sources]
    found = [folder for folder in found if folder.exists()]
    most = config.validation_sequences // max(1, len(found))
    if not most:
        return []
    return [hold_out(PackedData(folder), config.context, most, 0) for folder in found]


def checkpoint_for(config: TrainConfig, out: Path, kept: list[int]) -> Path:
    """The newest checkpoint at which the run that was saved and this one agree.

    Where the two end at different steps that is one from before either decay.

    Args:
        config: the run that is to go on.
        out: folder of the run.
        kept: steps of its checkpoints, oldest first.

    Raises:
        IrsmithError: the runs differ in a field that may not change, or no checkpoint is
            early enough.
    """
    old = checkpoint.read_state(checkpoint.folder_of(out, kept[-1])).config
    one, two = old.to_json(), config.to_json()
    for name, value in one.items():
        if value != two[name] and name not in MAY_CHANGE:
            raise IrsmithError(
                f"{out}: the run there has {name}={value!r}, not {two[name]!r}: "
                "choose another --out, or resume with what it has"
            )
    limit = config.steps
    if (old.steps, old.decay) != (config.steps, config.decay):
        limit = min(old.decay_start, config.decay_start)
    fits = [step for step in kept if step <= limit]
    if not fits:
        raise IrsmithError(f"{out}: no checkpoint from before step {limit}, where the decay begins")
    return checkpoint.folder_of(out, fits[-1])


def start_from(release: Path, network: Network, meta: Meta) -> None:
    """Give a network, sharded or not, the weights of a release.

    Raises:
        IrsmithError: the release is damaged, of another shape, or of another tokenizer.
    """
    from irsmith.model.release import load_release

    trained, about = load_release(release)
    if about.tokenizer and meta.tokenizer and about.tokenizer != meta.tokenizer:
        raise IrsmithError(f"{release}: its tokenizer is not the one that packed the data")
    theirs, ours = trained.config.to_json(), network.config.to_json()
    for name in ours:
        if name != "context" and theirs[name] != ours[name]:
            raise IrsmithError(f"{release}: {name} is {theirs[name]}, not {ours[name]}")
    weights = trained.state_dict()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            set_parameter(parameter, weights[name])


def weights_of(folder: Path, meta: Meta) -> tuple[Network, checkpoint.State]:
    """The network of a checkpoint, whole, on the CPU, whoever wrote it.

    Raises:
        IrsmithError: the checkpoint is missing or damaged.
    """
    state = checkpoint.read_state(folder)
    network = build(model_config(state.config, meta))
    checkpoint.load_weights(folder, network)
    return network, state
