"""Cross-entropy of a class index in two reductions of a row: over the other logits, then their odds.

With m_o and S_o the largest of the *other* logits and the sum of e^(x - m_o) over them, the odds against the
label are S_o·e^(m_o - x_y): a product, as log S_o added to the exponent would be rounded as coarsely as that.
With p the label's probability, the derivatives of the loss are 1 - p times the softmax of the others, and
-(1 - p) at the label: products, nothing cancels. Their own derivatives by plain autodiff would (1 - q of an
other that dominates): who differentiates twice needs a rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import cross_entropy
from .sigmoid_core import odds
from .softmax_core import largest, shares
from .targets import one_hot_or_nan

_PLAIN = {"class_weights": None, "label_smoothing": None, "z_loss": None}


class LabelRows(NamedTuple):
    """What is left of each row, (..., 1), to make its gradient of."""

    m: Any  # the largest of the other logits
    against: Any  # 1 - p of the label, NaN for a label that is no class
    scale: Any  # what e^(x - m) of the others is multiplied by


def label_rows(xp: Any, x: Any, labels: Any) -> tuple[Any, LabelRows]:
    """-log p of the label, (...,), NaN for a label that is no class; and what its gradient takes."""
    column, (_, others) = labels[..., None], _others(xp, x, labels)
    valid = (column >= 0) & (column < xp.dims(x)[-1])
    own = xp.take_along_axis(x, xp.where(valid, column, 0), axis=-1)
    m = largest(xp, others)
    total = xp.sum(shares(xp, others, m), axis=-1, keepdims=True)
    # Neither the label nor any other class has mass.
    nothing = (m == -xp.inf) & (own == -xp.inf)
    lead = xp.where(((m == xp.inf) & (own == xp.inf)) | nothing, 0.0, m - own)
    up, down = odds(xp, lead)
    against = total * up
    scale = xp.where(valid, up / (down + against), xp.nan)
    loss = xp.where(lead > 0, lead + xp.log(total + down), xp.log1p(against))
    loss = xp.where(valid, xp.where(nothing, xp.inf, loss), xp.nan)
    return loss[..., 0], LabelRows(m, total * scale, scale)


def gradient_of_rows(xp: Any, x: Any, labels: Any, rows: LabelRows) -> Any:
    """p - onehot, (..., K)."""
    hit, others = _others(xp, x, labels)
    # Of the others, not of x: compilers see that these exponentials were there before.
    return xp.where(hit, -rows.against, shares(xp, others, rows.m) * rows.scale)


def _others(xp: Any, x: Any, labels: Any) -> tuple[Any, Any]:
    """Where the label is, and the logits without it."""
    hit = labels[..., None] == xp.class_indices(x, labels.dtype)
    return hit, xp.where(hit, -xp.inf, x)


def label_loss(xp: Any, x: Any, labels: Any) -> Any:
    return label_rows(xp, x, labels)[0]


def label_gradient(xp: Any, x: Any, labels: Any) -> Any:
    return gradient_of_rows(xp, x, labels, label_rows(xp, x, labels)[1])


def label_gradient_exact(xp: Any, x: Any, labels: Any) -> Any:
    """`label_gradient` in a longer form, whose plain autodiff is exact."""
    return cross_entropy.gradients(xp, x, one_hot_or_nan(xp, labels, x), **_PLAIN)[0]


def label_curvature(xp: Any, x: Any, labels: Any, t: Any) -> Any:
    """The derivative of `label_gradient` along t."""
    return cross_entropy.curvature(xp, x, one_hot_or_nan(xp, labels, x), t, **_PLAIN)[0]


BY_LABEL = (label_loss, label_gradient, label_gradient_exact, label_curvature)
