"""Label files give back what was written, and nothing that may not be learnt."""

import json

import pyarrow
import pyarrow.parquet as parquet
import pytest

from irsmith.corpus.split import split_of
from irsmith.labels.columns import kind_of
from irsmith.labels.rows import LabelRow, label_bytes, read_head, read_labels, write_labels
from irsmith.records import Candidate, IrsmithError, Size, Verdict
from irsmith.tasks.example import DisassembleLabel, EmulateLabel, Tried, TuneLabel, Unchecked

LEARNT = next(f"p{n}" for n in range(99) if split_of(f"p{n}") == "train")
MEASURED = next(f"p{n}" for n in range(99) if split_of(f"p{n}") == "validation")
TEST = next(f"p{n}" for n in range(99) if split_of(f"p{n}") == "test")
NEVER = next(f"sox{n}" for n in range(99) if split_of(f"sox{n}") == "train")
SIZE, LESS = Size(50, 8, 0, 48, 12), Size(40, 8, 0, 48)
LIST = Candidate("function(gvn),default<Oz>", ("-disable-lsr", "-disable-cgp"))
SHA = "ab" * 32

TUNE = TuneLabel(
    SHA, LIST, SIZE, SIZE, LESS, "llvm-22.1.8", "instructions",
    (Tried(LIST, LESS), Tried(Candidate(""), None), Tried(LIST, SIZE)), "portfolio+search", 120,
    1.25, Verdict("passed", "passed", "unknown", evidence=("module: not reached",)),
    Unchecked(Candidate("structurizecfg"), LESS, "pass list: wrong code on 920501-5"),
)  # fmt: skip
NOTHING_BEATS = TuneLabel(SHA, None, SIZE, SIZE, SIZE, "llvm-22.1.8")
LABELS = {
    "tune": [TUNE, NOTHING_BEATS, TUNE],
    "emulate": [
        EmulateLabel(SHA, LIST, "ir", SIZE, LESS, "llvm-22.1.8"),
        EmulateLabel(SHA, Candidate(""), "assembly", SIZE, SIZE, "llvm-22.1.8"),
    ],
    "disassemble": [
        DisassembleLabel(SHA, "Oz", "llvm-22.1.8", "object"),
        DisassembleLabel(SHA, "O0", "llvm-22.1.8"),
    ],
}


def rows(kind):
    label = LABELS[kind]
    places = [(LEARNT, "train"), (MEASURED, "validation")] * 2
    return [
        LabelRow(one, package, f"src/a.c:f{n}", "x86_64-unknown-linux-gnu", split)
        for n, (one, (package, split)) in enumerate(zip(label, places, strict=False))
    ]


@pytest.mark.parametrize("kind", LABELS)
def test_written_rows_come_back(tmp_path, kind):
    path = tmp_path / "labels.parquet"
    write_labels(path, kind, rows(kind), {"too long": 3})
    assert list(read_labels(path)) == rows(kind)
    assert list(read_labels(path, kind)) == rows(kind)
    assert [kind_of(row.label) for row in rows(kind)] == [kind] * len(rows(kind))
    head = read_head(path)
    assert (head.kind, head.rows, head.left_out) == (kind, len(rows(kind)), {"too long": 3})
    assert path.read_bytes() == label_bytes(kind, iter(rows(kind)), {"too long": 3})
    assert not list(tmp_path.glob(".*"))


def test_what_was_tried_can_be_left_out(tmp_path):
    path = tmp_path / "labels.parquet"
    write_labels(path, "tune", rows("tune"))
    assert [row.label.tried for row in read_labels(path, tried=False)] == [()] * 3


def test_many_rows_keep_what_each_tried(tmp_path):
    path = tmp_path / "labels.parquet"
    made = [
        LabelRow(
            TuneLabel(
                SHA, None, SIZE, SIZE, SIZE, "llvm",
                tried=tuple(Tried(LIST, Size(n, k, 0, 0)) for k in range(n % 4)),
            ),
            LEARNT, f"f{n}", "x86_64-unknown-linux-gnu", "train",
        )
        for n in range(2500)
    ]  # fmt: skip
    write_labels(path, "tune", made)
    assert list(read_labels(path)) == made
    assert path.stat().st_size < 60_000


@pytest.mark.parametrize(
    ("package", "why"), [(TEST, "of the test split"), (NEVER, "never-train list")]
)
def test_what_may_not_be_learnt_is_neither_written_nor_read(tmp_path, package, why):
    path = tmp_path / "labels.parquet"
    # Whatever the row says.
    planted = LabelRow(LABELS["disassemble"][0], package, "a.c", "x86_64-linux-gnu", "train")
    with pytest.raises(IrsmithError, match=why):
        write_labels(path, "disassemble", [*rows("disassemble"), planted])
    assert not path.exists()
    write_labels(path, "disassemble", rows("disassemble"))
    table = parquet.read_table(path)
    at = table.schema.names.index("package")
    names = pyarrow.array([table.column("package")[0].as_py(), package])
    parquet.write_table(table.set_column(at, "package", names), path)
    with pytest.raises(IrsmithError, match=rf"row 1: .*{why}"):
        list(read_labels(path))


def test_a_row_that_names_another_split_is_refused(tmp_path):
    wrong = LabelRow(LABELS["disassemble"][0], MEASURED, "a.c", "x86_64-linux-gnu", "train")
    with pytest.raises(IrsmithError, match="not of the train split"):
        write_labels(tmp_path / "labels.parquet", "disassemble", [wrong])


def test_what_is_no_label_file_is_refused_in_one_line(tmp_path):
    path = tmp_path / "labels.parquet"
    write_labels(path, "emulate", rows("emulate"))
    with pytest.raises(IrsmithError, match="tune labels are wanted"):
        list(read_labels(path, "tune"))
    with pytest.raises(IrsmithError, match="no such file"):
        list(read_labels(tmp_path / "none"))
    whole, table = path.read_bytes(), parquet.read_table(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IrsmithError, match="is it damaged"):
        list(read_labels(path))
    mark = {b"irsmith.labels": json.dumps({"kind": "emulate", "version": 9}).encode()}
    parquet.write_table(table.replace_schema_metadata(mark), path)
    with pytest.raises(IrsmithError, match="version 9; this irsmith reads 1"):
        list(read_labels(path))
    parquet.write_table(table.replace_schema_metadata({}), path)
    with pytest.raises(IrsmithError, match="not a label file"):
        list(read_labels(path))
    mark = {b"irsmith.labels": json.dumps({"kind": "emulate", "version": 1}).encode()}
    parquet.write_table(table.drop_columns("before").replace_schema_metadata(mark), path)
    with pytest.raises(IrsmithError, match="is it damaged"):
        list(read_labels(path))
    with pytest.raises(IrsmithError, match="a tune label among emulate labels"):
        label_bytes("emulate", rows("tune"))
