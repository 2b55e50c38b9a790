"""One dial sets the size; what is counted is what is built."""

import pytest

from irsmith.model.config import SIZES, ModelConfig, config_for
from irsmith.records import IrsmithError

torch = pytest.importorskip("torch")

MILLIONS = {
    "tiny": 1.1,
    "nano": 15,
    "small": 50,
    "base": 125,
    "large": 1_000,
    "7b": 7_000,
    "13b": 13_000,
}


@pytest.mark.parametrize("size", SIZES)
def test_parameters_are_what_the_dial_says_and_what_the_network_has(size):
    from irsmith.model.network import Network

    config = config_for(size)
    assert config.parameters == pytest.approx(MILLIONS[size] * 1e6, rel=0.08)
    with torch.device("meta"):
        network = Network(config)
    assert sum(p.numel() for p in network.parameters()) == config.parameters


def test_flop_counts_matrices_and_attended_pairs():
    config = ModelConfig(vocabulary=10, width=4, layers=2, heads=2, kv_heads=1, hidden=6, context=8)
    # A block: q 16, k 8, v 8, o 16, three matrices of 24; the output matrix: 40.
    assert config.matrix_parameters == 2 * (48 + 72) + 40
    assert config.flop(1, 1) == 6 * config.matrix_parameters + 12 * 2 * 4
    assert config.flop_per_token() == config.flop(1, 4.5)


@pytest.mark.parametrize("config", [config_for("nano"), config_for("large", context=128)])
def test_config_survives_both_forms(config):
    assert ModelConfig.from_json(config.to_json()) == config
    assert ModelConfig.from_huggingface(config.to_huggingface(0)) == config


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_type": "gpt2"}, "gpt2"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rotary"),
        ({"attention_bias": True}, "biases"),
    ],
)
def test_another_network_is_refused(change, says):
    data = config_for("nano").to_huggingface(0) | change
    with pytest.raises(IrsmithError, match=says):
        ModelConfig.from_huggingface(data)


def test_a_missing_field_is_named():
    data = config_for("nano").to_huggingface(0)
    del data["hidden_size"]
    with pytest.raises(IrsmithError, match="hidden_size is missing"):
        ModelConfig.from_huggingface(data)


def test_wrong_sizes_and_shapes_are_refused():
    with pytest.raises(IrsmithError, match="did you mean 'small'"):
        config_for("smal")
    with pytest.raises(IrsmithError, match="heads"):
        ModelConfig(vocabulary=9, width=10, layers=1, heads=4, kv_heads=1, hidden=8)
    with pytest.raises(IrsmithError, match="evenly"):
        ModelConfig(vocabulary=9, width=16, layers=1, heads=4, kv_heads=3, hidden=8)
    with pytest.raises(IrsmithError, match="unknown field 'depth'"):
        ModelConfig.from_json({"depth": 3})
