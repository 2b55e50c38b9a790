"""What the tests of labels share: a small corpus of functions of every kind of package."""

import hashlib

import pytest
from label_packages import named

from irsmith.corpus.functions import cut_function
from irsmith.corpus.rows import Row, write_rows
from irsmith.records import Module
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

SOURCE = rb"""
extern int errors, report(const char *, int);
static int weigh(int x) { return x > 3 ? x * 5 - errors : x; }
int total(const int *a, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s += weigh(a[i]);
    if (s < 0) report("less than nothing", s);
    return s;
}
int choose(int x) {
    switch (x) {
    case 0: return 7; case 1: return report("q", 9); case 2: return 12; case 3: return errors;
    case 4: return 1; default: return report("odd", x);
    }
}
"""


@pytest.fixture(scope="session")
def corpus_rows(toolchain):
    """Two functions for two targets, of a package of each kind."""
    rows = []
    for target in DEFAULT_TARGETS.values():
        unit = Module(to_bitcode(toolchain, SOURCE, "c", target), target, "u")
        for name in ("total", "choose"):
            cut = cut_function(toolchain, unit, name)
            for package in (
                named("train"), named("validation"), named("test"), named("train", never=True),
            ):  # fmt: skip
                # Whatever it is, the row says that it is of the train split.
                rows.append(
                    Row(
                        cut.bitcode, "MIT", "file header", "", f"debian:{package}@1", "c",
                        package, "1", f"a.c:{name}", "", target, "22.1.8", "train",
                        hashlib.sha256(cut.bitcode).hexdigest(), 20, 1,
                    )
                )  # fmt: skip
    return rows


@pytest.fixture(scope="session")
def corpus(corpus_rows, tmp_path_factory):
    """A corpus file."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.parquet"
    write_rows(path, corpus_rows)
    return path
