"""The one pass over hidden states that gives losses and all gradients, asked for itself on NumPy's arrays.

NumPy and torch have passes of their own; the bias' gradient leaves this one on JAX and TensorFlow only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._backends.numpy import BACKEND
from uniflogits._math import cross_entropy, linear
from uniflogits._math.linear_pass import one_pass, total_of

from .harness import spec_of
from .oracle import linear_cross_entropy as oracle
from .oracle.derivatives import gradient, weighted_sum
from .oracle.numbers import VALUE_BITS, precision

pytestmark = pytest.mark.backend("numpy")
BOUNDS, ULP = spec_of("linear_cross_entropy").tolerance, 2.0**-52
_RNG = np.random.default_rng(5)
INF = float("inf")
H, VECTORS, BIAS = _RNG.normal(size=(5, 3)), _RNG.normal(size=(4, 3)), _RNG.normal(size=4)
H[1], H[2] = 20 * H[1], 0.01 * H[2]
LABELS = np.asarray([0, 3, 1, 2, 0])
FACTORS = np.asarray([1.0, -0.5, 2.0, 0.25, 3.0])


@pytest.mark.parametrize("size", [None, 2])
@pytest.mark.parametrize("z_loss", [None, 0.125])
@pytest.mark.parametrize("bias", [None, BIAS, np.where(np.arange(4) == 1, -INF, BIAS)])
def test_one_pass(bias: Any, z_loss: float | None, size: int | None) -> None:
    # The label of a missing class has no finite loss.
    labels = LABELS if bias is None or np.isfinite(bias).all() else np.where(LABELS == 1, 2, LABELS)
    made = one_pass(BACKEND.xp, (H, VECTORS, bias), labels, FACTORS, z_loss, size)
    alone = one_pass(BACKEND.xp, (H, VECTORS, bias), labels, None, z_loss, size)
    assert alone.by_hidden is None and alone.by_vectors is None and alone.by_bias is None

    def function(h: Any, vectors: Any, b: Any) -> Any:
        return oracle(h, vectors, labels, bias=b, z_loss=z_loss or 0.0)

    given = (H, VECTORS, np.zeros(4) if bias is None else bias)
    with precision(VALUE_BITS):
        raw = np.asarray(function(*given).value).astype(float)
        total = float(weighted_sum(function, given, {}, FACTORS))
    # Factors are of either sign, so are the terms of the sums below: these count in ulps of the largest.
    np.testing.assert_allclose(made.raw, raw, BOUNDS.value * ULP)
    np.testing.assert_array_equal(alone.raw, made.raw)
    np.testing.assert_allclose(total_of(BACKEND.xp, made.raw, FACTORS), total, 1e-14)
    slopes = [made.by_hidden, made.by_vectors, made.by_bias]
    for argument, found in enumerate(slopes[: 2 if bias is None else 3]):
        expected = gradient(function, given, {}, FACTORS, argument).astype(float)
        bound = BOUNDS.gradient * ULP
        np.testing.assert_allclose(found, expected, bound, bound * np.abs(expected).max())
    assert (made.by_bias is None) == (bias is None)


def test_rows_without_others_or_mass() -> None:
    """One class; all others missing; no class at all; a label that is none."""
    h = np.ones((4, 1))
    for labels, bias, loss, by_bias in (
        ([0, 0, 0, 0], [2.0], [0, 0, 0, 0], [0]),
        ([1, 1, 1, 1], [-INF, 2.0], [0, 0, 0, 0], [0, 0]),
        ([1, 1, 1, 1], [-INF, -INF], [INF] * 4, [0, 0]),
        ([0, 0, 0, 0], [INF, 2.0], [0, 0, 0, 0], [0, 0]),
        ([0, 0, 0, 0], [INF, INF], [np.log(2)] * 4, [-2, 2]),
        ([1, 1, 1, 1], [INF, 2.0], [INF] * 4, [4, -4]),
        ([0, 0, 0, -1], [0.0, 0.0], [np.log(2)] * 3 + [np.nan], [np.nan, np.nan]),
    ):
        vectors = np.zeros((len(bias), 1))
        with np.errstate(all="ignore"):
            arrays = (h, vectors, np.asarray(bias))
            found = one_pass(BACKEND.xp, arrays, np.asarray(labels), np.ones(4), None, None)
        np.testing.assert_allclose(found.raw, loss, 1e-15)
        np.testing.assert_allclose(found.by_bias, by_bias, 1e-15)


def test_labels_that_nobody_has_checked() -> None:
    """An invalid one, -1, makes its own row NaN and counts as any other in a mean."""
    labels, vectors = np.asarray([0, -1, 3, 1]), np.asarray([2.0, 3.0, 5.0, 7.0])
    options = {"class_weights": None, "label_smoothing": None, "z_loss": None}
    classes = linear.Classes(VECTORS, BIAS, None, False, options)
    raw = linear.raw_losses(BACKEND.xp, cross_entropy.loss, classes, H[:4], labels)
    slopes = linear.slopes(BACKEND.xp, cross_entropy.gradients, classes, H[:4], labels)
    np.testing.assert_array_equal(np.isnan(raw), labels < 0)
    np.testing.assert_array_equal(np.isnan(slopes), (labels < 0)[:, None] & np.ones(4, bool))
    np.testing.assert_array_equal(linear.shares(BACKEND.xp, labels, False, vectors), [2, 1, 7, 3])


def test_gradients_keep_their_arrays_dtypes() -> None:
    h, vectors = H.astype(np.float32), VECTORS.astype(np.float64)
    for arrays in ((h, vectors), (H, vectors.astype(np.float32))):
        value, pullback = ul.vjp(ul.linear_cross_entropy, *arrays, LABELS)
        gradients = pullback(np.ones_like(value))
        assert [gradient.dtype for gradient in gradients[:2]] == [array.dtype for array in arrays]
