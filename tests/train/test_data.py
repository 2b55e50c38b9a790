"""What is packed is read back; the order depends on the seed alone; nothing is lost."""

import json

import numpy as np
import pytest
from packed import END, VOCABULARY, write_packed

from irsmith.records import IrsmithError
from irsmith.train.data import PackedData, PackedWriter, read_meta
from irsmith.train.mixture import IGNORED, Mixture, assemble
from irsmith.train.packing import Learning, pack


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return PackedData(write_packed(tmp_path_factory.mktemp("packed")))


def test_documents_come_back_over_shards(tmp_path):
    documents = [[1, 2, 3], [4] * 30, [5, 6], [7]]
    with PackedWriter(tmp_path, vocabulary=9, end=0, shard_tokens=20) as writer:
        for ids in documents:
            writer.add(ids, task="a", target="b", answer=1, bytes_=5)
    data = PackedData(tmp_path)
    assert len(data.meta.shards) == 2 and data.tokens == sum(map(len, documents)) + 4
    for row, ids in zip(data.documents, documents, strict=True):
        assert data.read(int(row["start"]), int(row["tokens"])).tolist() == [*ids, 0]
        assert (row["answer"], row["bytes"]) == (1, 5)


def test_every_document_is_given_once_an_epoch(data):
    plan = pack(data, 64, seed=3)
    batch = assemble([(data, plan.sequence(i)) for i in range(len(plan))], 64, END)
    found = sorted(
        tuple(batch.tokens[row][batch.documents[row] == number])
        for row in range(len(plan))
        for number in range(len(plan.sequence(row)))
    )
    all_ = sorted(tuple(data.read(int(d["start"]), int(d["tokens"]))[:-1]) for d in data.documents)
    assert found == all_
    assert batch.used == data.tokens - len(data.documents)
    assert (batch.targets != IGNORED).sum() == plan.learned.sum() == batch.used
    assert batch.used / batch.tokens.size > 0.9


def test_targets_follow_inputs_within_a_document(data):
    plan = pack(data, 64, seed=0)
    batch = assemble([(data, plan.sequence(0))], 64, END)
    inside = batch.documents[0, 1:] == batch.documents[0, :-1]
    used = batch.groups[0, 1:] >= 0
    follows = batch.targets[0, :-1] == batch.tokens[0, 1:]
    assert follows[inside & used].all()
    lasts = np.flatnonzero(~inside)
    assert (batch.targets[0, lasts] == END).all()
    pairs = sum(n * (n + 1) / 2 for n in plan.sequence(0)["inputs"].tolist())
    assert batch.pairs == pairs


def test_loss_begins_at_the_answer(tmp_path):
    with PackedWriter(tmp_path, vocabulary=9, end=0) as writer:
        writer.add([1, 2, 3, 4, 5], task="a", target="b", answer=3)
    data = PackedData(tmp_path)
    batch = assemble([(data, pack(data, 8, 0).sequence(0))], 8, 0)
    assert batch.targets[0].tolist() == [IGNORED, IGNORED, 4, 5, 0, *[IGNORED] * 3]


def _ranked(folder):
    """A document with an answer, and two that end in probabilities, over two shards."""
    with PackedWriter(folder, vocabulary=9, end=0, choices=(7, 8), shard_tokens=6) as writer:
        writer.add([1, 2, 3], task="rank", target="b", answer=3, soft=(0.25, 0.75))
        writer.add([4, 5, 6], task="tune", target="b", answer=2)
        writer.add([2, 2], task="rank", target="b", answer=2, soft=(1.0,))
    return PackedData(folder)


def test_probabilities_stand_in_place_of_an_answer(tmp_path):
    data = _ranked(tmp_path)
    assert len(data.meta.shards) == 2
    assert data.soft.tolist() == [[0.25, 0.75], [1, 0]]
    plan = pack(data, 9, None, Learning(ranking=5))
    batch = assemble([(data, plan.sequence(i)) for i in range(len(plan))], 9, 0, 5)
    assert plan.learned.sum() == batch.counts.sum() == 2 + 5 + 5
    assert batch.choices.tolist() == [7, 8]
    for row, place, likely in zip(*_soft_places(batch), strict=True):
        assert batch.counts[row, place] == 5 and batch.targets[row, place] == IGNORED
        assert batch.tokens[row, place] == (3 if likely[0] < 1 else 2)
        assert batch.documents[row, place] != batch.documents[row, place + 1]
    hard = Learning(prompts=True, ranking=0.5)
    plan = pack(data, 9, None, hard)
    batch = assemble([(data, plan.sequence(i)) for i in range(len(plan))], 9, 0, 0.5)
    assert plan.learned.sum() == batch.counts.sum() == 2 + 3 + 1 + 2 * 0.5


