"""Labels judged by their values, in their own dtype, before anything casts them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._backends import NUMPY
from .._backends.generic import Backend
from . import annotations as roles
from .arguments import Arguments
from .dtypes import FLOATS, dtype_name, integer_range, unit_roundoff
from .errors import value_error
from .operation import Operation
from .shapes import classes_of


def check_labels(operation: Operation, checked: Arguments) -> bool:
    """Raise for labels out of range; False where they cannot be read, and the formula must look out."""
    role = operation.label_role
    if role == roles.INTEGER_LABELS:
        (classes,) = classes_of(operation, checked)
        if not isinstance(classes, int):
            return False
        low, high, check = 0, classes - 1, _check_classes
    elif role == roles.BINARY_LABELS:
        slack = label_slack(dtype_name(checked.arrays["labels"].dtype))
        low, high, check = -slack, 1 + slack, _check_binary
    else:
        return True
    labels = checked.arrays["labels"]
    backend = _reader(checked, labels)
    inside = backend.within(labels, low, high)
    if inside is None:
        return False
    return inside or check(operation, checked, backend.read(labels), low, high)


def _reader(checked: Arguments, value: Any) -> Backend:
    """Whose array it is: NumPy's may stand beside others."""
    return NUMPY if isinstance(value, np.ndarray) else checked.backend


def _counted(operation: Operation, checked: Arguments, shape: Any) -> np.ndarray | None:
    """Where a label is looked at: not where its weight is 0 or `where` is False. None: not to be told."""
    counted = np.ones(shape, bool)
    weights = checked.arrays.get("weights")
    if weights is not None:
        values = _reader(checked, weights).read(weights)
        if values is None:
            return None
        counted = counted & (values != 0)
    where = checked.arrays.get("where")
    if where is not None and operation.roles["labels"] == roles.BINARY_LABELS:
        values = _reader(checked, where).read(where)
        if values is None:
            return None
        counted = counted & values
    return counted


def _check_classes(operation: Operation, checked: Arguments, values: Any, low: Any, high: Any) -> bool:
    bad = (values < low) | (values > high)
    ignore = checked.options.get("ignore_index")
    if ignore is not None:
        bad &= values != ignore
    counted = _counted(operation, checked, values.shape)
    if counted is None:
        return not bad.any()
    bad &= counted
    if bad.any():
        axis = (checked.axes or (-1,))[0]
        where = f"rows of {operation.vectors}" if operation.vectors else f"classes along axis {axis}"
        raise value_error(
            operation.name,
            f"labels must be class indices from {low} to {high} ({high + 1} {where}), "
            f"got {values[bad].ravel()[0]}",
        )
    return True


def label_slack(name: str) -> float:
    """How far rounding may carry a label outside [0, 1]."""
    return 4 * unit_roundoff(name) if name in FLOATS else 0.0


def _check_binary(operation: Operation, checked: Arguments, values: Any, low: Any, high: Any) -> bool:
    bad = (values < low) | (values > high)
    if not bad.any():
        return True
    counted = _counted(operation, checked, values.shape)
    if counted is None:
        return False
    bad &= counted
    if bad.any():
        raise value_error(
            operation.name, f"labels must lie between 0 and 1, got {float(values[bad].ravel()[0])!r}"
        )
    return True


def bring_in_labels(checked: Arguments) -> Arguments:
    """NumPy labels, held back to be judged in their own dtype, follow into a library of fewer bits."""
    labels = checked.arrays.get("labels")
    if checked.backend is NUMPY or not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        return checked
    index, given = checked.backend.index_name(next(iter(checked.arrays.values()))), np.iinfo(labels.dtype)
    low, high = integer_range(index)
    # What does not fit is out of any range, and stays so. The lowest integer stands for an ignored label that
    # does not fit.
    narrow = np.clip(labels, max(low + 1, given.min), min(high, given.max)).astype(index)
    ignore, options = checked.options.get("ignore_index"), checked.options
    if ignore is not None and not low < ignore <= high:
        narrow = np.where(labels == ignore, np.asarray(low, index), narrow)
        options = {**options, "ignore_index": low}
    return checked._replace(
        arrays={**checked.arrays, "labels": checked.backend.asarray(narrow)}, options=options
    )
