"""Every row of the table of names: the other library's function and ours give the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .names import NAMES, Name

# Whose arrays a library's functions take.
_ARRAYS = {"optax": "jax", "scipy": "numpy"}


def _scope(library: str) -> dict[str, Any]:
    if library == "tensorflow":
        import keras
        import tensorflow as tf

        return {"tf": tf, "keras": keras}
    if library == "torch":
        import torch

        return {"torch": torch, "F": torch.nn.functional, "distributions": torch.distributions}
    if library == "scipy":
        special = pytest.importorskip("scipy.special", reason="SciPy is no dependency of the tests")
        return {"special": special, "numpy": np}
    import jax
    import jax.numpy as jnp

    names = {"jax": jax, "jnp": jnp}
    if library == "optax":
        names["optax"] = pytest.importorskip("optax", reason="optax is no dependency of the tests")
    return names


def _inputs() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    dense, other = rng.uniform(0.1, 1, size=(2, 3, 4))
    mask = np.ones((3, 4), bool)
    mask[0, 1] = mask[2, 3] = False
    return {
        "x": rng.normal(size=(3, 4)),
        "x2": rng.normal(size=(3, 4)),
        "y": np.asarray([2, 1, 3]),
        "p": dense / dense.sum(-1, keepdims=True),
        "p2": other / other.sum(-1, keepdims=True),
        "b": np.asarray([[0.0, 1.0, 1.0, 0.0], [1.0, 0.25, 0.5, 0.0], [0.0, 0.0, 1.0, 1.0]]),
        "w": np.asarray([0.5, 1.0, 2.0, 3.0]),
        "m": mask,
        "u": rng.uniform(0.1, 0.9, size=(3, 4)),
    }


def _parameters() -> list[Any]:
    return [
        pytest.param(
            row,
            id=f"{row.package}: {row.theirs.split('(')[0]} {number}",
            marks=pytest.mark.backend(_ARRAYS.get(row.package, row.package)),
        )
        for number, row in enumerate(NAMES)
    ]


@pytest.mark.parametrize("row", _parameters())
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_names(row: Name) -> None:
    adapter = adapters.get(_ARRAYS.get(row.package, row.package))
    scope = {**_scope(row.package), "ul": ul}
    scope |= {name: adapter.array(array) for name, array in _inputs().items()}
    theirs, ours = (eval(expression, scope) for expression in (row.theirs, row.ours))
    if not isinstance(theirs, tuple):
        theirs, ours = (theirs,), (ours,)
    for one, other in zip(theirs, ours, strict=True):
        one, other = (np.asarray(a.detach() if hasattr(a, "detach") else a) for a in (one, other))
        assert one.shape == other.shape
        # Lists make float32 in TensorFlow.
        np.testing.assert_allclose(other, one, rtol=1e-6 if one.dtype == np.float32 else 1e-10)