def _soft_places(batch):
    rows, numbers = np.nonzero(batch.soft.any(-1))
    return rows, batch.soft_places[rows, numbers], batch.soft[rows, numbers]


def test_probabilities_that_do_not_fit_are_refused(tmp_path):
    writer = PackedWriter(tmp_path, vocabulary=9, end=0, choices=(7,))
    for answer, soft in ((1, (1.0,)), (2, (0.5, 0.5))):
        with pytest.raises(IrsmithError, match="probabilities do not fit"):
            writer.add([1, 2], task="a", target="b", answer=answer, soft=soft)


def test_long_documents_are_cut_where_all_is_learned_and_left_out_where_an_answer_is(tmp_path):
    with PackedWriter(tmp_path, vocabulary=99, end=0) as writer:
        writer.add(range(1, 21), task="pretrain", target="b", bytes_=100)
        writer.add(range(1, 21), task="tune", target="b", answer=10, bytes_=50)
    plan = pack(PackedData(tmp_path), 8, 0)
    assert plan.left_out == 1
    assert sorted(plan.pieces["inputs"].tolist()) == [4, 8, 8]
    assert plan.pieces["bytes"].sum() == pytest.approx(100)


def test_order_is_of_the_seed(data):
    def starts(seed):
        plan = pack(data, 64, seed)
        return plan.pieces["start"][plan.members].tolist()

    assert starts(5) == starts(5) != starts(6)
    assert starts(None) != starts(5)


def stream(sources, seed, count, size=4):
    mixture = Mixture(sources, 64, seed)
    return mixture, [mixture.batch(size)[0].tokens for _ in range(count)]


def test_a_mixture_keeps_its_shares_and_goes_on_where_it_was(tmp_path, data):
    other = PackedData(write_packed(tmp_path / "other", 30, seed=9))
    sources = [(data, 0.85), (other, 0.15)]
    mixture, all_ = stream(sources, 1, 20)
    assert [total for _, _, total in mixture.places] == [68, 12]
    half, first = stream(sources, 1, 8)
    again = Mixture(sources, 64, 1)
    again.places = list(half.places)
    rest = [again.batch(4)[0].tokens for _ in range(12)]
    for one, two in zip(all_, first + rest, strict=True):
        assert np.array_equal(one, two)


def test_processes_share_the_same_batch(data):
    whole, learned = Mixture([(data, 1)], 64, 0).batch(4)
    halves = [Mixture([(data, 1)], 64, 0).batch(4, rank, 2) for rank in range(2)]
    assert [n for _, n in halves] == [learned, learned]
    assert np.array_equal(whole.tokens, np.concatenate([b.tokens for b, _ in halves]))


def test_what_does_not_fit_is_refused(tmp_path, data):
    writer = PackedWriter(tmp_path / "w", vocabulary=9, end=0)
    for ids, answer in (([], 0), ([9], 0), ([-1], 0), ([1], 2)):
        with pytest.raises(IrsmithError, match="packed data"):
            writer.add(ids, task="a", target="b", answer=answer)
    with pytest.raises(IrsmithError, match="no document was added"):
        writer.close()
    with pytest.raises(IrsmithError, match="do not fit"):
        PackedWriter(tmp_path / "v", vocabulary=70_000, end=0)
    with pytest.raises(IrsmithError, match="holds packed data already"):
        PackedWriter(data.folder, vocabulary=VOCABULARY, end=END)
    with pytest.raises(IrsmithError, match="no packed data there"):
        PackedData(tmp_path / "nowhere")
    with PackedWriter(tmp_path / "long", vocabulary=9, end=0) as long:
        long.add([1] * 9, task="a", target="b", answer=1)
    with pytest.raises(IrsmithError, match="no document fits"):
        pack(PackedData(tmp_path / "long"), 4, 0)


def test_damage_is_said(tmp_path, data):
    folder = write_packed(tmp_path / "d")
    tokens = folder / "shard-00000.tokens.npy"
    tokens.write_bytes(tokens.read_bytes()[:-100])
    with pytest.raises(IrsmithError, match="cut short"):
        PackedData(folder)
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"format": 9}))
    with pytest.raises(IrsmithError, match="format 9"):
        read_meta(folder)
    (folder / "meta.json").write_text("{")
    with pytest.raises(IrsmithError, match="cannot be read"):
        read_meta(folder)


def test_sources_of_two_tokenizers_do_not_mix(tmp_path, data):
    with PackedWriter(tmp_path, vocabulary=9, end=0) as writer:
        writer.add([1, 2], task="a", target="b")
    with pytest.raises(IrsmithError, match="different tokenizers"):
        Mixture([(data, 1), (PackedData(tmp_path), 1)], 64, 0)
