"""The sample corpus in the repo is small, licensed, and passes ``verify``."""

from pathlib import Path

import pytest

from irsmith.corpus.read import read_modules
from irsmith.corpus.rows import corpus_files, read_rows
from irsmith.corpus.stats import stats
from irsmith.corpus.verify import verify

pytest.importorskip("pyarrow")
SAMPLE = Path(__file__).parents[2] / "examples" / "corpus"


def test_it_is_small_and_names_every_licence():
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 5_000_000
    text = (SAMPLE / "README.md").read_text()
    for path in corpus_files([SAMPLE]):
        for row in read_rows(path, ("package", "version", "license_expression")):
            assert f"| {row.package} | {row.version} |" in text
            assert row.license_expression in text and "GPL" not in row.license_expression
    found = stats([SAMPLE])
    assert set(found.splits) == {"train", "validation", "test"} and len(found.targets) == 2
    assert found.total.units > 500 and found.total.packages > 40


def test_held_out_splits_verify(toolchain):
    pytest.importorskip("rensa")
    found = verify(toolchain, [SAMPLE / "validation-000.parquet", SAMPLE / "test-000.parquet"])
    assert found.findings == () and found.unknown == 0
    assert len(list(read_modules(SAMPLE, "validation"))) > 50


@pytest.mark.slow
def test_all_of_it_verifies(toolchain):
    assert verify(toolchain, [SAMPLE], jobs=2).findings == ()
