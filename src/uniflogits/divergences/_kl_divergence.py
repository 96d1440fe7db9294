"""kl_divergence: how much worse one distribution describes another than that itself."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask, Partner
from .._core.operation import define, operation
from .._core.rules import Divergence, Quick
from .._math.log_core import lost
from .._math.pair_core import lacking, mass_apart, moving_ratio, pair_rows, settled
from .._math.products import product
from .._math.series import exp_remainder
from .._math.softmax_core import centred, largest


@operation
def kl_divergence(p_logits: ArrayT, q_logits: Partner, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Kullback-Leibler divergence KL(p || q) of two distributions, both from their logits.

    .. math:: \mathrm{KL}(p \,\|\, q) = \sum_k p_k \log \frac{p_k}{q_k}

    with :math:`p` and :math:`q` the softmax of ``p_logits`` and ``q_logits`` along ``axis``.

    **The order of the arguments** is that of the formula, the reverse of torch's and optax's:
    ``torch.nn.functional.kl_div`` and ``optax.kl_divergence`` take :math:`q` first.

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
        Divergence in nats, never negative: float32 for float16, bfloat16 and float32 logits, float64 where
        one of the two is float64.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        Shapes that do not fit, an axis out of range or named twice, a mask that does not broadcast to the
        logits.

    See Also
    --------
    js_divergence : symmetric and bounded.
    cross_entropy_between : the divergence and the entropy of p together.
    binary_kl_divergence : of two answers to one yes-or-no question.

    Notes
    -----
    Nearly equal distributions keep all their digits: :math:`\delta = \log p - \log q` is formed by
    error-free subtraction, and the sum is one of the non-negative terms
    :math:`p\,(e^{-\delta} - 1 + \delta)`.

    *Gradient*: by the logits of q :math:`q_i \sum p - p_i`, by those of p
    :math:`p_i (\delta_i - \mathrm{KL})`.

    *Special values*: a class that neither has contributes 0. Where p has a class, however improbable, that q
    lacks (-inf), the result is +inf, its gradient by p NaN and by q as ever. Logits of +inf share the mass
    equally. If p has no class at all, the result is 0; if only q has none, +inf, with gradient 0 by q. A NaN
    makes its row NaN.

    Source: Kullback, S. and Leibler, R. A. (1951), On information and sufficiency.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.kl_divergence(np.array([2.5, 1.0, -1.2]), np.array([2.0, 1.5, -1.0])).round(4)
    np.float64(0.0905)
    """
    ...


def _kl(xp: Any, a: Any, b: Any) -> Any:
    pair = pair_rows(xp, a, b)
    p, q, p_rows, delta = pair.p, pair.q, pair.p_rows, pair.ratio
    # p delta may be a number where p alone underflows.
    root = xp.exp(0.5 * p_rows.relative)
    more = xp.where(delta > 1, delta, 1.0) - 1.0 + xp.exp(-xp.clip(delta, 1.0, 80.0))
    more = product(xp, root, product(xp, root, more)) / p_rows.total
    total = xp.sum(xp.where(pair.common, _summand(xp, p, q, delta, more), q), axis=-1)
    total = xp.where(lacking(xp, p_rows, pair.q_rows)[..., 0], xp.inf, total)
    return xp.where(pair.invalid[..., 0], xp.nan, xp.where(p_rows.mass[..., 0], total, 0.0))


def _summand(xp: Any, p: Any, q: Any, delta: Any, more: Any) -> Any:
    """p (e^-delta - 1 + delta) = q - p + p delta, formed of the larger of p and q alone: `more`, if of p."""
    near = p * exp_remainder(xp, xp.clip(delta, -1.5, 1.0))
    # Further than that nothing changes, but exponentials underflow, which takes torch ten times as long.
    below = xp.clip(delta, -80.0, -1.5)
    less = q * (1.0 - (1.0 - below) * xp.exp(below))
    return xp.where(delta < -1.5, less, xp.where(delta > 1, more, near))


def _of_float32(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """KL of logits that were float32, in float64, and the rows where that is good.

    The class that p has most of is left out of the sum of q - p + p delta. The others' terms have rounding
    errors of a few ulp of q, p and p |delta|, which add up to as much as p and q have of those classes, twice
    that and KL, and those of two logarithms of at most 710, as often: where KL is 2^-18 of it, an ulp of
    float32. The errors of the one class's term, e^-delta - 1 + delta, are as small.
    """
    winner = xp.argmax(a, axis=-1, keepdims=True)
    x, y = (row - xp.take_along_axis(row, winner, axis=-1) for row in (a, b))
    # In units of the one class's p and q. A p which underflows is nothing even times a difference of float32.
    p, q = (xp.without(xp.exp(row), winner) for row in (x, y))
    p_others, q_others = (xp.sum(terms, axis=-1, keepdims=True) for terms in (p, q))
    delta = xp.log1p(q_others) - xp.log1p(p_others)
    ratio = (1.0 + p_others) / (1.0 + q_others)
    others = xp.sum(p * ((x - y) + (delta - 1.0)) + q * ratio, axis=-1)
    delta, p_others, q_others = delta[..., 0], p_others[..., 0], (q_others * ratio)[..., 0]
    value = others + (xp.expm1(-delta) + delta)
    # Infinities, of logits or exponentials, leave a NaN or another.
    good = (value > 2.0**-18 * (p_others + q_others)) & (value < xp.inf)
    return value / (1.0 + p_others), good


def _of_most(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """KL by fewer steps than the formula above, and the rows where it is as good: nearly all.

    Where logits differ by little, their differences are exact but for what is subtracted from all of them
    alike. Its error, about `excess`, raises the sum by half its square only.
    """
    m_p, m_q = largest(xp, a), largest(xp, b)
    x, y = a - m_p, b - m_q
    p, q = xp.exp(x), xp.exp(y)
    total_p, total_q = (xp.sum(terms, axis=-1, keepdims=True) for terms in (p, q))
    p, q = p / total_p, q / total_q
    delta = ((x - y) - xp.log(total_p / total_q)) + (lost(a, m_p, x) - lost(b, m_q, y))
    # A class that both lack, or p alone.
    delta = xp.where(a == -xp.inf, -80.0, delta)
    moved = p * delta
    value = xp.sum(_summand(xp, p, q, delta, moved + (q - p)), axis=-1)
    excess = xp.square(xp.sum(moved, axis=-1) - value)
    # Nothing is infinite, and p delta would not count where p underflows: of 2^23 classes not by an ulp.
    limits = xp.finfo(value.dtype)
    least = 2.0**23 * float(limits.smallest_normal) / float(limits.eps)
    whole = value >= least * xp.max(delta, axis=-1)
    return value - 0.5 * excess, whole & (value >= 16.0 * excess)


def _gradients(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    pair = pair_rows(xp, a, b)
    p, p_rows, q_rows = pair.p, pair.p_rows, pair.q_rows
    by_p = p * centred(xp, p_rows, p, moving_ratio(xp, pair, p))
    by_p = settled(xp, p_rows, pair.invalid | lacking(xp, p_rows, q_rows), by_p)
    return by_p, xp.where(q_rows.mass, mass_apart(xp, pair), 0.0)


define(kl_divergence, Divergence(_kl, _gradients, quick=Quick(_of_float32, _of_most)))
