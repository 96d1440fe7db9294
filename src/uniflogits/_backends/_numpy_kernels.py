"""NumPy's own softmax, log_softmax, logsumexp and cross-entropy: the max-excluded core in blocks of rows.

The formulas take some twenty passes over arrays of the logits' size. Here a block of rows stays in the cache
for the six that are left when a row has a finite maximum. Rows that have none (NaN, +inf, no class at all)
get what the formula says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.dtypes import FLOATS, dtype_name
from ._numpy_rows import RowBlocks

_SHORT = 128  # NumPy adds up longer rows in pairs
_DTYPES = {name: np.dtype(name) for name in ("float32", "float64")}


def blocks_of(plan: Any, operands: dict[str, Any]) -> RowBlocks:
    x = operands[plan.operation.arrays[0]]
    return RowBlocks(x, plan.axes, _DTYPES[plan.compute], operands.get("where"))


def exponentials(
    blocks: RowBlocks, x: np.ndarray, into: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """e^(x - m) with 0 at each row's maximum; where in the block's memory that is, m, and the others' sum."""
    winner = x.argmax(axis=-1)
    winner += blocks.starts[: len(x)]
    m = x.reshape(-1)[winner]
    np.subtract(x, m[:, None], out=into)
    np.exp(into, out=into)
    into.reshape(-1)[winner] = 0.0
    return winner, m, row_sums(into)


def row_sums(x: np.ndarray) -> np.ndarray:
    # As accurate for rows so short, and two to three times as fast.
    return np.einsum("ij->i", x) if x.shape[1] <= _SHORT else np.add.reduce(x, axis=-1)


def softmax(xp: Any, plan: Any, operands: dict[str, Any]) -> Any:
    blocks, given = blocks_of(plan, operands), operands["logits"].dtype
    if blocks.rows == 0 or blocks.classes == 0:
        return None
    out = blocks.result(float_dtype(plan, given))
    scratch = None if out.dtype == blocks.dtype else blocks.scratch()
    for start, stop, x in blocks:
        place = out[start:stop]
        terms = place if scratch is None else scratch[: stop - start]
        winner, m, total = exponentials(blocks, x, terms)
        terms.reshape(-1)[winner] = 1.0
        total += 1.0
        np.divide(terms, total[:, None], out=place, casting="unsafe")
        _by_formula(xp, plan, blocks, (start, x, m), place)
    return blocks.restored(out)


def log_softmax(xp: Any, plan: Any, operands: dict[str, Any]) -> Any:
    blocks, given = blocks_of(plan, operands), operands["logits"].dtype
    if blocks.rows == 0 or blocks.classes == 0:
        return None
    out, scratch = blocks.result(float_dtype(plan, given)), blocks.scratch()
    for start, stop, x in blocks:
        place, terms = out[start:stop], scratch[: stop - start]
        _, m, rest = exponentials(blocks, x, terms)
        if out.dtype == blocks.dtype:
            np.subtract(x, m[:, None], out=place)
            place -= np.log1p(rest)[:, None]
        else:
            np.subtract(x, m[:, None], out=terms)
            np.subtract(terms, np.log1p(rest)[:, None], out=place, casting="unsafe")
        _by_formula(xp, plan, blocks, (start, x, m), place)
    return blocks.restored(out)


def logsumexp(xp: Any, plan: Any, operands: dict[str, Any]) -> Any:
    options = dict(plan.options)
    if operands.get("weights") is not None or options["return_sign"]:
        return None
    blocks = blocks_of(plan, operands)
    if blocks.rows == 0 or blocks.classes == 0:
        return None
    out, scratch = np.empty(blocks.rows, blocks.dtype), blocks.scratch()
    for start, stop, x in blocks:
        place = out[start:stop]
        _, m, rest = exponentials(blocks, x, scratch[: stop - start])
        np.add(m, np.log1p(rest), out=place)
        wrong = unusual(m)
        if wrong is not None:
            place[wrong] = plan.operation.rule.formula(xp, x[wrong], weights=None, return_sign=False)
    out = out.astype(float_dtype(plan, operands["x"].dtype), copy=False)
    if options["keepdims"]:
        shape = operands["x"].shape
        return out.reshape(tuple(1 if i in plan.axes else size for i, size in enumerate(shape)))
    return out.reshape(blocks.lead)


def unusual(m: np.ndarray) -> np.ndarray | None:
    """The rows whose maximum is not finite; None: there are none."""
    if math.isfinite(m.dot(m)):  # the quickest that sees all of them; it may also overflow
        return None
    wrong = np.flatnonzero(~np.isfinite(m))
    return wrong if wrong.size else None


def _by_formula(xp: Any, plan: Any, blocks: RowBlocks, block: Any, place: np.ndarray) -> None:
    start, x, m = block
    wrong = unusual(m)
    if wrong is None:
        return
    rule = plan.operation.rule
    values = rule.formula(xp, x[wrong])
    allowed = blocks.allowed(start + wrong)
    place[wrong] = values if allowed is None else np.where(allowed, values, rule.masked)


def float_dtype(plan: Any, given: np.dtype) -> np.dtype:
    return given if dtype_name(given) in FLOATS else _DTYPES[plan.compute]


VALUES: dict[str, Callable[..., Any]] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
}
