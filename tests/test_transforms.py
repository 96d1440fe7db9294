"""Every operation under every transform of its library: the same bounds as in plain calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from uniflogits._core import annotations as roles
from uniflogits._core.operation import Operation

from . import transforms
from .harness import (
    TRANSFORM,
    Cell,
    Failures,
    Ready,
    as_function,
    first,
    matrix_of_transforms,
    random_like,
    ready,
    run,
)
from .judging import check_gradient, check_products, check_value
from .specs.base import Sample
from .transforms import Case, Transform

OF_CLASSES = (roles.CLASS_VECTORS, roles.CLASS_WEIGHTS, roles.CLASS_BIAS)


@matrix_of_transforms()
@pytest.mark.slow
def test_transform(cell: Cell) -> None:
    transform = transforms.of(cell.backend)[cell.property.removeprefix(TRANSFORM)]
    failures = cell.failures()
    for sample in _chosen(cell, transform):
        _check(cell, transform, sample, failures)
    failures.finish()


def _chosen(cell: Cell, transform: Transform) -> list[Sample]:
    """One call without options, and the first that gives each option or keyword array; not too many."""
    seen: set[str] = set()
    chosen = []
    for sample in cell.samples(having=lambda sample: _fits(cell, transform, sample)):
        gives = {*sample.options, *(set(sample.arrays) - set(cell.op.arrays))} or {"nothing"}
        if not gives <= seen:
            chosen.append(sample)
            seen |= gives
    return chosen[:: -(-len(chosen) // transform.calls)]


def _fits(cell: Cell, transform: Transform, sample: Sample) -> bool:
    size = np.size(sample.arrays[cell.op.arrays[0]])
    if sample.values_only or (transform.size is not None and size > transform.size):
        return False
    return not transform.maps or _examples(cell.op, sample) is not None


def _examples(operation: Operation, sample: Sample) -> dict[str, bool] | None:
    """Which arrays have an entry per example along their first axis; None: the call takes none apart."""
    shapes = {name: np.shape(array) for name, array in sample.arrays.items() if array is not None}
    shape = shapes[operation.arrays[0]]
    if len(shape) != 2 or {"axis", "keepdims", "reduction"} & set(sample.options):
        return None
    by_class = operation.roles.get("labels") != roles.BINARY_LABELS  # a weight per row, not per number
    found = {}
    for name, given in shapes.items():
        role = operation.roles.get(name)
        of_rows = role == roles.INTEGER_LABELS or (role == roles.WEIGHTS and by_class)
        expected = () if role in OF_CLASSES else shape[:1] if of_rows else shape
        found[name] = len(given) == len(expected) > 0
        if found[name] and given[0] != shape[0]:
            return None
    return found


def _case(cell: Cell, one: Ready, sample: Sample) -> tuple[Case, dict[str, Any]]:
    """The call for a transform, and what of it the exact answers are asked with."""
    adapter = cell.adapter
    value = first(run(cell, one))
    names = [*cell.op.arrays, *(n for n in one.call.keywords() if hasattr(one.options[n], "shape"))]
    examples = _examples(cell.op, sample) or {}
    ct = random_like(tuple(value.shape), adapter.dtype(value), cell.operation, sample.id)
    direction = random_like(tuple(one.arrays[0].shape), cell.dtype, sample.id, "second")
    function, others = as_function(cell, one)
    case = Case(
        function,
        one.arrays[0],
        others,
        adapter.array(ct),
        adapter.array(direction),
        tuple(examples.get(name, False) for name in names),
    )
    return case, {"cotangent": ct, "direction": direction}


def _check(cell: Cell, transform: Transform, sample: Sample, failures: Failures) -> None:
    one = ready(cell, sample)
    case, given = _case(cell, one, sample)
    name, ct = cell.op.arrays[0], given["cotangent"]
    found = transform.run(case)
    failures.checked += not found  # what the transform itself has judged
    for quantity, result in found.items():
        label = f"{sample.id}, {quantity}"
        ours = result if isinstance(result, np.ndarray) else cell.adapter.to_numpy(result)
        if quantity == "value":
            check_value(cell, one, failures, label, ours)
        elif quantity == "gradient":
            check_gradient(cell, one, failures, label, ours, name, ct)
        else:
            check_products(cell, one, failures, {label: ours}, name, ct, given["direction"])
