"""linear_cross_entropy of so many classes that what is added up one after the other loses its small terms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .compare import ulp
from .tolerances import TOLERANCES

CLASSES, WIDTH = 200_000, 4


@adapters.each("numpy", "jax", "torch", "tensorflow", "strict")
@pytest.mark.parametrize("size", [1.0, 2.0**-6])
def test_gradients_by_hidden_states(backend: str, size: float) -> None:
    """Against float64, which has 29 bits more than is asked for; counted as the accuracy table says.

    Small hidden states make all classes nearly as likely: the label's slope is nearly -1, each other
    one a few ulp of it.
    """
    rng, adapter = np.random.default_rng(17), adapters.get(backend)
    hidden, vectors = (rng.normal(size=(rows, WIDTH)).astype(np.float32) for rows in (3, CLASSES))
    hidden *= np.float32(size)
    labels = np.asarray([5, 70_000, CLASSES - 1])
    h, w = hidden.astype(float), vectors.astype(float)
    z = h @ w.T
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    slopes = p.copy()
    slopes[np.arange(3), labels] -= 1
    noise = np.abs(h) @ np.abs(w).T
    sizes = np.abs(slopes) + p * (noise + (p * noise).sum(axis=-1, keepdims=True))
    expected, room = slopes @ w, ulp(sizes @ np.abs(w), "float32")
    bound = TOLERANCES["linear_cross_entropy"].gradient

    def loss(h: Any, w: Any) -> Any:
        return ul.linear_cross_entropy(h, w, adapter.array(labels))

    ones = adapter.array(np.ones(3, np.float32))
    arrays = [adapter.array(hidden), adapter.array(vectors)]
    with adapter.calling():
        _, pullback = ul.vjp(ul.linear_cross_entropy, *arrays, adapter.array(labels))
        found = {"vjp": pullback(ones)[0]}
        native = adapter.gradients(loss, arrays, ones, [0])
    found |= {mode: gradients[0] for mode, gradients in native.items()}
    for mode, gradient in found.items():
        errors = np.abs(adapter.to_numpy(gradient).astype(float) - expected) / room
        assert errors.max() <= bound, (mode, errors)
