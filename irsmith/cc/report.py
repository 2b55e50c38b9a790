"""What a build gave, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from irsmith.cc.build import Built
from irsmith.cc.state import Record

_REASONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over units.

    Attributes:
        real: loaded bytes of the real compiler's objects.
        oz: with clang's own -Oz in place of those that we made.
        ours: as the build has them.
        units: that these are sums of.
    """

    real: int
    oz: int
    ours: int
    units: int


def totals(records: Sequence[Record]) -> Totals:
    """Sums over the units of which all three sizes are known, and over all alike."""
    known = [record for record in records if record.real and record.oz]
    return Totals(
        sum(record.real for record in known),
        sum(record.oz for record in known),
        sum(record.in_place for record in known),
        len(known),
    )


def reasons(records: Sequence[Record]) -> list[tuple[str, int]]:
    """Why units are the real compiler's, most frequent first."""
    counted = Counter(record.reason for record in records if record.placed == "real")
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def as_json(built: Built, status: int, seconds: float, extra: dict[str, Any]) -> dict[str, Any]:
    """The object of ``--json``."""
    every = built.every
    known = totals(every)
    return {
        "build_status": status,
        "units": len(every),
        "optimised": sum(record.placed != "real" for record in every),
        "passed": dict(reasons(every)),
        "bytes": {"real": known.real, "oz": known.oz, "ours": known.ours, "units": known.units},
        "bytes_all": {
            "real": sum(record.real for record in every),
            "ours": sum(record.in_place for record in every),
        },
        "seconds": round(seconds, 2),
        "own_seconds": round(sum(record.seconds for record in every), 2),
        "candidates": sum(record.candidates for record in every),
        "compilations": sum(record.compilations for record in every),
        "refused": sum(record.refused for record in every),
        "by_unit": [_one(record) for record in every],
        **extra,
    }


def _one(record: Record) -> dict[str, Any]:
    return {
        "source": record.source,
        "object": record.output,
        "placed": record.placed,
        "reason": record.reason,
        "real": record.real,
        "oz": record.oz,
        "ours": record.in_place,
        "text_real": record.text_real,
        "text_ours": record.text_real if record.placed == "real" else record.text_ours,
        "pass_list": record.candidate.passes if record.candidate else None,
        "codegen": list(record.candidate.codegen) if record.candidate else [],
        "source_of_candidate": record.origin,
        "verdict": record.verdict,
        "evidence": list(record.evidence),
        "seconds": record.seconds,
    }


def as_text(built: Built, seconds: float) -> str:
    """The report for people."""
    every = built.every
    if not every:
        return "irsmith: nothing was compiled: is there anything to build? (make clean first)"
    placed = [record for record in every if record.placed != "real"]
    origins = Counter(record.origin for record in placed)
    made = ", ".join(f"{origin} {count}" for origin, count in sorted(origins.items()))
    lines = [
        f"irsmith: {len(every)} units, {len(placed)} of them smaller"
        + (f" ({made})" if made else "")
    ]
    known = totals(every)
    if known.units:
        lines.append(
            f"  loaded bytes of the {known.units} objects that were optimised or compared:"
        )
        for name, size in (
            ("the compiler's", known.real), ("clang -Oz", known.oz), ("irsmith", known.ours),
        ):  # fmt: skip
            change = (
                "" if size is known.real else f"{100 * (size - known.real) / known.real:+.1f} %"
            )
            against = (
                f", {100 * (size - known.oz) / known.oz:+.1f} % against -Oz"
                if name == "irsmith" and known.oz else ""
            )  # fmt: skip
            lines.append(f"    {name:<15}{size:>11} {change:>8}{against}")
    others = reasons(every)
    if others:
        lines.append("  left as the compiler made them:")
        lines += [f"    {count:>5}  {reason}" for reason, count in others[:_REASONS_SHOWN]]
        rest = sum(count for _, count in others[_REASONS_SHOWN:])
        if rest:
            lines.append(f"    {rest:>5}  other reasons (--json tells all)")
    refused = sum(record.refused for record in every)
    lines.append(
        f"  {sum(r.candidates for r in every)} candidates, "
        f"{sum(r.compilations for r in every)} compilations, {refused} refused by the checker; "
        f"{seconds:.1f} s, {sum(r.seconds for r in every):.1f} s of them in irsmith's own processes"
    )
    return "\n".join(lines)
