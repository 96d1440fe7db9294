"""The softmax cross-entropy of logits x, (..., K), and what each class counts, y, (..., K); its derivatives.

`class_weights` are (K,); an option that is None is left out.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from . import targets
from .products import product
from .softmax_core import Rows, centred, largest, mass_less, probabilities, shares, softmax_rows


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


class _Short(NamedTuple):
    """The least that loss and gradient are made of; plain autodiff of it would not be exact."""

    top: Any  # where the largest logits are
    nothing: Any  # row: whether there is no class
    shares: Any  # e^(x - m)
    rest: Any  # row: the sum of those beyond the one largest term, 1
    log_total: Any  # row


def _short(xp: Any, x: Any) -> _Short:
    m = largest(xp, x)
    e, top, nothing = shares(xp, x, m), x == m, m == -xp.inf
    rest = xp.sum(xp.where(top, 0.0, e), axis=-1, keepdims=True)
    rest = rest + (xp.sum(xp.astype(top, x.dtype), axis=-1, keepdims=True) - 1.0)
    log_total = xp.where(nothing, xp.inf, xp.log1p(rest))
    return _Short(top, nothing, e, rest, log_total)


def _short_costs(xp: Any, x: Any, short: _Short) -> Any:
    return short.log_total - xp.where(short.top, 0.0, x - largest(xp, x))


def short_loss(xp: Any, x: Any, t: Any) -> Any:
    """The loss in the fewest steps."""
    return xp.sum(product(xp, t, _short_costs(xp, x, _short(xp, x))), axis=-1)


def short_gradients(xp: Any, x: Any, t: Any) -> tuple[Any, Any]:
    """Its derivatives by x and by t."""
    short = _short(xp, x)
    return _short_slope(xp, t, short), _at_labels(xp, t, _short_costs(xp, x, short))


def _short_slope(xp: Any, t: Any, short: _Short) -> Any:
    total = 1.0 + short.rest
    won = xp.sum(xp.where(short.top, t, 0.0), axis=-1, keepdims=True)
    lost = xp.sum(xp.where(short.top, 0.0, t), axis=-1, keepdims=True)
    p, winner = short.shares / total, short.top & (short.rest < 1)
    by_x = xp.where(winner, (lost - t * short.rest) / total, p * (lost + won) - t)
    return xp.where(short.nothing, 0.0, by_x)


def exact_gradients(xp: Any, x: Any, t: Any) -> tuple[Any, Any]:
    """The same in a longer form, whose plain autodiff is exact."""
    rows = softmax_rows(xp, x)
    # What a class without mass or label counts moves nothing, as `_at_labels` has it.
    counted = xp.where((t == 0) & (x == -xp.inf), xp.stop_gradient(t), t)
    return _exact_slope(xp, counted, rows), _at_labels(xp, t, _costs(xp, rows, x))


def _exact_slope(xp: Any, t: Any, rows: Rows) -> Any:
    return xp.where(rows.mass, mass_less(xp, rows, probabilities(rows), t), 0.0)


def _at_labels(xp: Any, t: Any, costs: Any) -> Any:
    """A class without mass or label contributes nothing, and so does its label."""
    return xp.where((t == 0) & xp.isinf(costs), 0.0, costs)


def _loss(xp: Any, x: Any, t: Any) -> Any:
    """Σ t·cost, by the rule of a library that takes one."""
    if xp.slope is None:
        return short_loss(xp, x, t)
    if xp.attach_short is not None:
        rule = (functools.partial(one, xp) for one in (short_loss, short_gradients, exact_gradients))
        found = xp.attach_short(*rule, x, t)
        if found is not None:
            return found
    return xp.sum(product(xp, t, _costs(xp, softmax_rows(xp, x), x)), axis=-1)


def loss(xp: Any, x: Any, y: Any, *, class_weights: Any, label_smoothing: Any, z_loss: Any) -> Any:
    total = _loss(xp, x, _weighted(xp, x, y, class_weights, label_smoothing))
    if z_loss is not None:
        rows = softmax_rows(xp, x)
        lse = xp.where(rows.mass, rows.logsumexp, 0.0)
        total = total + z_loss * xp.square(lse)[..., 0]
    return total


def gradients(
    xp: Any, x: Any, y: Any, *, class_weights: Any, label_smoothing: Any, z_loss: Any
) -> tuple[Any, Any]:
    t = _weighted(xp, x, y, class_weights, label_smoothing)
    if xp.slope is None:
        short = _short(xp, x)
        by_x, costs = _short_slope(xp, t, short), lambda: _short_costs(xp, x, short)
    else:
        rows = softmax_rows(xp, x)
        by_x, costs = _exact_slope(xp, t, rows), lambda: _costs(xp, rows, x)
    if z_loss is not None:
        rows = softmax_rows(xp, x)
        pull = 2.0 * z_loss * product(xp, probabilities(rows), rows.logsumexp)
        by_x = by_x + xp.where(rows.mass, pull, 0.0)
    return by_x, lambda: _through_labels(xp, _at_labels(xp, t, costs()), class_weights, label_smoothing)


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
