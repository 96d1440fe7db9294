"""entropy: how uncertain the distribution is that belongs to some logits."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask
from .._core.operation import define, operation
from .._core.rules import Divergence
from .._math.softmax_core import centred, probabilities, softmax_rows


@operation
def entropy(logits: ArrayT, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Entropy of the distribution over classes, from its logits.

    .. math:: H(p) = -\sum_k p_k \log p_k, \qquad p = \mathrm{softmax}(x)

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
    array, shape of ``logits`` without ``axis``
        Entropy in nats, from 0 to :math:`\log K`: float32 for float16, bfloat16 and float32 logits, float64
        for float64.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        An axis out of range or named twice, a mask that does not broadcast to the logits.

    See Also
    --------
    binary_entropy : of one yes-or-no question.
    cross_entropy_between : the cost of describing one distribution by another.

    Notes
    -----
    *Gradient*: :math:`\partial H / \partial x_i = -p_i (\log p_i + H)`, formed from differences of logits, so
    that nearly equal logits keep their digits.

    *Special values*: a logit of -inf contributes 0 and has gradient 0. Logits of +inf share the mass equally:
    log of their number, gradient 0. A row with no class has entropy 0 and gradient 0. A NaN makes its row
    NaN.

    Source: Shannon, C. E. (1948), A mathematical theory of communication.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.entropy(np.array([2.5, 1.0, -1.2])).round(4)
    np.float64(0.5629)
    """
    ...


def _entropy(xp: Any, x: Any) -> Any:
    rows = softmax_rows(xp, x)
    p = probabilities(rows)
    # A sum of non-negative terms. What is too far behind to have a probability may lie infinitely far.
    return xp.sum(p * xp.where(p == 0, 0.0, rows.log_total - rows.relative), axis=-1)


def _gradients(xp: Any, x: Any) -> tuple[Any]:
    rows = softmax_rows(xp, x)
    p = probabilities(rows)
    return (-p * centred(xp, rows, p, xp.where(p == 0, 0.0, rows.relative)),)


define(entropy, Divergence(_entropy, _gradients))
