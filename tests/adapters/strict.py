"""array-api-strict: the standard and nothing else; some of its devices have no float64 or no 64 bits."""

from __future__ import annotations

from typing import Any

import array_api_strict as xp
import numpy as np

from .base import Adapter, as_numpy

CPU = xp.Device("CPU_DEVICE")


class Strict(Adapter):
    name = "strict"
    default_float = "float64"
    devices = tuple(xp.Device(name) for name in ("device1", "device2", "no_float64", "no_x64"))

    def array(self, value: Any, dtype: str | None = None, device: Any = None) -> Any:
        return xp.asarray(as_numpy(value, dtype), device=device or CPU)

    def to_numpy(self, result: Any) -> np.ndarray:
        return np.asarray(result.to_device(CPU))

    def is_result(self, result: Any) -> bool:
        return isinstance(result, type(xp.asarray(0.0)))


ADAPTER = Strict()
