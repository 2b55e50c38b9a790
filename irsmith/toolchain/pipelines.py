"""clang's own optimisation levels as pipeline text, recorded per version and target.

``default<Oz>`` is not what ``clang -Oz`` runs: clang adds ``slp-vectorizer``. The
text was recorded by ``recipes/record_pipelines.py`` from
``clang -LEVEL -mllvm -print-pipeline-passes``; run through ``LLVMRunPasses`` it
gives clang's object section by section (tested).
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

from irsmith.toolchain.find import ToolchainError
from irsmith.toolchain.llvm import arch_of

LEVELS = ("O1", "O2", "O3", "Os", "Oz")


@functools.cache
def _recorded() -> dict[str, Any]:
    text = resources.files("irsmith.toolchain").joinpath("data/pipelines.json").read_text()
    data: dict[str, Any] = json.loads(text)
    return data


def clang_pipeline(version: str, triple: str, level: str = "Oz") -> str:
    """What ``clang -LEVEL`` runs for a target.

    Raises:
        ToolchainError: nothing is recorded for this version of LLVM.
    """
    try:
        return str(_recorded()[version][arch_of(triple)][level])
    except KeyError as error:
        raise ToolchainError(
            f"the pipelines of LLVM {version} were not recorded: "
            "run `python recipes/record_pipelines.py`"
        ) from error
