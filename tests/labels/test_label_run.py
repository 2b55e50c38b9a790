"""Which modules are taken, and what names a run."""

import shutil
from dataclasses import replace

import pytest

from irsmith.cli.main import main
from irsmith.corpus.parts import parts_of
from irsmith.corpus.rows import read_rows, write_rows
from irsmith.labels.rows import read_labels
from irsmith.labels.run import Pick, run_name
from irsmith.toolchain.clang import DEFAULT_TARGETS


def test_shares_that_follow_each_other_share_nothing(corpus_rows):
    names = [f"{number:064x}" for number in range(2000)]
    first, second = Pick(0.3, "modules"), Pick(0.2, "modules", first=0.3)
    taken = [[n for n in names if pick.draws(n)] for pick in (first, second, Pick(0.5, "modules"))]
    assert not set(taken[0]) & set(taken[1])
    assert set(taken[0]) | set(taken[1]) == set(taken[2])
    assert 300 < len(taken[1]) < 500


def test_what_was_not_counted_is_taken(corpus_rows):
    pick = Pick(smallest=8, largest=100)
    row = corpus_rows[0]
    assert pick.takes(replace(row, instructions=-1)) and pick.takes(replace(row, instructions=8))
    assert not pick.takes(replace(row, instructions=7))
    assert not pick.takes(replace(row, instructions=101))


def test_a_corpus_that_was_moved_is_the_same_run(corpus, corpus_rows, tmp_path):
    here, there = tmp_path / "here.parquet", tmp_path / "there" / "other.parquet"
    there.parent.mkdir()
    for path in (here, there):
        shutil.copy(corpus, path)
    names = [run_name(parts_of([path], 4), {}, []) for path in (here, there)]
    assert names[0] == names[1]
    write_rows(there, [replace(corpus_rows[0], file="b.c"), *corpus_rows[1:]])
    assert run_name(parts_of([there], 4), {}, []) != names[0]


@pytest.fixture
def uncounted(corpus, tmp_path):
    """The corpus' modules for x86-64, with no count of instructions."""
    path = tmp_path / "uncounted.parquet"
    target = DEFAULT_TARGETS["X86"]
    rows = [replace(r, instructions=-1) for r in read_rows(corpus) if r.target == target]
    write_rows(path, rows)
    return path


def test_what_the_corpus_does_not_count_is_labelled(uncounted, tmp_path):
    folder = tmp_path / "tune"
    words = ["label", "tune", str(uncounted), "--searched", "0", "--suite", "quick", "-j", "1"]
    assert main([*words, "-o", str(folder), "--check", "list"]) == 0
    rows = [row for path in folder.glob("*.parquet") for row in read_labels(path)]
    assert len(rows) == 4 and {row.label.verdict.module for row in rows} == {"not run"}
    assert all(row.label.before.instructions > 8 for row in rows)


def test_llvm_counts_and_a_run_that_labels_nothing_says_so(uncounted, tmp_path, capsys):
    words = ["label", "tune", str(uncounted), "-o", str(tmp_path / "t"), "-j", "1"]
    assert main([*words, "--smallest", "9999"]) == 2
    said = capsys.readouterr().err
    assert "nothing to label" in said and "4 of too few or too many IR instructions" in said
    words = ["label", "emulate", str(uncounted), "-o", str(tmp_path / "e"), "-j", "1"]
    assert main([*words, "--modules", "0.5-0.5000001"]) == 2
    assert "nothing to label: no module" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*words, "--modules", "0.6-0.2"])
    assert "nor FROM-TO" in capsys.readouterr().err
