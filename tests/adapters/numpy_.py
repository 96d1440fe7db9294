"""NumPy. Arrays are read-only, so that every test also shows that inputs are left alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .base import Adapter, as_numpy


class NumPy(Adapter):
    name = "numpy"
    default_float = "float64"

    def array(self, value: Any, dtype: str | None = None, device: Any = None) -> np.ndarray:
        array = as_numpy(value, dtype)
        array.setflags(write=False)
        return array

    def to_numpy(self, result: Any) -> np.ndarray:
        return np.asarray(result)

    def device(self, result: Any) -> Any:
        return "cpu"

    def is_result(self, result: Any) -> bool:
        # Results without dimensions are scalars, as those of NumPy's own reductions.
        return (isinstance(result, np.ndarray) and result.ndim > 0) or isinstance(result, np.generic)

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        with np.errstate(all="raise"):
            yield


ADAPTER = NumPy()
