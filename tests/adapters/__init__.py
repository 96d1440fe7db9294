"""One file per array library: the only test code that knows a library. Loaded when a test asks for it."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

import pytest

from .base import Adapter

# Name in ids and messages -> (file here, module that must be installed, dtypes the library has).
LIBRARIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "numpy": ("numpy_", "numpy", ("float16", "bfloat16", "float32", "float64")),
    "jax": ("jax_", "jax", ("float16", "bfloat16", "float32", "float64")),
    "torch": ("torch_", "torch", ("float16", "bfloat16", "float32", "float64")),
    "tensorflow": ("tensorflow_", "tensorflow", ("float16", "bfloat16", "float32", "float64")),
    "strict": ("strict", "array_api_strict", ("float32", "float64")),
    "dask": ("dask_", "dask.array", ("float16", "float32", "float64")),
}
NAMES = tuple(LIBRARIES)
# TensorFlow's and torch's compilers abort in one process, so TensorFlow is only run when asked for.
DEFAULT = tuple(name for name in NAMES if name != "tensorflow")


def dtypes(name: str) -> tuple[str, ...]:
    return LIBRARIES[name][2]


def each(*names: str, argument: str = "backend") -> Any:
    """Parametrise a test by libraries, all of them if none is named."""
    marked = [pytest.param(name, marks=pytest.mark.backend(name)) for name in names or NAMES]
    return pytest.mark.parametrize(argument, marked)


def installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(LIBRARIES[name][1]) is not None
    except ModuleNotFoundError:
        return False


@functools.cache
def get(name: str) -> Adapter:
    """The adapter of a library; imports the library."""
    return importlib.import_module(f".{LIBRARIES[name][0]}", __name__).ADAPTER
