"""Checks of the options that are plain Python values; one checker per name, the same for every operation."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable
from typing import Any

from .errors import class_name, shown, type_error, value_error

REDUCTIONS = ("none", "sum", "mean")


def _real(name: str, option: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise type_error(name, f"{option} must be a Python number, got {class_name(value)}")
    return float(value)


def _number(expected: str, valid: Callable[[float], bool]) -> Callable[[str, str, Any], float]:
    def check(name: str, option: str, value: Any) -> float:
        number = _real(name, option, value)
        if not valid(number):
            raise value_error(name, f"{option} must be {expected}, got {value!r}")
        return number

    return check


def _clip(name: str, option: str, value: Any) -> float | None:
    return (
        None
        if value is None
        else _number("at least 0 and less than 0.5", lambda v: 0 <= v < 0.5)(name, option, value)
    )


def _flag(name: str, option: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise type_error(name, f"{option} must be True or False, got {class_name(value)}")
    return value


def _reduction(name: str, option: str, value: Any) -> str:
    if value not in REDUCTIONS:
        raise value_error(name, f'{option} must be "none", "sum" or "mean", got {value!r}')
    return value


def _label(name: str, option: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise type_error(name, f"{option} must be an int or None, got {class_name(value)}")
    return operator.index(value)


def _positive_or_none(name: str, option: str, value: Any) -> float | None:
    return None if value is None else NUMBERS["cap"](name, option, value)


def _size(name: str, option: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise type_error(name, f"{option} must be an int or None, got {class_name(value)}")
    if value < 1:
        raise value_error(name, f"{option} must be at least 1, got {value!r}")
    return operator.index(value)


# Numbers that an operation computes with; a library that compiles traces them, so a new value costs nothing.
NUMBERS: dict[str, Callable[[str, str, Any], float | None]] = {
    "beta": _number("finite and greater than 0", lambda v: 0 < v < math.inf),
    "cap": _number("finite and greater than 0", lambda v: 0 < v < math.inf),
    "eps": _clip,
    "gamma": _number("finite and at least 0", lambda v: 0 <= v < math.inf),
    "softcap": _positive_or_none,
    "label_smoothing": _number("between 0 and 1", lambda v: 0 <= v <= 1),
    "z_loss": _number("finite and at least 0", lambda v: 0 <= v < math.inf),
}
# Options that choose the program to run.
STATIC: dict[str, Callable[[str, str, Any], Any]] = {
    "alpha": _number("finite and at least 1", lambda v: 1 <= v < math.inf),
    "keepdims": _flag,
    "reverse": _flag,
    "return_sign": _flag,
    "reduction": _reduction,
    "ignore_index": _label,
    "chunk_size": _size,
}


def check_axis(name: str, argument: str, axis: Any, shape: tuple[Any, ...], many: bool) -> tuple[int, ...]:
    """The axes as a sorted tuple of non-negative ints; None (where allowed) means all of them."""
    expected = "an int, a tuple of ints or None" if many else "an int"
    ndim = len(shape)
    if axis is None and many:
        return tuple(range(ndim))
    given = axis if isinstance(axis, tuple) and many else (axis,)
    if not given:
        raise value_error(name, "axis must name at least one axis, got ()")
    axes = []
    for one in given:
        if isinstance(one, bool) or not isinstance(one, numbers.Integral):
            raise type_error(name, f"axis must be {expected}, got {axis!r}")
        index = operator.index(one)
        if not -ndim <= index < ndim:
            raise value_error(name, f"axis {index} is out of range for {argument} of shape {shown(shape)}")
        axes.append(index % ndim)
    if len(set(axes)) < len(axes):
        raise value_error(name, f"axis must not name an axis twice, got {axis!r}")
    return tuple(sorted(axes))
