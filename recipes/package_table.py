"""What each package of the curated list gave, as a table for the repo.

    irsmith corpus debian -o RAW --yes --target x86-64 --target aarch64 --list recipes/packages.txt
    python recipes/package_table.py RAW >recipes/packages.tsv

Reads the reports in RAW. Packages of the list that have no report are left out and said.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from irsmith.cli.corpus_debian import names_in
from irsmith.corpus.debian_build import read_report, report_path
from irsmith.corpus.split import split_of

HERE = Path(__file__).parent
COLUMNS = ("package", "version", "split", "status", "compiled", "x86-64", "aarch64", "functions",
           "instructions", "failed", "build seconds", "problem")  # fmt: skip


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("raw", type=Path, help="folder of the run")
    raw = parser.parse_args().raw
    print("\t".join(COLUMNS))
    for name in names_in(HERE / "packages.txt"):
        path = report_path(raw, name)
        if not path.exists():
            print(f"{name}: no report", file=sys.stderr)
            continue
        report = read_report(path)
        units = [report.units.get(f"{arch}-unknown-linux-gnu", 0) for arch in ("x86_64", "aarch64")]
        row = (
            *(name, report.version, split_of(name), report.status),
            *(max(report.compiled.values(), default=0), *units),
            *(report.functions, report.instructions, len(report.failed)),
            *(round(report.seconds.get("build", 0)), report.problem[:80]),
        )
        print("\t".join(map(str, row)))


if __name__ == "__main__":
    main()
