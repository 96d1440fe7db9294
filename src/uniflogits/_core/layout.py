"""What a kernel does first: cast every array, mask it, and lay its classes along the last axis.

Formulas and derivative rules therefore know one layout and one dtype only.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .._math.targets import one_hot
from .._math.weighing import Weighing
from . import annotations as roles
from .dtypes import FLOATS, dtype_name, integer_range
from .labels import label_slack
from .operation import Operation
from .options import NUMBERS


class Plan(NamedTuple):
    """All that is static about a call."""

    operation: Operation
    axes: tuple[int, ...] | None
    compute: str
    index: str
    options: tuple[tuple[str, Any], ...]
    trusted: bool  # labels were judged by their values


class Laid(NamedTuple):
    """A call's arrays as formulas take them: cast, masked, classes along the last axis."""

    xp: Any
    plan: Plan
    shape: tuple[Any, ...]  # of the first array, as it came
    dtypes: tuple[Any, ...]  # of the positional arrays, as they came
    arrays: tuple[Any, ...]
    numbers: dict[str, Any]  # options for the formula
    mask: Any  # None, or where classes exist
    weighing: Any  # for losses


def cast(xp: Any, x: Any, name: str) -> Any:
    return x if dtype_name(x.dtype) == name else xp.astype(x, getattr(xp, name))


