"""``irsmith c++``: a C++ compiler for somebody's build."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.cli.cc import run


def main(words: Sequence[str]) -> int:
    """Compile as ``IRSMITH_CXX`` does, smaller."""
    return run("c++", "IRSMITH_CXX", words)
