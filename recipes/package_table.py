"""What each package of the curated lists gave, as a table for the repo; or what all took.

    irsmith corpus debian -o RAW --yes --target x86-64 --target aarch64 --list recipes/packages.txt
    python recipes/package_table.py RAW >recipes/packages.tsv
    python recipes/package_table.py RAW --totals

Reads the reports in RAW. Packages of the lists that have no report are left out and counted.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from irsmith.cli.corpus_debian import names_in
from irsmith.corpus.debian_build import PackageReport, read_report, report_path
from irsmith.corpus.split import split_of

HERE = Path(__file__).parent
LISTS = ("packages.txt", "packages-more.txt")
COLUMNS = ("package", "version", "split", "status", "compiled", "x86-64", "aarch64", "functions",
           "instructions", "failed", "build seconds", "problem")  # fmt: skip
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
PAPER = 10.7e6
"""Translation units of the paper's corpus."""
NIGHT = 20
"""Process-hours of two cores in ten hours."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("raw", type=Path, help="folder of the run")
    parser.add_argument("--totals", action="store_true", help="sums and rates in place of the rows")
    options = parser.parse_args()
    reports, missing = [], 0
    for name in [name for file in LISTS for name in names_in(HERE / file)]:
        path = report_path(options.raw, name)
        if path.exists():
            reports.append(read_report(path))
        else:
            missing += 1
    if missing:
        print(f"{missing} packages of the lists have no report there", file=sys.stderr)
    lines = totals(options.raw, reports) if options.totals else table(reports)
    print("\n".join(lines))


def table(reports: list[PackageReport]) -> Iterator[str]:
    """A head and a line a package, with tabs."""
    yield "\t".join(COLUMNS)
    for report in reports:
        row = (
            *(report.package, report.version, split_of(report.package), report.status),
            *(compiled(report), *(report.units.get(triple, 0) for triple in TARGETS)),
            *(report.functions, report.instructions, len(report.failed)),
            *(round(report.seconds.get("build", 0)), short(report.problem)),
        )
        yield "\t".join(map(str, row))


def compiled(report: PackageReport) -> int:
    """Files that the build compiled."""
    return max(report.compiled.values(), default=0)


def short(problem: str) -> str:
    """A problem in a few words: what was not fetched and why, else the first words."""
    fetched = re.search(r"Failed to fetch \S*/(\S+) +(.*?)(?: \[IP|$)", problem)
    if fetched:
        return f"not fetched: {fetched[2].split(' - ')[0]} ({fetched[1]})"[:120]
    return problem[:80]


def totals(raw: Path, reports: list[PackageReport]) -> Iterator[str]:
    """Sums, rates and what the paper's corpus would take by them, a line each."""
    status = Counter(report.status for report in reports)
    with_modules = sum(any(report.units.values()) for report in reports)
    files = sum(map(compiled, reports))
    units = [sum(report.units.get(triple, 0) for report in reports) for triple in TARGETS]
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds.update(report.seconds)
    hours = sum(seconds.values()) / 3600
    size = sum(path.stat().st_size for path in raw.glob("*.parquet"))
    yield f"packages: {len(reports)}, {with_modules} with modules; " + ", ".join(
        f"{count} {name}" for name, count in status.most_common()
    )
    yield f"files compiled by the builds: {files:,}"
    yield f"modules: {units[0]:,} x86-64, {units[1]:,} AArch64"
    yield f"functions, instructions (x86-64): {sum(r.functions for r in reports):,}, " + (
        f"{sum(r.instructions for r in reports):,}"
    )
    yield f"compilations that gave no module: {sum(len(r.failed) for r in reports):,}"
    yield f"process-hours: {hours:.2f} (" + ", ".join(
        f"{name} {100 * part / 3600 / hours:.0f} %" for name, part in seconds.most_common()
    ) + ")"  # fmt: skip
    yield f"Parquet: {size / 1e6:.0f} MB"
    for name, count in (("packages", with_modules), ("files", files), ("modules", sum(units))):
        rate = count / hours
        yield f"{name} a process-hour: {rate:,.0f}; in a night of two cores: {rate * NIGHT:,.0f}"
    yield (
        f"10.7 million files: {PAPER / files * hours:,.0f} process-hours, "
        f"{PAPER / files * size / 1e9:,.0f} GB"
    )


if __name__ == "__main__":
    main()
