"""JAX as it comes, with 64 bits off: other defaults, and labels that lose their upper half."""

from __future__ import annotations

import numpy as np
import pytest

import uniflogits as ul

from . import exact
from .harness import Cell, first, matrix, ready, run

pytestmark = pytest.mark.backend("jax")


@pytest.fixture(autouse=True)
def without_x64():
    import jax

    from . import adapters

    adapters.get("jax")
    with jax.enable_x64(False):
        yield


@matrix("without_x64", backends=("jax",), dtypes=("float32",))
def test_value_without_x64(cell: Cell) -> None:
    failures = cell.failures()
    for sample in cell.samples(most=5):
        one = ready(cell, sample)
        ours = cell.adapter.to_numpy(first(run(cell, one)))
        answers = [exact.values(cell.spec, call)[0] for call in (one.call, one.flushed) if call]
        failures.compare(
            sample.id,
            ours,
            answers,
            "float32",
            cell.row.value,
            cell.row.dagger,
            one.underflow,
            one.call.arrays,
        )
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
