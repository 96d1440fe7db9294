"""What a kernel does first: cast every array, mask it, and lay its classes along the last axis.

Formulas and derivative rules therefore know one layout and one dtype only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .._math.targets import one_hot, one_hot_or_nan
from .._math.weighing import Weighing
from . import annotations as roles
from .dtypes import FLOATS, common_float, dtype_name, integer_range
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
    shape: tuple[Any, ...]  # of the first array, as it came, or of two partners together
    dtypes: tuple[Any, ...]  # of the positional arrays, as they came
    shapes: tuple[Any, ...]  # likewise
    arrays: tuple[Any, ...]
    numbers: dict[str, Any]  # options for the formula
    mask: Any  # None, or where classes exist
    weighing: Any  # for losses
    indices: Any = None  # of integer labels: the classes, 0 where an example is removed


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
    given = tuple(operands[name] for name in operation.arrays)
    shapes = tuple(xp.dims(x) for x in given)
    if operation.vectors is not None:
        return _with_vectors(xp, plan, operands, given, shapes)
    shape = shapes[0]
    for other in shapes[1 : len(operation.partners)]:
        shape = other if len(other) > len(shape) else shape
    mask = operands.get("where")
    numbers = _numbers(xp, plan, operands, shape)
    partners = tuple(cast(xp, operands[name], compute) for name in operation.partners)
    if plan.axes is not None:
        partners = tuple(
            to_rows(xp, x if x.ndim == len(shape) else xp.broadcast_to(x, shape), plan.axes) for x in partners
        )
        if mask is not None:
            mask = to_rows(xp, xp.broadcast_to(mask, shape), plan.axes)
            partners = tuple(xp.where(mask, x, -xp.inf) for x in partners)
    laid = Laid(xp, plan, shape, tuple(x.dtype for x in given), shapes, partners, numbers, mask, None)
    if operation.rule.kind != "loss":
        return laid
    lay_out_labels = _with_binary_labels if plan.axes is None else _with_class_labels
    return lay_out_labels(laid, operands, given[1])


def _numbers(xp: Any, plan: Plan, operands: dict[str, Any], shape: Any) -> dict[str, Any]:
    """The options that the formula takes."""
    return {
        **{key: operands.get(key) for key in plan.operation.plain_options if key in NUMBERS},
        **{key: value for key, value in plan.options if key not in ("keepdims", "reduction", "ignore_index")},
        **_array_options(xp, plan, operands, shape),
    }


def _array_options(xp: Any, plan: Plan, operands: dict[str, Any], shape: Any) -> dict[str, Any]:
    """Weights of elements and of classes as the formula takes them; None where none are given."""
    made = {}
    for name in plan.operation.array_options:
        role, given = plan.operation.roles[name], operands.get(name)
        if role not in (roles.ELEMENT_WEIGHTS, roles.CLASS_WEIGHTS, roles.CLASS_BIAS):
            continue
        if given is not None:
            given = cast(xp, given, plan.compute)
            if role == roles.ELEMENT_WEIGHTS and plan.axes is not None:
                given = to_rows(xp, xp.broadcast_to(given, shape), plan.axes)
        made[name] = given
    return made


def _with_binary_labels(laid: Laid, operands: dict[str, Any], labels: Any) -> Laid:
    xp, plan = laid.xp, laid.plan
    (x,), y, mask = laid.arrays, cast(xp, labels, plan.compute), laid.mask
    weights = _weights(xp, operands, plan.compute, laid.shape)
    removed = None if mask is None else ~xp.broadcast_to(mask, laid.shape)
    if weights is not None:
        removed = (weights == 0) if removed is None else removed | (weights == 0)
    if not plan.trusted:
        slack = label_slack(dtype_name(laid.dtypes[1]))
        y = xp.where((y < -slack) | (y > 1.0 + slack), xp.nan, y)
    if removed is not None:
        x, y = xp.where(removed, 0.0, x), xp.where(removed, 0.0, y)
    weighing = Weighing(dict(plan.options)["reduction"], weights, removed)
    return laid._replace(arrays=(x, y), mask=None, weighing=weighing)


def _with_class_labels(laid: Laid, operands: dict[str, Any], labels: Any) -> Laid:
    xp, plan, (x,) = laid.xp, laid.plan, laid.arrays
    operation, axes, options = plan.operation, plan.axes or (), dict(plan.options)
    rows = tuple(size for i, size in enumerate(laid.shape) if i not in axes)
    weights = _weights(xp, operands, plan.compute, rows)
    removed, indices = None if weights is None else weights == 0, None
    if operation.roles["labels"] == roles.INTEGER_LABELS:
        labels, ignored = _indices(xp, plan, labels, options["ignore_index"])
        y, indices = (one_hot if plan.trusted else one_hot_or_nan)(xp, labels, x), labels
        if ignored is not None:
            removed = ignored if removed is None else removed | ignored
    else:
        y = to_rows(xp, cast(xp, labels, plan.compute), axes)
    if removed is not None:
        x, y = xp.where(removed[..., None], 0.0, x), xp.where(removed[..., None], 0.0, y)
        indices = None if indices is None else xp.where(removed, 0, indices)
    weighing = Weighing(options["reduction"], weights, removed)
    return laid._replace(arrays=(x, y), weighing=weighing, indices=indices)


def _with_vectors(xp: Any, plan: Plan, operands: Any, given: tuple[Any, ...], shapes: Any) -> Laid:
    """Hidden states in rows (N, D), the vectors of the classes (V, D), and labels (N,): -1 if invalid."""
    hidden, vectors, labels = given
    *lead, width = shapes[0]
    count, classes = math.prod(lead), xp.dims(vectors)[0]
    x, vectors = (cast(xp, a, plan.compute) for a in (hidden, vectors))
    labels, removed = _indices(xp, plan, labels, dict(plan.options)["ignore_index"])
    weights = _weights(xp, operands, plan.compute, tuple(lead))
    if len(lead) != 1:
        x = xp.reshape(x, (count, width))
        labels = xp.reshape(labels, (count,))
        removed, weights = (None if a is None else xp.reshape(a, (count,)) for a in (removed, weights))
    if weights is not None:
        removed = (weights == 0) if removed is None else removed | (weights == 0)
    if removed is not None:
        x, labels = xp.where(removed[..., None], 0.0, x), xp.where(removed, 0, labels)
    if not plan.trusted:
        labels = xp.where((labels < 0) | (labels >= classes), -1, labels)
    weighing = Weighing(dict(plan.options)["reduction"], weights, removed)
    numbers = _numbers(xp, plan, operands, shapes[0])
    dtypes = tuple(a.dtype for a in given)
    return Laid(xp, plan, shapes[0], dtypes, shapes, (x, vectors, labels), numbers, None, weighing)


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


def in_parts(laid: Laid, formula: Callable[..., Any], gradients: Callable[..., Any], each: bool) -> Any:
    """formula(xp, *arrays, **numbers), by the way that the library has for large arrays."""
    return laid.xp.in_parts(laid.xp, formula, gradients, laid.arrays, laid.numbers, each)


def result_dtype(laid: Laid) -> Any:
    """The dtype of the value: the inputs' for normalisers and log-space functions, else the computation's."""
    names = [dtype_name(dtype) for dtype in laid.dtypes[: len(laid.plan.operation.partners)]]
    widest = common_float(tuple(names))
    if not laid.plan.operation.keeps_dtype or not widest:
        return getattr(laid.xp, laid.plan.compute)
    return laid.dtypes[names.index(widest)] if widest in names else getattr(laid.xp, widest)


def gradient_dtype(laid: Laid, index: int = 0) -> Any:
    """The dtype of the gradient by one array: its own where it is floating."""
    given = laid.dtypes[index]
    return given if dtype_name(given) in FLOATS else getattr(laid.xp, laid.plan.compute)


def gradient_of(laid: Laid, gradient: Any, index: int = 0) -> Any:
    """A gradient in the shape and dtype of its array: summed over what that was broadcast along."""
    xp, shape = laid.xp, laid.shapes[index]
    if len(laid.plan.operation.partners) > 1:
        given = xp.dims(gradient)
        extra = len(given) - len(shape)
        wide = tuple(
            i
            for i, size in enumerate(given)
            if i < extra or (_is_one(shape[i - extra]) and not _is_one(size))
        )
        if wide:
            gradient = xp.reshape(xp.sum(gradient, axis=wide), shape)
    return to_dtype(xp, gradient, gradient_dtype(laid, index))


def _is_one(size: Any) -> bool:
    return isinstance(size, int) and size == 1


def to_dtype(xp: Any, x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else xp.astype(x, dtype)
