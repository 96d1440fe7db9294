"""softplus: a smooth max(x, 0), and the cost of a wrong binary answer."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT
from .._core.operation import define, operation
from .._core.rules import Elementwise
from .._math import sigmoid_core as core


@operation
def softplus(x: ArrayT, /, *, beta: float = 1.0) -> ArrayT:
    r"""Smooth maximum of x and 0.

    .. math:: \frac{1}{\beta} \log(1 + e^{\beta x})

    with :math:`\beta` the sharpness ``beta``.

    Parameters
    ----------
    x : array_like, any shape
        Floating; integers and booleans are promoted to the library's default float.
    beta : float, default 1.0
        Sharpness, finite and greater than 0; as it grows the result approaches ``max(x, 0)``.

    Returns
    -------
    array, shape of ``x``
        In the dtype of ``x``. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        ``x`` is no array of real numbers, ``beta`` no number.
    ValueError
        ``beta`` is not finite and greater than 0.

    See Also
    --------
    log_sigmoid : ``-softplus(-x)``.
    logsumexp : softplus is the logsumexp of x and 0.

    Notes
    -----
    *Gradient*: :math:`\sigma(\beta x)`; second derivative :math:`\beta\,\sigma(\beta
    x)\,\sigma(-\beta x)`, in both tails. There is no threshold above which the function turns into x.

    *Special values*: 0 at -inf with gradient 0, +inf at +inf with gradient 1. NaN gives NaN.

    Source: Dugas, Bengio, Bélisle, Nadeau and Garcia (2001), Incorporating second-order functional knowledge.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.softplus(np.array([-30.0, 0.0, 25.0])) - np.array([0.0, 0.0, 25.0])
    array([9.35762297e-14, 6.93147181e-01, 1.38875...e-11])
    """
    ...


def _softplus_first(xp: Any, x: Any, *, beta: Any) -> Any:
    return core.sigmoid(xp, beta * x)


def _softplus_second(xp: Any, x: Any, *, beta: Any) -> Any:
    return beta * core.sigmoid_slope(xp, beta * x)


define(softplus, Elementwise(core.softplus, first=_softplus_first, second=_softplus_second))
