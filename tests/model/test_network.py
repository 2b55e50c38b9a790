"""Packed documents do not see each other, and every way to compute a loss gives the same."""

import pytest

torch = pytest.importorskip("torch")

from irsmith.model.config import ModelConfig  # noqa: E402
from irsmith.model.network import (  # noqa: E402
    IGNORED,
    Soft,
    attend,
    build,
    document_mask,
    flex_mask,
    learned_places,
)

TINY = ModelConfig(vocabulary=97, width=32, layers=2, heads=4, kv_heads=2, hidden=48, context=64)


@pytest.fixture(scope="module")
def network():
    return build(TINY, seed=3)


def ids(*shape, seed=0):
    return torch.randint(0, TINY.vocabulary, shape, generator=torch.Generator().manual_seed(seed))


def test_a_packed_document_gives_what_it_gives_alone(network):
    first, second = ids(1, 20, seed=1), ids(1, 30, seed=2)
    documents = torch.tensor([[0] * 20 + [1] * 30])
    packed = network.logits(torch.cat((first, second), dim=1), documents)
    torch.testing.assert_close(packed[:, :20], network.logits(first), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(packed[:, 20:], network.logits(second), atol=1e-5, rtol=1e-5)


def test_the_future_is_not_seen(network):
    tokens = ids(1, 40)
    changed = tokens.clone()
    changed[0, 25:] = (changed[0, 25:] + 1) % TINY.vocabulary
    torch.testing.assert_close(network.logits(tokens)[:, :25], network.logits(changed)[:, :25])


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_flex_attention_equals_the_dense_mask():
    documents = torch.tensor([[0] * 50 + [1] * 78, [0] * 128])
    shapes = ((2, 4, 128, 16), (2, 2, 128, 16), (2, 2, 128, 16))
    parts = [torch.randn(s, generator=torch.Generator().manual_seed(1)) for s in shapes]
    dense = attend(*parts, document_mask(documents))
    blocks = attend(*parts, flex_mask(documents))
    torch.testing.assert_close(dense, blocks, atol=1e-5, rtol=1e-5)


def test_one_document_a_row_needs_no_mask(network):
    tokens = ids(2, 16)
    assert document_mask(torch.zeros_like(tokens)) is None
    torch.testing.assert_close(
        network.logits(tokens, torch.zeros_like(tokens)), network.logits(tokens)
    )


@pytest.mark.parametrize("options", [{"chunk": 7}, {"recompute": True}, {"chunk": 64}])
def test_chunks_and_recomputation_change_no_gradient(network, options):
    tokens, targets = ids(2, 32), ids(2, 32, seed=9)
    targets[0, :10] = IGNORED
    mask = document_mask(torch.zeros_like(tokens))

    def run(**how):
        network.zero_grad()
        losses = network(tokens, mask, targets, **how)
        losses.sum().backward()
        return losses.detach(), [p.grad.clone() for p in network.parameters()]

    plain, gradients = run()
    assert (plain[0, :10] == 0).all() and (plain[0, 10:] > 0).all()
    losses, others = run(**options)
    torch.testing.assert_close(losses, plain)
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("chunk", [0, 5])
def test_places_that_nothing_is_learned_at_cost_no_logits_and_change_no_loss(network, chunk):
    tokens, targets = ids(2, 32), ids(2, 32, seed=9)
    want = -network.logits(tokens).log_softmax(-1).gather(2, targets[:, :, None])[:, :, 0]
    targets[0], targets[1, ::3] = IGNORED, IGNORED
    losses = network(tokens, None, targets, chunk, learned=learned_places(targets))
    torch.testing.assert_close(losses, want.where(targets != IGNORED, 0.0))
    targets = torch.full_like(targets, IGNORED)
    nothing = network(tokens, None, targets, chunk, learned=learned_places(targets))
    nothing.sum().backward()
    assert not nothing.any()


def test_the_first_loss_is_that_of_a_guess(network):
    tokens, targets = ids(4, 64), ids(4, 64, seed=5)
    loss = network(tokens, None, targets).mean().item()
    assert abs(loss - torch.tensor(TINY.vocabulary).log().item()) < 0.6


def test_equal_seeds_give_equal_networks():
    one, two, other = build(TINY, 5), build(TINY, 5), build(TINY, 6)
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])
    assert not torch.equal(one.model.embed_tokens.weight, other.model.embed_tokens.weight)


def test_probabilities_as_targets_are_learned(network):
    tokens = ids(2, 6)
    targets = torch.full((2, 6), IGNORED)
    targets[0, 1] = 7
    soft = Soft(
        torch.tensor([[3, 5], [2, 0]]),
        torch.tensor([[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]]),
        torch.tensor([4, 9]),
    )
    losses = network(tokens, None, targets, soft=soft)
    likely = network.logits(tokens).float().log_softmax(-1)
    want = torch.zeros(2, 6)
    want[0, 1] = -likely[0, 1, 7]
    want[0, 3] = -(likely[0, 3, 4] + likely[0, 3, 9]) / 2
    want[0, 5] = -likely[0, 5, 4]
    want[1, 2] = -likely[1, 2, 9]
    torch.testing.assert_close(losses, want)
    assert torch.equal(network(tokens, None, targets, 4, soft=soft), losses)
