"""Checks of the shapes of all arrays of a call against the first one's, or its partners'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import annotations as roles
from .arguments import Arguments
from .dtypes import INTEGERS, dtype_name
from .errors import shown, type_error, value_error
from .operation import Operation


def broadcasts_to(shape: Iterable[Any], target: tuple[Any, ...]) -> bool:
    """Whether a shape broadcasts to exactly `target`; sizes that are not known yet are taken to fit."""
    sizes = tuple(shape)
    if len(sizes) > len(target):
        return False
    tail = target[len(target) - len(sizes) :]
    return all(
        size == 1 or not isinstance(size, int) or not isinstance(goal, int) or size == goal
        for size, goal in zip(sizes, tail, strict=True)
    )


def same_shape(shape: Iterable[Any], target: tuple[Any, ...]) -> bool:
    sizes = tuple(shape)
    return len(sizes) == len(target) and all(
        not isinstance(size, int) or not isinstance(goal, int) or size == goal
        for size, goal in zip(sizes, target, strict=True)
    )


def check_shapes(operation: Operation, checked: Arguments) -> None:
    """The shapes of all other arrays against the first one's, or that of two partners together."""
    name, first, shape = operation.name, operation.arrays[0], checked.shape
    rows = shape if checked.axes is None else _without(shape, checked.axes)
    for argument, value in checked.arrays.items():
        role, given = operation.roles[argument], tuple(value.shape)
        if role == roles.MASK or role == roles.ELEMENT_WEIGHTS:
            if not broadcasts_to(given, shape):
                raise value_error(
                    name,
                    f"{argument} must broadcast to the shape of {first}, {shown(shape)}, got {shown(given)}",
                )
        elif role == roles.WEIGHTS:
            if given and not same_shape(given, rows):
                raise value_error(
                    name,
                    f"{argument} must be a number or have the shape of the unreduced loss, "
                    f"{shown(rows)}, got {shown(given)}",
                )
        elif role in (roles.CLASS_WEIGHTS, roles.CLASS_BIAS):
            _check_per_class(operation, role, argument, given, checked)
        elif role == roles.CLASS_VECTORS:
            _check_vectors(operation, argument, given, shape)
        elif role in (roles.DENSE_LABELS, roles.BINARY_LABELS):
            _check_full_labels(operation, role, value, given, shape, first, rows)
        elif role == roles.INTEGER_LABELS:
            _check_label_shape(operation, given, shape, rows)


def classes_of(operation: Operation, checked: Arguments) -> tuple[Any, ...]:
    """The sizes of the axes along which classes lie, where they are known."""
    if operation.vectors is not None:
        return checked.backend.shape(checked.arrays[operation.vectors])[:1]
    return tuple(checked.shape[axis] for axis in checked.axes or ())


def _without(shape: tuple[Any, ...], axes: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _check_per_class(operation: Operation, role: str, argument: str, given: Any, checked: Arguments) -> None:
    name, classes = operation.name, classes_of(operation, checked)
    if len(given) != 1 or not (len(classes) != 1 or same_shape(given, classes)):
        what = "weight" if role == roles.CLASS_WEIGHTS else "number"
        raise value_error(
            name, f"{argument} must have one {what} per class, shape {shown(classes)}, got {shown(given)}"
        )
    if len(classes) != 1:
        raise value_error(name, f"{argument} needs classes along one axis, got axis={checked.axes}")


def _check_vectors(operation: Operation, argument: str, given: Any, shape: Any) -> None:
    first = operation.arrays[0]
    if len(given) != 2 or not same_shape(given[1:], shape[-1:]):
        raise value_error(
            operation.name,
            f"{argument} must have one row per class, of the length of the last axis of {first}, "
            f"{shown(shape)}, got {shown(given)}",
        )
    if given[0] == 0 and isinstance(given[0], int):
        raise value_error(operation.name, f"{argument} must have at least one row, got shape {shown(given)}")


def _check_full_labels(
    operation: Operation, role: str, value: Any, given: Any, shape: Any, first: str, rows: Any
) -> None:
    if same_shape(given, shape):
        return
    name = operation.name
    if role == roles.DENSE_LABELS and same_shape(given, rows) and dtype_name(value.dtype) in INTEGERS:
        raise type_error(
            name,
            f"labels must be dense, of the shape of {first}, {shown(shape)}, "
            f"got integers of shape {shown(given)}; "
            f"for class indices use {name}_with_integer_labels",
        )
    raise value_error(name, f"labels must have the shape of {first}, {shown(shape)}, got {shown(given)}")


def _check_label_shape(operation: Operation, given: Any, shape: Any, rows: Any) -> None:
    if same_shape(given, rows):
        return
    hint = ""
    if len(given) == len(rows) + 1 and given[-1] == 1 and same_shape(given[:-1], rows):
        hint = "; squeeze the last axis away"
    elif same_shape(given, shape):
        hint = "" if operation.vectors else "; for one-hot or soft labels use softmax_cross_entropy"
    what = f"{operation.arrays[0]} without {'the last' if operation.vectors else 'the class'} axis"
    raise value_error(
        operation.name,
        f"labels must have the shape of {what}, {shown(rows)}, got {shown(given)}{hint}",
    )
