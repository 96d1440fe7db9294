"""The logits of a call as blocks of rows that fit a cache: cast, masked, classes last, whatever their layout.

Fresh memory costs NumPy more than arithmetic, so a block is worked on in its place in the result, and what
scratch there is serves all blocks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

# Entries of a block: 256 KiB of float32, an eighth to a half of what a core's own cache holds.
ENTRIES = 1 << 16


@functools.lru_cache(maxsize=16)
def _starts(rows: int, classes: int) -> np.ndarray:
    return np.arange(0, rows * classes, classes)


class RowBlocks:
    """Iterating gives (start, stop, x): a block's place among all rows, and its logits, (stop - start, K)."""

    def __init__(self, x: np.ndarray, axes: tuple[int, ...], dtype: np.dtype, mask: Any) -> None:
        self.dtype, self.mask, self.flat = dtype, None, None
        self.straight = axes == (x.ndim - 1,)
        if self.straight:
            self.view, self.lead, self.tail = x, x.shape[:-1], x.shape[-1:]
        else:
            lead = tuple(i for i in range(x.ndim) if i not in axes)
            self.order = lead + axes
            self.view = x.transpose(self.order)
            self.lead, self.tail = self.view.shape[: len(lead)], self.view.shape[len(lead) :]
        self.rows, self.classes = math.prod(self.lead), math.prod(self.tail)
        self.height = max(1, min(ENTRIES // max(1, self.classes), self.rows))
        # Where each row of a block begins in its memory.
        self.starts = _starts(self.height, max(1, self.classes))
        if mask is not None:
            mask = np.broadcast_to(mask, x.shape)
            self.mask = mask if self.straight else mask.transpose(self.order)
        elif x.dtype == dtype and self.view.flags.c_contiguous:
            self.flat = self.view.reshape(self.rows, self.classes)

    def scratch(self) -> np.ndarray:
        return np.empty((self.height, self.classes), self.dtype)

    def __iter__(self) -> Iterator[tuple[int, int, np.ndarray]]:
        if self.flat is not None:
            for start in range(0, self.rows, self.height):
                x = self.flat[start : start + self.height]
                yield start, start + len(x), x
            return
        copy, start = self.scratch(), 0
        for index in self._places():
            part = self.view[index]
            x = copy[: part.size // self.classes]
            np.copyto(x.reshape(part.shape), part, casting="unsafe")
            if self.mask is not None:
                np.copyto(x.reshape(part.shape), -np.inf, where=~self.mask[index])
            yield start, start + len(x), x
            start += len(x)

    def _places(self) -> Iterator[tuple[Any, ...]]:
        """Indices of the leading dimensions that follow each other in memory order, one per block."""
        sizes, inner = self.lead, 1
        for i in range(len(sizes) - 1, -1, -1):
            if inner * sizes[i] > self.height or i == 0:
                step = max(1, self.height // inner)
                for outer in np.ndindex(*sizes[:i]):
                    for start in range(0, sizes[i], step):
                        yield (*outer, slice(start, start + step))
                return
            inner *= sizes[i]
        yield ()

    def result(self, dtype: Any) -> np.ndarray:
        """An array for what has the logits' shape, as rows."""
        return np.empty((self.rows, self.classes), dtype)

    def restored(self, rows: np.ndarray) -> np.ndarray:
        """Rows as an array of the logits' shape."""
        out = rows.reshape(self.lead + self.tail)
        if self.straight:
            return out
        return out.transpose(tuple(self.order.index(i) for i in range(len(self.order))))

    def allowed(self, rows: np.ndarray) -> np.ndarray | None:
        """The mask of some rows, (n, K)."""
        if self.mask is None:
            return None
        index = np.unravel_index(rows, self.lead) if self.lead else ()
        return self.mask[index].reshape(len(rows), self.classes)
