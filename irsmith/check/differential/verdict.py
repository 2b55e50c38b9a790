"""What the check of a module says of its functions and of all of it.

Apart from the check, which takes long to import and which many a module does not need.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from irsmith.records import State

SAME = "the same IR as with -Oz"
"""Why a function passed that was not called: what is written for it is what clang's own
-Oz is generated from, so that there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class FunctionVerdict:
    """What is known of one function.

    Attributes:
        name: its name.
        verdict: passed, failed or unknown.
        inputs: good inputs on which both versions ran.
        coverage: share of its blocks that good inputs reached, 0 to 1.
        reason: why it failed or is unknown, or passed without a call (:data:`SAME`).
        copy: ``module``, ``testing copy`` or both: where it was called.
        input: number of the first input on which it differs, or None.
    """

    name: str
    verdict: State
    inputs: int
    coverage: float
    reason: str = ""
    copy: str = ""
    input: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "inputs": self.inputs,
            "coverage": round(self.coverage, 4),
            "reason": self.reason,
            "copy": self.copy,
            "input": self.input,
        }


@dataclass(frozen=True, slots=True)
class ModuleVerdict:
    """What is known of a version of a module.

    Attributes:
        state: failed if any function failed; passed if none failed and at least one
            passed; else unknown.
        functions: every function of the reference.
        seconds: processor time of the comparison.
        reason: why nothing is known, if so.
    """

    state: State
    functions: tuple[FunctionVerdict, ...] = ()
    seconds: float = 0.0
    reason: str = ""

    def count(self, state: State) -> int:
        """Functions with a verdict."""
        return sum(each.verdict == state for each in self.functions)

    @property
    def summary(self) -> str:
        """One line."""
        if self.reason:
            return self.reason
        same = sum(each.reason == SAME for each in self.functions)
        passed = f"{self.count('passed')} passed" + (f" ({same} {SAME})" if same else "")
        rest = f"{self.count('failed')} failed, {self.count('unknown')} unknown"
        return f"{len(self.functions)} functions: {passed}, {rest}"

    @classmethod
    def same(cls, names: Collection[str]) -> ModuleVerdict:
        """Of a module that is the same IR as with -Oz, with the functions that it has."""
        functions = (FunctionVerdict(name, "passed", 0, 0.0, SAME) for name in sorted(names))
        return cls("passed", tuple(functions))

    def to_json(self) -> dict[str, Any]:
        """The object of ``check-modules --json``."""
        return {
            "verdict": self.state,
            "reason": self.reason,
            "functions": [each.to_json() for each in self.functions],
            "seconds": round(self.seconds, 4),
        }
