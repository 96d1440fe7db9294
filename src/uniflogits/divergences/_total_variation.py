"""total_variation: the largest difference in probability that two distributions give to any event."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask, Partner
from .._core.operation import define, operation
from .._core.rules import Divergence
from .._math.pair_core import pair_rows, settled
from .._math.series import fall
from .._math.softmax_core import Rows, centred


@operation
def total_variation(p_logits: ArrayT, q_logits: Partner, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Total variation distance of two distributions over classes, both from their logits.

    .. math:: \mathrm{TV}(p, q) = \tfrac12 \sum_k |p_k - q_k|

    with :math:`p` and :math:`q` the softmax of ``p_logits`` and ``q_logits`` along ``axis``.

    Parameters
    ----------
    p_logits : array_like, shape (..., K, ...)
        Raw scores of the distribution :math:`p`. Floating; integers and booleans are promoted to the
        library's default float.
    q_logits : array_like
        Raw scores of the distribution :math:`q`, in the same shape. One of the two may lack leading
        dimensions and is then the same for all of the other's.
    axis : int, tuple of ints or None, default -1
        The axis of the classes. A tuple joins several axes into one, None all of them.
    where : array_like of bool, optional
        Where False, the class does not exist. Broadcasts to the shape of the logits.

    Returns
    -------
    array, shape of the logits without ``axis``
        Distance from 0 to 1: float32 for float16, bfloat16 and float32 logits, float64 where one of the two
        is float64.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        Shapes that do not fit, an axis out of range or named twice, a mask that does not broadcast to the
        logits.

    See Also
    --------
    js_divergence : smooth where p = q.
    kl_divergence : at least twice its square.

    Notes
    -----
    Nearly equal distributions keep all their digits: the sum is one of
    :math:`\max(p, q)\,(1 - e^{-|\delta|})` with :math:`\delta = \log p - \log q` formed by error-free
    subtraction.

    *Gradient*: :math:`\partial \mathrm{TV} / \partial x_i = \tfrac12 p_i (s_i - \sum_k p_k s_k)` with
    :math:`s = \operatorname{sign}(p - q)`, 0 where they are equal, and x the logits of p; by those of q with
    p and q exchanged.

    *Special values*: a logit of -inf is a probability of 0, with gradient 0. Logits of +inf share the mass
    equally, gradient 0. If only one of the two has any class, the result is :math:`\tfrac12`, if none has, 0;
    the gradient is 0. A NaN makes its row NaN.

    Source: Levin, D. A., Peres, Y. and Wilmer, E. L. (2009), Markov chains and mixing times, chapter 4.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.total_variation(np.array([2.5, 1.0, -1.2]), np.array([2.0, 1.5, -1.0])).round(4)
    np.float64(0.1976)
    """
    ...


def _total_variation(xp: Any, a: Any, b: Any) -> Any:
    pair = pair_rows(xp, a, b)
    larger = xp.where(pair.p > pair.q, pair.p, pair.q)
    x = xp.abs(pair.ratio)
    near = x <= 1
    part = xp.where(near, fall(xp, xp.where(near, x, 0.0)), 1.0 - xp.exp(-x))
    part = xp.where(pair.common, part, 1.0)
    total = 0.5 * xp.sum(larger * part, axis=-1)
    return xp.where(pair.invalid[..., 0], xp.nan, xp.where(total > 1, 1.0, total))


def _gradients(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    pair = pair_rows(xp, a, b)
    p_rows, q_rows = pair.p_rows, pair.q_rows
    sign = xp.sign(pair.ratio)
    by_p = _by_one(xp, p_rows, q_rows, pair.p, xp.where(pair.common, sign, 1.0))
    by_q = _by_one(xp, q_rows, p_rows, pair.q, xp.where(pair.common, -sign, 1.0))
    return settled(xp, p_rows, pair.invalid, by_p), settled(xp, q_rows, pair.invalid, by_q)


def _by_one(xp: Any, rows: Rows, others: Rows, p: Any, sign: Any) -> Any:
    return xp.where(others.mass, 0.5 * p * centred(xp, rows, p, sign), 0.0)


define(total_variation, Divergence(_total_variation, _gradients))
