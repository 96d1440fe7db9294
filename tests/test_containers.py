"""What looks like an array and isn't one gives an error that says how to convert it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul


def _refused(value: Any, *parts: str) -> None:
    with pytest.raises(TypeError) as caught:
        ul.softmax(value)
    for part in ("softmax: logits ", *parts):
        assert part in str(caught.value), caught.value


def test_numpys_other_arrays() -> None:
    _refused(np.ma.masked_array([1.0, 2.0], mask=[0, 1]), "masked array", "where=")
    _refused(np.ones((2, 2)).view(np.matrix), "numpy.matrix", "numpy.asarray")


def test_sparse_and_frames() -> None:
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is no dependency of the tests")
    _refused(sparse.csr_array(np.eye(2)), "scipy", ".toarray()")


@pytest.mark.backend("torch")
@pytest.mark.filterwarnings("ignore:.*in prototype stage.*:UserWarning")
def test_torchs_other_tensors() -> None:
    import torch

    _refused(torch.eye(2).to_sparse(), "sparse", "to_dense()")
    _refused(torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "nested", "to_padded_tensor()")
    _refused([torch.ones(2), torch.ones(2)], "stack")


@pytest.mark.backend("jax")
def test_jaxs_other_arrays() -> None:
    import jax
    import jax.numpy as jnp

    _refused([jnp.ones(2), jnp.ones(2)], "stack")
    _refused(jax.ShapeDtypeStruct((2,), jnp.float32), "ShapeDtypeStruct")


@pytest.mark.backend("tensorflow")
def test_tensorflows_other_tensors() -> None:
    import tensorflow as tf

    _refused(tf.sparse.from_dense([[1.0, 0.0]]), "SparseTensor", "tf.sparse.to_dense")
    _refused(tf.ragged.constant([[1.0], [1.0, 2.0]]), "RaggedTensor", "to_tensor()")
