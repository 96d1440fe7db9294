"""JAX as it comes, with 64 bits off: other defaults, and labels that lose their upper half."""

from __future__ import annotations

import numpy as np
import pytest

import uniflogits as ul

from .harness import Cell, as_function, first, matrix, random_like, ready, run
from .judging import check_gradient, check_value

pytestmark = pytest.mark.backend("jax")


@pytest.fixture(autouse=True)
def without_x64():
    import jax

    from . import adapters

    adapters.get("jax")
    with jax.enable_x64(False):
        yield


@matrix("without_x64", backends=("jax",), dtypes=("float32",))
def test_without_x64(cell: Cell) -> None:
    """Values, and gradients by JAX's own autodiff."""
    failures = cell.failures()
    for sample in cell.samples(most=5):
        one = ready(cell, sample)
        value = first(run(cell, one))
        check_value(cell, one, failures, sample.id, cell.adapter.to_numpy(value))
        if sample.values_only:
            continue
        ct = random_like(value.shape, "float32", cell.operation, sample.id)
        function, others = as_function(cell, one)
        arrays = [one.arrays[0], *others]
        found = cell.adapter.gradients(function, arrays, cell.adapter.array(ct), [0])
        ours = cell.adapter.to_numpy(found["jax.vjp"][0])
        check_gradient(cell, one, failures, f"{sample.id}, gradient", ours, cell.op.arrays[0], ct)
    failures.finish()


def test_defaults_are_32_bits() -> None:
    import jax.numpy as jnp

    assert ul.softmax(jnp.arange(3)).dtype == jnp.float32
    assert ul.softmax(jnp.array([True, False])).dtype == jnp.float32


def test_float64_numpy_beside_jax_becomes_float32_silently() -> None:
    import jax.numpy as jnp

    x = jnp.array([[1.0, 2.0]])
    loss = ul.softmax_cross_entropy(x, np.array([[0.5, 0.5]]), weights=np.array([2.0]))
    assert loss.dtype == jnp.float32


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(np.array([2**32, 0]), id="int64 that JAX would cut to 0"),
        pytest.param(np.array([2**64 - 100, 0], dtype=np.uint64), id="uint64 that would become -100"),
        pytest.param(np.array([156, 0], dtype=np.uint8), id="uint8 that would be -100"),
    ],
)
def test_labels_are_judged_before_they_are_cut(labels: np.ndarray) -> None:
    import jax.numpy as jnp

    with pytest.raises(ValueError, match=f"got {labels[0]}"):
        ul.softmax_cross_entropy_with_integer_labels(jnp.zeros((2, 3)), labels, ignore_index=-100)


def test_an_ignored_label_beyond_32_bits_is_ignored_each_time() -> None:
    import jax.numpy as jnp

    for _ in range(3):
        labels = np.array([2**40, 0])
        losses = ul.softmax_cross_entropy_with_integer_labels(jnp.zeros((2, 3)), labels, ignore_index=2**40)
        np.testing.assert_array_equal(losses, np.float32([0.0, np.log(3)]))
