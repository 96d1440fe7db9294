"""binary_kl_divergence: how far one yes-or-no distribution is from another."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Partner
from .._core.operation import define, operation
from .._core.rules import ElementwisePair
from .._math.log_core import log1p
from .._math.products import product
from .._math.series import exp_remainder
from .._math.sigmoid_core import decay, sigmoid, sigmoid_slope, softplus


@operation
def binary_kl_divergence(p_logits: ArrayT, q_logits: Partner, /) -> ArrayT:
    r"""Kullback-Leibler divergence KL(p‖q) between two yes-or-no distributions, from their logits.

    .. math:: p \log \frac{p}{q} + (1 - p) \log \frac{1 - p}{1 - q}, \qquad p = \sigma(a),\ q = \sigma(b)

    with :math:`a` the ``p_logits`` and :math:`b` the ``q_logits``. The first argument is the distribution
    that the expectation is taken under: the reverse of the argument order of torch and optax.

    Parameters
    ----------
    p_logits : array_like, any shape
        Log-odds in nats, each a distribution of its own. Floating; integers and booleans are promoted to the
        library's default float.
    q_logits : array_like
        Log-odds of the other distributions. Broadcasts with ``p_logits``.

    Returns
    -------
    array, the shape that both broadcast to
        Divergences in nats, never negative: float64 where either of the two is, else float32.

    Raises
    ------
    TypeError
        Arrays of two libraries; arrays that are no real numbers.
    ValueError
        Shapes that do not broadcast.

    See Also
    --------
    binary_entropy : how uncertain one such distribution is.
    sigmoid_binary_cross_entropy : the same plus the entropy of p, which is a label there.

    Notes
    -----
    *Gradient*: :math:`\sigma(a)\,\sigma(-a)\,(a - b)` by ``p_logits`` and :math:`q - p` by ``q_logits``, both
    with all their digits where the distributions are nearly equal.

    *Special values*: two equal logits give 0 with gradients 0, infinite ones too. An infinite ``p_logits``
    costs :math:`-\log q`, or :math:`-\log(1 - q)`, with gradient 0 by ``p_logits``. An infinite ``q_logits``
    that rules out what p does not costs +inf, with gradient NaN by ``p_logits`` and :math:`q - p` by
    ``q_logits``. NaN gives NaN.

    Source: Kullback, S. and Leibler, R. A. (1951), On information and sufficiency; as the sum of
    :math:`p_i (e^{-\delta_i} - 1 + \delta_i)` with :math:`\delta_i = \log p_i - \log q_i`, no term of which
    is negative.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.binary_kl_divergence(np.array([0.0, 20.0]), np.array([1.0, 21.0]))
    array([1.20114507e-01, 7.58256125e-10])
    """
    ...


def _divergence(xp: Any, a: Any, b: Any) -> Any:
    # Plain autodiff cancels where the two are nearly equal.
    a, b = xp.broadcast_arrays(a, b)
    return xp.attach(lambda a, b: _value(xp, a, b), lambda a, b: _first(xp, a, b), a, b)


def _value(xp: Any, a: Any, b: Any) -> Any:
    # Both turned around where p is below 1/2, so that yes is likely.
    flip = a < 0
    a, b = xp.where(flip, -a, a), xp.where(flip, -b, b)
    ruled_out = _ruled_out(xp, a, b)
    b = xp.where(ruled_out, a, b)
    same = a == b
    gap = xp.where(same, 0.0, a) - xp.where(same, 0.0, b)
    root = xp.exp(-0.5 * a)
    z = decay(xp, a)
    likely, unlikely = 1.0 / (1.0 + z), z / (1.0 + z)
    # The logarithms of p/q: they differ by the gap, and Σ p e^-ratio = 1.
    near = gap <= 1
    grown = unlikely * xp.expm1(xp.where(near, gap, 0.0))
    ratio = xp.where(near, log1p(xp, grown), softplus(xp, -b) - softplus(xp, -a))
    other = ratio - gap
    # e^(-a/2) twice, because the ratio may be as large as e^-a is small.
    part = product(xp, root, other - 1.0) * (root / (1.0 + z))
    total = _term(xp, likely, sigmoid(xp, b), ratio, likely * (ratio - 1.0))
    total = total + _term(xp, unlikely, sigmoid(xp, -b), other, part)
    return xp.where(ruled_out, xp.inf, total)


def _term(xp: Any, p: Any, q: Any, ratio: Any, part: Any) -> Any:
    """p (e^-ratio - 1 + ratio) = q + p (ratio - 1), never negative; `part` is p (ratio - 1)."""
    series = (ratio >= -1.5) & (ratio <= 1)
    return xp.where(series, p * exp_remainder(xp, xp.where(series, ratio, 0.0)), part + q)


def _ruled_out(xp: Any, a: Any, b: Any) -> Any:
    """Where q says never to what p says sometimes to."""
    return xp.isinf(b) & (a != b) & ~xp.isnan(a)


def _first(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    # Infinite logits a leave nothing to move; elsewhere the gap is infinite only where b is.
    gap = xp.where(xp.isinf(a), 0.0, a - b)
    gap = xp.where(_ruled_out(xp, a, b), xp.nan, gap)
    # e^(-|a|/2) twice, because the gap may be as large as e^-|a| is small.
    root = decay(xp, 0.5 * a)
    by_a = product(xp, root, gap) * (root / xp.square(1.0 + decay(xp, a)))
    return by_a, _excess(xp, a, b)


def _excess(xp: Any, a: Any, b: Any) -> Any:
    """σ(b) - σ(a): the value of a product that does not cancel, the derivatives of the difference."""
    above = a > b
    high, low = xp.where(above, a, b), xp.where(above, b, a)
    same = a == b
    gap = xp.where(same, 0.0, high) - xp.where(same, 0.0, low)
    size = sigmoid(xp, high) * sigmoid(xp, -low) * -xp.expm1(-gap)
    plain = sigmoid(xp, b) - sigmoid(xp, a)
    return xp.stop_gradient(xp.where(above, -size, size)) + (plain - xp.stop_gradient(plain))


def _second(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    slope = sigmoid_slope(xp, a)
    by_a = _first(xp, a, b)[0]
    return slope - by_a * xp.tanh(0.5 * a), -slope


define(binary_kl_divergence, ElementwisePair(_divergence, first=_first, second=_second))
