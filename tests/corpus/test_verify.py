"""Each fault that is planted in a corpus is found, and a merged corpus has none."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from irsmith.corpus.function_set import cut_parts, gather
from irsmith.corpus.merge import merge
from irsmith.corpus.parts import parts_of
from irsmith.corpus.rows import Row, read_rows, write_rows
from irsmith.corpus.split import split_of
from irsmith.corpus.stats import draw, stats, table
from irsmith.corpus.verify import PROBLEMS, verify
from irsmith.parallel.processes import Processes
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

pytest.importorskip("pyarrow")
pytest.importorskip("rensa")
X86, ARM = DEFAULT_TARGETS["X86"], DEFAULT_TARGETS["AArch64"]
NAMES = [f"package{k}" for k in range(60)]
TRAIN, OTHER, *_ = [name for name in NAMES if split_of(name) == "train"]
VALIDATION = next(name for name in NAMES if split_of(name) == "validation")
TEST = next(name for name in NAMES if split_of(name) == "test")


def body(seed: int, size: int = 40) -> bytes:
    """C of a function that no other seed has anything like."""
    lines = "".join(
        f"  x = x {'+-*^|&'[(seed * 7 + k * k) % 6]} {(seed * 31 + k * 17) % 97 + 1};\n"
        f'  if (x > {seed * 13 + k}) puts("{seed}-{k}");\n'
        for k in range(size)
    )
    return b"int puts(const char *);\nint f%d(int x) {\n%s  return x;\n}\n" % (seed, lines.encode())


@pytest.fixture(scope="module")
def make(toolchain):
    """A good row of a package, made of C."""

    def made(package: str, source: bytes, triple: str = X86, file: str = "a.c") -> Row:
        content = to_bitcode(toolchain, source, "c", triple, ["-w"])
        return Row(
            content, "MIT", "stated", "", f"debian:{package}@1", "c", package, "1", file, "",
            triple, "22.1.8", split_of(package), hashlib.sha256(content).hexdigest(),
        )  # fmt: skip

    return made


def test_a_good_corpus_is_well(toolchain, make, tmp_path):
    write_rows(tmp_path / "a.parquet", [make(TRAIN, body(1)), make(TEST, body(2))])
    found = verify(toolchain, [tmp_path])
    assert (found.rows, found.findings, found.unknown) == (2, (), 0)


def test_planted_faults_are_found(toolchain, make, tmp_path):
    good = make(TRAIN, body(1))
    truncated = good.content[: len(good.content) // 2 & ~3]
    planted = {
        "not a module": replace(
            make(TRAIN, body(3)), content=truncated, sha256=hashlib.sha256(truncated).hexdigest()
        ),
        "hash": replace(make(TRAIN, body(4)), sha256="0" * 64),
        "licence": replace(make(TRAIN, body(5)), license_expression=" "),
        "split": replace(make(TRAIN, body(6)), split="test"),
        "never-train": make("libjpeg9", body(7)),
        "target": replace(make(TRAIN, body(8)), target=ARM),
        "count": replace(make(TRAIN, body(9)), functions=12),
        "duplicate": good,
        "near-duplicate": make(TEST, body(1).replace(b"f1", b"other")),
    }
    assert split_of("libjpeg9") != "test"
    for kind, row in planted.items():
        write_rows(tmp_path / "a.parquet", [good, row])
        found = verify(toolchain, [tmp_path / "a.parquet"])
        assert found.counts() == {kind: 1}, kind
    (tmp_path / "b.parquet").write_bytes(b"PAR1 junk")
    write_rows(tmp_path / "c.parquet", [make(TRAIN, body(10))])
    found = verify(toolchain, [tmp_path / "b.parquet", tmp_path / "c.parquet"])
    assert found.counts() == {"unreadable": 1} and found.rows == 1
    assert set(planted) | {"unreadable"} == set(PROBLEMS)


def test_a_merged_corpus_verifies(toolchain, make, tmp_path):
    rows = [
        make(TRAIN, body(1)),
        make(OTHER, body(1).replace(b"f1", b"renamed")),
        make(TRAIN, body(2)),
        make(TEST, body(2).replace(b"% 97", b"% 96").replace(b'"2-5"', b'"two"')),
        make(VALIDATION, body(3)),
        make(TRAIN, body(1), ARM),
        make("libjpeg9", body(5)),
        replace(make(TRAIN, body(6)), content=b"BC\xc0\xde junk"),
        make(TRAIN, b"int only;"),
        replace(make(TRAIN, body(7)), split="test", license_expression=""),
    ]
    write_rows(tmp_path / "in.parquet", rows)
    merged = merge(toolchain, [tmp_path / "in.parquet"], tmp_path / "out")
    assert merged.read == 10 and merged.kept == {"train": 3, "test": 1, "validation": 1}
    assert sorted(merged.left_out.values()) == [1, 1, 1, 1, 1]
    assert verify(toolchain, [tmp_path / "out"]).findings == ()
    train = list(read_rows(tmp_path / "out" / "train-000.parquet"))
    assert [row.target for row in train] == [X86, ARM, X86]
    assert train[2].license_expression == "unknown" and train[0].functions == 1
    with pytest.raises(IrsmithError, match="holds Parquet files already"):
        merge(toolchain, [tmp_path / "in.parquet"], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name[0] == "."] == []


def test_a_damaged_file_costs_itself_in_a_merge(toolchain, make, tmp_path):
    write_rows(tmp_path / "a.parquet", [make(TRAIN, body(1)), make(VALIDATION, body(2))])
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    write_rows(tmp_path / "c.parquet", [make(TEST, body(3))])
    merged = merge(toolchain, [tmp_path], tmp_path / "out")
    assert merged.kept == {"train": 1, "validation": 1, "test": 1}
    assert len(merged.damaged) == 1 and "b.parquet: cannot be read" in merged.damaged[0]


def test_a_corpus_is_written_whole_or_not_at_all(toolchain, make, tmp_path, monkeypatch):
    write_rows(tmp_path / "a.parquet", [make(TRAIN, body(1)), make(TEST, body(2))])

    def full(path, rows):
        if path.name.startswith("test"):
            raise IrsmithError("no space left")
        write_rows(path, rows)

    monkeypatch.setattr("irsmith.corpus.merge.write_rows", full)
    with pytest.raises(IrsmithError, match="no space left"):
        merge(toolchain, [tmp_path / "a.parquet"], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_functions_are_cut_each_once(toolchain, make, tmp_path):
    shared = body(50)
    write_rows(
        tmp_path / "in.parquet",
        [
            make(TRAIN, body(1) + shared.replace(b"int puts(const char *);", b"")),
            make(OTHER, shared + body(2).replace(b"int puts(const char *);", b"")),
            make(TEST, body(60), file="t.c"),
            make(TRAIN, body(60), file="copy.c"),
            make(TRAIN, body(1), ARM),
        ],
    )
    parts = parts_of([tmp_path / "in.parquet"], size=2)
    assert [part.count for part in parts] == [2, 2, 1]
    shards = cut_parts(parts, tmp_path / "shards", Processes(2))
    result = gather(parts, shards, tmp_path / "out")
    assert result.cut == {X86: 6, ARM: 1} and result.kept == {"train": 4, "test": 1}
    assert sum(result.left_out.values()) == 2 and result.distinct == {X86: 4, ARM: 1}
    train = list(read_rows(tmp_path / "out" / "train-000.parquet"))
    assert [row.file for row in train] == ["a.c:f1", "a.c:f50", "a.c:f2", "a.c:f1"]
    assert verify(toolchain, [tmp_path / "out"]).findings == ()
    # Nothing is done again, and the same comes out.
    before = {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "shards").glob("*.parquet")
    }
    again = cut_parts(parts, tmp_path / "shards", Processes(1))
    assert {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "shards").glob("*.parquet")
    } == before
    gather(parts, again, tmp_path / "out2")
    first, second = (tmp_path / name / "train-000.parquet" for name in ("out", "out2"))
    assert first.read_bytes() == second.read_bytes()


def test_stats_count_and_draw(make, tmp_path):
    rows = [make(TRAIN, body(1)), make(TRAIN, body(1), ARM), make(TEST, body(2), file="b.c")]
    write_rows(tmp_path / "a.parquet", [replace(row, functions=1, instructions=9) for row in rows])
    found = stats([tmp_path])
    assert (found.total.units, found.total.packages, found.total.functions) == (3, 2, 3)
    assert (found.both_targets, found.files) == (1, 2) and found.splits["train"].units == 2
    assert f"{TRAIN}" in table(found) and "1 of 2 source files" in table(found)
    draw(found, tmp_path / "x.png")
    with pytest.raises(IrsmithError, match="not supported"):
        draw(found, tmp_path / "x.bad")
    with pytest.raises(IrsmithError, match="cannot be written"):
        draw(found, Path("/proc/x.png"))
    assert [path.name for path in tmp_path.glob("x*")] == ["x.png"]
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


def test_the_commands(make, tmp_path):
    write_rows(tmp_path / "a.parquet", [make(TRAIN, body(1)), make(TEST, body(1))])

    def run(*words):
        command = [sys.executable, "-m", "irsmith", "corpus", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)

    done = run("verify", "a.parquet", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["counts"] == {"near-duplicate": 1, "duplicate": 1}
    assert "near-duplicate: 1" in run("verify", "a.parquet").stderr
    done = run("merge", "a.parquet", "-o", "m")
    assert done.returncode == 0 and done.stdout == "m\n"
    assert run("verify", "m").stdout == "all well\n"
    done = run("functions", "m", "-o", "f", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["kept"] == {"train": 1}
    done = run("stats", "f", "--json")
    assert json.loads(done.stdout)["total"]["units"] == 1
    for words in (["verify", "nosuch"], ["stats", "nosuch"], ["merge", "nosuch", "-o", "q"]):
        done = run(*words)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    done = run("recrod")
    assert done.returncode == 2 and "'record'" in done.stderr
    assert run("--help").returncode == 0
