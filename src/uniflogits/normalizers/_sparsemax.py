"""sparsemax: probabilities of which many are exactly 0."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask
from .._core.operation import define, operation
from .._core.rules import RowMap
from .._math import entmax_core as core


@operation
def sparsemax(logits: ArrayT, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Sparse probabilities of the classes: the distribution nearest to the logits.

    .. math:: p_k = \max(x_k - \tau, 0)

    with :math:`x` the ``logits`` along ``axis`` and :math:`\tau` such that the probabilities sum to 1.

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
        Probabilities in the dtype of ``logits``; each row sums to 1. Classes behind the leader by 1 or more
        have none. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        An axis out of range or named twice, a mask that does not broadcast to the logits.

    See Also
    --------
    softmax : gives every class something.
    entmax : the family between the two, and beyond.

    Notes
    -----
    *Gradient*: :math:`\partial p_i / \partial x_j = \delta_{ij} - 1/|S|` for i and j in the support S, the
    classes with p > 0, and 0 elsewhere; at kinks too. All higher derivatives are 0.

    *Special values*: a logit of -inf has probability 0 and gradient 0. Logits of +inf share the mass equally,
    with gradient 0. A row with no class (all -inf, nothing allowed by ``where``, no entries) is all 0, with
    gradient 0. A NaN makes its row NaN; entries where ``where`` is False are never looked at.

    *Accuracy*: errors count in ulps of the larger of p and of what the rounding of each distance from the
    largest logit moves, since a probability is the difference of two such numbers.

    Source: Martins, A. F. T. and Astudillo, R. F. (2016), From softmax to sparsemax; the threshold is found
    by Newton's method, which is the algorithm of Michelot (1986).

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.sparsemax(np.array([2.5, 2.0, -1.2]))
    array([0.75, 0.25, 0.  ])
    """
    ...


def _sparsemax(xp: Any, x: Any) -> Any:
    return core.entmax(xp, x, alpha=2.0)


def _product(xp: Any, x: Any, t: Any) -> Any:
    """t less its mean over the support: tangent and gradient in one."""
    return core.entmax_product(xp, x, t, alpha=2.0)


define(sparsemax, RowMap(_sparsemax, pushforward=_product, pullback=_product))