def to_rows(xp: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Move the class axes last and make one of them."""
    ndim = x.ndim
    if axes == (ndim - 1,):
        return x
    if not axes:
        return x[..., None]
    lead = tuple(i for i in range(ndim) if i not in axes)
    if lead + axes != tuple(range(ndim)):
        x = xp.contiguous(xp.permute_dims(x, lead + axes))
    if len(axes) == 1:
        return x
    sizes = xp.dims(x)
    return xp.reshape(x, (*sizes[: len(lead)], math.prod(sizes[len(lead) :])))


def from_rows(xp: Any, y: Any, axes: tuple[int, ...], shape: tuple[Any, ...]) -> Any:
    """Undo `to_rows` for an array whose shape was `shape`."""
    ndim = len(shape)
    if axes == (ndim - 1,):
        return y
    if not axes:
        return y[..., 0]
    lead = tuple(i for i in range(ndim) if i not in axes)
    order = lead + axes
    if len(axes) > 1:
        y = xp.reshape(y, tuple(shape[i] for i in order))
    return xp.permute_dims(y, tuple(order.index(i) for i in range(ndim)))


def lay_out(xp: Any, plan: Plan, operands: dict[str, Any]) -> Laid:
    operation, compute = plan.operation, plan.compute
    positional = tuple(operands[name] for name in operation.arrays)
    shape, dtypes = xp.dims(positional[0]), tuple(x.dtype for x in positional)
    numbers = {key: operands.get(key) for key in operation.plain_options if key in NUMBERS} | {
        key: value for key, value in plan.options if key not in ("keepdims", "reduction", "ignore_index")
    }
    x = cast(xp, positional[0], compute)
    mask = operands.get("where")
    if plan.axes is None:
        return _lay_out_elements(xp, plan, operands, x, positional, numbers, mask, shape, dtypes)
    if mask is not None:
        mask = to_rows(xp, xp.broadcast_to(mask, shape), plan.axes)
    x = to_rows(xp, x, plan.axes)
    if mask is not None:
        x = xp.where(mask, x, -xp.inf)
    for name in operation.array_options:
        role = operation.roles[name]
        if role == roles.ELEMENT_WEIGHTS:
            given = operands.get(name)
            numbers[name] = (
                None
                if given is None
                else to_rows(xp, xp.broadcast_to(cast(xp, given, compute), shape), plan.axes)
            )
        elif role == roles.CLASS_WEIGHTS:
            given = operands.get(name)
            numbers[name] = None if given is None else cast(xp, given, compute)
    if operation.rule.kind != "loss":
        return Laid(xp, plan, shape, dtypes, (x,), numbers, mask, None)
    return _lay_out_rows_loss(xp, plan, operands, x, positional[1], numbers, mask, shape, dtypes)


def _lay_out_elements(
    xp: Any,
    plan: Plan,
    operands: Any,
    x: Any,
    positional: Any,
    numbers: Any,
    mask: Any,
    shape: Any,
    dtypes: Any,
) -> Laid:
    operation, compute = plan.operation, plan.compute
    others = tuple(cast(xp, one, compute) for one in positional[1:])
    for name in operation.array_options:
        if operation.roles[name] == roles.ELEMENT_WEIGHTS:
            given = operands.get(name)
            numbers[name] = None if given is None else cast(xp, given, compute)
    if operation.rule.kind != "loss":
        return Laid(xp, plan, shape, dtypes, (x, *others), numbers, mask, None)
    (y,) = others
    weights = _weights(xp, operands, compute, shape)
    removed = None if mask is None else ~xp.broadcast_to(mask, shape)
    if weights is not None:
        removed = (weights == 0) if removed is None else removed | (weights == 0)
    if not plan.trusted:
        slack = label_slack(dtype_name(dtypes[1]))
        y = xp.where((y < -slack) | (y > 1.0 + slack), xp.nan, y)
    if removed is not None:
        x, y = xp.where(removed, 0.0, x), xp.where(removed, 0.0, y)
    weighing = Weighing(dict(plan.options)["reduction"], weights, removed)
    return Laid(xp, plan, shape, dtypes, (x, y), numbers, None, weighing)


def _lay_out_rows_loss(
    xp: Any, plan: Plan, operands: Any, x: Any, labels: Any, numbers: Any, mask: Any, shape: Any, dtypes: Any
) -> Laid:
    operation, compute = plan.operation, plan.compute
    assert plan.axes is not None
    options = dict(plan.options)
    rows = tuple(size for i, size in enumerate(shape) if i not in plan.axes)
    weights = _weights(xp, operands, compute, rows)
    removed = None if weights is None else weights == 0
    if operation.roles["labels"] == roles.INTEGER_LABELS:
        labels, ignored = _indices(xp, plan, labels, options["ignore_index"])
        y = one_hot(xp, labels, x)
        if ignored is not None:
            removed = ignored if removed is None else removed | ignored
        if not plan.trusted:
            # NaN labels make loss and gradient NaN by themselves; a factor of NaN would not, because XLA
            # turns a product with a one-hot row into a selection.
            y = xp.where((xp.sum(y, axis=-1) == 0)[..., None], xp.nan, y)
    else:
        y = to_rows(xp, cast(xp, labels, compute), plan.axes)
    if removed is not None:
        x, y = xp.where(removed[..., None], 0.0, x), xp.where(removed[..., None], 0.0, y)
    weighing = Weighing(options["reduction"], weights, removed)
    return Laid(xp, plan, shape, dtypes, (x, y), numbers, mask, weighing)


def _weights(xp: Any, operands: Any, compute: str, rows: tuple[Any, ...]) -> Any:
    weights = operands.get("weights")
    return None if weights is None else xp.broadcast_to(cast(xp, weights, compute), rows)


def _indices(xp: Any, plan: Plan, labels: Any, ignore: int | None) -> tuple[Any, Any]:
    """Labels in the index dtype, and where they are ignored (None: nowhere)."""
    low, high = integer_range(dtype_name(labels.dtype))
    # The cast may wrap: an unsigned label that is too large turns negative, which is no class either, but
    # never the ignored one.
    labels = cast(xp, labels, plan.index)
    return labels, labels == ignore if ignore is not None and low <= ignore <= high else None


def result_dtype(laid: Laid) -> Any:
    """The dtype of the value: the input's for normalisers and log-space functions, else the computation's."""
    given, plan = laid.dtypes[0], laid.plan
    return (
        given
        if plan.operation.keeps_dtype and dtype_name(given) in FLOATS
        else getattr(laid.xp, plan.compute)
    )


def gradient_dtype(laid: Laid, index: int = 0) -> Any:
    """The dtype of the gradient by one array: its own where it is floating."""
    given = laid.dtypes[index]
    return given if dtype_name(given) in FLOATS else getattr(laid.xp, laid.plan.compute)


def to_dtype(xp: Any, x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else xp.astype(x, dtype)
