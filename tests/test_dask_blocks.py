"""Dask's arrays of one block: a call is one task, and as right as one on the graph of its formula."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import uniflogits as ul

from .harness import Cell, first, matrix, random_like, ready, run
from .judging import check_gradient, check_value

pytestmark = pytest.mark.backend("dask")


def _in_one_block(array):
    return array.rechunk(-1) if hasattr(array, "rechunk") else array


@matrix("one_block", backends=("dask",), dtypes=("float32", "float64"))
def test_one_block(cell: Cell) -> None:
    failures = cell.failures()
    for sample in cell.samples(quick=True):
        one = ready(cell, sample)
        one.arrays = [_in_one_block(a) for a in one.arrays]
        one.options = {key: _in_one_block(a) for key, a in one.options.items()}
        value = first(run(cell, one))
        check_value(cell, one, failures, f"{sample.id}, value", cell.adapter.to_numpy(value))
        if sample.values_only:
            continue
        ct = random_like(value.shape, cell.adapter.dtype(value), cell.operation, sample.id)
        with cell.adapter.calling():
            _, pullback = ul.vjp(cell.public, *one.arrays, **one.options)
            gradient = pullback(_in_one_block(cell.adapter.array(ct)))[0]
        ours = cell.adapter.to_numpy(gradient)
        check_gradient(cell, one, failures, f"{sample.id}, gradient", ours, cell.op.arrays[0], ct)
    failures.finish()


def test_a_task_goes_to_another_process() -> None:
    import dask.array as da

    value = ul.softmax(da.from_array(np.asarray([2.5, 1.0, -1.2]), chunks=-1))
    assert len(value.dask) <= 5  # the array, its numbers, the task and its result
    again = pickle.loads(pickle.dumps(value))
    np.testing.assert_array_equal(again.compute(scheduler="synchronous"), ul.softmax([2.5, 1.0, -1.2]))


def test_large_arrays_keep_their_graph() -> None:
    """Nothing of their size is computed in the call, not even for their shapes."""
    import dask.array as da

    value = ul.logsumexp(da.zeros((2**20, 2**12), chunks=-1))
    assert value.shape == (2**20,)
