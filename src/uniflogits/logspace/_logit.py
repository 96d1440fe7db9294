"""logit: from a probability, or from its logarithm, back to log-odds."""

from __future__ import annotations

import functools
from typing import Any

from .._core.annotations import ArrayT
from .._core.operation import define, operation
from .._core.rules import Elementwise
from .._math.log_core import log1mexp, within


@operation
def logit(p: ArrayT, /, *, eps: float | None = None) -> ArrayT:
    r"""Log-odds of a probability: the inverse of sigmoid.

    .. math:: \log \frac{p}{1 - p}

    Parameters
    ----------
    p : array_like, any shape
        Probabilities between 0 and 1. Floating; integers and booleans are promoted to the library's default
        float.
    eps : float, optional
        Clips ``p`` to the interval from eps to 1 - eps, so that the result is finite; at least 0 and less
        than 0.5. What lies outside [0, 1] is not clipped but NaN, as without ``eps``.

    Returns
    -------
    array, shape of ``p``
        Log-odds in nats, in the dtype of ``p``. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        ``p`` is no array of real numbers, ``eps`` no number.
    ValueError
        ``eps`` is not in [0, 0.5).

    See Also
    --------
    sigmoid : the inverse.
    logit_from_log_prob : the same from the logarithm, for probabilities too small or too close to 1.

    Notes
    -----
    *Gradient*: :math:`\frac{1}{p(1-p)}`; 0 where ``eps`` clips.

    *Special values*: -inf at 0, +inf at 1, with gradient +inf at both. Outside of [0, 1] the result and its
    gradient are NaN, and so they are for NaN.

    Source: Berkson, J. (1944), Application of the logistic function to bio-assay; near 1/2 as :math:`2\,
    \mathrm{artanh}(2p - 1)`, in which nothing is lost.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.logit(np.array([0.0, 0.25, 0.5, 0.75])).round(4)
    array([   -inf, -1.0986,  0.    ,  1.0986])
    >>> ul.logit(np.array([0.0, 1.0]), eps=1e-6).round(4)
    array([-13.8155,  13.8155])
    """
    ...


def _clipped(p: Any, eps: Any) -> tuple[Any, Any]:
    """Where p lies below eps, and above 1 - eps, which need not be a number of p's dtype."""
    return p < eps, 1.0 - p < eps


def _side(xp: Any, p: Any) -> Any:
    """The smaller one of p and 1 - p, which is exact where it is chosen."""
    return xp.where(p < 0.5, p, 1.0 - p)


def _logit(xp: Any, p: Any, *, eps: Any) -> Any:
    p = within(xp, p, (p < 0) | (p > 1))
    if eps is None:
        return _log_odds(xp, p)
    low, high = _clipped(p, eps)
    x = _log_odds(xp, xp.where(low | high, eps, p))
    return xp.where(high, -x, x)


def _log_odds(xp: Any, p: Any) -> Any:
    centred = 2.0 * p - 1.0
    # Within these bounds the logarithms of XLA that artanh is made of are exact enough.
    near = xp.abs(centred) < 0.35
    t = xp.where(near, 0.25, _side(xp, p))
    far = xp.log(t) - xp.log1p(-t)
    # Plain autodiff of this has a derivative that is not exact near 0.
    twice_artanh = functools.partial(_twice_artanh, xp)
    middle = xp.attach(twice_artanh, lambda x: (2.0 / (1.0 - xp.square(x)),), xp.where(near, centred, 0.0))
    return xp.where(near, middle, xp.where(p < 0.5, far, -far))


def _twice_artanh(xp: Any, x: Any) -> Any:
    """2 artanh x, whose own function torch's compiler makes of the logarithm of a number near 1."""
    size = xp.abs(x)
    found = xp.log1p(2.0 * size / (1.0 - size))
    return xp.where(x < 0, -found, found)


def _logit_first(xp: Any, p: Any, *, eps: Any) -> Any:
    p = within(xp, p, (p < 0) | (p > 1))
    t = _side(xp, p)
    slope = 1.0 / (t * (1.0 - t))
    if eps is None:
        return slope
    low, high = _clipped(p, eps)
    return xp.where(low | high, 0.0, slope)


def _logit_second(xp: Any, p: Any, *, eps: Any) -> Any:
    # Twice the slope: its square may overflow.
    slope = _logit_first(xp, p, eps=eps)
    return slope * ((2.0 * p - 1.0) * slope)


define(logit, Elementwise(_logit, first=_logit_first, second=_logit_second))


@operation
def logit_from_log_prob(log_p: ArrayT, /) -> ArrayT:
    r"""Log-odds of a probability that is given by its logarithm.

    .. math:: \log \frac{p}{1 - p} = \ell - \log(1 - e^{\ell})

    with :math:`\ell` the ``log_p``.

    Parameters
    ----------
    log_p : array_like, any shape
        Logarithms of probabilities: at most 0. Floating; integers and booleans are promoted to the library's
        default float.

    Returns
    -------
    array, shape of ``log_p``
        Log-odds in nats, in the dtype of ``log_p``. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        ``log_p`` is no array of real numbers.

    See Also
    --------
    logit : the same from the probability itself.
    log_sigmoid : the inverse.

    Notes
    -----
    *Gradient*: :math:`\frac{1}{1 - e^{\ell}}`.

    *Special values*: -inf at -inf, with gradient 1; +inf at 0, with gradient +inf. Above 0 the result and its
    gradient are NaN, and so they are for NaN.

    Source: Maechler, M. (2012), Accurately computing log(1 - exp(-a)).

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.logit_from_log_prob(np.array([-1000.0, -0.6931471805599453, -1e-20])).round(4)
    array([-1000.    ,     0.    ,    46.0517])
    """
    ...


def _from_log_prob(xp: Any, log_p: Any) -> Any:
    return log_p - log1mexp(xp, -log_p)


def _from_log_prob_first(xp: Any, log_p: Any) -> Any:
    return 1.0 / -xp.expm1(-within(xp, -log_p, log_p > 0))


def _from_log_prob_second(xp: Any, log_p: Any) -> Any:
    slope = _from_log_prob_first(xp, log_p)
    return slope * (xp.exp(log_p) * slope)


define(
    logit_from_log_prob,
    Elementwise(_from_log_prob, first=_from_log_prob_first, second=_from_log_prob_second),
)
