"""cumulative_logsumexp: the logsumexp of every entry and all before it."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, SingleAxis
from .._core.operation import define, operation
from .._core.rules import RowMap
from .._math.scan import Running, pulled, pushed, running


@operation
def cumulative_logsumexp(x: ArrayT, /, *, axis: SingleAxis = -1, reverse: bool = False) -> ArrayT:
    r"""Logarithms of the cumulative sums of exponentials.

    .. math:: y_k = \log \sum_{j \le k} e^{x_j}

    with :math:`x` the entries along ``axis``.

    Parameters
    ----------
    x : array_like, shape (..., K, ...)
        Logarithms of the terms, in nats. Floating; integers and booleans are promoted to the library's
        default float.
    axis : int, default -1
        The axis to sum along.
    reverse : bool, default False
        Sum from the end: of each entry and all after it.

    Returns
    -------
    array, shape of ``x``
        In the dtype of ``x``. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        Entries that are no real numbers, an axis that is no int.
    ValueError
        An axis out of range.

    See Also
    --------
    logsumexp : the last of them alone.

    Notes
    -----
    *Gradient*: :math:`\partial y_k / \partial x_j = e^{x_j - y_k}` for :math:`j \le k`, 0 for the others, at
    any offset of ``x``.

    *Special values*: -inf with gradient 0 up to the first entry that is not -inf. From the first +inf on all
    is +inf, with the gradient shared equally among the +inf seen so far. From the first NaN on all is NaN,
    and so is the gradient of the whole row.

    Source: Hillis and Steele (1986), Data parallel algorithms, for the order of summation: the error grows
    with the logarithm of the number of entries.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.cumulative_logsumexp(np.array([-np.inf, 0.0, 0.0, 1.0])).round(3)
    array([ -inf, 0.   , 0.693, 1.551])
    >>> ul.cumulative_logsumexp(np.array([-40.0, 0.0]), reverse=True)
    array([4.24835426e-18, 0.00000000e+00])
    """
    ...


def _cumulative_logsumexp(xp: Any, x: Any, *, reverse: bool) -> Any:
    x = _turned(xp, x, reverse)
    state, infinite, seen = _states(xp, x)
    y = xp.where(state.m == -xp.inf, -xp.inf, state.m + state.above)
    # The value where +inf was seen: their mean, which moves with each of them.
    heads = xp.cumulative_sum(xp.where(infinite, x, 0.0), axis=-1) / xp.where(seen == 0, 1.0, seen)
    y = xp.where((seen > 0) & ~xp.isnan(y), heads, y)
    # A product, and a sum over all entries, so that the derivatives by all of them are NaN as well.
    spoilt = xp.any(xp.isnan(x), axis=-1, keepdims=True)
    void = xp.cumulative_sum(xp.where(spoilt, x, 0.0), axis=-1) * xp.nan
    return _turned(xp, xp.where(xp.isnan(y), void, y), reverse)


def _pushforward(xp: Any, x: Any, t: Any, *, reverse: bool) -> Any:
    x, t = _turned(xp, x, reverse), _turned(xp, t, reverse)
    state, infinite, seen = _states(xp, x)
    plain = pushed(xp, xp.where(infinite, -xp.inf, x), state, t)
    heads = xp.cumulative_sum(xp.where(infinite, t, 0.0), axis=-1) / xp.where(seen == 0, 1.0, seen)
    return _turned(xp, xp.where((seen > 0) & ~xp.isnan(state.above), heads, plain), reverse)


def _pullback(xp: Any, x: Any, g: Any, *, reverse: bool) -> Any:
    x, g = _turned(xp, x, reverse), _turned(xp, g, reverse)
    state, infinite, seen = _states(xp, x)
    plain = pulled(xp, xp.where(infinite, -xp.inf, x), state, xp.where(seen > 0, 0.0, g))
    heads = xp.where(seen > 0, g / xp.where(seen == 0, 1.0, seen), 0.0)
    heads = xp.flip(xp.cumulative_sum(xp.flip(heads, axis=-1), axis=-1), axis=-1)
    spoilt = xp.any(xp.isnan(x), axis=-1, keepdims=True)
    return _turned(xp, xp.where(spoilt, xp.nan, xp.where(infinite, heads, plain)), reverse)


def _states(xp: Any, x: Any) -> tuple[Running, Any, Any]:
    """The running logsumexps without the +inf, which entries are +inf, and how many came so far."""
    infinite = x == xp.inf
    seen = xp.cumulative_sum(xp.astype(infinite, x.dtype), axis=-1)
    return running(xp, xp.where(infinite, -xp.inf, x)), infinite, seen


def _turned(xp: Any, x: Any, reverse: bool) -> Any:
    return xp.flip(x, axis=-1) if reverse else x


define(
    cumulative_logsumexp,
    RowMap(_cumulative_logsumexp, pushforward=_pushforward, pullback=_pullback),
)
