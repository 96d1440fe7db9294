"""torch's plain eager calls, a few rows being several blocks: value and gradient as NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

pytestmark = pytest.mark.backend("torch")

RNG = np.random.default_rng(4)
# Ordinary rows, one class far ahead, terms that underflow, classes without mass, +inf, no class at all, NaN.
X = RNG.normal(size=(12, 5))
X[2] = [60, 0, 1, 2, 3]
X[3] = [-300, 0, -80, -100, -40]
X[4] = [-np.inf, 1, 2, -np.inf, 0]
X[5] = [np.inf, 0, 1, np.inf, 2]
X[6] = -np.inf
X[7] = [np.nan, 0, 1, 2, 3]
X[8] = 0.0
X = X.astype(np.float32)
OTHER = RNG.normal(size=X.shape).astype(np.float32)
LABELS = np.array([0, 1, 0, 2, 1, 3, 4, 1, 2, -1, 0, 4])
FINITE = np.where(np.isfinite(X), X, 1).astype(np.float32)
SHARES = np.abs(RNG.normal(size=X.shape)).astype(np.float32)
WEIGHTS = np.array([1, 2, 0, 1, 3, 1, 1, 0, 1, 2, 1, 1], np.float32)

CALLS: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...], dict[str, Any]]] = {
    "softmax": (ul.softmax, (X,), {}),
    "softmax, axis 0": (ul.softmax, (X.T.copy(),), {"axis": 0}),
    "log_softmax": (ul.log_softmax, (X,), {}),
    "logsumexp": (ul.logsumexp, (X,), {}),
    "logsumexp, keepdims": (ul.logsumexp, (X.reshape(3, 4, 5),), {"axis": (0, 2), "keepdims": True}),
    "integer labels": (ul.softmax_cross_entropy_with_integer_labels, (FINITE, LABELS), {"ignore_index": -1}),
    "mean": (
        ul.softmax_cross_entropy_with_integer_labels,
        (FINITE, LABELS),
        {"ignore_index": -1, "reduction": "mean", "label_smoothing": 0.1},
    ),
    "labels": (ul.softmax_cross_entropy, (FINITE, SHARES), {"z_loss": 0.1}),
    "binary": (ul.sigmoid_binary_cross_entropy, (FINITE, np.abs(np.sin(OTHER))), {"pos_weight": 2.0}),
    "softplus": (ul.softplus, (X,), {"beta": 2.0}),
    "sigmoid": (ul.sigmoid, (X,), {}),
    "softcap": (ul.softcap, (X,), {"cap": 3.0}),
    "logaddexp": (ul.logaddexp, (X, OTHER), {}),
    "entropy": (ul.entropy, (FINITE,), {}),
    "kl_divergence": (ul.kl_divergence, (FINITE, OTHER), {}),
    "binary_kl_divergence": (ul.binary_kl_divergence, (FINITE, OTHER), {}),
}


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from uniflogits._backends import _torch_eager, _torch_loss
    from uniflogits._backends import torch as backend

    monkeypatch.setattr(_torch_eager, "BLOCK", 5)  # for each thread
    monkeypatch.setattr(backend, "_BLOCK", 5)
    monkeypatch.setattr(_torch_loss, "KEPT", 0)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.usefixtures("_small_blocks")
def test_blocks(name: str) -> None:
    import torch

    function, arrays, options = CALLS[name]
    floating = [a.dtype == np.float32 for a in arrays]
    leaves = [torch.from_numpy(a).requires_grad_(f) for a, f in zip(arrays, floating, strict=True)]
    value = function(*leaves, **options)
    cotangent = torch.from_numpy(
        np.asarray(np.cos(np.arange(value.numel())), np.float32).reshape(value.shape)
    )
    found = torch.autograd.grad(value, [x for x in leaves if x.requires_grad], cotangent)
    wide = [a.astype(np.float64) if f else a for a, f in zip(arrays, floating, strict=True)]
    expected, pullback = ul.vjp(function, *wide, **options)
    gradients = [g for g in pullback(cotangent.numpy().astype(np.float64)) if g is not None]
    _close(value.detach(), expected)
    for gradient, right in zip(found, gradients, strict=True):
        _close(gradient, right)


@pytest.mark.usefixtures("_small_blocks")
def test_labels_that_are_differentiated() -> None:
    """Only the gradients that are asked for are made, and each lands in its place."""
    import torch

    for wanted in (0, 1):
        leaves = [torch.from_numpy(a).requires_grad_(i == wanted) for i, a in enumerate((FINITE, SHARES))]
        ul.softmax_cross_entropy(*leaves, reduction="sum").backward()
        _, pullback = ul.vjp(
            ul.softmax_cross_entropy, FINITE.astype(float), SHARES.astype(float), reduction="sum"
        )
        _close(leaves[wanted].grad, pullback(1.0)[wanted])
        assert leaves[1 - wanted].grad is None


@pytest.mark.usefixtures("_small_blocks")
def test_derivative_of_the_backward_pass() -> None:
    import torch

    x = torch.from_numpy(FINITE.astype(np.float64)).requires_grad_()
    for function in (ul.softmax, ul.log_softmax, ul.softplus):
        assert torch.autograd.gradgradcheck(function, x)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"softmax", "softmax, axis 0"}))
def test_results_are_written_to(name: str) -> None:
    """As `loss *= mask` does: the gradient follows, for nothing of the result is kept."""
    import torch

    function, arrays, options = CALLS[name]
    gradients = []
    for in_place in (False, True):
        leaf = torch.from_numpy(arrays[0]).requires_grad_()
        value = function(leaf, *(torch.from_numpy(a) for a in arrays[1:]), **options)
        value = value.mul_(2) if in_place else value * 2
        gradients.append(torch.autograd.grad(value.sum(), leaf)[0].numpy())
    np.testing.assert_array_equal(*gradients)


def test_a_changed_softmax_is_refused() -> None:
    """Its backward pass is made of the result, as that of torch's own."""
    import torch

    p = ul.softmax(torch.zeros(2, 3, requires_grad=True))
    p.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        p.sum().backward()


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_powers_below_normal_numbers(name: str) -> None:
    """They are 0 there and exact above, though where that begins depends on what is fast."""
    import torch

    from uniflogits._backends._torch_eager import powers

    dtype = getattr(torch, name)
    tiny = np.log(np.finfo(name).tiny)
    d = torch.tensor([0.0, -1.0, tiny + 2, tiny - 1, -1e30, -np.inf], dtype=dtype)
    found = powers(d, torch.empty_like(d)).numpy()
    assert found[:3] == pytest.approx(np.exp(d[:3].numpy()), rel=4 * np.finfo(name).eps, abs=0)
    assert not found[3:].any()


def test_sums_of_terms_below_normal_numbers() -> None:
    """Nine of them are a normal number, which no loss may miss."""
    import torch

    x = torch.tensor([[0.0] + [-89.0] * 9], requires_grad=True)
    expected = np.float32(9 * np.exp(-89.0))
    assert expected > np.finfo(np.float32).tiny
    loss = ul.softmax_cross_entropy_with_integer_labels(x, torch.tensor([0]))
    for found in (
        loss,
        ul.logsumexp(x),
        -ul.log_softmax(x)[:, 0],
        -torch.autograd.grad(loss.sum(), x)[0][:, 0],
    ):
        assert found.item() == pytest.approx(expected, rel=1e-5, abs=0)


def _close(found: Any, expected: Any) -> None:
    # Whether each block lands in its place: the matrix judges the digits of small numbers.
    np.testing.assert_allclose(found.numpy(), np.asarray(expected), rtol=3e-6, atol=2e-7)
