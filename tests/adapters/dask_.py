"""Dask: an operation must only add to the graph, so computing during a call is an error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import dask
import dask.array as da
import numpy as np

from .base import Adapter, as_numpy


class ComputedTooSoon(AssertionError):
    """An operation asked for values."""


def _refuse(*_: Any, **__: Any) -> Any:
    raise ComputedTooSoon("the operation computed a Dask array during the call")


class Dask(Adapter):
    name = "dask"
    default_float = "float64"
    reads_values = False

    def array(self, value: Any, dtype: str | None = None, device: Any = None) -> Any:
        array = as_numpy(value, dtype)
        # Two blocks along the first axis: more than one, and few enough to be quick.
        chunks = tuple(-(-size // 2) if axis == 0 and size else size for axis, size in enumerate(array.shape))
        return da.from_array(array, chunks=chunks or -1)

    def to_numpy(self, result: Any) -> np.ndarray:
        # Computed by NumPy after the call has returned, under whatever settings hold then.
        with np.errstate(all="ignore"):
            return np.asarray(result.compute(scheduler="synchronous"))

    def device(self, result: Any) -> Any:
        return "cpu"

    def is_result(self, result: Any) -> bool:
        return isinstance(result, da.Array)

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        with dask.config.set(scheduler=_refuse):
            yield


ADAPTER = Dask()
