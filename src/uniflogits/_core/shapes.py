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
        elif role == roles.CLASS_WEIGHTS:
            _check_class_weights(name, argument, given, shape, checked.axes or ())
        elif role in (roles.DENSE_LABELS, roles.BINARY_LABELS):
            _check_full_labels(operation, role, value, given, shape, first, rows)
        elif role == roles.INTEGER_LABELS:
            _check_label_shape(name, given, shape, rows)


def _without(shape: tuple[Any, ...], axes: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _check_class_weights(name: str, argument: str, given: Any, shape: Any, axes: tuple[int, ...]) -> None:
    classes = tuple(shape[axis] for axis in axes)
    if len(given) != 1 or not (len(classes) != 1 or same_shape(given, classes)):
        raise value_error(
            name, f"{argument} must have one weight per class, shape {shown(classes)}, got {shown(given)}"
        )
    if len(classes) != 1:
        raise value_error(name, f"{argument} needs classes along one axis, got axis={axes}")


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


def _check_label_shape(name: str, given: Any, shape: Any, rows: Any) -> None:
    if same_shape(given, rows):
        return
    hint = ""
    if len(given) == len(rows) + 1 and given[-1] == 1 and same_shape(given[:-1], rows):
        hint = "; squeeze the last axis away"
    elif same_shape(given, shape):
        hint = "; for one-hot or soft labels use softmax_cross_entropy"
    raise value_error(
        name,
        f"labels must have the shape of logits without the class axis, {shown(rows)}, "
        f"got {shown(given)}{hint}",
    )
