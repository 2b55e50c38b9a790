"""Folders without a build: a compilation database is followed, plain sources are tried."""

import json
import subprocess
import sys

import pytest

from irsmith.corpus.directory import from_database, named_sources
from irsmith.corpus.rows import read_rows
from irsmith.corpus.split import split_of
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import DEFAULT_TARGETS, cross_includes

pytest.importorskip("pyarrow")
ARM = DEFAULT_TARGETS["AArch64"]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "plain"
    for name in ("src", "include", ".pc"):
        (root / name).mkdir(parents=True)
    (root / "include" / "a.h").write_text("#define THREE 3\n")
    (root / "src" / "a.c").write_text('#include "a.h"\nint f(void) { return THREE; }\n')
    (root / "src" / "date.c").write_text("const char *d(void) { return __DATE__ __TIME__; }\n")
    (root / "src" / "b.cc").write_text("int g(int x) { return x / 5; }\n")
    (root / "src" / "needs.c").write_text('#include "config.h"\nint h;\n')
    (root / ".pc" / "a.c").write_text("int f(void) { return 4; }\n")
    return root


def directory(folder, *words):
    command = [sys.executable, "-m", "irsmith", "corpus", "directory", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_plain_sources_are_tried(folder, tmp_path):
    out = tmp_path / "out.parquet"
    done = directory(tmp_path, "plain", "-o", str(out), "--json", "--licence", "MIT")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["units"] == 3 and len(report["failed"]) == 1
    assert "'config.h' file not found" in report["failed"][0]
    rows = list(read_rows(out))
    assert [row.file for row in rows] == ["src/a.c", "src/b.cc", "src/date.c"]
    assert rows[0].package == "plain" and rows[0].flags == "-I. -I./include"
    assert b"Jan  1 2000" in rows[2].content or len(rows[2].content) > 100
    again = tmp_path / "again.parquet"
    directory(tmp_path, "plain", "-o", str(again), "--licence", "MIT")
    assert again.read_bytes() == out.read_bytes()


def test_a_database_is_followed(folder, tmp_path):
    (folder / "build").mkdir()
    database = folder / "build" / "compile_commands.json"
    entries = [
        {"directory": "..", "command": "cc -Iinclude -O2 -c src/a.c -o a.o", "file": "src/a.c"},
        {"directory": str(folder), "arguments": ["g++", "-c", "src/b.cc"], "file": "src/b.cc"},
        {"directory": str(folder), "command": "cc -c conftest.c", "file": "conftest.c"},
    ]
    database.write_text(json.dumps(entries))
    out = tmp_path / "out.parquet"
    done = directory(tmp_path, "plain", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert [row.file for row in read_rows(out)] == ["src/a.c", "src/b.cc"]
    for text in ("[1]", "{", '[{"directory": "."}]', '{"a": 1}'):
        database.write_text(text)
        with pytest.raises(IrsmithError, match="not a compilation database"):
            from_database(database)


def test_both_targets(folder, tmp_path):
    try:
        there = bool(cross_includes(ARM))
    except IrsmithError:
        there = False
    out = tmp_path / "out.parquet"
    done = directory(tmp_path, "plain", "-o", str(out), "--target", "x86-64", "--target", "aarch64")
    if not there:
        assert done.returncode == 2 and "apt-get install libc6-dev-arm64-cross" in done.stderr
        return
    targets = [row.target for row in read_rows(out) if row.file == "src/a.c"]
    assert targets == [ARM, DEFAULT_TARGETS["X86"]]


def test_misuse_is_one_line(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for words, status, message in (
        (["nosuch", "-o", "x.parquet"], 2, "no such folder"),
        (["plain", "-o", "nosuch/x.parquet"], 2, "the folder does not exist"),
        (["plain", "-o", "x.parquet", "--database", "nosuch"], 2, "not a compilation database"),
        (["empty", "-o", "x.parquet"], 1, "nothing was compiled"),
    ):
        done = directory(tmp_path, *words)
        assert done.returncode == status and message in done.stderr


def test_named_sources_keep_the_rules(toolchain, folder):
    package = next(f"p{k}" for k in range(50) if split_of(f"p{k}") == "train")
    modules = list(
        named_sources(toolchain, [f"{package}={folder}"], "train", DEFAULT_TARGETS["X86"])
    )
    assert next(module.name for module in modules) == f"{package}/src/a.c"
    for entry, split, message in (
        (f"{package}={folder}", "test", "is of the split train"),
        (package, "train", "write PACKAGE=FOLDER"),
        (f"libjpeg9={folder}", split_of("libjpeg9"), "never-train list"),
    ):
        with pytest.raises(IrsmithError, match=message):
            list(named_sources(toolchain, [entry], split, DEFAULT_TARGETS["X86"]))
