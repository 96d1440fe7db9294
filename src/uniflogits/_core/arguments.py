"""From what a caller passed to arrays of one library: every check that needs no formula, made once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._backends import NUMPY, Backend, find_backend
from . import annotations as roles
from .dtypes import BOOLEAN, FLOATS, INTEGERS, REAL, common_float, compute_name, dtype_name
from .errors import class_name, shown, type_error, value_error
from .operation import Operation
from .options import NUMBERS, STATIC, check_axis

_KINDS = {
    roles.FLOAT: (REAL, "floating, integer or boolean"),
    roles.INTEGER_LABELS: (INTEGERS, "integers"),
    roles.DENSE_LABELS: (REAL, "floating, integer or boolean"),
    roles.BINARY_LABELS: (REAL, "floating, integer or boolean"),
    roles.MASK: (BOOLEAN, "boolean"),
    roles.WEIGHTS: (REAL, "floating, integer or boolean"),
    roles.CLASS_WEIGHTS: (REAL, "floating, integer or boolean"),
    roles.ELEMENT_WEIGHTS: (REAL, "floating, integer or boolean"),
    roles.CLASS_VECTORS: (REAL, "floating, integer or boolean"),
    roles.CLASS_BIAS: (REAL, "floating, integer or boolean"),
}


_EXPECTED = "an array, a number or a nested list of numbers"

# What takes the library of its partners.
PYTHON = (float, int, bool, list, tuple)


class Arguments(NamedTuple):
    """Checked arguments: arrays of one library, in their own dtypes, and the options as plain values."""

    backend: Backend
    arrays: dict[str, Any]
    options: dict[str, Any]
    axes: tuple[int, ...] | None
    shape: tuple[Any, ...]  # of the first array, or of two partners together
    compute: str  # the dtype to compute in


def bind(operation: Operation, arrays: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name, defaults filled in; Python's own rules for what is missing or unknown."""
    name, expected = operation.name, operation.arrays
    if len(arrays) != len(expected):
        wanted = f"{len(expected)} positional argument{'s' * (len(expected) > 1)} ({', '.join(expected)})"
        raise type_error(name, f"takes {wanted}, got {len(arrays)}; options are given by keyword")
    for option in options:
        if option not in operation.options:
            known = ", ".join(operation.options) or "none"
            raise type_error(name, f"got an unknown option {option!r}; its options are: {known}")
    for option in operation.required:
        if option not in options:
            raise type_error(name, f"{option} must be given, by keyword")
    return {**dict(zip(expected, arrays, strict=True)), **operation.options, **options}


def check(operation: Operation, arrays: tuple[Any, ...], options: dict[str, Any]) -> Arguments:
    """Check a call and bring its arrays into one library."""
    name = operation.name
    bound = bind(operation, arrays, options)
    given = {key: bound[key] for key in operation.roles if bound[key] is not None or key in operation.arrays}
    backend = _library(name, given)
    plain = {
        key: NUMBERS[key](name, key, bound[key]) if key in NUMBERS else STATIC[key](name, key, bound[key])
        for key in operation.plain_options
        if key != "axis"
    }
    converted = _convert(operation, backend, given)
    first = operation.arrays[0]
    shape = common_shape(operation, {key: backend.shape(converted[key]) for key in operation.shaping})
    axes = None
    if operation.many_axes is not None:
        axes = check_axis(name, first, bound["axis"], shape, operation.many_axes)
    elif operation.vectors is not None:
        # What is left out of the shape of rows is the axis of features, always the last.
        axes = check_axis(name, first, -1, shape, many=False)
    widest = common_float(tuple(dtype_name(converted[key].dtype) for key in operation.partners))
    compute = compute_name(widest, "") or backend.default_float(converted[first])
    return Arguments(backend, converted, plain, axes, shape, compute)


