"""The table of packages says what each gave, and the totals add it up."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from irsmith.cli.corpus_debian import names_in
from irsmith.corpus.debian_build import PackageReport

ROOT = Path(__file__).parents[2]
GONE = "apt-get: E: Failed to fetch http://m/pool/p/plzip_1.tar.xz 404 Not Found [IP: 1.2.3.4 80]"
ARCHES = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")


def run(*words):
    command = [sys.executable, str(ROOT / "recipes/package_table.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_rows_and_totals(tmp_path):
    count = dict.fromkeys(ARCHES, 2)
    compiled = dict.fromkeys(ARCHES, 4)
    reports = [
        PackageReport("zlib", "1", "ok", "", compiled, count, 9, 90, (), 0, {"build": 1800.0}),
        PackageReport("plzip", "2", "not built", GONE, {}, {}, 0, 0, (), 0, {"fetch": 1800.0}),
    ]
    for report in reports:
        (tmp_path / f"{report.package}.json").write_text(json.dumps(asdict(report)))
    rows = [line.split("\t") for line in run(str(tmp_path))[1:]]
    assert [row[0] for row in rows] == ["zlib", "plzip"] and rows[0][4:7] == ["4", "2", "2"]
    assert rows[1][-1] == "not fetched: 404 Not Found (plzip_1.tar.xz)"
    text = "\n".join(run(str(tmp_path), "--totals"))
    assert "packages: 2, 1 with modules; 1 ok, 1 not built" in text
    assert "process-hours: 1.00 (build 50 %, fetch 50 %)" in text
    assert "10.7 million files: 2,675,000 process-hours" in text


def test_every_package_of_the_list_gave_modules():
    lines = (ROOT / "recipes/packages.tsv").read_text().splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    gave = [row["package"] for row in rows if int(row["x86-64"]) + int(row["aarch64"])]
    listed = names_in(ROOT / "recipes/packages.txt")
    assert listed == gave and len(set(listed)) == len(listed) >= 150
    assert not set(listed) & set(names_in(ROOT / "recipes/packages-more.txt"))
