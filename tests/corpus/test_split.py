"""The split rule, the never-train list, and that reading obeys both."""

import pytest

from irsmith.corpus.read import read_modules
from irsmith.corpus.split import never_train, split_of
from irsmith.records import IrsmithError


def test_the_rule():
    assert split_of("gzip") == "test"
    assert split_of("libzstd") == "validation"
    assert split_of("zlib") == "train"
    assert never_train("libjpeg-turbo") and never_train("susan") and not never_train("zlib")


def test_reading_obeys_the_rule_whatever_a_row_says(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    names = ["gzip", "zlib", "libjpeg-turbo", "libzstd"]
    rows = [
        {
            "content": name.encode(),
            "license_expression": "MIT",
            "package": name,
            "file": "a.c",
            "target": "x86_64-unknown-linux-gnu",
            "split": "train",  # a lie for all but zlib
            "sha256": name,
        }
        for name in names
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "x.parquet")
    assert [m.package for m in read_modules(tmp_path, "train")] == ["zlib"]
    assert [m.package for m in read_modules(tmp_path, "validation")] == ["libzstd"]
    with pytest.raises(IrsmithError, match="no such file or folder"):
        list(read_modules(tmp_path / "none", "train"))
