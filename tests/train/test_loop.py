"""A run learns, goes on exactly where it was killed, and stops when it must."""

import dataclasses
import json
import math

import numpy as np
import pytest
from packed import tiny

from irsmith.records import IrsmithError
from irsmith.train import checkpoint, loop, setup
from irsmith.train.config import Source
from irsmith.train.data import PackedWriter
from irsmith.train.journal import SpikeGuard, read_metrics

torch = pytest.importorskip("torch")

BOTH = (Source("disassemble", 0.85), Source("pretrain", 0.15))


def quiet(_line):
    return None


def run(config, data, out, **how):
    return loop.train(config, data, out, say=quiet, **how)


def losses(out):
    return {row["step"]: row["loss"] for row in read_metrics(out) if "loss" in row}


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run of six steps that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    return out, run(tiny(), data, out)


def weights(folder, data):
    from irsmith.train.data import read_meta

    network, _ = setup.weights_of(folder, read_meta(data / "pretrain/train"))
    return network.state_dict()


def test_the_loss_falls_and_everything_is_noted(whole):
    out, result = whole
    rows = [row for row in read_metrics(out) if "loss" in row]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.3
    assert result.loss == rows[-1]["loss"] and result.tokens == rows[-1]["tokens"]
    for row in rows:
        assert row["tokens_per_second"] > 0 and row["gradient_norm"] > 0 and row["mfu"] is None
    assert set(result.validation) == {"pretrain/x86_64", "pretrain/aarch64"}
    for row in result.validation.values():
        assert row["tokens"] > 0 and 0 < row["bits_per_byte"] < row["bits_per_token"]


def test_probabilities_of_choices_are_learned(tmp_path):
    """Behind an odd token the first choice is three times as likely, behind an even one not."""
    likely = {1: (0.75, 0.25), 0: (0.25, 0.75)}
    for split in ("train", "validation"):
        with PackedWriter(
            tmp_path / "tune" / split, vocabulary=101, end=0, choices=(99, 100)
        ) as writer:
            for ids in ([n, n] for n in range(1, 90)):
                writer.add(ids, task="rank", target="x", answer=2, soft=likely[ids[0] % 2])
    config = tiny(sources=(Source("tune"),), steps=60, prompts=True, validate_every=0)
    found = run(config, tmp_path, tmp_path / "run").validation["rank/x"]
    assert found["bits_per_token"] < 0.9  # the least that can be is 0.81, a coin's 1
    alone = dataclasses.replace(config, prompts=False, micro=4)
    found = run(alone, tmp_path, tmp_path / "alone").validation["rank/x"]
    assert found["bits_per_token"] < 0.9


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_a_killed_run_goes_on_bit_for_bit(whole, data, tmp_path, optimizer):
    config = tiny(optimizer=optimizer, sources=BOTH)
    full = tmp_path / "full"
    run(config, data, full)

    class KilledError(Exception):
        pass

    cut = tmp_path / "cut"
    original = loop._Run._step

    def step(self, pool):
        if self.step == 5:
            raise KilledError
        return original(self, pool)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(loop._Run, "_step", step)
        run(config, data, cut)
    assert max(losses(cut)) == 5
    run(config, data, cut, resume=True)
    assert losses(cut) == losses(full)
    one, two = (weights(checkpoint.folder_of(out, 6), data) for out in (full, cut))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_micro_batches_and_chunks_change_nothing_but_rounding(whole, data, tmp_path):
    run(tiny(micro=4, loss_chunk=0, recompute=True), data, tmp_path)
    assert list(losses(tmp_path).values()) == pytest.approx(
        list(losses(whole[0]).values()), rel=1e-3
    )


def test_a_run_can_be_lengthened_from_before_its_decay(whole, data, tmp_path):
    import shutil

    shutil.copytree(whole[0], tmp_path / "longer")
    said = []
    longer = tiny(steps=9)
    result = loop.train(longer, data, tmp_path / "longer", resume=True, say=said.append)
    assert said[0] == f"resumed from step {tiny().decay_start}" and result.step == 9
    run(longer, data, tmp_path / "straight")
    assert losses(tmp_path / "longer") == losses(tmp_path / "straight")


def test_a_resumed_run_must_be_the_same_run(whole, data):
    with pytest.raises(IrsmithError, match=r"has rate=0\.01, not 0\.5"):
        run(tiny(rate=0.5), data, whole[0], resume=True)
    with pytest.raises(IrsmithError, match="holds a run already: --resume"):
        run(tiny(), data, whole[0])


def test_a_loss_that_is_not_a_number_stops_with_the_batch_saved(data, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "make_optimizers", broken_weights(loop.make_optimizers))
    with pytest.raises(IrsmithError, match="step 1: loss nan") as error:
        run(tiny(), data, tmp_path)
    (saved,) = tmp_path.glob("bad-batch-*.npz")
    assert str(saved) in str(error.value) and "\n" not in str(error.value)
    with np.load(saved) as batch:
        assert batch["tokens"].shape == (4, 64)


def broken_weights(original):
    def make(network, config):
        with torch.no_grad():
            network.model.norm.weight[0] = math.nan
        return original(network, config)

    return make


def test_old_checkpoints_are_removed_but_for_the_one_before_the_decay(data, tmp_path):
    run(tiny(keep=1, steps=8, decay=0.5), data, tmp_path)
    assert checkpoint.steps_kept(tmp_path) == [4, 8]


def test_a_damaged_checkpoint_is_named(whole, data, tmp_path):
    import shutil

    out = tmp_path / "run"
    shutil.copytree(whole[0], out)
    last = checkpoint.folder_of(out, 6)
    for part in last.glob("*.distcp"):
        part.write_bytes(part.read_bytes()[:1000])
    with pytest.raises(IrsmithError, match="damaged"):
        run(tiny(), data, out, resume=True)
    (last / "state.json").write_text("{}")
    with pytest.raises(IrsmithError, match="not a whole checkpoint"):
        run(tiny(), data, out, resume=True)


def test_a_run_starts_from_a_release(whole, data, tmp_path):
    from irsmith.model.release import save_release
    from irsmith.train.data import read_meta

    network, _ = setup.weights_of(
        checkpoint.folder_of(whole[0], 6), read_meta(data / "pretrain/train")
    )
    save_release(tmp_path / "release", network, end=0)
    config = tiny(start=str(tmp_path / "release"), steps=1, warmup=0)
    assert run(config, data, tmp_path / "run").loss < losses(whole[0])[6] + 0.3
    wrong = dataclasses.replace(config, size="nano")
    with pytest.raises(IrsmithError, match="width is 64, not 384"):
        run(wrong, data, tmp_path / "other")


def test_a_finished_run_resumed_says_what_it_came_to(whole, data):
    assert run(tiny(), data, whole[0], resume=True) == whole[1]


def test_missing_data_is_said(tmp_path):
    with pytest.raises(IrsmithError, match="no packed data there"):
        run(tiny(), tmp_path, tmp_path / "out")


def test_spikes_are_counted():
    guard = SpikeGuard()
    marked = [guard(2.0 + 0.01 * (i % 3)) for i in range(40)] + [guard(9.0), guard(2.0)]
    assert marked == [False] * 40 + [True, False] and guard.count == 1


def test_a_cut_last_line_of_metrics_is_skipped(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"step": 1}) + '\n{"step": 2, "lo')
    assert read_metrics(tmp_path) == [{"step": 1}]
