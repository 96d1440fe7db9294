"""The series themselves: their coefficients, and all of the range that is promised, in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr

from uniflogits._math import series

from .oracle.numbers import precision

pytestmark = pytest.mark.backend("numpy")


def test_coefficients_of_tanh() -> None:
    found = series._tanh_series(6)
    expected = [
        Fraction(*ratio) for ratio in ((1, 1), (-1, 3), (2, 15), (-17, 315), (62, 2835), (-1382, 155925))
    ]
    np.testing.assert_allclose(found, [float(one) for one in expected], 1e-15)


def test_small_differences() -> None:
    """Both ends, and numbers so small that the difference of the terms would be 0."""
    d = np.concatenate([np.linspace(-1.5, 1.0, 101), [1e-5, -1e-5, 1e-12, -1e-150]])
    with precision(1200):
        exact = [mpfr(float(one)) for one in d]
        remainder = np.asarray([float(gmpy2.exp(-one) - 1 + one) for one in exact])
        fall = np.asarray([float(-gmpy2.expm1(-one)) for one in exact])
    # Some roundings each: a series has no row in the table, which operations made of it have to keep.
    np.testing.assert_allclose(series.exp_remainder(np, d), remainder, 1e-15)
    np.testing.assert_allclose(series.fall(np, d), fall, 1e-15)
    within = d[np.abs(d) <= 1]
    with precision(1200):
        halves = [mpfr(float(one)) / 2 for one in within]
        summand = [float(u * gmpy2.tanh(u) - gmpy2.log(gmpy2.cosh(u))) for u in halves]
    np.testing.assert_allclose(series.js_summand(np, within), summand, 1e-15, 1e-320)
