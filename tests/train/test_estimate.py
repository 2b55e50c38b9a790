"""The estimate of a run: counted, not allocated; and the machines that it knows."""

from dataclasses import replace

import pytest
from packed import tiny

from irsmith.model.config import config_for
from irsmith.records import IrsmithError
from irsmith.train.estimate import estimate, kept_activations
from irsmith.train.machines import machine, peak_of


def of(config, size, where):
    return estimate(config, config_for(size, context=config.context), machine(where))


def test_parts_add_up_and_split_over_devices():
    config = tiny(batch=64, micro=4, context=256, optimizer="adamw")
    one, eight = of(config, "nano", "h100"), of(config, "nano", "8xh100")
    parameters = config_for("nano").parameters
    assert one.weights == one.gradients == 4 * parameters and one.moments == 8 * parameters
    assert eight.weights == one.weights / 8
    assert one.memory == pytest.approx(
        one.weights + one.gradients + one.moments + one.activations + one.gathered
    )
    assert one.seconds == pytest.approx(8 * eight.seconds)
    assert one.tokens == 6 * 64 * 256
    muon = of(replace(config, optimizer="muon"), "nano", "h100")
    assert 4 * parameters < muon.moments < 8 * parameters


def test_recomputing_keeps_less_and_length_costs_in_proportion():
    config = tiny(loss_chunk=64)
    deep = replace(config_for("nano", vocabulary=256), layers=12)
    shapes = [replace(deep, context=length) for length in (256, 512)]
    short, long = (kept_activations(config, shape, 1) for shape in shapes)
    assert 1.8 < long / short < 2.1  # fused attention keeps no square of the length
    assert kept_activations(replace(config, recompute=True), shapes[1], 1) < long / 3
    assert kept_activations(config, shapes[1], 4) > 3.5 * long


def test_the_13b_on_a_named_cluster_takes_no_memory_here():
    config = tiny(size="13b", batch=64, micro=1, context=4096, recompute=True)
    found = of(config, "13b", "cluster-8x8")
    assert found.fits and found.parameters > 12e9
    assert found.checkpoint > 4 * found.parameters
    alone = of(config, "13b", "h100")
    assert not alone.fits
    assert "DOES NOT FIT" in "\n".join(alone.lines())


def test_machines():
    assert machine("8xh100").devices == 8 and machine("cluster-64x8").devices == 512
    assert peak_of("NVIDIA H100 80GB HBM3") == 989.4e12
    assert peak_of("NVIDIA H100 PCIe") == 756.5e12
    assert peak_of("another") is None
    for wrong in ("a100", "0xh100", "cluster-8"):
        with pytest.raises(IrsmithError, match="machine"):
            machine(wrong)
    with pytest.raises(IrsmithError, match="does not split over 8"):
        of(tiny(batch=4), "nano", "8xh100")
