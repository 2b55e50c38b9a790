"""The GGUF file holds the network, and llama.cpp writes what torch writes."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")

from irsmith.model.config import ModelConfig  # noqa: E402
from irsmith.model.gguf import export_gguf, tensor_name  # noqa: E402
from irsmith.model.network import build  # noqa: E402
from irsmith.records import IrsmithError  # noqa: E402

SHAPE = ModelConfig(384, 64, 2, 4, 2, 96, context=64, tied=False)


def byte_level(tokens):
    """A byte-level BPE tokenizer.json with one merge; id 0 ends."""
    # GPT-2's bytes to characters: printable ones are themselves, the rest follow from 256.
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    alphabet = [chr(b) for b in plain] + [chr(256 + i) for i in range(len(rest))]
    vocab = {"<end>": 0} | {letter: i + 1 for i, letter in enumerate(alphabet)}
    vocab |= {"!!": 257} | {f"x{i}": i for i in range(258, tokens)}
    return {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<end>", "special": True}],
        "model": {"type": "BPE", "vocab": vocab, "merges": [["!", "!"]]},
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gguf")
    (folder / "tokenizer.json").write_text(json.dumps(byte_level(300)))
    network = build(SHAPE, seed=2)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.5, 1.5, generator=generator)
        # Only printable ASCII (ids 1 to 94) is written: llama.cpp's server joins tokens
        # that are no whole character into one.
        network.lm_head.weight[0] = 0
        network.lm_head.weight[95:] = 0
    path = folder / "model.gguf"
    return network, export_gguf(network, path, tokenizer=folder / "tokenizer.json", end=0)


def test_it_reads_back(exported):
    network, path = exported
    reader = gguf.GGUFReader(path)
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    weights = network.state_dict()
    assert set(found) == {tensor_name(name) for name in weights}
    np.testing.assert_array_equal(
        found["blk.1.ffn_down.weight"], weights["model.layers.1.mlp.down_proj.weight"]
    )
    fields = reader.fields
    assert fields["llama.attention.head_count_kv"].contents() == 2
    assert len(fields["tokenizer.ggml.tokens"].contents()) == SHAPE.vocabulary


def test_query_rows_are_interleaved(exported):
    network, path = exported
    found = {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}
    ours = network.state_dict()["model.layers.0.self_attn.q_proj.weight"].numpy()
    half = SHAPE.head_width // 2
    np.testing.assert_array_equal(found["blk.0.attn_q.weight"][1], ours[half])
    np.testing.assert_array_equal(found["blk.0.attn_q.weight"][2], ours[1])


LLAMA = textwrap.dedent(
    """
    import json, sys
    import xllamacpp
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.warmup = sys.argv[1], 64, 1, False
    params.cpuparams.n_threads = 1
    answer = xllamacpp.Server(params).handle_completions({
        "prompt": json.loads(sys.argv[2]), "max_tokens": 12, "temperature": 0,
        "ignore_eos": True, "logprobs": 1,
    })
    print("TOKENS", json.dumps(answer))
    """
)


def test_llama_cpp_writes_what_torch_writes(exported):
    pytest.importorskip("xllamacpp")
    network, path = exported
    prompt = [5, 77, 130, 9, 250, 31]
    done = subprocess.run(
        [sys.executable, "-c", LLAMA, str(path), json.dumps(prompt)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = (x for x in done.stdout.splitlines() if x.startswith("TOKENS"))
    answer = json.loads(line.removeprefix("TOKENS"))
    ids = list(prompt)
    for _ in range(12):
        with torch.no_grad():
            ids.append(int(network.logits(torch.tensor([ids]))[0, -1].argmax()))
    content = answer["choices"][0]["logprobs"]["content"]
    assert [token["id"] for token in content] == ids[len(prompt) :]


def test_a_tokenizer_of_other_weights_is_refused(exported, tmp_path):
    network, _ = exported
    (tmp_path / "t.json").write_text(json.dumps(byte_level(385)))
    with pytest.raises(IrsmithError, match="vocabulary is 384"):
        export_gguf(network, tmp_path / "m.gguf", tokenizer=tmp_path / "t.json", end=0)
    (tmp_path / "t.json").write_text('{"model": {"type": "Unigram"}}')
    with pytest.raises(IrsmithError, match="Unigram"):
        export_gguf(network, tmp_path / "m.gguf", tokenizer=tmp_path / "t.json", end=0)
