"""What torch's default compiler makes of what formulas rely on, where it loses digits."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import uniflogits as ul

from . import adapters

pytestmark = [
    pytest.mark.backend("torch"),
    pytest.mark.slow,
    # torch's compiler, when it is loaded.
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
    pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles C++ for the CPU with it"),
]

# Small, tiny and on both sides of where formulas change: enough of them to be compiled for vectors.
X = np.concatenate([np.exp(np.linspace(-80, -1, 64)), np.linspace(0.4, 5, 64)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log1mexp_near_zero(dtype: str) -> None:
    """torch's own expm1 is off by 65 000 ulp there, pytorch#189803."""
    _near(ul.log1mexp, [X], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_difference_keeps_its_rest(dtype: str) -> None:
    """What a - b loses to rounding isn't simplified away."""
    rng = np.random.default_rng(0)
    a, gap = 30 * rng.normal(size=128), rng.uniform(1, 60, size=128)
    _near(ul.logaddexp, [a, a - gap], dtype)
    _near(ul.logsubexp, [a, a - gap], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logit_near_a_half(dtype: str) -> None:
    """torch's own atanh is the logarithm of (1 + x)/(1 - x) there: nothing is left of a small x."""
    _near(ul.logit, [0.5 + np.concatenate([-X[:64], X[:64]]) / 4], dtype)


def _near(operation, arrays: list[np.ndarray], dtype: str) -> None:
    """Value and gradients as without the compiler, to within what both may be off."""
    import torch

    torch.compiler.reset()
    adapter = adapters.get("torch")
    tensors = [adapter.array(a, dtype) for a in arrays]
    every = list(range(len(arrays)))
    ones = adapter.array(np.ones(arrays[0].shape), dtype)
    compiled = torch.compile(operation, fullgraph=True, dynamic=False)
    leaves = [t.clone().requires_grad_() for t in tensors]
    value = compiled(*leaves)
    gradients = torch.autograd.grad(value, leaves, ones)
    expected = adapter.gradients(operation, tensors, ones, every)["backward"]
    room = 16 * np.finfo(dtype).eps
    tiny = np.finfo(dtype).tiny
    np.testing.assert_allclose(adapter.to_numpy(value), adapter.to_numpy(operation(*tensors)), room, tiny)
    for ours, plain in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(adapter.to_numpy(ours), adapter.to_numpy(plain), room, tiny)
