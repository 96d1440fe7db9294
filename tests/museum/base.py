"""The form of an exhibit."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..oracle import DERIVATIVE_BITS, VALUE_BITS, hessian_product, precision
from ..specs._edges import COMPUTED, computed_gradient, computed_value
from ..specs.base import Edge

INF, NAN = float("inf"), float("nan")


_RIGHT: dict[str, np.ndarray] = {}


@dataclass(frozen=True)
class Exhibit:
    """One input on which a library's own function gave, or gives, a wrong answer."""

    id: str
    title: str
    operation: str
    arrays: Mapping[
        str, Any
    ]  # floating numbers are rounded to `dtype`; integers and booleans stay as they are
    threads: tuple[str, ...] = ()  # "owner/repository#number"
    options: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "float64"
    value: Any = COMPUTED
    gradient: Any = None  # by the first array, for a cotangent of ones; None: not what this is about
    second: bool = False  # whether the second derivative, times ones, is compared with the oracle's
    raises: tuple[type[Exception], str] | None = None  # instead of a value: the class and a part of the text
    stated: Any = None  # the right answer in a few digits, held against the oracle's
    # What is shown: "value", "gradient" or "second".
    shown: str = "value"
    # Library -> an expression of the first array x and the others y and z, in the library's own functions.
    # `grad(f, x)` is the gradient of the sum of f, `second(f, x)` its own gradient along ones.
    peers: Mapping[str, str] = field(default_factory=dict)
    keep_dtype: bool = False  # the first array holds integers

    def inputs(self) -> dict[str, np.ndarray]:
        """The arrays as they are given, the floating ones as float64 numbers that the dtype holds."""
        from ..adapters.base import as_numpy

        made = {}
        for name, value in self.arrays.items():
            array = np.asarray(value)
            floating = array.dtype.kind == "f"
            made[name] = as_numpy(array, self.dtype).astype(np.float64) if floating else array
        return made

    def _oracle(self) -> Any:
        return importlib.import_module(f"tests.specs.{self.operation}").SPEC.oracle

    def edge(self) -> Edge:
        """The exhibit as the edge tests take it, its right answers computed where they are not stated."""
        arrays, options = self.inputs(), dict(self.options)
        value = computed_value(self._oracle(), arrays, options) if self.value is COMPUTED else self.value
        gradient = self.gradient
        if gradient is COMPUTED:
            gradient = computed_gradient(self._oracle(), arrays, options)
        return Edge(self.id, arrays, value, options, gradient, (self.dtype,), self.keep_dtype)

    def right(self) -> np.ndarray:
        """What is shown as right, as mpfr numbers or floats; computed once."""
        if self.id not in _RIGHT:
            _RIGHT[self.id] = self._right()
        return _RIGHT[self.id]

    def _right(self) -> np.ndarray:
        if self.shown == "second":
            return self.second_derivative()
        edge = self.edge()
        with precision(VALUE_BITS):
            return np.asarray(edge.value if self.shown == "value" else edge.gradient)

    def second_derivative(self) -> np.ndarray:
        with precision(DERIVATIVE_BITS):
            return hessian_product(self._oracle(), list(self.inputs().values()), dict(self.options))
