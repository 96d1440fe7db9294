"""The softmax cross-entropy of logits x, (..., K), and what each class counts, y, (..., K); its derivatives.

`class_weights` are (K,); an option that is None is left out.
"""

from __future__ import annotations

from typing import Any

from . import targets
from .products import product
from .softmax_core import Rows, centred, mass_less, probabilities, softmax_rows


def _costs(xp: Any, rows: Rows, x: Any) -> Any:
    """-log p of every class, in a form that autodiff follows to p - onehot even where a class has no mass."""
    without_mass = xp.where(rows.mass, rows.logsumexp - xp.where(rows.mass, x, 0.0), xp.inf)
    costs = rows.log_total - rows.relative
    if xp.slope is not None:
        # Several +inf share the mass at a finite cost, from which no other arithmetic leads back to them.
        ahead = rows.full & rows.live
        step = xp.slope(xp.where(ahead, x, 0.0))
        costs = costs + xp.where(ahead, xp.sum(step, axis=-1, keepdims=True) / rows.total - step, 0.0)
    return xp.where(rows.live, costs, without_mass)


def _weighted(xp: Any, x: Any, y: Any, class_weights: Any, label_smoothing: Any) -> Any:
    """c·y', what each class's cost is multiplied by."""
    t = targets.smoothed(xp, y, x, label_smoothing)
    return t if class_weights is None else product(xp, t, class_weights)


def loss(xp: Any, x: Any, y: Any, *, class_weights: Any, label_smoothing: Any, z_loss: Any) -> Any:
    rows = softmax_rows(xp, x)
    t = _weighted(xp, x, y, class_weights, label_smoothing)
    total = xp.sum(product(xp, t, _costs(xp, rows, x)), axis=-1)
    if z_loss is not None:
        lse = xp.where(rows.mass, rows.logsumexp, 0.0)
        total = total + z_loss * xp.square(lse)[..., 0]
    return total


def gradients(
    xp: Any, x: Any, y: Any, *, class_weights: Any, label_smoothing: Any, z_loss: Any
) -> tuple[Any, Any]:
    rows = softmax_rows(xp, x)
    p = probabilities(rows)
    t = _weighted(xp, x, y, class_weights, label_smoothing)
    by_x = mass_less(xp, rows, p, t)
    if z_loss is not None:
        by_x = by_x + 2.0 * z_loss * product(xp, p, rows.logsumexp)
    costs = _costs(xp, rows, x)
    # A class without mass or label contributes nothing, and so does its label.
    costs = xp.where((t == 0) & xp.isinf(costs), 0.0, costs)
    by_y = _through_labels(xp, costs, class_weights, label_smoothing)
    return xp.where(rows.mass, by_x, 0.0), by_y


def curvature(
    xp: Any, x: Any, y: Any, t: Any, *, class_weights: Any, label_smoothing: Any, z_loss: Any
) -> tuple[Any, Any]:
    rows = softmax_rows(xp, x)
    p = probabilities(rows)
    mass = xp.sum(_weighted(xp, x, y, class_weights, label_smoothing), axis=-1, keepdims=True)
    around = centred(xp, rows, p, t)
    bent = p * around * mass
    if z_loss is not None:
        lse = xp.where(rows.mass, rows.logsumexp, 0.0)
        bent = bent + 2.0 * z_loss * p * (xp.sum(p * t, axis=-1, keepdims=True) + lse * around)
    by_y = xp.sum(p * t, axis=-1, keepdims=True) - t
    return xp.where(rows.full, 0.0, bent), _through_labels(xp, by_y, class_weights, label_smoothing)


def mixed(xp: Any, x: Any, y: Any, u: Any, *, class_weights: Any, label_smoothing: Any, z_loss: Any) -> Any:
    rows = softmax_rows(xp, x)
    u = _through_labels(xp, u, class_weights, label_smoothing)
    return mass_less(xp, rows, probabilities(rows), u)


def _through_labels(xp: Any, g: Any, class_weights: Any, label_smoothing: Any) -> Any:
    """A derivative by c·y' as one by y."""
    if class_weights is not None:
        g = product(xp, class_weights, g)
    return g if label_smoothing is None else (1.0 - label_smoothing) * g
