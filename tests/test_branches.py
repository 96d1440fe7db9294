"""Where a formula changes form: derivatives of either, and of parts whose value is lost in rounding."""

from __future__ import annotations

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .harness import has_autodiff

differentiating = pytest.mark.parametrize(
    "backend",
    [pytest.param(name, marks=pytest.mark.backend(name)) for name in adapters.NAMES if has_autodiff(name)],
)


@differentiating
def test_softcap_bends_at_tiny_logits_too(backend: str) -> None:
    """x - x³/3cap² is x there, and its second derivative -2x/cap² is no 0."""
    adapter = adapters.get(backend)
    x = np.asarray([2.0**-40, -(2.0**-36), 2.0**-29, 2.0**-27])
    arrays = [adapter.array(one, "float64") for one in (x, np.ones(4), np.ones(4))]
    found = adapter.hessian_products(lambda x: ul.softcap(x, cap=4.0), arrays[0], (), *arrays[1:])
    for mode, product in found.items():
        np.testing.assert_allclose(adapter.to_numpy(product), -2 * x / 16, 1e-14, err_msg=mode)
