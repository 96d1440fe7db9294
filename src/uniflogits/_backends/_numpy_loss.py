"""NumPy's own cross-entropy of integer labels and its gradient, in blocks of rows (see `_numpy_kernels`).

The gradient is p - y, times what each example counts. At a label that is its row's maximum, 1 - p is the
others' sum over the total.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._math.products import product
from .._math.targets import one_hot
from .._math.weighing import Weighing, pulled, reduced
from ._numpy_kernels import blocks_of, exponentials, float_dtype, unusual
from ._numpy_rows import RowBlocks

_PLAIN = {"class_weights": None, "label_smoothing": None, "z_loss": None}


class _Examples(NamedTuple):
    """One call's examples, in the order of their rows."""

    blocks: RowBlocks
    labels: np.ndarray  # 0 where an example is removed
    removed: np.ndarray | None
    exists: np.ndarray | None  # whether the label is a class that exists
    weighing: Weighing


def _examples(plan: Any, operands: dict[str, Any]) -> _Examples | None:
    """None where an option asks for the formula."""
    if not plan.trusted or not _PLAIN.keys().isdisjoint(operands):
        return None
    blocks = blocks_of(plan, operands)
    if blocks.rows == 0:
        return None
    options = dict(plan.options)
    labels, ignore, weights = operands["labels"], options["ignore_index"], operands.get("weights")
    removed = None
    if weights is not None:
        weights = np.broadcast_to(weights.astype(blocks.dtype, copy=False), blocks.lead)
        removed = weights == 0
    if ignore is not None:
        # Compared in the labels' own dtype: NumPy knows what a Python number out of its range means.
        ignored = labels == ignore
        removed = ignored if removed is None else removed | ignored
    if removed is not None:
        labels = np.where(removed, 0, labels)
    weighing = Weighing(options["reduction"], weights, removed)
    labels, exists = labels.astype(np.intp, copy=False), None
    if blocks.mask is not None:
        exists = np.take_along_axis(blocks.mask, labels[..., None], axis=-1).reshape(-1)
    removed = None if removed is None else removed.reshape(-1)
    return _Examples(blocks, labels.reshape(-1), removed, exists, weighing)


def _losses(xp: Any, plan: Any, examples: _Examples) -> np.ndarray:
    """The raw loss of each example."""
    blocks = examples.blocks
    scratch, raw = blocks.scratch(), np.empty(blocks.rows, blocks.dtype)
    for start, stop, x in blocks:
        _, m, rest = exponentials(blocks, x, scratch[: stop - start])
        at = examples.labels[start:stop] + blocks.starts[: len(x)]
        _write_losses(xp, plan, examples, (start, stop, x, at), (m, rest, unusual(m)), raw[start:stop])
    return raw


def _write_losses(xp: Any, plan: Any, examples: _Examples, block: Any, core: Any, place: np.ndarray) -> None:
    (start, stop, x, at), (m, rest, wrong) = block, core
    np.subtract(np.log1p(rest), x.reshape(-1)[at] - m, out=place)
    if wrong is not None:
        some = x[wrong]
        hot = one_hot(xp, examples.labels[start:stop][wrong], some)
        place[wrong] = plan.operation.rule.formula(xp, some, hot, **_PLAIN)


def _gradient(
    xp: Any,
    plan: Any,
    operands: dict[str, Any],
    examples: _Examples,
    scale: np.ndarray,
    raw: np.ndarray | None,
) -> np.ndarray:
    """The gradient by the logits; the raw losses too where there is an array for them."""
    blocks = examples.blocks
    out = blocks.result(float_dtype(plan, operands["logits"].dtype))
    scratch = None if out.dtype == blocks.dtype else blocks.scratch()
    for start, stop, x in blocks:
        place = out[start:stop]
        terms = place if scratch is None else scratch[: stop - start]
        winner, m, rest = exponentials(blocks, x, terms)
        flat, total, factor = terms.reshape(-1), rest + 1.0, scale[start:stop]
        at = examples.labels[start:stop] + blocks.starts[: len(x)]
        lost = flat[at]  # p - 1 times the total: 0, where e^(x - m) is still left out, or e^(x - m) - 1
        lost -= at != winner
        lost -= rest
        lost /= total
        flat[winner] = 1.0
        if examples.exists is not None:
            lost = np.where(examples.exists[start:stop], lost, 0.0)
        terms *= (factor / total)[:, None]
        flat[at] = lost * factor
        if scratch is not None:
            place[...] = terms
        wrong = unusual(m)
        if wrong is not None or examples.removed is not None:
            _mend_gradient(xp, plan, examples, (start, stop, x), wrong, factor, place)
        if raw is not None:
            _write_losses(xp, plan, examples, (start, stop, x, at), (m, rest, wrong), raw[start:stop])
    return blocks.restored(out)


def _mend_gradient(
    xp: Any, plan: Any, examples: _Examples, block: Any, wrong: Any, factor: np.ndarray, place: np.ndarray
) -> None:
    """Rows without a finite maximum by the formula, removed ones 0."""
    start, stop, x = block
    if wrong is not None:
        some = x[wrong]
        hot = one_hot(xp, examples.labels[start:stop][wrong], some)
        by_x = product(xp, factor[wrong, None], plan.operation.rule.gradients(xp, some, hot, **_PLAIN)[0])
        allowed = examples.blocks.allowed(start + wrong)
        place[wrong] = by_x if allowed is None else np.where(allowed, by_x, 0.0)
    if examples.removed is not None:
        place[examples.removed[start:stop]] = 0.0


def _scale(xp: Any, examples: _Examples, cotangent: Any) -> np.ndarray:
    """What each example counts, times the cotangent."""
    blocks, (reduction, weights, removed) = examples.blocks, examples.weighing
    if weights is None and removed is None and reduction != "none":
        scale = np.empty(blocks.rows, blocks.dtype)
        scale.fill(cotangent / blocks.rows if reduction == "mean" else cotangent)
        return scale
    cotangent = np.asarray(cotangent).astype(blocks.dtype, copy=False)
    scale, _ = pulled(xp, examples.weighing, np.zeros(blocks.lead, blocks.dtype), None, cotangent)
    return scale.reshape(-1)


def _reduced(xp: Any, examples: _Examples, raw: np.ndarray) -> Any:
    blocks, (reduction, weights, removed) = examples.blocks, examples.weighing
    if weights is None and removed is None and reduction != "none":
        total = np.add.reduce(raw, axis=None)
        return total / total.dtype.type(blocks.rows) if reduction == "mean" else total
    return reduced(xp, examples.weighing, raw.reshape(blocks.lead), None)


def value(xp: Any, plan: Any, operands: dict[str, Any]) -> Any:
    examples = _examples(plan, operands)
    return None if examples is None else _reduced(xp, examples, _losses(xp, plan, examples))


def pullback(xp: Any, plan: Any, operands: dict[str, Any]) -> Any:
    examples = _examples(plan, operands)
    if examples is None:
        return None
    scale = _scale(xp, examples, operands["cotangent"])
    return _gradient(xp, plan, operands, examples, scale, None), None


def value_and_gradients(xp: Any, plan: Any, operands: dict[str, Any]) -> tuple[Any, Any] | None:
    """Both in one pass over the logits."""
    examples = _examples(plan, operands)
    if examples is None:
        return None
    raw = np.empty(examples.blocks.rows, examples.blocks.dtype)
    gradient = _gradient(xp, plan, operands, examples, _scale(xp, examples, 1.0), raw)
    return _reduced(xp, examples, raw), (gradient, None)
