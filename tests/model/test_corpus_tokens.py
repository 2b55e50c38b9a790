"""Tokens of a corpus, counted on some of its modules."""

import json
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("tokenizers")

from irsmith.cli.main import main
from irsmith.corpus.rows import corpus_files, read_rows
from irsmith.model.corpus_tokens import _estimate, count_tokens
from irsmith.model.tokenizer import shipped_tokenizer

SAMPLE = Path(__file__).parents[2] / "examples/corpus/validation-000.parquet"


def test_a_sample_stands_for_all(toolchain):
    rows = [row for path in corpus_files([SAMPLE]) for row in read_rows(path)][:12]
    whole = list(count_tokens(toolchain, shipped_tokenizer(), rows, 99))
    assert [one.target for one in whole] == sorted({row.target for row in rows})
    assert sum(one.counted + one.failed for one in whole) == len(rows) == 12
    for one in whole:
        assert one.ir.low <= one.ir.total <= one.ir.high and one.ir.rate > 3
        assert 0 < one.assembly.total < one.ir.total
    again = list(count_tokens(toolchain, shipped_tokenizer(), reversed(rows), 2))
    assert again == list(count_tokens(toolchain, shipped_tokenizer(), rows, 2))
    assert all(one.counted <= 2 for one in again)


def test_what_is_reckoned_up():
    found = _estimate([("a", (100, 20)), ("a", (100, 20)), ("b", (300, 80))], 30)
    assert found.total == 30 * 40 and found.rate == 500 / 120
    assert found.low == 30 * 20 and found.high == 30 * 80


def test_the_command(capsys, tmp_path):
    assert main(["corpus", "tokens", str(SAMPLE), "--sample", "2", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines and all(line["counted"] == 2 and line["ir"]["total"] > 0 for line in lines)
    assert main(["corpus", "tokens", str(SAMPLE), "--sample", "1"]) == 0
    assert "million tokens" in capsys.readouterr().out
    assert main(["corpus", "tokens", str(tmp_path / "none")]) == 2
