"""From a corpus and label files to packed data that training reads."""

import json
from dataclasses import replace

import numpy as np
import pytest

from irsmith.corpus.functions import cut_functions
from irsmith.corpus.rows import Row, write_rows
from irsmith.corpus.split import split_of
from irsmith.labels.rows import LabelRow, read_labels, write_labels
from irsmith.labels.tune import Labeller, measure_module
from irsmith.model.slots import portfolio_name, read_portfolio
from irsmith.model.tokenizer import shipped_tokenizer
from irsmith.records import IrsmithError, Module, Verdict
from irsmith.search.portfolio import load_portfolio
from irsmith.tasks.example import DisassembleLabel
from irsmith.tasks.pack import Packer
from irsmith.tasks.vocabulary import TASKS
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.train.data import PackedData
from irsmith.train.pack import PackPlan, pack_stage

TARGET = DEFAULT_TARGETS["X86"]
PACKAGES = [
    (split, next(f"p{n}" for n in range(99) if split_of(f"p{n}") == split))
    for split in ("train", "validation")
]
SOURCE = rb"""
int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
int clamp(int x, int lo, int hi) { if (x < lo) x = lo; if (x > hi) x = hi; return x; }
"""


@pytest.fixture(scope="module")
def made(toolchain, tmp_path_factory):
    """A corpus of two functions in each of two splits, tune and disassembly labels, data."""
    folder = tmp_path_factory.mktemp("pack")
    unit = Module(to_bitcode(toolchain, SOURCE, "c", TARGET), TARGET, "u.c", package="x")
    rows = [
        Row(cut.bitcode, "MIT", "stated", "", f"debian:{package}@1", "c", package, "1", cut.name,
            "", TARGET, "22.1.8", split, cut.sha256, 30, 1)
        for cut in cut_functions(toolchain, unit) for split, package in PACKAGES
    ]  # fmt: skip
    write_rows(folder / "corpus.parquet", rows)
    lists = load_portfolio(TARGET).candidates[:4]
    labels = {"tune": [], "disassemble": []}
    with Labeller(toolchain) as labeller:
        for row in rows:
            tried = measure_module(labeller, row, lists, "size")
            best = min(tried.tried, key=lambda one: one.size.total)
            label = replace(
                tried, best=best.candidate, after=best.size, verdict=Verdict("passed", "passed")
            )
            where = (row.package, row.file, TARGET, row.split)
            labels["tune"].append(LabelRow(label, *where))
            other = DisassembleLabel(row.sha256, "Oz", toolchain.fingerprint)
            labels["disassemble"].append(LabelRow(other, *where))
    for kind, some in labels.items():
        write_labels(folder / "labels" / f"{kind}.parquet", kind, some)
    data = folder / "data"
    data.mkdir()
    (data / "tokenizer.json").write_bytes(b"the tests' own")
    entries = [candidate.to_json() for candidate in lists]
    (data / portfolio_name(TARGET)).write_text(json.dumps({"candidates": entries}))
    return PackPlan((folder / "corpus.parquet",), (folder / "labels",)), data


def test_tune_labels_become_lists_and_rankings(made, toolchain):
    plan, data = made
    counts = pack_stage(toolchain, shipped_tokenizer(), "tune", plan, data)
    for split, count in counts.items():
        assert count["modules"] == 2 and count["documents"] == 4
        packed = PackedData(data / "tune" / split)
        assert packed.meta.tasks == ("tune", "rank") and packed.meta.targets == ("X86",)
    assert len(read_portfolio(data, TARGET)) == 4
    packer = Packer(shipped_tokenizer())
    rows, ranked = packed.documents, 0
    for row in rows:
        ids = packed.read(int(row["start"]), int(row["tokens"]))
        parts = packer.parts([int(number) for number in ids])
        assert parts[0].token == TASKS["tune"]
        if row["soft"]:
            assert len(ids) == row["answer"] + 1
            likely = packed.soft[row["soft"] - 1]
            assert likely[:4].sum() == pytest.approx(1) and not likely[4:].any()
            ranked += 1
    assert ranked == 2 and packed.meta.choices == packer.slots
    assert np.all(rows["answer"] > 0)


def test_disassembly_labels_become_documents(made, toolchain):
    plan, data = made
    counts = pack_stage(toolchain, shipped_tokenizer(), "disassemble", plan, data)
    assert counts["train"]["documents"] == counts["validation"]["documents"] == 2
    with pytest.raises(IrsmithError, match="holds packed data already"):
        pack_stage(toolchain, shipped_tokenizer(), "disassemble", plan, data)


def test_a_split_without_labels_is_no_folder(made, toolchain, tmp_path):
    plan, data = made
    write_labels(
        tmp_path / "train.parquet",
        "disassemble",
        [r for r in read_labels(plan.labels[0] / "disassemble.parquet") if r.split == "train"],
    )
    (tmp_path / "tokenizer.json").write_bytes((data / "tokenizer.json").read_bytes())
    only = replace(plan, labels=(tmp_path / "train.parquet",))
    counts = pack_stage(toolchain, shipped_tokenizer(), "disassemble", only, tmp_path)
    assert counts["train"]["documents"] == 2 and not counts["validation"]
    assert not (tmp_path / "disassemble" / "validation").exists()


def test_what_is_not_there_is_said(made, toolchain):
    plan, data = made
    with pytest.raises(IrsmithError, match="no emulate label is of a module of the corpus"):
        pack_stage(toolchain, shipped_tokenizer(), "emulate", plan, data)
    with pytest.raises(IrsmithError, match="name label files"):
        pack_stage(toolchain, shipped_tokenizer(), "emulate", replace(plan, labels=()), data)
    (data / portfolio_name("aarch64-linux")).write_text("{")
    with pytest.raises(IrsmithError, match="not a portfolio"):
        read_portfolio(data, "aarch64-linux")
    (data / portfolio_name("aarch64-linux")).unlink()
