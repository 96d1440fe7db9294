"""Every error text of the library, in one place, and the bad inputs that operations share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .base import BadInput

_REAL = "must be floating, integer or boolean, got dtype"
_ARRAY = "must be an array, a number or a nested list of numbers, got"

TEXTS = {
    # arrays
    "complex": f"{{arg}} {_REAL} complex64",
    "longdouble": f"{{arg}} {_REAL} {np.dtype(np.longdouble).name}",
    "object-array": f"{{arg}} {_REAL} object",
    "string-array": f"{{arg}} {_REAL} str32",
    "string": f"{{arg}} {_ARRAY} str",
    "none": f"{{arg}} {_ARRAY} NoneType",
    "list-of-strings": f"{{arg}} {_ARRAY} a list that holds str",
    "ragged-list": f"{{arg}} {_ARRAY} a ragged list; pad its lists to one length",
    "masked-array": (
        "{arg} must be an array, got a masked array; pass its .data, and the inverse of its mask as where="
    ),
    "masked-array-elsewhere": "{arg} must be an array, got a masked array; pass its .data",
    "matrix": "{arg} must be an array, got a numpy.matrix; convert it with numpy.asarray",
    "missing-argument": "takes {wanted}, got {got}; options are given by keyword",
    "unknown-option": "got an unknown option 'temperature'; its options are: {options}",
    "partner-shape": (
        "{arg} must have the shape of {first}, {shape}, or one of the two lack leading dimensions, got {got}"
    ),
    # axis
    "axis-out-of-range": "axis {axis} is out of range for {arg} of shape {shape}",
    "axis-repeated": "axis must not name an axis twice, got {axis}",
    "axis-empty": "axis must name at least one axis, got ()",
    "axis-class": "axis must be an int, a tuple of ints or None, got {axis}",
    "single-axis-class": "axis must be an int, got {axis}",
    # where, weights
    "where-dtype": "where must be boolean, got dtype {dtype}",
    "where-shape": "where must broadcast to the shape of {arg}, {shape}, got {got}",
    "broadcast": "{option} must broadcast to the shape of {arg}, {shape}, got {got}",
    "weights-shape": ("weights must be a number or have the shape of the unreduced loss, {shape}, got {got}"),
    "class-weights-shape": "class_weights must have one weight per class, shape {shape}, got {got}",
    "bias-shape": "bias must have one number per class, shape {shape}, got {got}",
    "vectors-shape": (
        "weight must have one row per class, of the length of the last axis of {arg}, {shape}, got {got}"
    ),
    "vectors-none": "weight must have at least one row, got shape {got}",
    "class-weights-axes": "class_weights needs classes along one axis, got axis={axis}",
    "broadcast-together": "{arg} must broadcast with {first}, shape {shape}, got {got}",
    "real-dtype": f"{{option}} {_REAL} {{dtype}}",
    # Python options
    "beta": "beta must be finite and greater than 0, got {got}",
    "cap": "cap must be finite and greater than 0, got {got}",
    "softcap": "softcap must be finite and greater than 0, got {got}",
    "chunk-size": "chunk_size must be at least 1, got {got}",
    "chunk-size-class": "chunk_size must be an int or None, got {got}",
    "eps": "eps must be at least 0 and less than 0.5, got {got}",
    "missing-option": "{option} must be given, by keyword",
    "alpha": "alpha must be finite and at least 1, got {got}",
    "number": "{option} must be a Python number, got {got}",
    "flag": "{option} must be True or False, got {got}",
    "label-smoothing": "label_smoothing must be between 0 and 1, got {got}",
    "gamma": "gamma must be finite and at least 0, got {got}",
    "z-loss": "z_loss must be finite and at least 0, got {got}",
    "reduction": 'reduction must be "none", "sum" or "mean", got {got}',
    "ignore-index": "ignore_index must be an int or None, got {got}",
    # labels
    "labels-dtype": "labels must be integers, got dtype {dtype}",
    "labels-range": (
        "labels must be class indices from 0 to {last} ({classes} classes along axis {axis}), got {got}"
    ),
    "labels-rows-range": "labels must be class indices from 0 to 2 (3 rows of weight), got {got}",
    "labels-of-hidden": (
        "labels must have the shape of hidden without the last axis, {shape}, got {got}{hint}"
    ),
    "labels-rows": "labels must have the shape of logits without the class axis, {shape}, got {got}{hint}",
    "labels-shape": "labels must have the shape of logits, {shape}, got {got}",
    "labels-are-indices": (
        "labels must be dense, of the shape of logits, {shape}, got integers of shape {got}; "
        "for class indices use {op}_with_integer_labels"
    ),
    "labels-binary-range": "labels must lie between 0 and 1, got {got}",
    "no-classes": "logits must have at least one class, got shape {shape} with axis={axis}",
}


def bad(
    operation: str,
    id: str,
    arrays: tuple[Any, ...],
    options: dict[str, Any],
    error: type[Exception],
    text: str = "",
    /,
    *,
    needs_values: bool = False,
    **fields: Any,
) -> BadInput:
    """The text of that name (the id's own by default), filled in."""
    message = f"{operation}: {TEXTS[text or id].format(op=operation, **fields)}"
    return BadInput(id, arrays, options, error, message, needs_values)


def bad_first_arrays(
    operation: str,
    argument: str,
    *others: Any,
    masks: bool = True,
    options: Mapping[str, Any] | None = None,
) -> tuple[BadInput, ...]:
    """What isn't an array of numbers; ``others`` are the other positional arrays, as lists.

    ``masks``: the operation has a ``where`` to pass a mask as. ``options``: those without a default.
    """

    def one(id: str, value: Any, text: str = "") -> BadInput:
        return bad(operation, id, (value, *others), dict(options or {}), TypeError, text, arg=argument)

    return (
        one("complex", np.asarray([[1.0, 2.0], [3.0, 4.0]], dtype=np.complex64)),
        one("longdouble", np.asarray([[1.0, 2.0], [3.0, 4.0]], dtype=np.longdouble)),
        one("object-array", np.asarray([[1.0, None], [2.0, 3.0]], dtype=object)),
        one("string-array", np.asarray([["a", "b"], ["c", "d"]])),
        one("string", "abc"),
        one("none", None),
        one("list-of-strings", [["a", "b"], ["c", "d"]]),
        one("ragged-list", [[1.0, 2.0], [3.0]]),
        one(
            "masked-array",
            np.ma.masked_greater(np.asarray([[1.0, 2.0], [3.0, 4.0]]), 3),
            "masked-array" if masks else "masked-array-elsewhere",
        ),
        one("matrix", np.ones((2, 2)).view(np.matrix)),
    )


def bad_calls(operation: str, wanted: str, options: str, *arrays: Any) -> tuple[BadInput, ...]:
    """Wrong numbers of arguments and unknown options. ``arrays`` make a valid call."""
    return (
        bad(
            operation,
            "missing-argument",
            arrays[:-1],
            {},
            TypeError,
            wanted=wanted,
            got=len(arrays) - 1,
        ),
        bad(
            operation,
            "too-many-arguments",
            (*arrays, arrays[-1]),
            {},
            TypeError,
            "missing-argument",
            wanted=wanted,
            got=len(arrays) + 1,
        ),
        bad(operation, "unknown-option", arrays, {"temperature": 2.0}, TypeError, options=options),
    )


def bad_partners(operation: str, first: str, second: str) -> tuple[BadInput, ...]:
    """What isn't an array of numbers beside one that is, and what doesn't broadcast with it."""

    def one(id: str, value: Any, text: str) -> BadInput:
        return bad(operation, f"{second}-{id}", ([1.0, 2.0, 3.0], value), {}, TypeError, text, arg=second)

    def shaped(id: str, shape: tuple[int, ...]) -> BadInput:
        arrays = tuple(np.ones(one, dtype=np.float32) for one in ((2, 3), shape))
        fields = {"arg": second, "first": first, "shape": "(2, 3)", "got": shape}
        return bad(operation, f"{second}-{id}", arrays, {}, ValueError, "broadcast-together", **fields)

    return (
        one("complex", np.ones(3, dtype=np.complex64), "complex"),
        one("string", "abc", "string"),
        one("none", None, "none"),
        one("ragged-list", [[1.0, 2.0], [3.0]], "ragged-list"),
        one("masked-array", np.ma.masked_greater(np.ones(3), 3), "masked-array-elsewhere"),
        one("matrix", np.ones((2, 3)).view(np.matrix), "matrix"),
        shaped("shape", (2,)),
        shaped("transposed", (3, 2)),
        shaped("longer", (4, 5, 3)),
    )


def bad_axes(operation: str, argument: str, *others: Any) -> tuple[BadInput, ...]:
    """For operations that take an int, a tuple or None; the arrays are of shape (2, 3)."""
    x = (np.ones((2, 3), dtype=np.float32), *others)

    def one(id: str, value: Any, error: type[Exception], text: str, /, **fields: Any) -> BadInput:
        return bad(operation, id, x, {"axis": value}, error, text, arg=argument, **fields)

    shape = {"shape": "(2, 3)"}
    return (
        one("axis-2", 2, ValueError, "axis-out-of-range", axis=2, **shape),
        one("axis-minus-3", -3, ValueError, "axis-out-of-range", axis=-3, **shape),
        one("axis-in-tuple", (0, 5), ValueError, "axis-out-of-range", axis=5, **shape),
        one("axis-repeated", (1, -1), ValueError, "axis-repeated", axis=(1, -1)),
        one("axis-empty", (), ValueError, "axis-empty"),
        one("axis-float", 1.0, TypeError, "axis-class", axis=1.0),
        one("axis-bool", True, TypeError, "axis-class", axis=True),
        one("axis-list", [0, 1], TypeError, "axis-class", axis=[0, 1]),
        one("axis-string", "1", TypeError, "axis-class", axis="'1'"),
    )


def bad_scalar_axis(operation: str, argument: str, *others: Any) -> BadInput:
    return bad(
        operation,
        "0-d-with-an-axis",
        (np.asarray(1.0, dtype=np.float32), *others),
        {},
        ValueError,
        "axis-out-of-range",
        axis=-1,
        arg=argument,
        shape="()",
    )


def bad_where(operation: str, argument: str, *others: Any) -> tuple[BadInput, ...]:
    """The arrays are of shape (2, 3)."""
    x = (np.ones((2, 3), dtype=np.float32), *others)

    def shaped(id: str, shape: tuple[int, ...]) -> BadInput:
        where = np.ones(shape, dtype=bool)
        return bad(
            operation,
            id,
            x,
            {"where": where},
            ValueError,
            "where-shape",
            arg=argument,
            shape="(2, 3)",
            got=shape,
        )

    def typed(id: str, where: Any) -> BadInput:
        return bad(operation, id, x, {"where": where}, TypeError, "where-dtype", dtype=where.dtype.name)

    return (
        typed("where-float", np.ones((2, 3), dtype=np.float32)),
        typed("where-integer", np.ones((2, 3), dtype=np.int32)),
        shaped("where-shape", (4,)),
        shaped("where-transposed", (3, 2)),
        shaped("where-enlarges", (4, 2, 3)),
    )
