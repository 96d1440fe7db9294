"""Cross-entropy of a class index in two reductions of a row: over the other logits, then softplus.

With m_o and S_o the largest of the *other* logits and the sum of e^(x - m_o) over them, the odds against the
label are e^z, z = (m_o - x_y) + log S_o. The loss is softplus(z), and its derivatives are σ(z) times the
softmax of the others, and -σ(z) at the label: products, nothing cancels. Their own derivatives by plain
autodiff would (1 - q of an other that dominates): who differentiates twice needs a rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .sigmoid_core import sigmoid, softplus
from .softmax_core import shares


class _Odds(NamedTuple):
    hit: Any  # (..., K): the label
    valid: Any  # (..., 1): the label is a class
    nothing: Any  # (..., 1): neither the label nor any other class has mass
    z: Any  # (..., 1)
    terms: Any  # (..., K): e^(x - m_o), 0 at the label
    total: Any  # (..., 1): S_o


def _odds(xp: Any, x: Any, labels: Any) -> _Odds:
    indices, labels = xp.class_indices(x, labels.dtype), labels[..., None]
    hit = labels == indices
    others = xp.where(hit, -xp.inf, x)
    valid = (labels >= 0) & (labels < xp.dims(x)[-1])
    own = xp.take_along_axis(x, xp.where(valid, labels, 0), axis=-1)
    m, terms = shares(xp, others)
    full, none = m == xp.inf, m == -xp.inf
    total = xp.sum(terms, axis=-1, keepdims=True)
    nothing = none & (own == -xp.inf)
    lead = xp.where((full & (own == xp.inf)) | nothing, 0.0, m - own)
    z = xp.where(nothing, xp.inf, lead + xp.log(total))
    return _Odds(hit, valid, nothing, z, terms, total)


def label_loss(xp: Any, x: Any, labels: Any) -> Any:
    """-log p of the label, (...,); NaN for a label that is no class."""
    odds = _odds(xp, x, labels)
    return xp.where(odds.valid, softplus(xp, odds.z), xp.nan)[..., 0]


def label_gradient(xp: Any, x: Any, labels: Any) -> Any:
    """p - onehot, (..., K)."""
    odds = _odds(xp, x, labels)
    against = xp.where(odds.valid, xp.where(odds.nothing, 0.0, sigmoid(xp, odds.z)), xp.nan)
    scale = against / xp.where(odds.total == 0, 1.0, odds.total)
    return xp.where(odds.hit, -against, odds.terms * scale)
