"""Corpus files come back as they were written, ComPile's load too, damaged ones say so."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import (
    COLUMNS,
    Row,
    corpus_files,
    package_of,
    parquet_bytes,
    read_rows,
    write_rows,
)
from irsmith.corpus.split import split_of
from irsmith.records import IrsmithError

pyarrow = pytest.importorskip("pyarrow")
ROW = Row(
    b"BC", "MIT", "stated", "", "debian:lz4@1.9.4-1", "c", "lz4", "1.9.4-1", "lib/lz4.c",
    "-DX", "x86_64-unknown-linux-gnu", "22.1.8", split_of("lz4"), "0" * 64, 5, 1,
)  # fmt: skip


@given(st.lists(st.builds(Row, *[st.binary(max_size=9)] + [st.text(max_size=5)] * 5), max_size=9))
def test_rows_come_back(rows):
    data = parquet_bytes(rows, group=4)
    assert data == parquet_bytes(rows, group=4)
    table = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
    assert table.column_names == list(COLUMNS)
    assert [row["content"] for row in table.to_pylist()] == [row.content for row in rows]


def test_files_and_columns(tmp_path):
    write_rows(tmp_path / "b.parquet", [ROW])
    write_rows(tmp_path / "a.parquet", [replace(ROW, content=b"BD"), ROW])
    files = corpus_files([tmp_path])
    assert [path.name for path in files] == ["a.parquet", "b.parquet"]
    assert list(read_rows(files[0])) == [replace(ROW, content=b"BD"), ROW]
    (quick,) = read_rows(files[1], ("package", "license_expression"))
    assert quick.content == b"" and quick.package == "lz4" and quick.instructions == -1
    modules = list(read_modules(tmp_path, ROW.split))
    assert len(modules) == 3 and modules[0].name == "lz4/lib/lz4.c"
    assert [m for s in ("train", "validation", "test") if s != ROW.split
            for m in read_modules(tmp_path, s)] == []  # fmt: skip


def test_compiles_rows_load(tmp_path):
    """ComPile's six columns and no other; its licence files are lists of names."""
    names = ["content", "license_expression", "license_source", "license_files",
             "package_source", "language"]  # fmt: skip
    table = pyarrow.Table.from_pylist(
        [
            dict(zip(names, [b"BC", "MIT", "spack", files, "spack:zlib@1.2", "c"], strict=True))
            for files in (None, ["LICENSE", "doc/LICENSE"])
        ]
    )
    pyarrow.parquet.write_table(table, tmp_path / "compile.parquet")
    row, other = read_rows(tmp_path / "compile.parquet")
    assert other.license_files == "LICENSE\ndoc/LICENSE"
    write_rows(tmp_path / "ours" / "a.parquet", [other])
    assert list(read_rows(tmp_path / "ours" / "a.parquet")) == [other]
    assert (row.package, row.split) == ("zlib", split_of("zlib"))
    assert row.sha256 == hashlib.sha256(b"BC").hexdigest() and row.license_files == ""
    module, _ = read_modules(tmp_path, row.split)
    assert module.bitcode == b"BC" and module.sha256 == row.sha256


@pytest.mark.parametrize(
    ("source", "package"),
    [
        ("debian:zlib@1:1.2.13", "zlib"),
        ("spack:zlib", "zlib"),
        ("https://github.com/madler/zlib/", "zlib"),
        ("", ""),
    ],
)
def test_packages_of_sources(source, package):
    assert package_of(source) == package


def test_bad_files_say_so(tmp_path):
    with pytest.raises(IrsmithError, match="no such file"):
        corpus_files([tmp_path / "nosuch"])
    with pytest.raises(IrsmithError, match=r"no \.parquet files"):
        corpus_files([tmp_path])
    whole = parquet_bytes([ROW] * 50)
    bad = tmp_path / "bad.parquet"
    for data in (
        b"",
        b"PAR1junkPAR1",
        whole[: len(whole) // 2],
        whole[:40] + b"\xff" * 40 + whole[80:],
    ):
        bad.write_bytes(data)
        with pytest.raises(IrsmithError, match=r"bad\.parquet: cannot be read"):
            list(read_rows(bad))
    pyarrow.parquet.write_table(pyarrow.table({"x": [1]}), bad)
    with pytest.raises(IrsmithError, match="not a corpus file"):
        list(read_rows(bad))
    table = pyarrow.Table.from_pylist([{"content": b"BC", "license_expression": "MIT"}])
    for name, values in (("content", ["BC"]), ("instructions", ["1"]), ("package", [3])):
        others = table.drop(["content"]) if name == "content" else table
        pyarrow.parquet.write_table(others.append_column(name, pyarrow.array(values)), bad)
        with pytest.raises(IrsmithError, match=f"of this version .its column {name} holds"):
            list(read_rows(bad))
    with pytest.raises(IrsmithError, match="cannot be written"):
        write_rows(Path("/proc/nosuch/x.parquet"), [ROW])


def test_reading_begins_at_any_row(tmp_path):
    rows = [replace(ROW, content=bytes([k])) for k in range(10)]
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet_bytes(rows, group=4))
    for first in range(12):
        assert [row.content for row in read_rows(path, first=first)] == [
            row.content for row in rows[first:]
        ]
