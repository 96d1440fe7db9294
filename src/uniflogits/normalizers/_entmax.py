"""entmax: the family of normalisers from softmax by way of sparsemax to the maximum alone."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask
from .._core.operation import define, operation
from .._core.rules import RowMap
from .._math import entmax_core as core
from . import _softmax as alpha_one


@operation
def entmax(logits: ArrayT, /, *, alpha: float = 1.5, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Probabilities of the classes, the sparser the larger alpha is.

    .. math:: p_k = \max((\alpha - 1)\, x_k - \tau, 0)^{1/(\alpha - 1)}

    with :math:`x` the ``logits`` along ``axis``, :math:`\alpha` the option ``alpha`` and :math:`\tau` such
    that the probabilities sum to 1.

    Parameters
    ----------
    logits : array_like, shape (..., K, ...)
        Raw scores. Floating; integers and booleans are promoted to the library's default float.
    alpha : float, default 1.5
        At least 1 and finite: 1 is softmax, 2 is sparsemax. A library that compiles does so anew for every
        alpha.
    axis : int, tuple of ints or None, default -1
        The axis of the classes. A tuple joins several axes into one, None all of them.
    where : array_like of bool, optional
        Where False, the class does not exist. Broadcasts to the shape of ``logits``.

    Returns
    -------
    array, shape of ``logits``
        Probabilities in the dtype of ``logits``; each row sums to 1. Classes behind the leader by
        1 / (alpha - 1) or more have none. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean, ``alpha`` no
        number.
    ValueError
        ``alpha`` less than 1 or not finite, an axis out of range or named twice, a mask that does not
        broadcast to the logits.

    See Also
    --------
    softmax : alpha = 1.
    sparsemax : alpha = 2.

    Notes
    -----
    *Gradient*: with :math:`s = p^{2 - \alpha}` on the support (p > 0) and 0 elsewhere, :math:`\partial p_i /
    \partial x_j = s_i (\delta_{ij} - s_j / \sum_k s_k)`, at kinks too. A library's own automatic
    differentiation gives derivatives of first and second order; further ones are right for alpha = 1 and 2
    only. Beyond alpha = 2 derivatives grow as :math:`p^{2 - \alpha}` where two classes or more have small
    probabilities; those that exceed the range of the dtype are cut off near its end.

    *Special values*: a logit of -inf has probability 0 and gradient 0. Logits of +inf share the mass equally,
    with gradient 0. A row with no class (all -inf, nothing allowed by ``where``, no entries) is all 0, with
    gradient 0. A NaN makes its row NaN; entries where ``where`` is False are never looked at.

    *Accuracy*: errors count in ulps of the sum of p, of the share :math:`s / \sum s` by which a class takes
    part in making the sum 1, and of what the rounding of each distance from the largest logit moves. Above
    alpha = 2 the smallest probability of the support is found itself, because its logit and the threshold
    differ by far less there than their rounding.

    Source: Peters, B., Niculae, V. and Martins, A. F. T. (2019), Sparse sequence-to-sequence models. The
    threshold is found by Newton's method on a norm of the probabilities.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.entmax(np.array([2.5, 2.0, -1.2])).round(3)
    array([0.674, 0.326, 0.   ])
    >>> ul.entmax(np.array([2.5, 2.0, -1.2]), alpha=1.1).round(3)
    array([0.628, 0.367, 0.005])
    """
    ...


def _entmax(xp: Any, x: Any, *, alpha: float) -> Any:
    if alpha == 1:
        return alpha_one._softmax(xp, x)
    return core.entmax(xp, x, alpha=alpha)


def _product(xp: Any, x: Any, t: Any, *, alpha: float) -> Any:
    """The Jacobian is symmetric, so this is tangent and gradient in one."""
    return alpha_one._product(xp, x, t) if alpha == 1 else core.entmax_product(xp, x, t, alpha=alpha)


define(entmax, RowMap(_entmax, pushforward=_product, pullback=_product))
