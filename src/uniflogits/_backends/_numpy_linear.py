"""The single pass of linear_cross_entropy on NumPy: one buffer of logits, written over in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._math import linear_pass
from .._math.linear_pass import Pass, rows_of


def one_pass(arrays: tuple[Any, Any, Any], labels: Any, factors: Any, z_loss: Any, size: int | None) -> Pass:
    """As `_math.linear_pass.one_pass`; NumPy's labels have all been judged, so none is invalid."""
    h, vectors, bias = arrays
    count = h.shape[0]
    step = max(count if size is None else size, 1)
    logits = np.empty((step, vectors.shape[0]), h.dtype)
    raw = np.empty(count, h.dtype)
    by_h: Any = None
    by_vectors: Any = None
    by_bias: Any = None
    part: Any = None
    if factors is not None:
        by_h, by_vectors, part = np.empty_like(h), np.zeros_like(vectors), np.empty_like(vectors)
        by_bias = None if bias is None else np.zeros_like(bias)
    for start in range(0, count, step):
        some = slice(start, min(start + step, count))
        x, y = logits[: some.stop - start], labels[some]
        row = np.arange(len(y)), y
        np.matmul(h[some], vectors.T, out=x)
        if bias is not None:
            x += bias
        own = x[row]
        x[row] = -np.inf
        largest = x.max(axis=1)
        if not (np.isfinite(largest) & ~np.isnan(own)).all():
            # Infinities and NaN are for the formula, which is slower.
            given = None if factors is None else factors[some]
            found = linear_pass.one_pass(_namespace(), (h[some], vectors, bias), y, given, z_loss, None)
            raw[some] = found.raw
            if by_h is not None:
                by_h[some] = found.by_hidden
                by_vectors += found.by_vectors
                if by_bias is not None:
                    by_bias += found.by_bias
            continue
        x -= largest[:, None]
        np.exp(x, out=x)
        total = x.sum(axis=1)
        rows = rows_of(np, own, largest, total, z_loss)
        raw[some] = rows.raw
        if factors is None or by_h is None:
            continue
        others, label = factors[some] * rows.others / total, factors[some] * rows.label
        scaled = others[:, None] * h[some]
        np.matmul(x.T, scaled, out=part)
        by_vectors += part
        np.add.at(by_vectors, y, label[:, None] * h[some])
        np.matmul(x, vectors, out=by_h[some])
        by_h[some] *= others[:, None]
        by_h[some] += label[:, None] * vectors[y]
        if by_bias is not None:
            by_bias += others @ x
            np.add.at(by_bias, y, label)
    return Pass(raw, by_h, by_vectors, by_bias)


def _namespace() -> Any:
    from .numpy import BACKEND

    return BACKEND.xp
