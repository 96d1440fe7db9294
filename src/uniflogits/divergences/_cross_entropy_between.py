"""cross_entropy_between: the cost of describing one distribution by another."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask, Partner
from .._core.operation import define, operation
from .._core.rules import Divergence
from .._math.pair_core import lacking, mass_apart, pair_rows, settled
from .._math.products import product
from .._math.softmax_core import centred, probabilities, softmax_rows


@operation
def cross_entropy_between(
    p_logits: ArrayT, q_logits: Partner, /, *, axis: Axis = -1, where: Mask = None
) -> ArrayT:
    r"""Cross-entropy H(p, q) of two distributions over classes, both from their logits.

    .. math:: H(p, q) = -\sum_k p_k \log q_k

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
        Cross-entropy in nats, at least the entropy of :math:`p`: float32 for float16, bfloat16 and float32
        logits, float64 where one of the two is float64.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        Shapes that do not fit, an axis out of range or named twice, a mask that does not broadcast to the
        logits.

    See Also
    --------
    kl_divergence : what of it is more than the entropy of p.
    softmax_cross_entropy : the loss for labels that are no logits.
    entropy : H(p, p).

    Notes
    -----
    *Gradient*: :math:`\partial H / \partial q_i` (by the logits of q) :math:`= q_i \sum p - p_i`, by those of
    p :math:`-p_i (\log q_i + H)`, formed from differences of logits.

    *Special values*: a class that neither has contributes 0. Where p has a class, however improbable, that q
    lacks (-inf), the result is +inf, its gradient by p NaN and by q as ever. Logits of +inf share the mass
    equally. If p has no class at all, the result is 0; if only q has none, +inf, with gradient 0 by q. A NaN
    makes its row NaN.

    Source: Cover, T. M. and Thomas, J. A. (2006), Elements of information theory, 2nd edition.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.cross_entropy_between(np.array([2.5, 1.0, -1.2]), np.array([2.0, 1.5, -1.0])).round(4)
    np.float64(0.6534)
    """
    ...


def _cross_entropy(xp: Any, a: Any, b: Any) -> Any:
    p_rows, q_rows = softmax_rows(xp, a), softmax_rows(xp, b)
    costs = xp.where(q_rows.live, q_rows.log_total - q_rows.relative, 0.0)
    total = xp.sum(product(xp, probabilities(p_rows), costs), axis=-1)
    return xp.where(lacking(xp, p_rows, q_rows)[..., 0] & ~xp.isnan(total), xp.inf, total)


def _gradients(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    pair = pair_rows(xp, a, b)
    p, p_rows, q_rows = pair.p, pair.p_rows, pair.q_rows
    invalid = lacking(xp, p_rows, q_rows) | pair.invalid
    logs = xp.where(q_rows.live & (p != 0), q_rows.relative, 0.0)
    by_p = settled(xp, p_rows, invalid, -p * centred(xp, p_rows, p, logs))
    return by_p, xp.where(q_rows.mass, mass_apart(xp, pair), 0.0)


define(cross_entropy_between, Divergence(_cross_entropy, _gradients))
