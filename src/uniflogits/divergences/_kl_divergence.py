"""kl_divergence: how much worse one distribution describes another than that itself."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask, Partner
from .._core.operation import define, operation
from .._core.rules import Divergence
from .._math.pair_core import Pair, lacking, mass_apart, moving_ratio, pair_rows, settled
from .._math.products import product
from .._math.series import exp_remainder
from .._math.softmax_core import centred


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
    total = xp.sum(xp.where(pair.common, _summand(xp, pair), pair.q), axis=-1)
    total = xp.where(lacking(xp, pair.p_rows, pair.q_rows)[..., 0], xp.inf, total)
    return xp.where(pair.invalid[..., 0], xp.nan, xp.where(pair.p_rows.mass[..., 0], total, 0.0))


def _summand(xp: Any, pair: Pair) -> Any:
    """p (e^-delta - 1 + delta) = q - p + p delta, formed of the larger of p and q alone."""
    delta = pair.ratio
    near, above = (delta >= -1.5) & (delta <= 1), delta > 1
    close = pair.p * exp_remainder(xp, xp.where(near, delta, 0.0))
    # p delta may be a number where p alone underflows.
    root = xp.exp(0.5 * pair.p_rows.relative)
    more = xp.where(above, delta - 1.0 + xp.exp(-xp.where(above, delta, 0.0)), 0.0)
    more = product(xp, root, product(xp, root, more)) / pair.p_rows.total
    # (1 - delta) e^delta is 0 where delta is -inf.
    below = xp.where(delta < -1.5, xp.where(delta < -800, -800.0, delta), -800.0)
    less = pair.q * (1.0 - (1.0 - below) * xp.exp(below))
    return xp.where(near, close, xp.where(above, more, less))


def _gradients(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    pair = pair_rows(xp, a, b)
    p, p_rows, q_rows = pair.p, pair.p_rows, pair.q_rows
    by_p = p * centred(xp, p_rows, p, moving_ratio(xp, pair, p))
    by_p = settled(xp, p_rows, pair.invalid | lacking(xp, p_rows, q_rows), by_p)
    return by_p, xp.where(q_rows.mass, mass_apart(xp, pair), 0.0)


define(kl_divergence, Divergence(_kl, _gradients))
