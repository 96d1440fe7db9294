"""sigmoid and its logarithm: the probability of one class against none."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT
from .._core.operation import define, operation
from .._core.rules import Elementwise
from .._math import sigmoid_core as core


@operation
def sigmoid(x: ArrayT, /) -> ArrayT:
    r"""Probability that belongs to a logit: the logistic function.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}}

    Parameters
    ----------
    x : array_like, any shape
        Logits: log-odds in nats. Floating; integers and booleans are promoted to the library's default float.

    Returns
    -------
    array, shape of ``x``
        Probabilities in the dtype of ``x``. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        Logits that are no real numbers.

    See Also
    --------
    log_sigmoid : the logarithm, which keeps what sigmoid rounds to 1.
    softmax : the same for several classes.

    Notes
    -----
    *Gradient*: :math:`\sigma(x)\,\sigma(-x)`, an even function, with all its digits in both tails.

    *Special values*: 0 at -inf, 1 at +inf, gradient 0 at both. NaN gives NaN.

    Source: Verhulst, P.-F. (1838); branched on the sign of x so that e^|x| is never formed.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.sigmoid(np.array([-2.0, 0.0, 2.0])).round(3)
    array([0.119, 0.5  , 0.881])
    """
    ...


def _sigmoid_second(xp: Any, x: Any) -> Any:
    return -core.sigmoid_slope(xp, x) * xp.tanh(0.5 * x)


define(sigmoid, Elementwise(core.sigmoid, first=core.sigmoid_slope, second=_sigmoid_second))


@operation
def log_sigmoid(x: ArrayT, /) -> ArrayT:
    r"""Logarithm of the probability that belongs to a logit.

    .. math:: \log \sigma(x) = -\log(1 + e^{-x})

    Parameters
    ----------
    x : array_like, any shape
        Logits: log-odds in nats. Floating; integers and booleans are promoted to the library's default float.

    Returns
    -------
    array, shape of ``x``
        Log-probabilities in nats, at most 0, in the dtype of ``x``. float16 and bfloat16 are computed in
        float32.

    Raises
    ------
    TypeError
        Logits that are no real numbers.

    See Also
    --------
    sigmoid : the probability itself.
    softplus : ``log_sigmoid(x) == -softplus(-x)``.

    Notes
    -----
    *Gradient*: :math:`\sigma(-x)`; second derivative :math:`-\sigma(x)\,\sigma(-x)`, the same in both tails.

    *Special values*: -inf at -inf, with gradient 1; 0 at +inf, with gradient 0. NaN gives NaN.

    Source: Maechler, M. (2012), Accurately computing log(1 - exp(-a)), for the use of log1p.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.log_sigmoid(np.array([-2.0, 0.0, 40.0]))
    array([-2.12692801e+00, -6.93147181e-01, -4.24835426e-18])
    """
    ...


def _log_sigmoid(xp: Any, x: Any) -> Any:
    return -core.softplus(xp, -x)


def _log_sigmoid_first(xp: Any, x: Any) -> Any:
    return core.sigmoid(xp, -x)


def _log_sigmoid_second(xp: Any, x: Any) -> Any:
    return -core.sigmoid_slope(xp, x)


define(log_sigmoid, Elementwise(_log_sigmoid, first=_log_sigmoid_first, second=_log_sigmoid_second))
