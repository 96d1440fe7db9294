"""logsumexp: the logarithm of a sum of numbers given by their logarithms."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, ElementWeights, Mask
from .._core.operation import define, operation
from .._core.rules import Reduction
from .._math.softmax_core import centred, probabilities, softmax_rows
from .._math.weighing import ones
from .._math.weighted_rows import WeightedRows, weighted_rows


@operation
def logsumexp(
    x: ArrayT,
    /,
    *,
    axis: Axis = -1,
    keepdims: bool = False,
    where: Mask = None,
    weights: ElementWeights = None,
    return_sign: bool = False,
) -> ArrayT:
    r"""Logarithm of the sum of exponentials.

    .. math:: \log \sum_k w_k\, e^{x_k}

    with :math:`x` the entries along ``axis`` and :math:`w` the ``weights`` (1 by default).

    Parameters
    ----------
    x : array_like, shape (..., K, ...)
        Logarithms of the terms, in nats. Floating; integers and booleans are promoted to the library's
        default float.
    axis : int, tuple of ints or None, default -1
        The axes to sum over; None means all.
    keepdims : bool, default False
        Keep the summed axes with size 1.
    where : array_like of bool, optional
        Where False, the entry does not exist. Broadcasts to the shape of ``x``.
    weights : array_like, optional
        Factors of the terms, of either sign (SciPy's ``b``). Broadcasts to the shape of ``x``. A weight of 0
        removes its entry.
    return_sign : bool, default False
        Return the logarithm of the sum's absolute value, and the sum's sign, as a pair.

    Returns
    -------
    array, shape of ``x`` without ``axis``
        In the dtype of ``x``. float16 and bfloat16 are computed in float32. With ``return_sign``, a pair of
        such arrays, the second holding -1, 0 or 1.

    Raises
    ------
    TypeError
        Arrays of two libraries, entries that are no real numbers, a mask that is not boolean.
    ValueError
        An axis out of range or named twice, a mask or weights that do not broadcast to ``x``.

    See Also
    --------
    log_softmax : each entry less the logsumexp.
    softplus : the logsumexp of x and 0.

    Notes
    -----
    *Gradient*: softmax of ``x``; with weights :math:`w_k e^{x_k} / \sum_j w_j e^{x_j}`. The
    second derivative keeps its digits where one entry dominates. The sign has no gradient.

    *Special values*: -inf with gradient 0 and sign 0 where nothing is summed (all -inf, nothing allowed, no
    entries). A +inf entry gives +inf, the gradient shared equally among such entries. With weights, a sum of
    0 gives -inf and sign 0, a negative sum NaN unless ``return_sign`` is set. A NaN makes its row NaN.

    Source: Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and softmax functions.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.logsumexp(np.array([0.0, -40.0]))
    np.float64(4.248354255291589e-18)
    >>> ul.logsumexp(np.array([1.0, 2.0]), weights=np.array([1.0, -1.0]), return_sign=True)
    (np.float64(1.5413248546129181), np.float64(-1.0))
    """
    ...


def _logsumexp(xp: Any, x: Any, *, weights: Any, return_sign: bool) -> Any:
    if weights is not None:
        weighted = weighted_rows(xp, x, weights)
        out, sign = weighted.logsumexp, weighted.sign
        if not return_sign:
            # A product, not a selection, so that the gradient is NaN as well.
            out = out * xp.where(sign < 0, xp.nan, ones(xp, sign))
    else:
        rows = softmax_rows(xp, x)
        out = rows.logsumexp
        sign = xp.where(rows.mass, xp.where(xp.isnan(out), out, 1.0), 0.0) if return_sign else None
    return (out[..., 0], xp.stop_gradient(sign)[..., 0]) if return_sign else out[..., 0]


def _gradient(xp: Any, x: Any, *, weights: Any, return_sign: bool) -> Any:
    if weights is None:
        return probabilities(softmax_rows(xp, x))
    return _share(xp, weighted_rows(xp, x, weights), return_sign)


def _curvature(xp: Any, x: Any, t: Any, *, weights: Any, return_sign: bool) -> Any:
    if weights is None:
        rows = softmax_rows(xp, x)
        share = probabilities(rows)
    else:
        rows = weighted_rows(xp, x, weights)
        share = _share(xp, rows, return_sign)
    return xp.where(rows.full, 0.0, share * centred(xp, rows, share, t))


def _share(xp: Any, rows: WeightedRows, return_sign: bool) -> Any:
    return rows.share if return_sign else xp.where(rows.sign < 0, xp.nan, rows.share)


define(logsumexp, Reduction(_logsumexp, gradient=_gradient, curvature=_curvature))
