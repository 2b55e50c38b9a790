"""Every engine computes what the network computes: whole, in steps, forked, far apart."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_release import SHAPES, network_of, write_release  # noqa: E402

from irsmith.infer.engine import log_probabilities  # noqa: E402
from irsmith.infer.load import open_model  # noqa: E402
from irsmith.infer.tree import CHUNK  # noqa: E402
from irsmith.model.onnx import export_engine  # noqa: E402
from irsmith.model.release import load_release  # noqa: E402
from irsmith.records import IrsmithError  # noqa: E402

NAMES = ("onnxruntime", "numpy", "torch")
LONG = CHUNK + 40
"""Tokens: more than are read at a time."""


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def truth(request, releases):
    """The folder of a release, and the network's own logits of a text."""
    network, _ = load_release(releases[request.param])

    def logits(ids):
        with torch.no_grad():
            return network.logits(torch.tensor([list(ids)]))[0].numpy()

    return releases[request.param], logits


@pytest.fixture(scope="module", params=NAMES)
def pair(request, truth):
    folder, logits = truth
    return open_model(folder, request.param, threads=1).engine, logits


def words(count, seed=0):
    return np.random.default_rng(seed).integers(0, 16_384, count).tolist()


def close(one, two):
    np.testing.assert_allclose(one, two, atol=2e-4)


def test_prefill_and_steps(pair):
    engine, logits = pair
    text = words(LONG + 4)
    expected = logits(text)
    state = engine.prefill(text[:LONG])
    close(state.logits, expected[LONG - 1])
    for at in range(LONG, LONG + 4):
        (state,) = engine.step([state], [text[at]])
        close(state.logits, expected[at])
        assert state.length == at + 1


def test_a_state_stays_good_and_forks(pair):
    engine, logits = pair
    prompt, other = words(30), words(12, 1)
    state, second = engine.prefill(prompt), engine.prefill(other)
    ends = words(16, 2)
    rows = engine.step([state] * 16, ends)
    # Rows of different lengths, of two texts, one twice, one that was stepped long ago.
    mixed = engine.step([rows[3], second, state, rows[3], rows[9]], [5, 6, 7, 8, 9])
    texts = [[*prompt, ends[3], 5], [*other, 6], [*prompt, 7]]
    texts += [[*prompt, ends[3], 8], [*prompt, ends[9], 9]]
    for row, text in zip(mixed, texts, strict=True):
        close(row.logits, logits(text)[-1])
        assert row.length == len(text)
    (last,) = engine.step([mixed[3]], [4])
    close(last.logits, logits([*texts[3], 4])[-1])
    assert engine.step([], []) == []


def test_forks_depend_on_nothing_else(pair):
    engine, logits = pair
    prompt = words(30)
    state = engine.prefill(prompt)
    first = engine.step(engine.fork([state] * 3), [1, 2, 3])
    engine.step([state] * 9, range(9))
    again = engine.step(engine.fork([state] * 3), [1, 2, 3])
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.logits, two.logits)
    other = engine.prefill([8, 9])
    mixed = engine.fork([again[1], other, again[0], again[1]])
    after = engine.step(mixed, [4, 5, 6, 7])
    texts = ([*prompt, 2, 4], [8, 9, 5], [*prompt, 1, 6], [*prompt, 2, 7])
    for row, text in zip(after, texts, strict=True):
        close(row.logits, logits(text)[-1])


@pytest.mark.parametrize("name", ["onnxruntime", "torch"])
def test_rows_with_long_texts_are_laid_apart(release, name):
    engine = open_model(release, name, threads=1).engine
    network, _ = load_release(release)
    prompt = words(5)
    state = engine.prefill(prompt)
    # Rows of different lengths, and one that will not be stepped for a while.
    tails = [words(40 + 3 * row, 6 + row) for row in range(6)]
    rows = engine.fork([engine.prefill(tail, state) for tail in tails])
    rows = engine.fork(rows)  # apart already
    assert len({row.cache.tree for row in rows}) == 6
    if name == "onnxruntime":
        assert len({row.cache.tree.held.block for row in rows}) == 1
    texts = [[*prompt, *tail] for tail in tails]

    def check(row, text):
        with torch.no_grad():
            close(row.logits, network.logits(torch.tensor([text]))[0, -1].numpy())

    for token in range(3):
        rows[1:] = engine.step(rows[1:], [token] * 5)
        texts[1:] = [[*text, token] for text in texts[1:]]
    first = rows[0]
    both = engine.step([first, first, rows[2]], [1, 2, 3])
    check(both[0], [*texts[0], 1])
    check(both[1], [*texts[0], 2])
    check(both[2], [*texts[2], 3])
    for row, text in zip(engine.step(rows, range(6)), texts, strict=True):
        check(row, [*text, texts.index(text)])
    # A short row alone, then the long ones, which had been left idle.
    (again,) = engine.step([first], [7])
    check(again, [*texts[0], 7])
    (idle,) = engine.step([rows[5]], [7])
    check(idle, [*texts[5], 7])
    check(engine.prefill([8, 9], rows[4]), [*texts[4], 8, 9])
    long = engine.step(rows, [3] * 6)
    for token in range(CHUNK + 20):
        long = engine.step(long, [token] * 6)
    check(long[5], [*texts[5], 3, *range(CHUNK + 20)])


