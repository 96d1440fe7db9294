"""softmax: from raw scores to probabilities."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask
from .._core.operation import define, operation
from .._core.rules import RowMap
from .._math.softmax_core import centred, largest, probabilities, shares, softmax_rows


@operation
def softmax(logits: ArrayT, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Probabilities of the classes, from their logits.

    .. math:: p_k = \frac{e^{x_k}}{\sum_j e^{x_j}}

    with :math:`x` the ``logits`` along ``axis``.

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
        Probabilities in the dtype of ``logits``; each row sums to 1. float16 and bfloat16 are computed in
        float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        An axis out of range or named twice, a mask that does not broadcast to the logits.

    See Also
    --------
    log_softmax : the logarithm, which keeps what softmax rounds to 1.
    sigmoid : the probability of one class against none.

    Notes
    -----
    *Gradient*: :math:`\partial p_i / \partial x_j = p_i (\delta_{ij} - p_j)`, exact in the tails
    too: 1 - p of a leading class is never formed by subtraction.

    *Special values*: a logit of -inf has probability 0 and gradient 0. Logits of +inf share the mass equally,
    with gradient 0. A row with no class (all -inf, nothing allowed by ``where``, no entries) is all 0, with
    gradient 0. A NaN makes its row NaN; entries where ``where`` is False are never looked at.

    Source: Bridle, J. S. (1990), Probabilistic interpretation of feedforward classification network outputs;
    the evaluation follows Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and
    softmax functions.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.softmax(np.array([2.5, 1.0, -1.2])).round(3)
    array([0.801, 0.179, 0.02 ])
    """
    ...


def _softmax(xp: Any, x: Any) -> Any:
    return probabilities(softmax_rows(xp, x))


def _plain(xp: Any, x: Any) -> Any:
    m = largest(xp, x)
    terms = shares(xp, x, m)
    total = xp.sum(terms, axis=-1, keepdims=True)
    return terms / xp.where(m == -xp.inf, 1.0, total)


def _product(xp: Any, x: Any, t: Any) -> Any:
    """p·(t - Σ p·t): the Jacobian is symmetric, so this is tangent and gradient in one."""
    rows = softmax_rows(xp, x)
    p = probabilities(rows)
    return xp.where(rows.full, 0.0, p * centred(xp, rows, p, t))


define(softmax, RowMap(_softmax, pushforward=_product, pullback=_product, plain=_plain))
