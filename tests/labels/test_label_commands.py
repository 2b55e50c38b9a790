"""The commands: labels are made, described, counted and made again."""

import json
from dataclasses import replace

import pytest

from irsmith.cli.main import main
from irsmith.labels.rows import read_labels, row_of, write_labels
from irsmith.records import Candidate, Size, Verdict
from irsmith.search.evaluate import Evaluator
from irsmith.tasks.example import Tried, TuneLabel
from irsmith.tasks.render import RenderWorker, Request

PASSED = Verdict("passed", "passed")


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    """Folders of labels that the commands made, by kind."""
    folders = {}
    for kind in ("emulate", "disassemble"):
        folders[kind] = tmp_path_factory.mktemp("labels") / kind
        words = ["label", kind, str(corpus), "-o", str(folders[kind]), "--per-module", "3"]
        assert main([*words, "-j", "1"]) == 0
    return folders


@pytest.fixture(scope="module")
def tuned(toolchain, corpus_rows, tmp_path_factory):
    """Tune labels of one target, with one that nothing beats."""
    rows = []
    best = Candidate("function(sroa),default<Oz>", ("-disable-cgp",))
    with (
        RenderWorker(toolchain, corpus_rows[0].target) as renders,
        Evaluator(toolchain, corpus_rows[0].target) as evaluator,
    ):
        for row in corpus_rows[:2] + corpus_rows[4:6]:
            source = renders.render(Request(row.content, normal=True))
            baseline = evaluator.baseline(source.normal).size
            found = next(evaluator.measure(source.normal, [best])).size
            label = TuneLabel(
                row.sha256, best, source.size, baseline, found, toolchain.fingerprint,
                tried=(Tried(best, found), Tried(Candidate("nonsense"), None)),
                strategy="test", compilations=2, seconds=0.5, verdict=PASSED,
            )  # fmt: skip
            rows.append(row_of(label, row))
            none = replace(label, best=None, after=baseline, verdict=Verdict(), tried=())
            rows.append(row_of(none, row))
    path = tmp_path_factory.mktemp("tuned") / "train-000.parquet"
    write_labels(path, "tune", rows)
    return path


def test_a_card_lies_beside_the_labels(made):
    card = (made["emulate"] / "README.md").read_text()
    assert card.startswith("---\npretty_name:") and "  - split: validation\n" in card
    assert "| train | 12 | 4 | 1 |" in card and "irsmith label emulate" in card
    assert "| 8 | module of a package that nothing may be learnt from |" in card
    assert "llvm-22.1.8" in card and "seed 0" in card and "Licence" in card
    names = sorted(path.name for path in made["emulate"].iterdir())
    assert names == ["README.md", "train-000.parquet", "validation-000.parquet"]


@pytest.mark.parametrize("kind", ["emulate", "disassemble"])
def test_every_row_comes_out_to_the_byte(made, corpus, capsys, kind):
    path = made[kind] / "train-000.parquet"
    assert main(["label", "replay", str(path), "--corpus", str(corpus)]) == 0
    assert "12 of 12 rows come out to the byte" in capsys.readouterr().out
    assert main(["label", "replay", f"{path}:3", "--corpus", str(corpus), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": 1, "reproduced": 1, "not": []}
    assert main(["label", "replay", str(path), "--corpus", str(corpus), "--sample", "5"]) == 0
    assert "5 of 5 rows come out to the byte" in capsys.readouterr().out
    assert main(["label", "replay", str(made[kind]), "--corpus", str(corpus), "--sample", "2"]) == 0
    assert "4 of 4 rows come out to the byte" in capsys.readouterr().out


def test_a_tune_row_comes_out_again_and_what_it_tried(tuned, corpus, tmp_path, capsys):
    assert main(["label", "replay", str(tuned), "--corpus", str(corpus), "--tried"]) == 0
    assert "8 of 8" in capsys.readouterr().out
    rows = list(read_labels(tuned))
    wrong = Size(1, 2, 3, 4, 5)
    label = rows[0].label
    spoilt = [
        replace(label, baseline=wrong),
        replace(label, after=wrong),
        replace(label, tried=(Tried(label.best, wrong),)),
    ]
    path = tmp_path / "train-000.parquet"
    write_labels(path, "tune", [replace(rows[0], label=one) for one in spoilt])
    assert main(["label", "replay", str(path), "--corpus", str(corpus), "--tried"]) == 1
    said = capsys.readouterr()
    assert "0 of 3" in said.out
    assert "0: " in said.err and "-Oz gives" in said.err and "do not come out again" in said.err
    assert "the row says 10 bytes, 5 instructions" in said.err


def test_rows_that_do_not_come_out_are_named(made, corpus, tmp_path, capsys):
    rows = list(read_labels(made["disassemble"] / "train-000.parquet"))
    path = tmp_path / "train-000.parquet"
    rows[1] = replace(rows[1], digest="0" * 16)
    rows[2] = replace(rows[2], label=replace(rows[2].label, module="ab" * 32))
    write_labels(path, "disassemble", rows)
    assert main(["label", "replay", str(path), "--corpus", str(corpus)]) == 1
    said = capsys.readouterr()
    assert f"{path}:1: " in said.err and "prompt or answer are other text" in said.err
    assert f"{path}:2: " in said.err and "not in the corpus" in said.err
    assert "10 of 12" in said.out
    # What cannot be tried at all is misuse.
    assert main(["label", "replay", f"{path}:2", "--corpus", str(corpus)]) == 2
    assert main(["label", "replay", f"{path}:99", "--corpus", str(corpus)]) == 2
    assert "no row 99: it has 12, counted from 0" in capsys.readouterr().err
    assert main(["label", "replay", str(tmp_path / "none"), "--corpus", str(corpus)]) == 2


def test_stats_count_and_draw(made, tuned, tmp_path, capsys):
    picture = tmp_path / "gains.svg"
    words = ["label", "stats", str(tuned), str(made["emulate"]), str(made["disassemble"])]
    assert main([*words, "--plot", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "gain over -Oz" in said and "by form" in said and "by output" in said
    assert "<svg" in picture.read_text()
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["tune"]["rows"] == 8 and found["counts"]["emulate"]["rows"] == 24
    assert found["tune"]["compilations"] == 16 and found["tune"]["seconds"] == 4
    assert main(["label", "stats", str(made["emulate"]), "--plot", str(picture)]) == 0
    assert main(["label", "stats", str(tmp_path / "none")]) == 2


def test_misuse_is_told_in_a_line(made, corpus, tmp_path, capsys):
    folder = str(made["emulate"])
    assert main(["label", "emulate", str(corpus), "-o", folder]) == 2
    assert "holds labels already" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["label", "emulate", str(corpus), "-o", str(tmp_path / "x"), "--split", "test"])
    assert "nothing may be learnt from the test split" in capsys.readouterr().err
    assert main(["label", "emulate", str(tmp_path / "none"), "-o", str(tmp_path / "x")]) == 2
    assert main(["label"]) == 2
    assert main(["label", "tuna"]) == 2
    assert "did you mean 'tune'" in capsys.readouterr().err
    assert main(["label", "--help"]) == 0


def test_a_full_disk_is_told_in_a_line(corpus, tmp_path, monkeypatch, capsys):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("irsmith.labels.rows.write_beside", full)
    words = ["label", "disassemble", str(corpus), "-o", str(tmp_path / "d"), "-j", "1"]
    assert main([*words, "--per-module", "1"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.undo()
    # What was made stays, and is used.
    assert main([*words, "--per-module", "1"]) == 0
