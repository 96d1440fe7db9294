"""The same numbers from every library, compared across processes.

Each run writes its results as hex floats to build/agreement/<library>/ (`test_record`). When all runs are
done, `pytest tests/test_agreement.py --agreement` compares every two of them.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from . import adapters, exact
from .call import Call
from .compare import Failures, allowed, ulp
from .exact import Reference
from .harness import Cell, compiling_together, first, random_like, ready, run
from .record import BUILD, sources, write
from .specs.base import Sample

REQUIRED = ("numpy", "jax", "torch", "tensorflow", "strict")
DTYPES = ("float32", "float64")
LARGEST_SAMPLE = 64


def _samples(cell: Cell) -> list[Sample]:
    """The same small samples for every library: those of JAX, where each form of call takes long."""
    some = Cell("agreement", cell.operation, "jax", cell.dtype).samples()
    return [s for s in some if np.size(s.arrays[cell.op.arrays[0]]) <= LARGEST_SAMPLE]


def _cells(backend: str, name: str) -> list[Cell]:
    return [Cell("agreement", name, backend, dtype) for dtype in DTYPES]


def _hex(array: np.ndarray) -> list[str]:
    return [float(number).hex() for number in array.ravel()]


def _cotangent(cell: Cell, sample: Sample, shape: tuple[int, ...]) -> np.ndarray:
    return random_like(shape, cell.dtype, cell.operation, sample.id, "agreement")


def _recording(backend: str, name: str) -> Any:
    marks = [pytest.mark.backend(backend), compiling_together(backend, name)]
    return pytest.param(backend, name, id=f"{name}-{backend}", marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "name"), [_recording(backend, name) for backend in REQUIRED for name in OPERATIONS]
)
def test_record(backend: str, name: str) -> None:
    results: dict[str, Any] = {}
    adapter = adapters.get(backend)
    for cell in _cells(backend, name):
        for sample in _samples(cell):
            one = ready(cell, sample)
            value = first(run(cell, one))
            ct = _cotangent(cell, sample, tuple(value.shape))
            with adapter.calling():
                gradient = ul.vjp(cell.public, *one.arrays, **one.options)[1](adapter.array(ct))[0]
            results[f"{cell.dtype} {sample.id}"] = {
                "value": _hex(adapter.to_numpy(value)),
                "gradient": _hex(adapter.to_numpy(gradient)),
            }
    assert len(results) >= 2
    write(BUILD / "agreement" / backend / f"{name}.json", {"sources": sources(), "results": results})


def recorded(backend: str, name: str) -> dict[str, Any]:
    """What a run wrote, if it is there and of these sources."""
    path = BUILD / "agreement" / backend / f"{name}.json"
    assert path.exists(), f"{path} is missing: the run `pytest --backend {backend}` has not finished here"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["sources"] == sources(), f"{path} is stale: the sources have changed since that run"
    return content["results"]


@pytest.mark.agreement
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(REQUIRED, 2)))
def test_agreement(one: str, other: str) -> None:
    failures = Failures(f"{one} against {other}")
    for name in OPERATIONS:
        ours, theirs = recorded(one, name), recorded(other, name)
        assert ours.keys() == theirs.keys()
        for cell in _cells(one, name):
            for sample in _samples(cell):
                pair = [results[f"{cell.dtype} {sample.id}"] for results in (ours, theirs)]
                _compare(cell, sample, pair, failures)
    failures.finish()


def _compare(cell: Cell, sample: Sample, pair: list[dict[str, list[str]]], failures: Failures) -> None:
    """Apart by no more than both are allowed to be off."""
    from .call import make_call

    call = make_call(cell.operation, sample, cell.dtype)
    (value, *_) = exact.values(cell.spec, call)
    ct = _cotangent(cell, sample, value.high.shape)
    positions, gradient = exact.gradient(cell.spec, call, cell.op.arrays[0], ct)
    for what, reference, at, bound, factor in (
        ("value", value, slice(None), cell.row.value, sample.underflow),
        ("gradient", gradient, positions, cell.row.gradient, 2 * sample.underflow),
    ):
        a, b = (np.array([float.fromhex(number) for number in one[what]])[at] for one in pair)
        limits = 2 * allowed(_flat(reference), cell.dtype, bound, cell.row.dagger, factor)
        limits = limits + _flushed(cell, call, a.size)
        failures.checked += a.size
        with np.errstate(invalid="ignore"):
            apart = np.abs(a - b)
            wrong = ~((apart <= limits) | (a == b) | (np.isnan(a) & np.isnan(b)))
        for i in np.flatnonzero(wrong)[:3]:
            ulps = apart[i] / ulp(np.abs(_flat(reference).high[i : i + 1]), cell.dtype)[0]
            failures.add(
                f"{cell.operation} {cell.dtype} {sample.id}, {what} {i}: "
                f"{a[i].hex()} and {b[i].hex()}, {ulps:.4g} ulp apart"
            )


def _flat(reference: Reference) -> Reference:
    return Reference(reference.high.ravel(), reference.low.ravel(), reference.scale.ravel())


def _flushed(cell: Cell, call: Call, size: int) -> np.ndarray:
    """Libraries that take subnormal inputs for 0 need not agree with those that don't."""
    return np.full(size, np.inf if call.flushed() is not None else 0.0)
