"""Which packages may be learnt from: the split rule and the never-train list."""

from __future__ import annotations

import fnmatch
import functools
import hashlib
from importlib import resources


def split_of(package: str) -> str:
    """``test``, ``validation`` or ``train``, by the first byte of the name's SHA-256 mod 10."""
    digit = hashlib.sha256(package.encode()).digest()[0] % 10
    return {0: "test", 1: "validation"}.get(digit, "train")


@functools.cache
def _never() -> tuple[str, ...]:
    text = resources.files("irsmith.corpus").joinpath("never-train.txt").read_text()
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def never_train(package: str) -> bool:
    """Whether a package shares code with public benchmarks and is never learnt from."""
    return any(fnmatch.fnmatchcase(package, pattern) for pattern in _never())
