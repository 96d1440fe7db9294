"""What a test knows about one operation: the form of every file in this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ALL_DTYPES = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Sample:
    """One valid call. Floating arrays are written in float64 and then rounded to the dtype under test."""

    id: str
    arrays: Mapping[str, Any]  # every array argument by its name in the signature, keyword arrays too
    options: Mapping[str, Any] = field(default_factory=dict)  # Python options
    dtypes: tuple[str, ...] = (
        ALL_DTYPES  # those whose range holds the sample: offsets of 1e30 leave float16 out
    )
    values_only: bool = False  # True: too many classes for finite differences of the oracle
    underflow: float = 1.0  # the largest factor that multiplies an intermediate which may have underflowed


@dataclass(frozen=True)
class Edge:
    """One call at the edge of the domain, with the answer the contract states for it."""

    id: str
    arrays: Mapping[str, Any]
    value: Any  # numbers or mpfr objects, compared exactly where 0, infinite or NaN and in ulp elsewhere
    options: Mapping[str, Any] = field(default_factory=dict)
    gradient: Any = None  # by the first array, for a cotangent of ones; None: not part of this edge
    dtypes: tuple[str, ...] = ("float32", "float64")  # those in which the inputs are representable
    keep_dtype: bool = False  # True: the first array is passed in its own dtype (integers, booleans)
    partner_gradient: Any = None  # by the second array, where that is a partner of the first


@dataclass(frozen=True)
class BadInput:
    """One invalid call: the same exception class and the same text on every backend.

    NumPy arrays (not of a subclass) of numbers or booleans become arrays of the library under test,
    keyword arrays too; everything else (lists, strings, masked arrays, arrays of objects) is passed as it is.
    """

    id: str
    arrays: tuple[Any, ...]  # positional
    options: Mapping[str, Any]
    error: type[Exception]
    message: str  # the whole text
    needs_values: bool = False  # raised only where the library may look at the values of its arrays


@dataclass(frozen=True)
class Exact:
    """What an oracle returns: exact numbers, and in ulps of what their bound counts (None: their own)."""

    value: np.ndarray  # of gmpy2.mpfr
    scale: np.ndarray | None = None


@dataclass(frozen=True)
class Row:
    """The bounds T of one operation, in units in the last place.

    A result is right if it is off by at most T * ulp(M), M the larger of the exact result's magnitude and of
    the scale that the spec states, plus max(0, -ln M) ulp(M) with the dagger, plus one smallest normal number
    times the largest factor of an underflowed intermediate. In half precision, one ulp of that more.

    Bounds without a comment are promised. The others were set from the worst error seen on NumPy, JAX, torch
    and TensorFlow in float32 and float64: the comment states it, and T is at most 1.6 times as large.
    """

    value: float
    gradient: float  # of a weighted sum of the values
    second: float  # the Hessian of that sum times a vector
    tangent: float | None = None  # the derivative along a direction; None: as the gradient
    dagger: bool = False
    partner: float | None = None  # the gradient by the second of two partners; None: as by the first

    def bound(self, quantity: str) -> float:
        """T of "value", "gradient", "second", or of a derivative by a partner: "gradient by q_logits"."""
        kind, _, partner = quantity.partition(" by")
        if kind == "gradient" and partner and self.partner is not None:
            return self.partner
        return {"value": self.value, "gradient": self.gradient, "second": self.second}[kind]


@dataclass(frozen=True)
class Spec:
    """Everything the matrix needs to test one operation.

    ``oracle(*arrays, **options)`` returns an ``Exact``; for a function with ``return_sign=True`` a pair
    ``(Exact, object array of signs)``. Positional arrays come in the order of the signature, keyword arrays
    and Python options together by name. Floating arrays are object arrays of mpfr holding exactly the numbers
    the library is given (already rounded to the dtype under test), integer and boolean arrays NumPy arrays.

    ``gradient_scale(*arrays, cotangent, **options)`` and
    ``second_scale(*arrays, cotangent, tangent, **options)`` take the same arrays and options. ``cotangent``
    is an object array of mpfr of the value's shape, ``tangent`` one of the first array's shape. They return
    an object array of mpfr >= 0 of the first array's shape: the magnitude in whose ulps the bound counts for
    the derivative of sum(cotangent * value) by the first array, and for the Hessian of it times the tangent.
    ``None`` in place of the function: the derivative's own magnitude. ``tangent_scale(*arrays, tangent,
    **options)``, of the value's shape, is for maps of rows whose Jacobian is itself a difference: with it the
    derivative along a direction counts in ulps of the larger of it and of the sum of absolute summands.
    ``None``: that sum. With M = max(|r|, scale) the bound is
    (T + dagger * max(0, -ln M)) ulp(M) plus the underflow term.
    """

    name: str
    oracle: Callable[..., Any]
    tolerance: Row
    samples: Callable[[np.random.Generator], list[Sample]]
    gradient_scale: Callable[..., np.ndarray] | None = (
        None  # like the oracle: ulps of what the gradient's bound counts
    )
    second_scale: Callable[..., np.ndarray] | None = None
    tangent_scale: Callable[..., np.ndarray] | None = None
    partner_scale: Callable[..., np.ndarray] | None = None
    partner_second_scale: Callable[..., np.ndarray] | None = None
    edges: tuple[Edge, ...] = ()
    bad_inputs: tuple[BadInput, ...] = ()
    laws: tuple[str, ...] = ()  # names of functions in tests/laws.py that hold for this operation
