"""Algebraic laws, on numbers that hypothesis draws."""

from __future__ import annotations

import warnings
from typing import Any

import hypothesis
import hypothesis.extra.numpy as numbers
import numpy as np
from hypothesis import strategies as st

from . import laws
from .compare import ulp
from .harness import HALVES, Cell, Failures, first, matrix

ROWS, CLASSES = 3, 5
# The same numbers in every run: a failure can be told from a change of the code.
SETTINGS = hypothesis.settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)


@matrix("laws", having=lambda cell: bool(cell.spec.laws))
def test_laws(cell: Cell, quick: bool) -> None:
    few = quick or cell.backend == "tensorflow"
    examples = 1 if cell.backend == "dask" else 3 if cell.dtype in HALVES else 5 if few else 15

    @hypothesis.settings(SETTINGS, max_examples=examples)
    @hypothesis.given(
        x=numbers.arrays(
            np.float32, (ROWS, CLASSES), elements=st.floats(-60, 60, width=32, allow_subnormal=False)
        ),
        seed=st.integers(0, 2**32 - 1),
    )
    def check(x: np.ndarray, seed: int) -> None:
        _check(cell, x, np.random.default_rng(seed))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check()


def _check(cell: Cell, x: np.ndarray, rng: np.random.Generator) -> None:
    adapter, failures = cell.adapter, cell.failures()
    rest = tuple(_labels(cell, name, rng) for name in cell.op.arrays[1:])

    def apply(array: np.ndarray, *others: Any) -> np.ndarray:
        given = [adapter.array(array)]
        given += [adapter.array(o, cell.dtype if np.asarray(o).dtype.kind == "f" else None) for o in others]
        with adapter.calling():
            return adapter.to_numpy(first(cell.public(*given, **cell.required)))

    if "class_vectors" in cell.op.roles.values():
        # Products of such numbers are exact; others would be rounded in whichever way a row's place has it.
        x = np.round(8 * x) / 8
    x = adapter.to_numpy(adapter.array(x, cell.dtype))
    for name in cell.spec.laws:
        for label, ours, expected, ulps in getattr(laws, name)(apply, x, rest, rng):
            _compare(cell, failures, f"{name}: {label}", ours, expected, ulps)
    failures.finish()


def _labels(cell: Cell, name: str, rng: np.random.Generator) -> np.ndarray:
    role = cell.op.roles[name]
    if role == "float":
        return (rng.integers(-480, 480, size=(ROWS, CLASSES)) / 8).astype(np.float32)
    if role == "class_vectors":
        return (rng.integers(-480, 480, size=(CLASSES, CLASSES)) / 64).astype(np.float32)
    if role == "integer_labels":
        return rng.integers(0, CLASSES, size=ROWS)
    if role == "dense_labels":
        return rng.integers(0, 9, size=(ROWS, CLASSES)) / 8
    return rng.integers(0, 5, size=(ROWS, CLASSES)) / 4


def _compare(
    cell: Cell, failures: Failures, label: str, ours: np.ndarray, expected: np.ndarray, ulps: float
) -> None:
    failures.checked += 1
    # In half precision results are rounded once more, from sums of as many roundings.
    dtype = cell.dtype
    ours, expected = ours.astype(np.float64), expected.astype(np.float64)
    room = ulps * ulp(np.maximum(np.abs(expected), 0 if ulps == 0 else np.abs(ours)), dtype)
    # Two right results may both be off by their bound: it counts for logarithms of small probabilities too.
    if cell.row.dagger and ulps:
        small = np.clip(np.abs(expected), 1e-300, 1)
        room = room * (1 - np.log(small) / 4)
    if cell.spec.name == "logsumexp" and ulps:
        room = ulps * ulp(np.maximum(np.abs(expected), 60.0), dtype)
    wrong = ~(np.abs(ours - expected) <= room + 2.0**-126)
    if wrong.any():
        failures.add(f"{label}: {ours[wrong][:3].tolist()} against {expected[wrong][:3].tolist()}")
