"""Every defect in the museum: on every library, by this library, the right answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .harness import Cell, as_function, compiling_together, first, ready, run
from .museum import EXHIBITS, Exhibit
from .museum.answers import Answer, answers, version
from .museum.peers import LIBRARIES
from .oracle.numbers import VALUE_BITS, precision
from .test_edges import check_edge, reference

_BY_ID = {exhibit.id: exhibit for exhibit in EXHIBITS}


def _cells() -> list[Any]:
    found = []
    for exhibit in EXHIBITS:
        for backend in adapters.NAMES:
            if exhibit.dtype in adapters.dtypes(backend):
                marks = [pytest.mark.backend(backend), compiling_together(backend, exhibit.operation)]
                found.append(pytest.param(exhibit, backend, id=f"{exhibit.id}-{backend}", marks=marks))
    return found


@pytest.mark.parametrize(("exhibit", "backend"), _cells())
def test_museum(exhibit: Exhibit, backend: str) -> None:
    cell = Cell("museum", exhibit.operation, backend, exhibit.dtype)
    if exhibit.raises is not None:
        _check_refused(exhibit, cell)
        return
    edge, failures = exhibit.edge(), cell.failures()
    check_edge(cell, edge, ready(cell, edge, keep_dtype=edge.keep_dtype), failures)
    if exhibit.second:
        _check_second(exhibit, cell, failures)
    failures.finish()


def _check_refused(exhibit: Exhibit, cell: Cell) -> None:
    error, text = exhibit.raises or (Exception, "")
    arrays = [cell.adapter.array(array) for array in exhibit.inputs().values()]
    if not cell.adapter.reads_values and "labels must be class indices" in text:
        loss = cell.public(*arrays, **exhibit.options)
        assert np.isnan(cell.adapter.to_numpy(loss)).all()
        return
    with pytest.raises(error) as caught:
        cell.public(*arrays, **exhibit.options)
    assert text in str(caught.value)


def _check_second(exhibit: Exhibit, cell: Cell, failures: Any) -> None:
    adapter, edge = cell.adapter, exhibit.edge()
    one = ready(cell, edge)
    value = first(run(cell, one))
    ones = adapter.array(np.ones(tuple(value.shape)), adapter.dtype(value))
    along = adapter.array(np.ones(tuple(one.arrays[0].shape)), cell.dtype)
    function, others = as_function(cell, one)
    found = adapter.hessian_products(function, one.arrays[0], others, ones, along)
    with adapter.calling():
        _, pullback = ul.vjp(ul.grad(cell.public), *one.arrays, **one.options)
        found["closed form"] = pullback(along)[0]
    answers = [reference(exhibit.second_derivative())]
    for mode, product in found.items():
        failures.compare(mode, adapter.to_numpy(product), answers, cell.dtype, cell.row.second)


def _peers() -> list[Any]:
    hosts = {"scipy": "numpy", "optax": "jax"}
    return [
        pytest.param(library, marks=pytest.mark.backend(hosts.get(library, library.split("-")[-1])))
        for library in LIBRARIES
    ]


@pytest.mark.slow
@pytest.mark.parametrize("library", _peers())
def test_right_on_the_arrays_of(library: str) -> None:
    """Where another library answers, uniflogits does on the same arrays, on every backend of Keras too."""
    if not version(library.split("-")[0]):
        pytest.skip(f"{library} is not installed here: make test installs it")
    found = answers(library)
    assert found
    wrong = [
        f"{id}: {ours.text}"
        for id, answer in found.items()
        if not (ours := Answer(_BY_ID[id], answer["ours"])).right
    ]
    assert not wrong


@pytest.mark.parametrize("id", [exhibit.id for exhibit in EXHIBITS if exhibit.stated is not None])
def test_stated_answers(id: str) -> None:
    """The digits a thread or a text gives are those of the oracle."""
    exhibit = _BY_ID[id]
    with precision(VALUE_BITS):
        right = np.asarray(exhibit.right()).astype(float)
    np.testing.assert_allclose(right, exhibit.stated, rtol=2e-3)


def test_every_exhibit_has_a_name_and_an_operation() -> None:
    assert len(_BY_ID) == len(EXHIBITS)
