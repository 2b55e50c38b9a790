"""Muon on a CPU does what torch's does, in float32."""

import pytest

torch = pytest.importorskip("torch")

from irsmith.train.muon import Muon, orthogonal  # noqa: E402

COEFFICIENTS = (3.4445, -4.775, 2.0315)
SHAPES = [(24, 24), (8, 24), (40, 24)]


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_come_near_one_and_the_directions_stay(shape):
    matrix = random(*shape)
    made = orthogonal(matrix, COEFFICIENTS, 5, 1e-7)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inside = left.T @ made @ right.T
    values = inside.diagonal()
    assert values.min() > 0.6 and values.max() < 1.3
    torch.testing.assert_close(inside, values.diag(), atol=1e-4, rtol=0)


def test_a_matrix_of_zeros_stays_one():
    assert not orthogonal(torch.zeros(4, 6), COEFFICIENTS, 5, 1e-7).any()


def test_steps_are_those_of_torch_up_to_what_bfloat16_loses():
    ours, theirs = ([random(*s, seed=3).requires_grad_() for s in SHAPES] for _ in range(2))
    settings = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
    made = Muon(ours, adjust_lr_fn="match_rms_adamw", **settings)
    known = torch.optim.Muon(theirs, adjust_lr_fn="match_rms_adamw", **settings)
    for step in range(4):
        for one, other, shape in zip(ours, theirs, SHAPES, strict=True):
            one.grad = random(*shape, seed=10 + step)
            other.grad = one.grad.clone()
        made.step()
        known.step()
    for one, other, shape in zip(ours, theirs, SHAPES, strict=True):
        start = random(*shape, seed=3)
        assert (one - other).norm() < 0.03 * (other - start).norm()
        torch.testing.assert_close(
            made.state[one]["momentum_buffer"], known.state[other]["momentum_buffer"]
        )
    assert made.state_dict()["param_groups"] == known.state_dict()["param_groups"]


def test_a_parameter_without_a_gradient_is_left_alone():
    still, moved = random(4, 4).requires_grad_(), random(4, 4, seed=1).requires_grad_()
    moved.grad = random(4, 4, seed=2)
    before = still.detach().clone()
    Muon([still, moved], lr=0.1).step()
    assert torch.equal(still.detach(), before)
    assert not torch.equal(moved.detach(), random(4, 4, seed=1))
