"""log1m_softmax: the logarithm of 1 - softmax, right where softmax itself rounds to 1."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask
from .._core.operation import define, operation
from .._core.rules import RowMap
from .._math.complement import log_complement, pulled_complement, pushed_complement
from .._math.softmax_core import softmax_rows


@operation
def log1m_softmax(logits: ArrayT, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Logarithms of the probabilities that it is not this class, from the classes' logits.

    .. math:: \log (1 - p_k) = \log \sum_{j \neq k} e^{x_j} - \log \sum_j e^{x_j}

    with :math:`x` the ``logits`` along ``axis`` and :math:`p` their softmax.

    Parameters
    ----------
    logits : array_like, shape (..., K, ...)
        Raw scores. Floating; integers and booleans are promoted to the library's default float.
    axis : int, tuple of ints or None, default -1
        The axis of the classes. A tuple joins several axes into one, None all of them.
    where : array_like of bool, optional
        Where False, the class does not exist. Broadcasts to the shape of ``logits``.

    Returns
    -------
    array, shape of ``logits``
        Logarithms of the complements in nats, at most 0, in the dtype of ``logits``. float16 and bfloat16 are
        computed in float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        An axis out of range or named twice, a mask that does not broadcast to the logits.

    See Also
    --------
    log_softmax : the logarithms of the probabilities themselves.
    softmax : the probabilities.

    Notes
    -----
    *Gradient*: :math:`\partial \log(1 - p_i) / \partial x_i = -p_i` and :math:`p_i p_j / (1 - p_i)` by
    the others, also where 1 - p of a leading class is smaller than any number.

    *Special values*: 0 with gradient 0 for a class that does not exist (a logit of -inf, or ``where`` False).
    The only class of a row is the constant -inf. Logits of +inf, n of them, share the mass equally: log(1 -
    1/n), which is -inf for one, and 0 elsewhere, gradient 0. A row with no class is all 0, with gradient 0. A
    NaN makes its row NaN.

    Source: the largest term is kept out of the sum as in Blanchard, Higham and Higham (2021), Accurately
    computing the log-sum-exp and softmax functions; the rest of it is the complement.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.log1m_softmax(np.array([2.5, 1.0, -1.2])).round(3)
    array([-1.617, -0.197, -0.02 ])

    A confident row keeps its digits, whatever 1 - p rounds to:

    >>> ul.log1m_softmax(np.array([900.0, 0.0, -40.0]))
    array([-900.,    0.,    0.])
    """
    ...


def _log1m_softmax(xp: Any, x: Any) -> Any:
    return log_complement(xp, x, softmax_rows(xp, x))


def _pushforward(xp: Any, x: Any, t: Any) -> Any:
    return pushed_complement(xp, x, softmax_rows(xp, x), t)


def _pullback(xp: Any, x: Any, g: Any) -> Any:
    return pulled_complement(xp, x, softmax_rows(xp, x), g)


define(log1m_softmax, RowMap(_log1m_softmax, pushforward=_pushforward, pullback=_pullback))
