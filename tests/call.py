"""One call of an operation, its floating arrays rounded to the dtype under test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from uniflogits._core.operation import OPERATIONS, Operation

from .adapters.base import as_numpy
from .oracle.numbers import exact
from .specs.base import Edge, Sample

HALVES = ("float16", "bfloat16")


@dataclass(frozen=True)
class Call:
    """The numbers exactly as a library is given them."""

    operation: Operation
    arrays: Mapping[str, Any]  # NumPy arrays; Python numbers where the call gives one
    options: Mapping[str, Any]
    dtype: str

    @property
    def compute(self) -> str:
        """The dtype in which the contract computes."""
        return "float32" if self.dtype in HALVES else self.dtype

    @property
    def result_dtype(self) -> str:
        """Halves come back as they went in, except from losses and divergences."""
        return self.compute if self.operation.family in ("losses", "divergences") else self.dtype

    def positional(self) -> dict[str, np.ndarray]:
        return {name: self.arrays[name] for name in self.operation.arrays}

    def keywords(self) -> dict[str, Any]:
        return {name: a for name, a in self.arrays.items() if name not in self.operation.arrays}

    def exact_keywords(self) -> dict[str, Any]:
        return {name: exact(a) if self.is_floating(name) else a for name, a in self.keywords().items()}

    def is_floating(self, name: str) -> bool:
        return _is_floating(np.asarray(self.arrays[name]))

    def floating(self) -> list[int]:
        """The positions of the floating arrays among the positional ones."""
        return [i for i, name in enumerate(self.operation.arrays) if self.is_floating(name)]

    def flushed(self) -> Call | None:
        """The same call with subnormal numbers replaced by 0; None if it has none."""
        found = False
        arrays = dict(self.arrays)
        for name, array in arrays.items():
            array = np.asarray(array)
            # float16's own subnormals are ordinary float32 numbers, which is what is computed with.
            if _is_floating(array) and array.dtype.name != "float16":
                wide = array.astype(np.float64)
                tiny = 2.0**-1022 if array.dtype.name == "float64" else 2.0**-126
                small = (wide != 0) & (np.abs(wide) < tiny)
                if small.any():
                    found = True
                    arrays[name] = np.where(small, np.zeros_like(array), array)
        return Call(self.operation, arrays, self.options, self.dtype) if found else None

    def key(self) -> tuple[Any, ...]:
        """What the exact answer depends on, as text and bytes."""
        parts = []
        for name, value in self.arrays.items():
            array = np.asarray(value)
            content = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
            parts.append((name, array.dtype.name, array.shape, content))
        return self.operation.name, self.dtype, tuple(parts), sorted(self.options.items())


def _is_floating(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def rounded(value: Any, dtype: str) -> np.ndarray:
    """Floating numbers in `dtype`; integers and booleans as they are."""
    array = np.asarray(value)
    if not _is_floating(array):
        return array
    # Numbers too large for a half become infinite, and say so.
    with np.errstate(over="ignore"):
        return as_numpy(array, dtype)


def make_call(name: str, sample: Sample | Edge, dtype: str, keep_dtype: bool = False) -> Call:
    operation = OPERATIONS[name]
    arrays = {}
    for argument, value in sample.arrays.items():
        if value is None:
            continue
        kept = keep_dtype and argument == operation.arrays[0]
        # A Python number stays one: it takes the dtype of the arrays beside it.
        number = isinstance(value, (bool, int, float)) and argument not in operation.arrays
        arrays[argument] = value if number else np.asarray(value) if kept else rounded(value, dtype)
    return Call(operation, arrays, sample.options, dtype)
