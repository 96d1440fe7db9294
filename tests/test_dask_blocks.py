"""Dask's arrays by their blocks: one task for each of examples where that will do, else the formula's graph.

The other tests' arrays are of two blocks of examples.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import uniflogits as ul

from .harness import Cell, first, matrix, random_like, ready, run
from .judging import check_gradient, check_value

pytestmark = pytest.mark.backend("dask")


def _laid(array, layout: str):
    """In one block, or split along every axis that has two entries, which makes a graph."""
    if not hasattr(array, "rechunk"):
        return array
    return array.rechunk(-1 if layout == "one" else tuple(-(-size // 2) or -1 for size in array.shape))


def _check(cell: Cell, layout: str, samples: list) -> None:
    failures = cell.failures()
    for sample in samples:
        one = ready(cell, sample)
        one.arrays = [_laid(a, layout) for a in one.arrays]
        one.options = {key: _laid(a, layout) for key, a in one.options.items()}
        value = first(run(cell, one))
        check_value(cell, one, failures, f"{sample.id}, value", cell.adapter.to_numpy(value))
        if sample.values_only:
            continue
        ct = random_like(value.shape, cell.adapter.dtype(value), cell.operation, sample.id)
        with cell.adapter.calling():
            _, pullback = ul.vjp(cell.public, *one.arrays, **one.options)
            gradient = pullback(_laid(cell.adapter.array(ct), layout))[0]
        ours = cell.adapter.to_numpy(gradient)
        check_gradient(cell, one, failures, f"{sample.id}, gradient", ours, cell.op.arrays[0], ct)
    failures.finish()


@matrix("one_block", backends=("dask",), dtypes=("float32", "float64"))
def test_one_block(cell: Cell) -> None:
    _check(cell, "one", cell.samples(quick=True))


@matrix("graph", backends=("dask",), dtypes=("float32",))
def test_graph(cell: Cell) -> None:
    _check(cell, "split", cell.samples())


def test_a_task_goes_to_another_process() -> None:
    import dask.array as da

    value = ul.softmax(da.from_array(np.asarray([2.5, 1.0, -1.2]), chunks=-1))
    assert len(value.dask) <= 5  # the array, its numbers, the task and its result
    again = pickle.loads(pickle.dumps(value))
    np.testing.assert_array_equal(again.compute(scheduler="synchronous"), ul.softmax([2.5, 1.0, -1.2]))


def test_blocks_of_classes_stay() -> None:
    """A row that is in several blocks may be one that no memory holds."""
    import dask.array as da

    value = ul.softmax(da.zeros((8, 4), chunks=(4, 2)))
    assert value.chunks == ((4, 4), (2, 2))


def test_large_arrays_keep_their_graph() -> None:
    """Nothing of their size is computed in the call, not even for their shapes."""
    import dask.array as da

    value = ul.logsumexp(da.zeros((2**20, 2**12), chunks=-1))
    assert value.shape == (2**20,)


@pytest.mark.parametrize("examples", [0, 7])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"axis": -2},
        {"where": np.array([True, False, True, True])},
        {"where": np.array([[[True, False, True, True]]])},
        {"where": np.arange(28).reshape(7, 1, 4) % 3 > 0},
    ],
    ids=["plain", "an axis between", "a mask of classes", "a mask of one row", "a mask of examples"],
)
def test_a_block_of_examples_is_a_task(options: dict, examples: int) -> None:
    """However many steps a formula has, there are as many tasks as for any function of blocks."""
    import dask.array as da

    rng = np.random.default_rng(3)
    p, q = rng.normal(size=(2, 7, 4, 4))[:, :examples]
    lazy = [da.from_array(a, chunks=(3, -1, -1)) for a in (p, q)]
    given = dict(options)
    if "where" in options:
        mask = options["where"][:examples] if len(options["where"]) == 7 else options["where"]
        options = {"where": mask}
        given = {"where": da.from_array(mask, chunks=(2, *mask.shape[1:]))}
    value, pullback = ul.vjp(ul.kl_divergence, *lazy, **given)
    assert len(value.dask) <= 60
    plain, plain_pullback = ul.vjp(ul.kl_divergence, p, q, **options)
    np.testing.assert_array_equal(value.compute(scheduler="synchronous"), plain)
    ct = rng.normal(size=plain.shape)
    found = pullback(da.from_array(ct, chunks=(4, -1)))
    for ours, expected in zip(found, plain_pullback(ct), strict=True):
        assert ours.shape == expected.shape
        np.testing.assert_array_equal(ours.compute(scheduler="synchronous"), expected)
    assert pickle.loads(pickle.dumps(found[0])).shape == found[0].shape


def test_examples_that_know_each_other_are_not_taken_apart() -> None:
    """A mean over examples, and the gradient of an array that is broadcast to all of them."""
    import dask.array as da

    rng = np.random.default_rng(4)
    x, labels = rng.normal(size=(8, 4)), rng.integers(0, 4, size=8)
    lazy = da.from_array(x, chunks=(4, -1)), da.from_array(labels, chunks=4)
    loss = ul.softmax_cross_entropy_with_integer_labels
    for given in ({"reduction": "mean"}, {"reduction": "mean", "ignore_index": 2}):
        plain, plain_pullback = ul.vjp(loss, x, labels, **given)
        value, pullback = ul.vjp(loss, *lazy, **given)
        np.testing.assert_allclose(value.compute(scheduler="synchronous"), plain, rtol=1e-15)
        expected = plain_pullback(1.0)[0]
        np.testing.assert_allclose(pullback(1.0)[0].compute(scheduler="synchronous"), expected, rtol=1e-13)
    x = x[:4]
    lazy = da.from_array(x, chunks=(2, -1))
    for one in (x[:1], x[0]):
        plain = ul.vjp(ul.logaddexp, x, one)[1](x)
        found = ul.vjp(ul.logaddexp, lazy, da.from_array(one, chunks=-1))[1](lazy)
        for ours, expected in zip(found, plain, strict=True):
            assert ours.shape == expected.shape
            np.testing.assert_allclose(ours.compute(scheduler="synchronous"), expected, rtol=1e-13)
    across = ul.softmax(lazy, axis=0).compute(scheduler="synchronous")
    np.testing.assert_allclose(across, ul.softmax(x, axis=0), rtol=1e-15)
