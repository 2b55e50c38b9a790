"""The parameters of a release without torch: where each lies in ``model.safetensors``.

The file begins with the length of its header (8 bytes, little endian) and the header, JSON
that names each parameter's type, shape and place; package safetensors reads it too, but
neither tells places nor makes numpy arrays of bfloat16.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irsmith.model.config import ModelConfig
from irsmith.records import IrsmithError

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter lies in ``model.safetensors``.

    Attributes:
        dtype: ``F32`` or ``BF16``.
        shape: as the network has it.
        offset: of its first byte in the file.
        length: in bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The parameters of a release where they lie; nothing is read before it is wanted.

    Attributes:
        path: of the file.
        places: by name.
        digest: names the weights: of the file's header and of blocks spread over it.
        arrays: by name, float32; those stored so are mapped, not read.
    """

    path: Path
    places: Mapping[str, Place]
    digest: str
    arrays: Mapping[str, NDArray[np.float32]]


class _Arrays(Mapping[str, NDArray[np.float32]]):
    """Parameters as float32 arrays, made when asked for."""

    def __init__(self, path: Path, places: Mapping[str, Place]) -> None:
        self._places = places
        self._bytes = np.memmap(path, np.uint8, "r")

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        place = self._places[name]
        raw = self._bytes[place.offset : place.offset + place.length]
        if place.dtype == "F32":
            return raw.view("<f4").reshape(place.shape)
        # bfloat16 is the upper half of a float32.
        wide = raw.view("<u2").astype("<u4") << np.uint32(16)
        return wide.view("<f4").reshape(place.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def read_weights(folder: Path, shape: ModelConfig) -> Weights:
    """The parameters of a release; needs numpy, not torch.

    Args:
        folder: the release.
        shape: what its ``config.json`` says.

    Raises:
        IrsmithError: the file is missing, cut short, or holds other parameters.
    """
    path = folder / WEIGHTS
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            first = file.read(8)
            length = struct.unpack("<Q", first)[0] if len(first) == 8 else size
            header = file.read(min(length, size))
            entries = json.loads(header)
            entries.pop("__metadata__", None)
            places = {name: _place(entry, 8 + length) for name, entry in entries.items()}
            end = max((place.offset + place.length for place in places.values()), default=0)
            if end != size:
                raise ValueError(f"{size} bytes in place of {end}")
            digest = hashlib.sha256(header)
            for block in range(64):
                file.seek(8 + length + (size - 8 - length) * block // 64)
                digest.update(file.read(4096))
    except FileNotFoundError as error:
        raise IrsmithError(f"{path}: missing: copy the release again") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IrsmithError(f"{path}: damaged or cut short ({error}): copy it again") from error
    compare(path, {name: place.shape for name, place in places.items()}, _shapes(shape))
    return Weights(path, places, digest.hexdigest(), _Arrays(path, places))


def _place(entry: Mapping[str, Any], base: int) -> Place:
    dtype, shape = str(entry["dtype"]), tuple(int(n) for n in entry["shape"])
    first, last = (int(n) for n in entry["data_offsets"])
    if dtype not in ("F32", "BF16"):
        raise ValueError(f"weights of type {dtype}")
    if last - first != math.prod(shape) * (4 if dtype == "F32" else 2):
        raise ValueError("a parameter of the wrong length")
    return Place(dtype, shape, base + first, last - first)


def _shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Every parameter of the network with its shape."""
    width, keys = config.width, config.kv_heads * config.head_width
    block = {
        "input_layernorm": (width,),
        "self_attn.q_proj": (width, width),
        "self_attn.k_proj": (keys, width),
        "self_attn.v_proj": (keys, width),
        "self_attn.o_proj": (width, width),
        "post_attention_layernorm": (width,),
        "mlp.gate_proj": (config.hidden, width),
        "mlp.up_proj": (config.hidden, width),
        "mlp.down_proj": (width, config.hidden),
    }
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (config.vocabulary, width)}
    for layer in range(config.layers):
        shapes |= {f"model.layers.{layer}.{name}.weight": s for name, s in block.items()}
    shapes["model.norm.weight"] = (width,)
    if not config.tied:
        shapes["lm_head.weight"] = (config.vocabulary, width)
    return shapes


def compare(
    path: Path, found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse weights that are not those of the configuration.

    Raises:
        IrsmithError: names the first that differs.
    """
    for name in sorted(expected.keys() | found.keys()):
        if name not in found or name not in expected:
            where = "missing from" if name in expected else "unknown in"
            raise IrsmithError(
                f"{path}: {name} is {where} the file: not the weights of config.json"
            )
        if found[name] != expected[name]:
            raise IrsmithError(
                f"{path}: {name} is {found[name]}, but config.json says {expected[name]}"
            )
