"""From one loss per example to the reduced loss, and the derivatives of that step.

The reduced loss is Σ weights·raw or, for "mean", that sum over Σ weights·share; `share` is what an example
counts in the mean beside its weight (its class weight). Examples that are removed count nowhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .products import product


class Weighing(NamedTuple):
    """How the examples of one call are weighed; every array has the shape of the unreduced loss."""

    reduction: str
    weights: Any  # None: 1
    removed: Any  # None: nowhere


def reduced(xp: Any, weighing: Weighing, raw: Any, share: Any) -> Any:
    loss = _weighed(xp, weighing, raw)
    if weighing.reduction == "none":
        return loss
    total = xp.sum(loss)
    if weighing.reduction == "sum":
        return total
    count, empty = _denominator(xp, weighing, raw, share)
    return xp.where(empty, 0.0, total / count)


def pulled(xp: Any, weighing: Weighing, raw: Any, share: Any, cotangent: Any) -> tuple[Any, Any]:
    """The reduced loss's derivative times the cotangent: by each raw loss, and by each share (None: 0)."""
    weight = _weighed(xp, weighing, ones(xp, raw))
    if weighing.reduction != "mean":
        return weight * cotangent, None
    count, empty = _denominator(xp, weighing, raw, share)
    scale = xp.where(empty, 0.0, cotangent / count)
    if share is None:
        return weight * scale, None
    mean = xp.where(empty, 0.0, xp.sum(_weighed(xp, weighing, raw)) / count)
    return weight * scale, -weight * product(xp, scale, mean)


def pushed(xp: Any, weighing: Weighing, raw: Any, share: Any, raw_tangent: Any, share_tangent: Any) -> Any:
    """The tangent of the reduced loss from those of each raw loss and share (None: 0)."""
    tangent = _weighed(xp, weighing, raw_tangent)
    if weighing.reduction == "none":
        return tangent
    total = xp.sum(tangent)
    if weighing.reduction == "sum":
        return total
    count, empty = _denominator(xp, weighing, raw, share)
    if share_tangent is not None:
        mean = xp.where(empty, 0.0, xp.sum(_weighed(xp, weighing, raw)) / count)
        total = total - mean * xp.sum(_weighed(xp, weighing, share_tangent))
    return xp.where(empty, 0.0, total / count)


def pulled_tangent(
    xp: Any, weighing: Weighing, raw: Any, share: Any, cotangent: Any, share_tangent: Any
) -> Any:
    """How `pulled`'s derivative by each raw loss moves with the shares: only a mean's does."""
    weight = _weighed(xp, weighing, ones(xp, raw))
    if weighing.reduction != "mean":
        return weight * 0.0
    count, empty = _denominator(xp, weighing, raw, share)
    moved = xp.sum(_weighed(xp, weighing, share_tangent))
    return xp.where(empty, 0.0, -weight * cotangent * moved / xp.square(count))


def kept(xp: Any, weighing: Weighing, values: Any) -> Any:
    """The values of each example, or a row of them: 0 if it is removed, whatever came of its placeholders."""
    removed = weighing.removed
    if removed is None:
        return values
    return xp.where(removed if values.ndim == removed.ndim else removed[..., None], 0.0, values)


def _weighed(xp: Any, weighing: Weighing, values: Any) -> Any:
    if weighing.weights is not None:
        values = product(xp, weighing.weights, values)
    return kept(xp, weighing, values)


def _denominator(xp: Any, weighing: Weighing, raw: Any, share: Any) -> tuple[Any, Any]:
    """Σ weights·share with 1 in place of 0, and whether it is 0."""
    count = xp.sum(_weighed(xp, weighing, ones(xp, raw) if share is None else share))
    empty = count == 0
    return xp.where(empty, 1.0, count), empty


def ones(xp: Any, like: Any) -> Any:
    # Made from the array itself, and so placed and sharded as it is; ones_like loses that under JAX's
    # explicit meshes.
    return xp.astype((like == like) | True, like.dtype)
