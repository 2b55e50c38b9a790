"""Tune labels of real functions: judged, shared out, reproducible, nothing of the test split."""

import json
from dataclasses import replace

import pytest

from irsmith.cli import label_tune as command
from irsmith.corpus.functions import cut_functions
from irsmith.corpus.parts import parts_of
from irsmith.corpus.rows import Row, write_rows
from irsmith.corpus.split import split_of
from irsmith.labels.rows import read_labels
from irsmith.labels.share import Judged, elect, nominate, settle
from irsmith.labels.tune import SearchPlan
from irsmith.labels.tune_run import TunePlan, label_tune
from irsmith.parallel.processes import Processes
from irsmith.parallel.shards import Shard
from irsmith.records import IrsmithError, Module
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

TARGET = DEFAULT_TARGETS["X86"]
PACKAGES = {
    split: next(f"p{n}" for n in range(99) if split_of(f"p{n}") == split)
    for split in ("train", "validation", "test")
}
SOURCE = rb"""
int log_it(const char *, int);
int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
int clamp(int x, int lo, int hi) { if (x < lo) x = lo; if (x > hi) x = hi; return x; }
unsigned hash(const char *s) { unsigned h = 5381; while (*s) h = h * 33 ^ *s++; return h; }
int name(int k) {
    switch (k) { case 1: return log_it("one", 1); case 2: return log_it("two", 4);
                 case 3: return log_it("three", 9); default: return -1; }
}
"""
PLAN = TunePlan(SearchPlan(budget=44, insertions=2, swaps=2), shared=2, voters=99, suite="quick")


@pytest.fixture(scope="module")
def corpus(toolchain, tmp_path_factory):
    """Four functions of a package of each split, in one file that says nothing of it."""
    unit = Module(to_bitcode(toolchain, SOURCE, "c", TARGET), TARGET, "u.c", package="x")
    rows = []
    for cut in cut_functions(toolchain, unit):
        for split, package in PACKAGES.items():
            rows.append(
                Row(
                    cut.bitcode,
                    "MIT",
                    "stated",
                    "",
                    f"debian:{package}@1",
                    "c",
                    package,
                    "1",
                    cut.name,
                    "",
                    TARGET,
                    "22.1.8",
                    split,
                    cut.sha256,
                    30,
                    1,
                )
            )
    # A row that lies about its split is refused all the same.
    rows.append(replace(rows[2], split="train", file="planted"))
    path = tmp_path_factory.mktemp("corpus") / "functions.parquet"
    write_rows(path, rows)
    return path


@pytest.fixture(scope="module")
def made(toolchain, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    return folder, label_tune(toolchain, parts_of([corpus], 4), PLAN, folder, Processes(1))


def test_every_module_gets_the_best_accepted_list(made):
    folder, run = made
    assert run.labels == {"train": 4, "validation": 4}
    assert run.left_out == {"of a package that nothing may be learnt from": 5}
    accepted = {one.candidate for one in run.judged if one.state == "passed"}
    assert accepted >= set(load_portfolio(TARGET).candidates)
    won = checked = 0
    for path in run.files:
        for row in read_labels(path, "tune"):
            label = row.label
            assert row.package != PACKAGES["test"]
            values = [t.size.total for t in label.tried if t.size and t.candidate in accepted]
            assert label.after.total == min([label.baseline.total, *values])
            assert (label.best is None) == (label.after == label.baseline)
            assert label.best is None or label.verdict.accepted
            assert label.best is None or label.verdict.module in ("passed", "unknown")
            checked += label.verdict.module == "passed"
            assert label.compilations == len(label.tried) >= 24
            if label.unchecked:
                assert label.unchecked.size.total < label.after.total
            won += label.best is not None
    assert won and checked
    lists = json.loads((folder / "lists.json").read_text())
    assert len(lists) == len(run.judged)
    suggested = json.loads((folder / "portfolio-x86_64.json").read_text())["candidates"]
    assert {entry["passes"] for entry in suggested} <= {c.passes for c in accepted}


def test_the_same_again_whatever_the_processes_and_after_a_kill(made, toolchain, corpus, tmp_path):
    first, _ = made
    parts = parts_of([corpus], 4)
    label_tune(toolchain, parts, PLAN, tmp_path, Processes(2))
    # What a damaged shard held is missing, said so, and made when the shard is gone.
    damaged = tmp_path / "work/search/shard-00001.parquet"
    damaged.write_bytes(b"half")
    (tmp_path / "train-000.parquet").unlink()
    run = label_tune(toolchain, parts, PLAN, tmp_path, Processes(1))
    assert sum(run.labels.values()) < 8 and "is damaged: delete it" in run.errors[0]
    damaged.unlink()
    run = label_tune(toolchain, parts, PLAN, tmp_path, Processes(1))
    assert run.labels == {"train": 4, "validation": 4} and not run.errors

    def labels(folder):
        rows = read_labels(folder / "train-000.parquet")
        return [replace(row, label=replace(row.label, seconds=0.0)) for row in rows]

    assert labels(first) == labels(tmp_path)
    with pytest.raises(IrsmithError, match="another run"):
        label_tune(toolchain, parts, replace(PLAN, modules=0.5), tmp_path, Processes(1))


def test_a_refused_list_is_no_label(made):
    """A judge that refuses everything leaves -Oz, and the labels say what that costs."""
    folder, _ = made
    shards = {
        step: [
            Shard(k, path, 4) for k, path in enumerate(sorted((folder / "work" / step).glob("s*")))
        ]
        for step in ("search", "vote", "share")
    }

    def judge(target, candidate):
        return Judged(target, candidate, "failed", "wrong answer on x", "quick")

    nominated = nominate(shards["search"], 50)
    assert nominated
    judged = elect(shards["vote"], nominated, judge, 8)
    assert judged
    refused = 0
    for row in settle(shards["search"], shards["share"], judged):
        assert row.label.best is None
        assert row.label.after == row.label.baseline
        refused += bool(row.label.unchecked and row.label.unchecked.reason == "wrong answer on x")
    assert refused


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    for words, said in (("--modules=2", "is not a share"), ("--searched=-1", "from 0 to 1")):
        with pytest.raises(SystemExit):
            command.main(["x", "-o", str(tmp_path), words])
        assert said in capsys.readouterr().err
    with pytest.raises(IrsmithError, match="no such file"):
        command.main([str(tmp_path / "none"), "-o", str(tmp_path), "--searched", "0"])
