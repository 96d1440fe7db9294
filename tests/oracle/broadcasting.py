"""Derivatives by arrays that were broadcast."""

from __future__ import annotations

import numpy as np


def summed_to(full: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of the broadcast shape, added up along all that an array of this shape was broadcast along."""
    wide = (1,) * (full.ndim - len(shape)) + shape
    along = tuple(i for i, size in enumerate(wide) if size == 1)
    return np.asarray(full.sum(axis=along, keepdims=True), dtype=object).reshape(shape)
