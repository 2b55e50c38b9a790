"""The graph gives torch's logits: whole, in steps from a cache, for one row and for sixteen."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from irsmith.model.config import ModelConfig  # noqa: E402
from irsmith.model.network import build  # noqa: E402
from irsmith.model.onnx import export_onnx  # noqa: E402

SHAPES = {
    tied: ModelConfig(128, 64, 3, 4, 2, 96, context=64, tied=tied, norm_epsilon=1e-5)
    for tied in (True, False)
}


class Engine:
    """Calls a graph, with the cache as arrays."""

    def __init__(self, network, path, logits):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        file = str(export_onnx(network, path / f"{logits}.onnx", logits))
        self.session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])
        self.config = network.config

    def __call__(self, ids, cache=None):
        batch, new = ids.shape
        if cache is None:
            empty = np.zeros((batch, self.config.kv_heads, 0, self.config.head_width), np.float32)
            cache = [empty] * (2 * self.config.layers)
        past = cache[0].shape[2]
        feed = {"input_ids": ids, "attention_mask": np.ones((batch, past + new), np.int64)}
        for index in range(self.config.layers):
            feed[f"past_key_values.{index}.key"] = cache[2 * index]
            feed[f"past_key_values.{index}.value"] = cache[2 * index + 1]
        logits, *cache = self.session.run(None, feed)
        return logits, cache


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def engines(request, tmp_path_factory):
    network = build(SHAPES[request.param], seed=4)
    with torch.no_grad():  # weights of norms are 1 at first, which would hide a mix-up
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.5, 1.5)
    path = tmp_path_factory.mktemp("onnx")
    return network, Engine(network, path, "all"), Engine(network, path, "last")


def ids(batch, tokens):
    return np.random.default_rng(batch).integers(0, 128, (batch, tokens))


def truth(network, tokens):
    with torch.no_grad():
        return network.logits(torch.from_numpy(tokens)).numpy()


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("tokens", [1, 23])
def test_all_logits(engines, batch, tokens):
    network, whole, last = engines
    prompt = ids(batch, tokens)
    expected = truth(network, prompt)
    np.testing.assert_allclose(whole(prompt)[0], expected, atol=1e-4)
    np.testing.assert_allclose(last(prompt)[0], expected[:, -1:], atol=1e-4)


@pytest.mark.parametrize("batch", [1, 16])
def test_steps_from_a_cache(engines, batch):
    network, _, last = engines
    text = ids(batch, 30)
    expected = truth(network, text)
    logits, cache = last(text[:, :20])
    for at in range(20, 30):
        np.testing.assert_allclose(logits[:, 0], expected[:, at - 1], atol=1e-4)
        logits, cache = last(text[:, at : at + 1], cache)


def test_one_row_forks_into_sixteen(engines):
    network, _, last = engines
    prompt, steps = ids(1, 20), ids(16, 4)
    _, cache = last(prompt)
    cache = [np.repeat(part, 16, axis=0) for part in cache]
    whole = np.concatenate((np.repeat(prompt, 16, axis=0), steps), axis=1)
    for at in range(4):
        logits, cache = last(steps[:, at : at + 1], cache)
    np.testing.assert_allclose(logits[:, 0], truth(network, whole)[:, -1], atol=1e-4)


def test_one_row_adds_many_tokens_to_a_past(engines):
    network, whole, _ = engines
    text = ids(1, 40)
    _, cache = whole(text[:, :15])
    np.testing.assert_allclose(
        whole(text[:, 15:], cache)[0], truth(network, text)[:, 15:], atol=1e-4
    )


def test_many_rows_add_many_tokens_to_a_past_is_refused(engines):
    # A limit of onnxruntime's attention node, which the module's docstring states.
    _, whole, _ = engines
    _, cache = whole(ids(16, 15))
    with pytest.raises(Exception, match="batch_size must be 1"):
        whole(ids(16, 4), cache)
