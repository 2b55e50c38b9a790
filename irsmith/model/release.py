"""The release folder: what people download, and what every other program reads.

``model.safetensors`` and ``config.json`` as Hugging Face's Llama has them (the parameters
are named so in the network already), ``generation_config.json``, ``tokenizer.json``, and a
model card, ``README.md``, written from the run's own figures. ``config.json`` carries one
key more, ``irsmith``, with the tokenizer's hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsmith.model.config import ModelConfig
from irsmith.model.weights import WEIGHTS, compare
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside
from irsmith.version import __version__

if TYPE_CHECKING:
    from irsmith.model.network import Network

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class About:
    """What a release says of itself besides its weights.

    Attributes:
        shape: of the network.
        end: token id that ends a document.
        tokenizer: sha256 of ``tokenizer.json``, or ``""``.
        trained: figures of the run, as the card shows them.
    """

    shape: ModelConfig
    end: int
    tokenizer: str
    trained: Mapping[str, Any]


def hash_of(tokenizer: Path) -> str:
    """The name by which data and weights know their tokenizer: sha256, hexadecimal.

    Raises:
        IrsmithError: the file cannot be read.
    """
    try:
        return hashlib.sha256(tokenizer.read_bytes()).hexdigest()
    except OSError as error:
        raise IrsmithError(f"{tokenizer}: cannot be read: {error.strerror}") from error


def save_release(
    folder: Path,
    network: Network,
    *,
    end: int,
    tokenizer: Path | None = None,
    trained: Mapping[str, Any] | None = None,
    half: bool = False,
) -> About:
    """Write a release folder, ``config.json`` last.

    Args:
        folder: made if missing; files there are replaced, each whole.
        network: with whole (not sharded) weights.
        end: token id that ends a document.
        tokenizer: the ``tokenizer.json`` to put beside the weights.
        trained: figures of the run for the card and for :class:`About`.
        half: store bfloat16, for half the space.

    Raises:
        IrsmithError: the folder cannot be written.
    """
    import torch
    from safetensors.torch import save

    dtype = torch.bfloat16 if half else torch.float32
    weights = {
        name: t.detach().to("cpu", dtype).contiguous() for name, t in network.state_dict().items()
    }
    name = hash_of(tokenizer) if tokenizer else ""
    about = About(network.config, end, name, dict(trained or {}))
    config = network.config.to_huggingface(end, str(dtype).removeprefix("torch."))
    config["irsmith"] = {"version": __version__, "tokenizer": name, "trained": about.trained}
    generation = {"eos_token_id": end, "pad_token_id": end, "do_sample": False}
    try:
        write_beside(folder / WEIGHTS, save(weights, metadata={"format": "pt"}))
        if tokenizer:
            write_beside(folder / TOKENIZER, tokenizer.read_bytes())
        write_beside(folder / "generation_config.json", _json(generation))
        write_beside(folder / CARD, model_card(about).encode())
        write_beside(folder / CONFIG, _json(config))
    except OSError as error:
        raise IrsmithError(f"{folder}: cannot be written: {error.strerror}") from error
    return about


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=2) + "\n").encode()


def read_about(folder: Path) -> About:
    """What a release says of itself; needs no torch.

    Raises:
        IrsmithError: it is no release, or its tokenizer is not the one of its weights.
    """
    path = folder / CONFIG
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IrsmithError(f"{folder}: no model there ({CONFIG}: {error.strerror})") from error
    except ValueError as error:
        raise IrsmithError(f"{path}: not JSON: {error}") from error
    ours = data.get("irsmith", {})
    about = About(
        ModelConfig.from_huggingface(data),
        int(data.get("eos_token_id") or 0),
        str(ours.get("tokenizer", "")),
        ours.get("trained", {}),
    )
    if about.tokenizer:
        there = folder / TOKENIZER
        if not there.exists():
            raise IrsmithError(f"{folder}: {TOKENIZER} is missing: copy the release again")
        if hash_of(there) != about.tokenizer:
            raise IrsmithError(
                f"{there}: not the tokenizer that these weights were trained with: "
                "copy both from one release"
            )
    return about


def load_release(folder: Path) -> tuple[Network, About]:
    """Load a release into a network on the CPU, in float32.

    Raises:
        IrsmithError: files are missing, cut short, or do not belong together.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from irsmith.model.network import Network

    about = read_about(folder)
    path = folder / WEIGHTS
    try:
        weights = load_file(path)
    except FileNotFoundError as error:
        raise IrsmithError(f"{path}: missing: copy the release again") from error
    except (OSError, SafetensorError) as error:
        raise IrsmithError(f"{path}: damaged or cut short ({error}): copy it again") from error
    with torch.device("meta"):
        network = Network(about.shape)
    compare(
        path,
        {name: tuple(tensor.shape) for name, tensor in weights.items()},
        {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()},
    )
    network.to_empty(device="cpu")
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    network.model.rotary.fill()
    return network, about


def model_card(about: About) -> str:
    """The model card: what it is, how to load it, and every figure that the run left."""
    shape, trained = about.shape, dict(about.trained)
    rows = [
        ("parameters", f"{shape.parameters:,}"),
        ("layers, width, heads (key heads)", _shape_words(shape)),
        ("vocabulary", f"{shape.vocabulary:,}"),
        ("context", f"{shape.context:,} tokens"),
        ("made with", f"irsmith {__version__}"),
    ]
    validation = trained.pop("validation", {})
    rows += [(name.replace("_", " "), _figure(value)) for name, value in trained.items()]
    lines = [
        "---",
        "library_name: transformers",
        "tags: [llvm, llvm-ir, assembly, compilers]",
        "---",
        "",
        "# An irsmith language model",
        "",
        "Reads and writes LLVM-IR and machine code. Its answers are guesses: use it through",
        "`irsmith`, which checks them.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
    ]
    if validation:
        lines += ["", "## Validation", "", "| task/target | bits a token | bits a byte | tokens |"]
        lines += ["|---|---|---|---|"]
        for name, row in sorted(validation.items()):
            size = f"{row['bits_per_byte']:.4f}" if "bits_per_byte" in row else "not known"
            bits, tokens = row["bits_per_token"], int(row["tokens"])
            lines.append(f"| {name} | {bits:.4f} | {size} | {tokens:,} |")
    return "\n".join(lines) + "\n"


def _shape_words(shape: ModelConfig) -> str:
    return f"{shape.layers}, {shape.width}, {shape.heads} ({shape.kv_heads})"


def _figure(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
