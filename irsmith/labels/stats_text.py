"""Figures of labels as text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from irsmith.labels.gains import SIZES, Gain, TuneStats
from irsmith.labels.stats import Counts, LabelStats


def table(found: LabelStats, most: int = 15) -> str:
    """The figures as text.

    Args:
        found: from :func:`irsmith.labels.stats.stats`.
        most: packages, passes and reasons shown.
    """
    lines: list[str] = []
    for kind, counts in found.counts.items():
        lines += [f"{kind}: {counts.rows} rows of {counts.modules} modules", ""]
        lines += list(_counts(counts, most))
        if kind == "tune" and found.tune is not None:
            lines += list(_tune(found.tune, most))
    return "\n".join(lines).rstrip()


def _counts(counts: Counts, most: int) -> Iterator[str]:
    for what, values in counts.by.items():
        shown = list(values.items())[:most]
        yield f"  by {what}"
        yield from (f"    {count:>8}  {name}" for name, count in shown)
        if len(values) > most:
            yield f"    and {len(values) - most} more"
    if counts.left_out:
        yield "  left out"
        yield from (f"    {n:>8}  {why}" for why, n in list(counts.left_out.items())[:most])
    yield ""


def _tune(found: TuneStats, most: int) -> Iterator[str]:
    yield (
        f"  {'gain over -Oz':<32}{'labels':>8}{'packages':>9}{'improved':>9}{'mean':>8}"
        f"  {'95 % by package':<19}{'total':>8}"
    )
    for title, groups in (("", found.splits), ("target", found.targets)):
        yield from _gains(title, groups)
    bounds = dict(pairwise(SIZES))
    sizes = {
        f"{low} to {bounds[low] - 1}" if bounds[low] < SIZES[-1] else f"{low} and more": one
        for low, one in found.sizes.items()
    }
    yield from _gains("size of -Oz", sizes)
    yield from _gains("package", dict(list(found.packages.items())[:most]))
    if found.curve:
        yield "  mean gain of the smallest list, checked or not, after so many compilations"
        for split, curve in found.curve.items():
            points = ", ".join(f"{count}: {_percent(value)}" for count, value in curve.items())
            yield f"    {split}: {points}"
    count, lost = found.unchecked
    yield f"  a smaller list that was not accepted: {count} labels; checking costs {_percent(lost)}"
    states = ", ".join(f"{count} {state}" for state, count in found.module.items())
    yield f"  the module check of labels with a list: {states or 'none'}"
    if found.refuted:
        lists = ", ".join(f"{many} after {count}" for count, many in found.refuted.items())
        yield f"  labels whose better list the module check refuted: {lists} lists"
    for title, counted in (
        ("lists not accepted", found.refused),
        ("labels whose list has", found.passes),
        ("labels whose list has the option", found.codegen),
    ):
        if counted:
            yield f"  {title}"
            yield from (f"    {n:>8}  {name}" for name, n in list(counted.items())[:most])
    if found.lengths:
        middle = sorted(n for n, count in found.lengths.items() for _ in range(count))
        at = (0.05, 0.5, 0.95)
        passes = ", ".join(str(middle[int(q * (len(middle) - 1))]) for q in at)
        yield f"  passes of a list at 5, 50, 95 %: {passes}"
    if found.seconds:
        rate = found.compilations / found.seconds
        yield f"  {found.compilations} compilations, {rate:.1f} a second of a process"


def _gains(title: str, groups: dict[str, Gain]) -> Iterator[str]:
    if title:
        yield f"  {title}"
    for name, one in groups.items():
        interval = f"{_percent(one.low)} to {_percent(one.high)}"
        yield (
            f"    {name[:30]:<30}{one.labels:>8}{one.packages:>9}{one.improved:>9}"
            f"{_percent(one.mean):>8}  {interval:<19}{_percent(one.total):>8}"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