def test_reading_on_behind_any_state(pair):
    engine, logits = pair
    prompt, more = words(20), words(15, 3)
    state = engine.prefill(prompt)
    engine.step([state] * 3, [1, 2, 3])
    behind = engine.prefill(more, state)
    close(behind.logits, logits([*prompt, *more])[-1])
    (one,) = engine.step([state], [9])
    close(engine.prefill(more, one).logits, logits([*prompt, 9, *more])[-1])


def test_scores(pair):
    engine, logits = pair
    text = words(LONG)
    expected = torch.from_numpy(logits(text)).log_softmax(-1).numpy()
    close(engine.scores(text), expected[np.arange(LONG - 1), text[1:]])
    assert engine.scores([7]).shape == (0,)


def test_buffers_grow(pair):
    engine, logits = pair
    state = engine.prefill([3, 4])
    rows = [state] * 64
    for token in range(10):
        rows = engine.step(rows, [token] * 64)
    close(rows[40].logits, logits([3, 4, *range(10)])[-1])


def test_what_cannot_be_read_is_refused(pair):
    engine, _ = pair
    for bad, reason in (([], "no tokens"), ([16_384], "vocabulary"), ([-1], "vocabulary")):
        with pytest.raises(IrsmithError, match=reason):
            engine.prefill(bad)
    with pytest.raises(IrsmithError, match=r"1025 tokens does not fit .* 1024"):
        engine.prefill([1] * 1025)
    full = engine.prefill([1] * 1024)
    with pytest.raises(IrsmithError, match="window"):
        engine.step([full], [1])
    with pytest.raises(IrsmithError, match="window"):
        engine.prefill([1], full)


def test_equal_calls_give_equal_bits(release):
    def run():
        engine = open_model(release, "onnxruntime", threads=1).engine
        rows = engine.step([engine.prefill(words(50))] * 8, words(8))
        return np.stack([row.logits for row in rows])

    np.testing.assert_array_equal(run(), run())


def test_bfloat16_releases(tmp_path):
    network = network_of(SHAPES[True])
    folder = write_release(tmp_path, network, half=True)
    text = words(20)
    rounded, _ = load_release(folder)
    with torch.no_grad():
        expected = rounded.logits(torch.tensor([text]))[0, -1].numpy()
    for name in NAMES:
        close(open_model(folder, name, threads=1).engine.prefill(text).logits, expected)


def test_eight_bits_are_near(release, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(release, folder)
    export_engine(folder, "int8")
    text = words(200)
    exact = open_model(folder, "onnxruntime", threads=1).engine
    eight = open_model(folder, "onnxruntime", "int8", threads=1).engine
    one, two = exact.scores(text), eight.scores(text)
    assert np.abs(one - two).max() > 0
    assert abs(one.mean() - two.mean()) < 0.05
    state = eight.prefill(text[:50])
    rows = eight.step([state] * 4, [1, 2, 3, 4])
    assert np.isfinite(rows[3].logits).all()


def test_log_probabilities():
    logits = np.array([[0.0, 1.0, -np.inf], [1e4, 1e4, 0.0]], np.float32)
    found = log_probabilities(logits)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-6)
    assert found[0, 2] == -np.inf


def test_graphs_of_other_weights_are_refused(release, tmp_path, monkeypatch):
    folder = tmp_path / "copy"
    shutil.copytree(release, folder)
    write_release(tmp_path / "other", network_of(SHAPES[True], seed=9))
    shutil.copy(tmp_path / "other" / "model.safetensors", folder)
    with pytest.raises(IrsmithError, match="made for other weights"):
        open_model(folder, "onnxruntime")
    monkeypatch.setattr("irsmith.model.onnx.FORMAT", "0")
    export_engine(folder)
    with pytest.raises(IrsmithError, match="another version"):
        open_model(folder, "onnxruntime")
    (folder / "engine.onnx").write_bytes(b"not a graph")
    with pytest.raises(IrsmithError, match="cannot be read: write it again"):
        open_model(folder, "onnxruntime")
    (folder / "engine.onnx").unlink()
    with pytest.raises(IrsmithError, match="missing"):
        open_model(folder, "onnxruntime")
    assert "numpy computes" in open_model(folder).note


def test_the_graph_has_no_weights_of_its_own(release):
    assert (release / "engine.onnx").stat().st_size < 100_000
    assert json.loads((release / "config.json").read_text())["model_type"] == "llama"
