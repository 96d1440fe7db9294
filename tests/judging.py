"""What a test found of one call, against the exact answers and within the bounds of its operation."""

from __future__ import annotations

import numpy as np

from . import exact
from .compare import Failures
from .harness import Cell, Ready, both, references


def check_value(cell: Cell, one: Ready, failures: Failures, label: str, ours: np.ndarray) -> None:
    failures.compare(
        label,
        ours,
        [answer[0] for answer in both(one, lambda call: exact.values(cell.spec, call))],
        one.call.result_dtype,
        cell.row.value,
        cell.row.dagger,
        one.underflow,
        one.call.arrays,
    )


def check_gradient(
    cell: Cell, one: Ready, failures: Failures, label: str, ours: np.ndarray, name: str, ct: np.ndarray
) -> None:
    """Of sum(ct * value), by the array of that name."""
    if ours.shape != np.shape(one.call.arrays[name]):
        failures.add(f"{label}: shape {ours.shape}")
        return
    positions, answers = references(both(one, lambda call: exact.gradient(cell.spec, call, name, ct)))
    failures.compare(
        label,
        ours.reshape(-1)[positions],
        answers,
        cell.dtype,
        cell.row.bound(f"gradient by {name}" if name in cell.op.partners[1:] else "gradient"),
        cell.row.dagger,
        one.underflow * max(1.0, _largest(ct)),
        {**one.call.arrays, "cotangent": ct},
    )


def check_products(
    cell: Cell,
    one: Ready,
    failures: Failures,
    found: dict[str, np.ndarray],
    name: str,
    ct: np.ndarray,
    direction: np.ndarray,
) -> None:
    """The Hessian of sum(ct * value) by the array of that name, times the direction; by label."""
    positions, answers = references(
        both(one, lambda call: exact.hessian_product(cell.spec, call, name, ct, direction))
    )
    for label, ours in found.items():
        failures.compare(
            label,
            ours.reshape(-1)[positions],
            answers,
            cell.dtype,
            cell.row.second,
            cell.row.dagger,
            one.underflow * max(1.0, _largest(ct)) * 2.0,
            {**one.call.arrays, "cotangent": ct, "tangent": direction},
        )


def _largest(numbers: np.ndarray) -> float:
    return float(np.abs(numbers.astype(float)).max(initial=0.0))
