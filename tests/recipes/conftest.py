"""Labels that several recipes learn from."""

from pathlib import Path

import pytest

from irsmith.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def labels(tmp_path_factory):
    """Every list of the portfolio on some units of the sample corpus."""
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("labels")
    words = ["label", "tune", str(ROOT / "examples/corpus"), "-o", str(folder), "--searched", "0"]
    assert main([*words, "--modules", "0.08", "--largest", "400", "--check", "list"]) == 0
    return folder
