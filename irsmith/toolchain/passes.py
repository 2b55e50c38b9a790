"""The pass table: every pass of this LLVM, where it stands, and whether search may use it.

The table is measured, not typed in: ``recipes/pass_table.py`` writes
``data/passes.json`` from what ``opt`` prints, from what each pass does to sample
modules, and from the verdicts of PassListEval.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, get_args

Tier = Literal["default", "vetted", "untested", "excluded"]
"""``default``: LLVM's own pipelines run it. ``vetted``: passed PassListEval in many
lists, never to blame. ``untested``: nothing found yet, still to be vetted.
``excluded``: not for search; the reason says why."""

TIERS: tuple[Tier, ...] = get_args(Tier)
ALLOWED: tuple[Tier, ...] = ("default", "vetted")
LEVELS = ("module", "cgscc", "function", "loop", "machine")


@dataclass(frozen=True, slots=True)
class Pass:
    """A name that may stand in a pass list, or inside ``require<...>``.

    Attributes:
        name: as written in a pipeline.
        levels: levels at which it is a pass, highest first; empty for a mere analysis.
        analysis_levels: levels at which it is an analysis.
        params: accepted parameters as ``opt --print-passes`` prints them.
        params_required: whether the bare name is refused.
        memory_ssa: of a loop pass, whether MemorySSA is ``needed``, ``accepted`` or
            ``refused``; else empty.
        inert: whether it changed none of the sample modules.
        tier: whether search may use it.
        reason: what puts it there.
    """

    name: str
    levels: tuple[str, ...]
    analysis_levels: tuple[str, ...]
    params: tuple[str, ...]
    params_required: bool
    memory_ssa: str
    inert: bool
    tier: Tier
    reason: str

    @property
    def level(self) -> str:
        """Where the bare name stands: ``loop-mssa`` if it needs that, ``analysis`` if no pass."""
        if not self.levels:
            return "analysis"
        if self.levels[0] == "loop" and self.memory_ssa == "needed":
            return "loop-mssa"
        return self.levels[0]

    def to_json(self) -> dict[str, Any]:
        """The form in which the table stores it: fields that say nothing are left out."""
        fields = {
            "name": self.name,
            "levels": list(self.levels),
            "analysis_levels": list(self.analysis_levels),
            "params": list(self.params),
            "params_required": self.params_required,
            "memory_ssa": self.memory_ssa,
            "inert": self.inert,
            "tier": self.tier,
            "reason": self.reason,
        }
        return {key: value for key, value in fields.items() if value}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Pass:
        """Read what :meth:`to_json` wrote."""
        return Pass(
            name=data["name"],
            levels=tuple(data.get("levels", ())),
            analysis_levels=tuple(data.get("analysis_levels", ())),
            params=tuple(data.get("params", ())),
            params_required=data.get("params_required", False),
            memory_ssa=data.get("memory_ssa", ""),
            inert=data.get("inert", False),
            tier=data["tier"],
            reason=data.get("reason", ""),
        )


@functools.cache
def load_passes() -> Mapping[str, Pass]:
    """The shipped table by name, in the order in which ``opt`` lists the passes."""
    text = resources.files("irsmith.toolchain").joinpath("data/passes.json").read_text()
    passes = (Pass.from_json(entry) for entry in json.loads(text)["passes"])
    return MappingProxyType({known.name: known for known in passes})


def search_space(inert: bool = False) -> dict[str, tuple[Pass, ...]]:
    """The passes that search may use, by the level at which they stand.

    Whole pipelines (``default<Oz>`` and its like) are not among them: a strategy
    that composes pipelines names those itself.

    Args:
        inert: whether to give those too that changed none of the sample modules.

    Returns:
        Passes of the tiers ``default`` and ``vetted`` for ``module``, ``cgscc``,
        ``function``, ``loop`` and ``loop-mssa``.
    """
    space: dict[str, list[Pass]] = {
        level: [] for level in ("module", "cgscc", "function", "loop", "loop-mssa")
    }
    for known in load_passes().values():
        wanted = inert or not known.inert
        if known.tier in ALLOWED and wanted and not known.params_required:
            space[known.level].append(known)
    return {level: tuple(passes) for level, passes in space.items()}
