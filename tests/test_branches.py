"""Where a formula changes form: derivatives of either, and of parts whose value is lost in rounding."""

from __future__ import annotations

import numpy as np

import uniflogits as ul

from . import adapters
from .harness import has_autodiff, spec_of

INF = float("inf")
ULP = 2.0**-52  # of float64, or two
differentiating = adapters.each(*filter(has_autodiff, adapters.NAMES))


@differentiating
def test_softcap_bends_at_tiny_logits_too(backend: str) -> None:
    """x - x³/3cap² is x there, and its second derivative -2x/cap² is no 0."""
    adapter = adapters.get(backend)
    x = np.asarray([2.0**-40, -(2.0**-36), 2.0**-29, 2.0**-27])
    arrays = [adapter.array(one, "float64") for one in (x, np.ones(4), np.ones(4))]
    found = adapter.hessian_products(lambda x: ul.softcap(x, cap=4.0), arrays[0], (), *arrays[1:])
    bound = spec_of("softcap").tolerance.second * ULP
    for mode, product in found.items():
        np.testing.assert_allclose(adapter.to_numpy(product), -2 * x / 16, bound, err_msg=mode)


@adapters.each()
def test_three_infinite_logits_share_the_mass(backend: str) -> None:
    """Of two, the one that is right and the other are equal: that hides which is which."""
    adapter = adapters.get(backend)
    x, labels = np.asarray([[INF, 0.0, INF, INF], [INF, INF, INF, INF]]), np.asarray([2, 0])
    count = np.asarray([3.0, 4.0])
    missed = 1 - 1 / count
    arrays = adapter.array(x, "float64"), adapter.array(labels)
    with adapter.calling():
        plain = ul.softmax_cross_entropy_with_integer_labels(*arrays)
        value, pullback = ul.vjp(ul.softmax_focal_loss, *arrays, gamma=2.0)
        by_x = adapter.to_numpy(pullback(adapter.array(np.ones(2), "float64"))[0])
    row = spec_of("softmax_focal_loss").tolerance
    np.testing.assert_allclose(adapter.to_numpy(plain), np.log(count), 1e-15)  # less than its own bound
    np.testing.assert_allclose(adapter.to_numpy(value), missed**2 * np.log(count), row.value * ULP)
    # By the label's logit: -u²(1 - p) - 2u·p(1 - p)·c, and the others take it in equal parts.
    own = -(missed**3) - 2 * missed**2 / count * np.log(count)
    np.testing.assert_allclose(by_x[[0, 1], labels], own, row.gradient * ULP)
    np.testing.assert_allclose(by_x[[0, 1], [0, 1]], -own / (count - 1), row.gradient * ULP)
    assert by_x[0, 1] == 0
