"""Softmax operations work on rows: the axes that are reduced, laid out last and flattened into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .numbers import as_objects

Axis = int | tuple[int, ...] | None


def reduced_axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    """The axes meant, non-negative and in order."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else axis
    return tuple(sorted(a % ndim for a in axes))


def _layout(shape: Sequence[int], axis: Axis) -> tuple[list[int], tuple[int, int]]:
    axes = reduced_axes(len(shape), axis)
    kept = [a for a in range(len(shape)) if a not in axes]
    sizes = (
        int(np.prod([shape[a] for a in kept], initial=1)),
        int(np.prod([shape[a] for a in axes], initial=1)),
    )
    return [*kept, *axes], sizes


def to_rows(array: np.ndarray, axis: Axis) -> np.ndarray:
    """(rows, classes)."""
    order, sizes = _layout(array.shape, axis)
    return array.transpose(order).reshape(sizes)


def from_rows(rows: Iterable[Sequence[Any]], shape: tuple[int, ...], axis: Axis) -> np.ndarray:
    """Back to the shape that ``to_rows`` was given."""
    order, sizes = _layout(shape, axis)
    flat = as_objects((number for row in rows for number in row), sizes)
    return flat.reshape([shape[a] for a in order]).transpose(np.argsort(order).astype(int).tolist())


def reduced_shape(shape: tuple[int, ...], axis: Axis, keepdims: bool = False) -> tuple[int, ...]:
    """The shape of one number per row."""
    axes = reduced_axes(len(shape), axis)
    if keepdims:
        return tuple(1 if a in axes else size for a, size in enumerate(shape))
    return tuple(size for a, size in enumerate(shape) if a not in axes)


def masks(where: Any, shape: tuple[int, ...]) -> np.ndarray:
    """``where`` in full; None allows everything."""
    return np.broadcast_to(np.asarray(True if where is None else where, dtype=bool), shape)
