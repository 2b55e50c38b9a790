"""Lines of IR, as they are written."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Builder:
    """Collects the lines of a function.

    Attributes:
        lines: so far.
        count: values that have a name.
    """

    lines: list[str] = field(default_factory=list)
    count: int = 0

    def value(self, text: str) -> str:
        """Add an instruction with a result, whose name is returned."""
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def do(self, text: str) -> None:
        """Add an instruction without a result."""
        self.lines.append(f"  {text}")
