"""js_divergence: how far two distributions are from their mean, symmetric and bounded."""

from __future__ import annotations

import math
from typing import Any

from .._core.annotations import ArrayT, Axis, Mask, Partner
from .._core.operation import define, operation
from .._core.rules import Divergence
from .._math.pair_core import moving_ratio, pair_rows, settled
from .._math.series import exp_remainder, fall, js_summand
from .._math.sigmoid_core import softplus
from .._math.softmax_core import Rows, centred

_LOG_2 = math.log(2.0)


@operation
def js_divergence(p_logits: ArrayT, q_logits: Partner, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Jensen-Shannon divergence of two distributions over classes, both from their logits.

    .. math::

        \mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}(p \,\|\, m) + \tfrac12 \mathrm{KL}(q \,\|\, m),
        \qquad m = \tfrac12 (p + q)

    with :math:`p` and :math:`q` the softmax of ``p_logits`` and ``q_logits`` along ``axis``.

    Parameters
    ----------
    p_logits : array_like, shape (..., K, ...)
        Raw scores of the distribution :math:`p`. Floating; integers and booleans are promoted to the
        library's default float.
    q_logits : array_like
        Raw scores of the distribution :math:`q`, in the same shape. One of the two may lack leading
        dimensions and is then the same for all of the other's.
    axis : int, tuple of ints or None, default -1
        The axis of the classes. A tuple joins several axes into one, None all of them.
    where : array_like of bool, optional
        Where False, the class does not exist. Broadcasts to the shape of the logits.

    Returns
    -------
    array, shape of the logits without ``axis``
        Divergence in nats, from 0 to :math:`\log 2`: float32 for float16, bfloat16 and float32 logits,
        float64 where one of the two is float64.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        Shapes that do not fit, an axis out of range or named twice, a mask that does not broadcast to the
        logits.

    See Also
    --------
    kl_divergence : of one from the other, unbounded.
    total_variation : half the sum of all differences.

    Notes
    -----
    Nearly equal distributions keep all their digits: :math:`\delta = \log p - \log q` is formed by
    error-free subtraction, and the sum is one of non-negative terms :math:`m\,h(\delta)`. Its square root is
    a metric.

    *Gradient*: :math:`\partial \mathrm{JS} / \partial x_i = \tfrac12 p_i (r_i - \sum_k p_k r_k)` with
    :math:`r = \log(p/m)` and x the logits of p; by those of q with p and q exchanged.

    *Special values*: a class that only one has (the other's logit is -inf) contributes half of its
    probability times :math:`\log 2`. Logits of +inf share the mass equally, gradient 0. If only one of the
    two has any class, the result is :math:`\tfrac12 \log 2`, if none has, 0; the gradient is 0. A NaN makes
    its row NaN.

    Source: Lin, J. (1991), Divergence measures based on the Shannon entropy.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.js_divergence(np.array([2.5, 1.0, -1.2]), np.array([2.0, 1.5, -1.0])).round(4)
    np.float64(0.0239)
    """
    ...


def _js(xp: Any, a: Any, b: Any) -> Any:
    pair = pair_rows(xp, a, b)
    mean = 0.5 * pair.p + 0.5 * pair.q
    total = xp.sum(mean * xp.where(pair.common, _summand(xp, pair.ratio), _LOG_2), axis=-1)
    return xp.where(total > _LOG_2, _LOG_2, total)


def _summand(xp: Any, delta: Any) -> Any:
    """log 2 - the entropy of a question with log odds delta, in three ranges."""
    x = xp.abs(delta)
    near, far = x <= 1, ~(x <= 2)
    z = xp.exp(-x)
    t = (1.0 - z) / (1.0 + z)
    # Both halves of it as KL takes them: terms that are not negative.
    up = xp.log1p(xp.where(near | far, 0.5, t))
    down = xp.log(xp.where(near | far, 0.5, 2.0 * z / (1.0 + z)))
    middle = 0.5 * ((1.0 + t) * exp_remainder(xp, up) + (1.0 - t) * exp_remainder(xp, down))
    distant = _LOG_2 - (xp.log1p(z) + xp.where(z == 0, 0.0, x * z) / (1.0 + z))
    return xp.where(near, js_summand(xp, xp.where(near, delta, 0.0)), xp.where(far, distant, middle))


def _gradients(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    pair = pair_rows(xp, a, b)
    p, q, p_rows, q_rows = pair.p, pair.q, pair.p_rows, pair.q_rows
    by_p = _by_one(
        xp, p_rows, q_rows, p, xp.where(pair.common, _of_mean(xp, moving_ratio(xp, pair, p)), _LOG_2)
    )
    by_q = _by_one(
        xp, q_rows, p_rows, q, xp.where(pair.common, _of_mean(xp, -moving_ratio(xp, pair, q)), _LOG_2)
    )
    return settled(xp, p_rows, pair.invalid, by_p), settled(xp, q_rows, pair.invalid, by_q)


def _by_one(xp: Any, rows: Rows, others: Rows, p: Any, r: Any) -> Any:
    return xp.where(others.mass, 0.5 * p * centred(xp, rows, p, r), 0.0)


def _of_mean(xp: Any, delta: Any) -> Any:
    """log(p/m), from delta = log p - log q."""
    near = xp.abs(delta) <= 1
    small = -xp.log1p(-0.5 * fall(xp, xp.where(near, delta, 0.0)))
    return xp.where(near, small, _LOG_2 - softplus(xp, -xp.where(near, 0.0, delta)))


define(js_divergence, Divergence(_js, _gradients))
