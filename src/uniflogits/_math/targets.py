"""Labels in the form that the softmax losses compute with: what each class counts, (..., K)."""

from __future__ import annotations

from typing import Any

from .products import product
from .weighing import ones


def one_hot(xp: Any, labels: Any, logits: Any) -> Any:
    """1.0 at each row's label and 0.0 elsewhere; a label out of range has no class."""
    return xp.astype(labels[..., None] == xp.class_indices(logits, labels.dtype), logits.dtype)


def one_hot_or_nan(xp: Any, labels: Any, logits: Any) -> Any:
    """`one_hot`, but NaN in the row of a label out of range.

    NaN labels make loss and gradient NaN by themselves; a factor of NaN would not, because XLA turns a
    product with a one-hot row into a selection.
    """
    y = one_hot(xp, labels, logits)
    return xp.where(xp.sum(y, axis=-1, keepdims=True) == 0, xp.nan, y)


def smoothed(xp: Any, labels: Any, logits: Any, label_smoothing: Any) -> Any:
    """(1 - ε)·y + ε/K over the K classes that exist; None smooths nothing."""
    if label_smoothing is None:
        return labels
    exists = logits != -xp.inf
    count = xp.sum(xp.astype(exists, logits.dtype), axis=-1, keepdims=True)
    spread = xp.where(exists, label_smoothing / xp.where(count == 0, 1.0, count), 0.0)
    return (1.0 - label_smoothing) * labels + spread


def share(xp: Any, labels: Any, class_weights: Any) -> Any:
    """What each row counts in a mean: its class weight, averaged over its labels; None without any."""
    if class_weights is None:
        return None
    total = xp.sum(labels, axis=-1)
    weighted = xp.sum(product(xp, labels, class_weights), axis=-1)
    # An invalid row counts as any other, or the mean would carry its NaN into the gradients of all.
    plain = (total == 0) | xp.isnan(total)
    return xp.where(plain, ones(xp, total), weighted / xp.where(plain, 1.0, total))


def share_slope(xp: Any, labels: Any, class_weights: Any) -> Any:
    """The derivative of `share` by each label."""
    total = xp.sum(labels, axis=-1, keepdims=True)
    mean = share(xp, labels, class_weights)[..., None]
    return xp.where(total == 0, 0.0, (class_weights - mean) / xp.where(total == 0, 1.0, total))
