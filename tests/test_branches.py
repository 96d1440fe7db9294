"""Where a formula changes form: derivatives of either, and of parts whose value is lost in rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters, answers, test_gradient
from .harness import Cell, has_autodiff, ready, run, spec_of
from .judging import check_gradient, check_value
from .specs.base import Sample

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
    ones, found = adapter.array(np.ones(2), "float64"), {"vjp": by_x}
    if adapter.autodiff:
        native = adapter.gradients(lambda x: ul.softmax_focal_loss(x, arrays[1]), [arrays[0]], ones, [0])
        found |= {mode: adapter.to_numpy(by_x) for mode, (by_x,) in native.items()}
    for mode, by_x in found.items():
        np.testing.assert_allclose(by_x[[0, 1], labels], own, row.gradient * ULP, err_msg=mode)
        np.testing.assert_allclose(by_x[[0, 1], [0, 1]], -own / (count - 1), row.gradient * ULP, err_msg=mode)
        assert by_x[0, 1] == 0, mode


@differentiating
def test_a_linear_total_bends_as_the_losses_that_it_adds_up(backend: str) -> None:
    """What is added to the logits must not be left out where the total is differentiated twice."""
    adapter, rng = adapters.get(backend), np.random.default_rng(8)
    h, vectors, bias = (adapter.array(rng.normal(size=shape), "float64") for shape in ((3, 2), (4, 2), (4,)))
    labels, along = adapter.array(np.asarray([0, 3, 1])), adapter.array(rng.normal(size=(3, 2)), "float64")

    def bent(reduction: str, cotangent: np.ndarray) -> dict[str, np.ndarray]:
        def losses(h: Any, vectors: Any) -> Any:
            return ul.linear_cross_entropy(h, vectors, labels, bias=bias, reduction=reduction)

        ct = adapter.array(cotangent, "float64")
        found = adapter.hessian_products(losses, h, (vectors,), ct, along)
        return {mode: adapter.to_numpy(product) for mode, product in found.items()}

    each, total = bent("none", np.ones(3)), bent("sum", np.ones(()))
    assert each.keys() == total.keys() and each
    bound = spec_of("linear_cross_entropy").tolerance.second * 2 * ULP  # either may be off
    for mode, product in total.items():
        np.testing.assert_allclose(product, each[mode], bound, err_msg=mode)


@pytest.mark.backend("jax")
@pytest.mark.parametrize("option", ["z_loss", "label_smoothing"])
def test_a_linear_total_is_differentiated_after_it_was_traced(option: str) -> None:
    import jax

    rng = np.random.default_rng(8)
    arrays = {
        "hidden": rng.normal(size=(3, 2)),
        "weight": rng.normal(size=(4, 2)),
        "labels": np.asarray([0, 3, 1]),
    }
    cell = Cell("gradient", "linear_cross_entropy", "jax", "float32")
    one = ready(cell, Sample(option, arrays, {"reduction": "mean", option: 0.125}))
    h, vectors, labels = one.arrays

    def total(h: Any, labels: Any) -> Any:
        return ul.linear_cross_entropy(h, vectors, labels, **one.options)

    failures = cell.failures()
    with answers.unkept():
        for label, function in (("traced", jax.jit(total)), ("plain", total)):
            found = np.asarray(jax.grad(function)(h, labels))
            check_gradient(cell, one, failures, label, found, "hidden", np.ones((), np.float32))
    failures.finish()


@adapters.each()
def test_a_sum_of_nothing_has_no_sign(backend: str) -> None:
    adapter = adapters.get(backend)
    x, weights = (
        adapter.array(np.asarray([[-INF, -INF], [0.0, 1.0]])),
        adapter.array(np.asarray([-1.0, -2.0])),
    )
    with adapter.calling():
        plain, weighed = (
            [adapter.to_numpy(part) for part in ul.logsumexp(x, return_sign=True, **options)]
            for options in ({}, {"weights": weights})
        )
    np.testing.assert_array_equal(plain[1], [0, 1])
    np.testing.assert_array_equal(weighed[1], [0, -1])
    assert plain[0][0] == weighed[0][0] == -INF


@adapters.each("numpy", "strict", "torch")
def test_a_label_as_likely_as_four_thousand_others(backend: str) -> None:
    """What rounding takes of the label's lead over one of them counts as it does where the label is ahead."""
    rng = np.random.default_rng(0)
    x = -3.0 - rng.uniform(0, 0.9, size=(8, 1)) + 0.001 * rng.normal(size=(8, 4000))
    others = np.log(np.exp(x[:, 1:]).sum(-1))
    x[:, 0] = others - np.exp2(rng.uniform(-13, -3, size=8))
    cell = Cell("value", "softmax_focal_loss", backend, "float64")
    one = ready(cell, Sample("tied", {"logits": x, "labels": np.zeros(8, int)}, {"gamma": 5.0}))
    failures = cell.failures()
    with answers.unkept():
        check_value(cell, one, failures, "tied", cell.adapter.to_numpy(run(cell, one)))
    failures.finish()


@differentiating
def test_a_focal_loss_moves_with_labels_of_0_and_1(backend: str) -> None:
    """Beyond which there are none: the derivative there is the one from inside."""
    x, labels = np.asarray([[1.5, -0.5, -1.5, 0.5]]), np.asarray([[1.0, 0.0, 1.0, 0.0]])
    cell = Cell("gradient", "sigmoid_focal_loss", backend, "float64")
    failures = cell.failures()
    with answers.unkept():
        sample = Sample("hard labels", {"logits": x, "labels": labels}, {"gamma": 2.0})
        test_gradient.check_sample(cell, sample, failures)
    failures.finish()


@adapters.each()
def test_terms_that_round_alike(backend: str) -> None:
    """Of 2e^0 and -e^log 2 one leads, and the others together are more than it."""
    sample = Sample(
        "alike",
        {"x": np.asarray([0.0, np.log(2), np.log(2)]), "weights": np.asarray([2.0, -1.0, -0.25])},
        {"return_sign": True},
    )
    cell = Cell("value", "logsumexp", backend, "float64")
    one, failures = ready(cell, sample), cell.failures()
    value, sign = run(cell, one)
    with answers.unkept():
        check_value(cell, one, failures, "alike", cell.adapter.to_numpy(value))
    failures.finish()
    assert cell.adapter.to_numpy(sign) == -1
