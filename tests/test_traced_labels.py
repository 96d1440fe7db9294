"""Labels out of range where nobody can read them: that row's loss and gradient are NaN, nothing plausible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import uniflogits as ul

from .exact import Reference
from .harness import Cell, Failures, matrix

LOGITS = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [2.0, 2.0, -4.0]])
GOOD = {
    "integer_labels": np.array([0, 2, 1]),
    "binary_labels": np.array([[0.0, 1, 1], [1, 0, 0.5], [0, 0, 1]]),
}


def _bad(role: str) -> list[tuple[str, np.ndarray]]:
    """The second row's label is bad in each."""
    found = []
    for number in (3, -1, 2**31 - 1) if role == "integer_labels" else (-1.0, 2.0):
        labels = GOOD[role].copy()
        labels[1] = number
        found.append((f"label {number}", labels))
    if role == "integer_labels":
        wrapped = GOOD[role].astype(np.uint8)
        wrapped[1] = 255
        found.append(("label 255 of uint8", wrapped))
    return found


def _judged(cell: Cell) -> bool:
    return cell.op.roles.get("labels") in GOOD


def _between(cell: Cell) -> tuple[Any, ...]:
    """What comes between logits and labels: vectors of classes with which hidden states are logits."""
    return () if cell.op.vectors is None else (cell.adapter.array(np.eye(3), "float32"),)


def _operation(cell: Cell) -> Callable[..., Any]:
    between, public = _between(cell), cell.public
    return lambda x, labels, **options: public(x, *between, labels, **options)


def _calls(cell: Cell, function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The ways of calling in which this library's values cannot be read."""
    if not cell.adapter.reads_values:
        return {"lazy": function}
    return cell.adapter.traced(function)


@matrix("traced_labels", dtypes=("float32",), backends=("jax", "torch", "tensorflow", "dask"), having=_judged)
def test_traced_labels(cell: Cell) -> None:
    adapter, failures = cell.adapter, cell.failures()
    role = cell.op.roles["labels"]
    x = adapter.array(LOGITS, "float32")
    cotangent = adapter.array(np.ones(GOOD[role].shape), "float32")
    operation = _operation(cell)
    means = _calls(cell, lambda x, y: operation(x, y, reduction="mean"))
    closed = _calls(cell, _closed(cell))
    for mode, value in _calls(cell, operation).items():
        plain = adapter.to_numpy(operation(x, _native(cell, GOOD[role])))
        alike = Reference(plain.astype(float), np.zeros(plain.shape), np.zeros(plain.shape))
        good = adapter.to_numpy(value(x, _native(cell, GOOD[role])))
        failures.compare(f"{mode}, good labels", good, [alike], "float32", cell.row.value)
        for label, labels in _bad(role):
            given = _native(cell, labels)
            with adapter.calling():
                loss, total = value(x, given), means[mode](x, given)
                gradients = {"vjp": closed[mode](x, given)}
            _one_bad_row(failures, f"{mode}, {label}: loss", adapter.to_numpy(loss))
            failures.checked += 1
            if not np.isnan(adapter.to_numpy(total)):
                failures.add(f"{mode}, {label}: the mean is {total}")
            # torch differentiates inside compiled functions; test_transforms.py does
            if mode != "compile":
                native = adapter.gradients(lambda x, y=given, f=value: f(x, y), [x], cotangent, [0])
                gradients |= {way: found[0] for way, found in native.items()}
            for way, gradient in gradients.items():
                _one_bad_row(failures, f"{mode}, {label}: gradient by {way}", adapter.to_numpy(gradient))
    failures.finish()


def _native(cell: Cell, labels: np.ndarray) -> Any:
    return cell.adapter.array(labels, "float32" if labels.dtype.kind == "f" else None)


def _closed(cell: Cell) -> Callable[..., Any]:
    between, public = _between(cell), cell.public
    return lambda x, labels: ul.vjp(public, x, *between, labels)[1](1.0)[0]


def _one_bad_row(failures: Failures, label: str, result: np.ndarray) -> None:
    failures.checked += 1
    if not np.isnan(result[1]).all() or not np.isfinite(result[[0, 2]]).all():
        failures.add(f"{label} is {result.tolist()}, expected NaN in the second row alone")