def common_shape(operation: Operation, shapes: dict[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    """The shape that partners broadcast to: any of elementwise operations, leading dimensions of others."""
    (first, shape), *others = shapes.items()
    for argument, given in others:
        small, large = sorted((shape, given), key=len)
        tail = large[len(large) - len(small) :]
        known = [
            (a, b) for a, b in zip(small, tail, strict=True) if isinstance(a, int) and isinstance(b, int)
        ]
        if operation.many_axes is None:
            if any(a != b and 1 not in (a, b) for a, b in known):
                raise value_error(
                    operation.name,
                    f"{argument} must broadcast with {first}, shape {shown(shape)}, got {shown(given)}",
                )
            met = tuple(b if a == 1 and isinstance(a, int) else a for a, b in zip(small, tail, strict=True))
            shape = (*large[: len(large) - len(small)], *met)
        else:
            if any(a != b for a, b in known) or (large and not small):
                raise value_error(
                    operation.name,
                    f"{argument} must have the shape of {first}, {shown(shape)}, "
                    f"or one of the two lack leading dimensions, got {shown(given)}",
                )
            shape = large
    return shape


def _library(name: str, given: dict[str, Any]) -> Backend:
    """The one library of all array arguments; NumPy gives way to a library that converts it."""
    found: Backend | None = None
    numpy_argument = first_argument = ""
    for argument, value in given.items():
        kind = type(value)
        if kind in PYTHON:
            continue
        backend = find_backend(kind, value)
        if backend is None:
            raise _no_array(name, argument, value)
        if backend is NUMPY:
            numpy_argument = numpy_argument or argument
        elif found is None:
            found, first_argument = backend, argument
        elif backend is not found:
            raise type_error(
                name,
                f"all arrays must be of one library, got {first_argument} from {found.name} "
                f"and {argument} from {backend.name}",
            )
    if found is None:
        return NUMPY
    if numpy_argument and not found.takes_numpy:
        raise type_error(
            name,
            f"all arrays must be of one library, got {first_argument} from {found.name} "
            f"and {numpy_argument} from NumPy",
        )
    return found


def _no_array(name: str, argument: str, value: Any) -> TypeError:
    root = type(value).__module__.split(".", 1)[0]
    advice = {"pandas": "; convert it with .to_numpy()", "scipy": "; convert it with .toarray()"}.get(
        root, ""
    )
    return type_error(name, f"{argument} must be {_EXPECTED}, got {class_name(value)}{advice}")


def _convert(operation: Operation, backend: Backend, given: dict[str, Any]) -> dict[str, Any]:
    """Each array argument as one of the library's own, its dtype and device checked.

    Integer labels from NumPy or lists beside a library with narrower integers stay NumPy's until they are
    judged.
    """
    name = operation.name
    made: dict[str, Any] = {}
    device = like = where = None
    for argument, value in given.items():
        if type(value) in PYTHON or (backend is not NUMPY and find_backend(type(value), value) is NUMPY):
            continue
        made[argument] = backend.adopt(name, argument, value)
        _check_dtype(operation, argument, dtype_name(made[argument].dtype))
        here = backend.device(made[argument])
        if device is not None and here is not None and here != device:
            raise value_error(
                name, f"all arrays must be on one device, got {where} on {device} and {argument} on {here}"
            )
        if like is None or device is None:
            device, like, where = here, made[argument], argument
    weak = ""
    for argument, value in given.items():
        if argument in made:
            continue
        if type(value) in PYTHON:
            shape, kind = describe(name, argument, value)
            weak = weak or _weak_dtype(backend, made, like)
            own = backend is not NUMPY and not backend.takes_numpy
            dtype = {"float": weak, "int": backend.index_name(like) if own else "int64"}.get(kind, kind)
            _check_dtype(operation, argument, dtype)
            if own:
                made[argument] = backend.from_python(value, shape, dtype, like)
                continue
            value = np.asarray(value, NUMPY.dtype(dtype)).reshape(shape)
        else:
            value = NUMPY.adopt(name, argument, value)
            _check_dtype(operation, argument, value.dtype.name)
        judged_first = operation.roles[argument] == roles.INTEGER_LABELS
        made[argument] = value if backend is NUMPY or judged_first else backend.asarray(value)
    return {argument: made[argument] for argument in given}


def _weak_dtype(backend: Backend, made: dict[str, Any], like: Any) -> str:
    """The dtype that Python floats take: the partner's, or the library's default."""
    names = (dtype_name(value.dtype) for value in made.values())
    return next((one for one in names if one in FLOATS), "") or backend.default_float(like)


def describe(name: str, argument: str, value: Any) -> tuple[tuple[int, ...], str]:
    """The shape and the kind ("bool", "int", "float") of a number or a nested list of numbers."""
    if not isinstance(value, (list, tuple)):
        return (), _kind(name, argument, value)
    shapes, kinds = set(), {"float"} if not value else set()
    for one in value:
        shape, kind = describe(name, argument, one)
        shapes.add(shape)
        kinds.add(kind)
    if len(shapes) > 1:
        raise type_error(
            name, f"{argument} must be {_EXPECTED}, got a ragged list; pad its lists to one length"
        )
    widest = next(kind for kind in ("float", "int", "bool") if kind in kinds)
    return (len(value), *(shapes.pop() if shapes else ())), widest


def _kind(name: str, argument: str, value: Any) -> str:
    kind = type(value)
    if kind is float or kind is bool:
        return kind.__name__
    if kind is int:
        if not -(2**63) <= value < 2**63:
            raise type_error(name, f"{argument} must hold integers of at most 64 bits, got {value}")
        return "int"
    if isinstance(value, np.generic) and value.dtype.name in REAL:
        return {"b": "bool", "i": "int", "u": "int"}.get(value.dtype.kind, "float")
    advice = "; stack arrays into one first" if hasattr(value, "shape") else ""
    raise type_error(
        name, f"{argument} must be {_EXPECTED}, got a list that holds {class_name(value)}{advice}"
    )


def _check_dtype(operation: Operation, argument: str, given: str) -> None:
    allowed, expected = _KINDS[operation.roles[argument]]
    if given not in allowed:
        raise type_error(operation.name, f"{argument} must be {expected}, got dtype {given}")
