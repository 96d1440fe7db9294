"""logmeanexp: the logarithm of a mean of numbers given by their logarithms."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask
from .._core.operation import define, operation
from .._core.rules import Reduction
from .._math.softmax_core import centred, probabilities, softmax_rows


@operation
def logmeanexp(x: ArrayT, /, *, axis: Axis = -1, keepdims: bool = False, where: Mask = None) -> ArrayT:
    r"""Logarithm of the mean of exponentials.

    .. math:: \log \frac{1}{K} \sum_k e^{x_k}

    with :math:`x` the entries along ``axis`` and :math:`K` their number.

    Parameters
    ----------
    x : array_like, shape (..., K, ...)
        Logarithms of the terms, in nats. Floating; integers and booleans are promoted to the library's
        default float.
    axis : int, tuple of ints or None, default -1
        The axes to average over; None means all.
    keepdims : bool, default False
        Keep the averaged axes with size 1.
    where : array_like of bool, optional
        Where False, the entry does not exist and is not counted. Broadcasts to the shape of ``x``.

    Returns
    -------
    array, shape of ``x`` without ``axis``
        In the dtype of ``x``; exactly the entry where all are equal. float16 and bfloat16 are computed in
        float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, entries that are no real numbers, a mask that is not boolean.
    ValueError
        An axis out of range or named twice, a mask that does not broadcast to ``x``.

    See Also
    --------
    logsumexp : the logarithm of the sum.

    Notes
    -----
    *Gradient*: softmax of ``x``. The second derivative keeps its digits where one entry dominates.

    *Special values*: an entry of -inf is a term of 0 and is counted, one where ``where`` is False is not.
    -inf with gradient 0 where the terms are all 0, or there are none. A +inf entry gives +inf, the gradient
    shared equally among such entries. A NaN makes its row NaN.

    Source: Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and softmax functions;
    the sum is divided before its logarithm is taken.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.logmeanexp(np.array([0.1, 0.1, 0.1]))
    np.float64(0.1)
    >>> ul.logmeanexp(np.array([[-1000.0, -1001.0], [0.0, -np.inf]])).round(3)
    array([-1000.38 ,    -0.693])
    """
    ...


def _logmeanexp(xp: Any, x: Any, *, count: Any) -> Any:
    rows = softmax_rows(xp, x)
    ordinary = rows.mass & ~rows.full
    mean = rows.total / xp.where(count == 0, 1.0, count)
    out = xp.where(ordinary, rows.largest + xp.log(xp.where(ordinary, mean, 1.0)), rows.logsumexp)
    return out[..., 0]


def _gradient(xp: Any, x: Any) -> Any:
    return probabilities(softmax_rows(xp, x))


def _curvature(xp: Any, x: Any, t: Any) -> Any:
    rows = softmax_rows(xp, x)
    p = probabilities(rows)
    return xp.where(rows.full, 0.0, p * centred(xp, rows, p, t))


define(logmeanexp, Reduction(_logmeanexp, gradient=_gradient, curvature=_curvature, counts=True))
