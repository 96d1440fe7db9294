"""The transforms of each library: an axis of the matrix beside operations, libraries and dtypes.

A library's transforms are the functions of its module here that are marked by `transform`, each written once
for all operations: it is given a `Case`, one call as a function of arrays, and returns the value or the
derivatives that its library made. tests/test_transforms.py compares those with the exact ones.
"""

from __future__ import annotations

import importlib

from .base import Case, Transform, transform

__all__ = ["LIBRARIES", "Case", "Transform", "of", "transform"]

LIBRARIES = ("jax", "torch", "tensorflow")


def of(library: str) -> dict[str, Transform]:
    """The transforms of a library by name. The library itself is imported when one of them runs."""
    module = importlib.import_module(f"{__name__}.{library}_")
    found = [value for value in vars(module).values() if isinstance(value, Transform)]
    return {one.name: one for one in found}
