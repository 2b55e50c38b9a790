"""A release comes back as it was, opens in transformers, and damage is said in one line."""

import json

import pytest

torch = pytest.importorskip("torch")

from irsmith.model.config import ModelConfig  # noqa: E402
from irsmith.model.network import build  # noqa: E402
from irsmith.model.release import (  # noqa: E402
    hash_of,
    load_release,
    model_card,
    read_about,
    save_release,
)
from irsmith.records import IrsmithError  # noqa: E402

VALIDATION = {"pretrain/x86_64": {"bits_per_token": 1.5, "tokens": 900.0, "bits_per_byte": 0.25}}


def shape(tied):
    return ModelConfig(128, 64, 2, 4, 2, 96, context=64, tied=tied, rope_base=5000.0)


@pytest.fixture
def tokenizer(tmp_path):
    path = tmp_path / "made" / "tokenizer.json"
    path.parent.mkdir()
    path.write_text('{"model": {"type": "BPE"}}')
    return path


@pytest.fixture
def release(tmp_path, tokenizer):
    network = build(shape(True), seed=1)
    save_release(
        tmp_path / "r",
        network,
        end=3,
        tokenizer=tokenizer,
        trained={"steps": 12, "validation": VALIDATION},
    )
    return tmp_path / "r"


def test_it_comes_back(release, tokenizer):
    network, about = load_release(release)
    assert (about.end, about.tokenizer) == (3, hash_of(tokenizer))
    assert about.shape == shape(True)
    tokens = torch.arange(20)[None]
    assert torch.equal(network.logits(tokens), build(shape(True), seed=1).logits(tokens))
    assert read_about(release) == about
    card = (release / "README.md").read_text()
    assert "| steps | 12 |" in card and "| pretrain/x86_64 | 1.5000 | 0.2500 | 900 |" in card
    assert model_card(about) == card


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("tied", [True, False])
def test_transformers_gives_the_same_logits(tmp_path, tied):
    transformers = pytest.importorskip("transformers")
    network = build(shape(tied), seed=1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.5, 1.5)
    save_release(tmp_path, network, end=3)
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    tokens = torch.randint(0, 128, (2, 50), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            theirs(tokens).logits, network.logits(tokens), atol=1e-4, rtol=1e-4
        )
    assert theirs.config.rope_parameters["rope_theta"] == 5000.0
    assert theirs.generation_config.eos_token_id == 3


def test_half_precision_is_half_the_size(tmp_path):
    network = build(shape(True), seed=1)
    save_release(tmp_path / "full", network, end=0)
    save_release(tmp_path / "half", network, end=0, half=True)
    full, half = (
        (tmp_path / name / "model.safetensors").stat().st_size for name in ("full", "half")
    )
    assert half < 0.55 * full
    loaded, _ = load_release(tmp_path / "half")
    one, two = loaded.model.norm.weight, network.model.norm.weight
    torch.testing.assert_close(one, two, atol=1e-2, rtol=1e-2)


def test_what_is_missing_or_damaged_is_said(release, tokenizer, tmp_path):
    with pytest.raises(IrsmithError, match="no model there"):
        load_release(tmp_path / "nowhere")
    weights = release / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IrsmithError, match="damaged or cut short"):
        load_release(release)
    weights.unlink()
    with pytest.raises(IrsmithError, match="missing"):
        load_release(release)
    weights.write_bytes(whole)
    config = json.loads((release / "config.json").read_text())
    (release / "config.json").write_text(json.dumps(config | {"intermediate_size": 64}))
    with pytest.raises(IrsmithError, match=r"is \(64, 96\), but config.json says \(64, 64\)"):
        load_release(release)
    (release / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(IrsmithError, match="missing from the file"):
        load_release(release)
    (release / "config.json").write_text(json.dumps(config))
    (release / "tokenizer.json").write_text("{}")
    with pytest.raises(IrsmithError, match="not the tokenizer that these weights"):
        load_release(release)
