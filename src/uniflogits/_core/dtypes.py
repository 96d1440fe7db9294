"""Names and kinds of dtypes, the same for every library."""

from __future__ import annotations

from typing import Any

import numpy as np

FLOATS = ("float16", "bfloat16", "float32", "float64")
HALVES = ("float16", "bfloat16")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
BOOLEAN = ("bool",)
REAL = FLOATS + INTEGERS + BOOLEAN

_NUMPY_NAMES = {np.dtype(name): name for name in REAL if name != "bfloat16"}


def dtype_name(dtype: Any) -> str:
    """The bare name of a dtype: "float32" whatever the library writes."""
    if isinstance(dtype, np.dtype):
        # NumPy puts a name together each time it is asked for one, and most calls ask.
        found = _NUMPY_NAMES.get(dtype)
        return dtype.name if found is None else found
    name = getattr(dtype, "name", None)
    return name if isinstance(name, str) else str(dtype).rsplit(".", 1)[-1]


def compute_name(name: str, default: str) -> str:
    """The dtype to compute in: halves in float32, integers and booleans in the library's default float."""
    if name in HALVES:
        return "float32"
    return name if name in FLOATS else default


def common_float(names: tuple[str, ...]) -> str:
    """The widest of the floats among some dtypes, float32 for the two halves together; "" without any."""
    floats = {name for name in names if name in FLOATS}
    if floats == set(HALVES):
        return "float32"
    return max(floats, key=FLOATS.index) if floats else ""


def integer_range(name: str) -> tuple[int, int]:
    bits = int(name.lstrip("uint"))
    return (0, 2**bits - 1) if name in UNSIGNED else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def unit_roundoff(name: str) -> float:
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}[name]
