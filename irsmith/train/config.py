"""What a run is: one frozen dataclass that a recipe returns complete."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from irsmith.model.config import config_for
from irsmith.records import IrsmithError

Optimizer = Literal["muon", "adamw"]
Precision = Literal["auto", "bf16", "fp32"]
Compile = Literal["auto", "yes", "no"]


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of packed data, by its place under the data folder, and its share."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A complete run.

    Attributes:
        stage: what it is called: ``pretrain``, ``emulate``, ``tune``, ``disassemble``.
        size: of the model, one of :data:`irsmith.model.config.SIZES`.
        sources: training data, read from ``DATA/<name>/train``; validation is read from
            ``DATA/<name>/validation`` where that exists.
        context: tokens in a sequence.
        batch: sequences a step, over all processes.
        micro: sequences that one process holds at a time.
        steps: optimizer steps of the whole run.
        warmup: steps over which the rate rises.
        decay: share of the steps, at the end, over which the rate falls to zero.
        optimizer: ``muon`` (matrices by Muon, the rest by AdamW) or ``adamw``.
        rate: peak learning rate.
        weight_decay: of matrices; embeddings and norms have none.
        momentum: of Muon.
        beta1: AdamW's decay of the mean.
        beta2: AdamW's decay of the square.
        clip: largest norm of the gradient.
        prompts: whether prompts are learned too: they are programs like any other.
        ranking: how many tokens the probabilities behind a prompt count as.
        seed: of the weights and of the order of the data.
        precision: ``bf16`` computes in bfloat16 over float32 weights; ``auto`` does where
            the machine has it in hardware.
        compile: whether the network goes through torch.compile; ``auto``: on CUDA.
        loss_chunk: tokens whose logits exist at one time; 0: all of a micro batch.
        recompute: whether activations are computed again in the backward pass.
        validate_every: steps between validations; 0: at the end only.
        validation_sequences: the most sequences of one validation, over all sources.
        checkpoint_every: steps between checkpoints; 0: before the decay and at the end only.
        keep: checkpoints that stay, besides the one before the decay.
        start: a release folder whose weights the run starts from; ``""``: fresh ones.
    """

    stage: str
    size: str
    sources: tuple[Source, ...]
    context: int = 4096
    batch: int = 64
    micro: int = 8
    steps: int = 1000
    warmup: int = 50
    decay: float = 0.3
    optimizer: Optimizer = "muon"
    rate: float = 2e-3
    weight_decay: float = 0.1
    momentum: float = 0.95
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    prompts: bool = False
    ranking: float = 32.0
    seed: int = 0
    precision: Precision = "auto"
    compile: Compile = "auto"
    loss_chunk: int = 8192
    recompute: bool = False
    validate_every: int = 250
    validation_sequences: int = 256
    checkpoint_every: int = 250
    keep: int = 2
    start: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot run.

        Raises:
            IrsmithError: names the field.
        """
        config_for(self.size)
        if not self.sources or any(source.weight <= 0 for source in self.sources):
            raise IrsmithError("train config: every source needs a weight above 0")
        for name in ("context", "batch", "micro", "steps", "keep"):
            if getattr(self, name) < 1:
                raise IrsmithError(f"train config: {name} must be at least 1")
        for name in ("warmup", "seed", "loss_chunk", "validate_every", "checkpoint_every"):
            if getattr(self, name) < 0:
                raise IrsmithError(f"train config: {name} must not be negative")
        for name in ("rate", "clip", "ranking"):
            if not getattr(self, name) > 0:
                raise IrsmithError(f"train config: {name} must be above 0")
        if not 0 <= self.decay <= 1:
            raise IrsmithError("train config: decay is a share of the steps, from 0 to 1")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise IrsmithError(
                    f"train config: {name} is {getattr(self, name)!r}, not one of "
                    + ", ".join(allowed)
                )

    @property
    def decay_start(self) -> int:
        """The step at which the rate begins to fall."""
        return self.steps - round(self.steps * self.decay)

    def to_json(self) -> dict[str, Any]:
        """As a checkpoint stores it."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> TrainConfig:
        """Read what :meth:`to_json` wrote."""
        known = {field.name for field in fields(TrainConfig)}
        if extra := sorted(set(data) - known):
            raise IrsmithError(f"train config: unknown field {extra[0]!r}")
        values = dict(data)
        values["sources"] = tuple(Source(**source) for source in values["sources"])
        return TrainConfig(**values)


_CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": get_args(Optimizer),
    "precision": get_args(Precision),
    "compile": get_args(Compile),
}

MAY_CHANGE = frozenset(
    {
        *("steps", "decay", "micro", "compile", "loss_chunk", "recompute", "keep"),
        *("validate_every", "validation_sequences", "checkpoint_every"),
    }
)
"""Fields that a resumed run may change: they leave the weights up to the checkpoint as they are."""


def with_settings(config: TrainConfig, settings: Sequence[str]) -> TrainConfig:
    """Change fields from the command line's ``field=value``; ``sources`` as ``a:0.85,b:0.15``.

    Raises:
        IrsmithError: no such field (the nearest is named), or a value of another kind.
    """
    kinds = get_type_hints(TrainConfig)
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise IrsmithError(f"--set {setting}: write it as field=value")
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"fields: {', '.join(kinds)}"
            raise IrsmithError(f"train config: no field {name!r}: {hint}")
        values[name] = _parse(name, kinds[name], text)
    return dataclasses.replace(config, **values)


def _parse(name: str, kind: Any, text: str) -> Any:
    try:
        if name == "sources":
            pairs = (part.partition(":") for part in text.split(","))
            return tuple(Source(folder, float(weight or 1)) for folder, _, weight in pairs)
        if kind is bool:
            return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
        if get_origin(kind) is Literal:
            return text
        return kind(text)
    except (ValueError, KeyError) as error:
        raise IrsmithError(f"train config: {name} cannot be {text!r}") from error
