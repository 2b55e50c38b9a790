"""Emulation and disassembly labels: the same wherever they are made, of what may be learnt."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from label_packages import named

from irsmith.corpus.parts import parts_of
from irsmith.labels.draw import LEVELS, Emulation, draw, draw_list
from irsmith.labels.gains import passes_of
from irsmith.labels.gather import gather
from irsmith.labels.make import Builders, ExamplePlan, Order, label_module, make_parts
from irsmith.labels.rows import Labelled, label_format, read_head, read_labels
from irsmith.parallel.processes import Processes
from irsmith.records import Candidate, IrsmithError
from irsmith.sandbox.worker import Limits
from irsmith.search.space import default_space
from irsmith.toolchain import codegen
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.passes import search_space

KINDS = ("emulate", "disassemble")
X86 = DEFAULT_TARGETS["X86"]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_the_same_whatever_makes_them(corpus, tmp_path, kind):
    plan = ExamplePlan(kind, 3)
    parts = parts_of([corpus], 4)
    folders = [tmp_path / "one", tmp_path / "two"]
    for jobs, folder in enumerate(folders, 1):
        shards = make_parts(parts, plan, folder / "work", Processes(jobs))
        made = gather(kind, shards, folder)
        assert not made.errors and made.rows == {"train": 12, "validation": 12}
        assert made.left_out == {"module of a package that nothing may be learnt from": 8}
        names = [path.name for path in made.files]
        assert names == ["train-000.parquet", "validation-000.parquet"]
    for path in sorted(folders[0].rglob("*.parquet")):
        assert path.read_bytes() == (folders[1] / path.relative_to(folders[0])).read_bytes()
    rows = [row for path in made.files for row in read_labels(path, kind)]
    assert {row.package for row in rows} == {named("train"), named("validation")}
    assert {row.target for row in rows} == set(DEFAULT_TARGETS.values())
    assert all(len(row.digest) == 16 for row in rows)
    # Nothing is made twice: what is there is taken, and what is missing is made.
    kept = [shard.path.stat().st_mtime_ns for shard in shards[1:]]
    shards[0].path.unlink()
    again = make_parts(parts, plan, folder / "work", Processes(1))
    assert [shard.path.stat().st_mtime_ns for shard in again[1:]] == kept
    assert again[0].path.read_bytes() == (folders[0] / "work" / again[0].path.name).read_bytes()
    with pytest.raises(IrsmithError, match="another run"):
        make_parts(parts, replace(plan, seed=1), folder / "work", Processes(1))


def test_a_damaged_shard_is_reported_and_the_rest_goes_on(corpus, tmp_path):
    plan = ExamplePlan("disassemble", 1)
    shards = make_parts(parts_of([corpus], 4), plan, tmp_path / "work", Processes(1))
    data = bytearray(shards[1].path.read_bytes())
    data[8:40] = bytes(32)
    shards[1].path.write_bytes(data)
    made = gather("disassemble", shards, tmp_path)
    assert len(made.errors) == 1 and "is it damaged" in made.errors[0]
    assert sum(made.rows.values()) == 6
    shards[2].path.write_bytes(b"half")
    shards = make_parts(parts_of([corpus], 4), plan, tmp_path / "work", Processes(1))
    assert "is damaged: delete it" in shards[2].error


def test_nothing_is_made_of_the_test_split_even_if_asked_for(
    toolchain, corpus, corpus_rows, tmp_path
):
    with pytest.raises(IrsmithError, match="nothing may be learnt from the test split"):
        make_parts([], ExamplePlan("emulate", splits=("test",)), tmp_path, Processes(1))
    only = ExamplePlan("disassemble", 1, splits=("validation",))
    shards = make_parts(parts_of([corpus]), only, tmp_path / "work", Processes(1))
    assert gather("disassemble", shards, tmp_path).rows == {"validation": 4}
    # A row that came through all the same is not written.
    with Builders(toolchain) as builders:
        planted = next(row for row in corpus_rows if row.package == named("test"))
        made = label_module(builders, planted, only, Counter())
    with pytest.raises(IrsmithError, match="of the test split: it may not be written"):
        label_format("disassemble").write([Labelled(tuple(made))])


def test_draws_depend_on_seed_and_module_only():
    wishes = draw("emulate", "ab" * 32, X86, 400, 0)
    assert wishes == draw("emulate", "ab" * 32, X86, 400, 0)
    assert wishes[:5] != draw("emulate", "ab" * 32, X86, 5, 1)
    assert wishes[:5] == draw("emulate", "ab" * 32, X86, 5, 0)
    assert len(set(wishes)) == len(wishes) == 400
    allowed = {known.name for passes in search_space().values() for known in passes}
    named_levels = {f"default<{level}>" for level in LEVELS}
    alone = Counter()
    for wish in wishes:
        names = passes_of(wish.candidate.passes)
        alone[len(names)] += not named_levels & set(names)
        assert wish.output in ("ir", "assembly")
    assert min(alone) <= 1 and max(alone) <= 70
    assert named_levels <= {wish.candidate.passes for wish in wishes}
    random_ones = [w for w in wishes if "default<" not in w.candidate.passes]
    drawn = {name for wish in random_ones for name in passes_of(wish.candidate.passes)}
    assert len(drawn) > 50 and drawn & allowed == drawn
    pairs = {(wish.level, wish.form) for wish in draw("disassemble", "cd" * 32, X86, 99, 0)}
    assert pairs == {
        (level, form)
        for level in ("O0", "O1", "O2", "O3", "Os", "Oz")
        for form in ("compiler", "object")
    }


def _built(builders, row, wish, longest=20_000):
    outcome = builders.of(row.target).call(Order(row.content, row.sha256, wish, longest, "llvm"))
    return outcome


def test_lists_that_fail_are_counted(toolchain, corpus_rows):
    row = corpus_rows[0]
    long = Emulation(Candidate(",".join(["default<O3>"] * 4000)), "ir")
    with Builders(toolchain, Limits(cpu_seconds=1.0)) as builders:
        assert _built(builders, row, long).failure == "time-out"
        wrong = _built(builders, row, Emulation(Candidate("no-such-pass"), "ir"))
        assert "unknown pass name" in wrong.value.left_out
        fine = _built(builders, row, Emulation(Candidate("default<Oz>"), "ir"))
        assert fine.value.label is not None and fine.value.digest
        short = _built(builders, row, Emulation(Candidate("default<Oz>"), "ir"), 900)
        assert short.value.left_out == "longer than 900 characters"
        left_out = Counter()
        plan = ExamplePlan("emulate", longest=10)
        assert label_module(builders, row, plan, left_out) == []
        assert label_module(builders, replace(row, content=b"broken"), plan, left_out) == []
        assert label_module(builders, replace(row, target="riscv64-linux"), plan, left_out) == []
    assert left_out["module: longer than 10 characters"] == 1
    assert left_out["module for another target"] == 1
    assert sum(left_out.values()) == 3


def test_what_was_left_out_is_told_once(corpus, tmp_path):
    shards = make_parts(
        parts_of([corpus], 4), ExamplePlan("disassemble", 1), tmp_path / "work", Processes(1)
    )
    made = gather("disassemble", shards, tmp_path)
    heads = [read_head(path) for path in made.files]
    assert [sum(head.left_out.values()) for head in heads] == [8, 0]


def test_no_option_is_drawn_with_two_values():
    rng, space = random.Random(0), default_space()
    for _ in range(3000):
        codegen.check(draw_list(rng, space, ()).codegen)
