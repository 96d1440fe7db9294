"""Which backend an array belongs to, told by its type.

A library is imported here only because one of its arrays arrived: its own module is then loaded already. The
imports are static statements in functions, because `torch.compile` follows those and not
`importlib.import_module`.
"""

from __future__ import annotations

import importlib
from typing import Any

import array_api_compat

from ._dask import DaskBackend
from .generic import ArrayAPIBackend, Backend, StrictBackend
from .numpy import BACKEND as NUMPY

_FOUND: dict[type, Backend | None] = {}


def find_backend(kind: type, value: Any) -> Backend | None:
    """The backend of an array's type; None for anything that is no array."""
    try:
        return _FOUND[kind]
    except KeyError:
        found = _FOUND[kind] = _look_up(kind, value)
        return found


def _look_up(kind: type, value: Any) -> Backend | None:
    roots = [base.__module__.split(".", 1)[0] for base in kind.__mro__]
    if "torch" in roots:
        from .torch import BACKEND as TORCH

        return TORCH
    if "jax" in roots or "jaxlib" in roots:
        from .jax import BACKEND as JAX

        return JAX
    if "tensorflow" in roots:
        from .tensorflow import BACKEND as TENSORFLOW

        return TENSORFLOW
    if "numpy" in roots:
        return NUMPY
    if roots[0] in ("builtins", "pandas", "scipy"):
        return None
    try:
        namespace = array_api_compat.array_namespace(value)
    except TypeError:
        return None
    return _of_namespace(namespace)


_BY_NAMESPACE: dict[str, Backend] = {}


def backend_named(name: str) -> Backend:
    """The backend of the namespace of that name, as a copy of one asks for it."""
    return _of_namespace(importlib.import_module(name))


def _of_namespace(namespace: Any) -> Backend:
    name = namespace.__name__
    if name not in _BY_NAMESPACE:
        kinds = {"array_api_strict": StrictBackend, "array_api_compat.dask.array": DaskBackend}
        title = {"array_api_compat.dask.array": "Dask", "array_api_strict": "array-api-strict"}.get(
            name, name
        )
        # One for all threads, whichever comes first.
        _BY_NAMESPACE.setdefault(name, kinds.get(name, ArrayAPIBackend)(namespace, title))
    return _BY_NAMESPACE[name]
