"""What the matrix asks of a library: make arrays, read results, differentiate natively."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Function = Callable[..., Any]


class Adapter:
    """The defaults are those of a library with one device and without automatic differentiation."""

    name: str
    default_float: str
    # XLA and TensorFlow flush subnormal numbers to zero, inputs too.
    flushes_subnormals = False
    # Whether an operation may look at the values of labels in an ordinary call.
    reads_values = True
    autodiff = False
    # Devices beside the default one, as `array` takes them.
    devices: tuple[Any, ...] = ()

    def array(self, value: Any, dtype: str | None = None, device: Any = None) -> Any:
        """`value` (a NumPy array, a number or a list) as this library's array."""
        raise NotImplementedError

    def to_numpy(self, result: Any) -> np.ndarray:
        raise NotImplementedError

    def dtype(self, result: Any) -> str:
        return str(result.dtype).rsplit(".", 1)[-1]

    def device(self, result: Any) -> Any:
        return result.device

    def forget(self) -> None:
        """Drop what has been compiled so far."""

    def is_result(self, result: Any) -> bool:
        """Whether `result` is what the library's own functions return."""
        raise NotImplementedError

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        """Around every call of an operation: what a library must not do meanwhile."""
        yield

    # Each of the following returns its results by the name of the mode that made them.

    def gradients(
        self, function: Function, arrays: Sequence[Any], cotangent: Any, argnums: Sequence[int]
    ) -> dict[str, list[Any]]:
        """The native reverse mode: the gradients of sum(cotangent * function(*arrays))."""
        return {}

    def tangents(
        self, function: Function, arrays: Sequence[Any], tangents: Sequence[Any]
    ) -> dict[str, tuple[Any, Any]]:
        """The native forward mode: value and tangent of floating arrays."""
        return {}

    def hessian_products(
        self, function: Function, array: Any, others: tuple[Any, ...], cotangent: Any, tangent: Any
    ) -> dict[str, Any]:
        """Hessian by `array` of sum(cotangent * function(array, *others)), times `tangent`, all nestings."""
        return {}

    def traced(self, function: Function) -> dict[str, Function]:
        """`function` called where values cannot be read."""
        return {}


def as_numpy(value: Any, dtype: str | None) -> np.ndarray:
    """`value` as a fresh NumPy array of the named dtype."""
    if dtype == "bfloat16":
        import ml_dtypes

        return np.array(value).astype(ml_dtypes.bfloat16)
    return np.array(value) if dtype is None else np.array(value).astype(dtype)
