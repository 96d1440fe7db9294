"""log_softmax: the logarithm of softmax, right where softmax itself rounds to 0 or 1."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, Axis, Mask
from .._core.operation import define, operation
from .._core.rules import RowMap
from .._math.softmax_core import centred, log_probabilities, mass_less, probabilities, softmax_rows


@operation
def log_softmax(logits: ArrayT, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
    r"""Logarithms of the classes' probabilities, from their logits.

    .. math:: \log p_k = x_k - \log \sum_j e^{x_j}

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
        Log-probabilities in nats, at most 0, in the dtype of ``logits``. float16 and bfloat16 are computed in
        float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, logits that are no real numbers, a mask that is not boolean.
    ValueError
        An axis out of range or named twice, a mask that does not broadcast to the logits.

    See Also
    --------
    softmax : the probabilities themselves.
    softmax_cross_entropy_with_integer_labels : the loss, in one step.

    Notes
    -----
    *Gradient*: :math:`\partial \log p_i / \partial x_j = \delta_{ij} - p_j`, with 1 - p of a
    leading class exact.

    *Special values*: the entry of a class that does not exist (a logit of -inf, or ``where`` False) is the
    constant -inf, with gradient 0. Logits of +inf share the mass equally: -log of their number, -inf
    elsewhere, gradient 0. A row with no class is all -inf, with gradient 0. A NaN makes its row NaN.

    Source: the largest term is kept out of the sum as in Blanchard, Higham and Higham (2021), Accurately
    computing the log-sum-exp and softmax functions.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.log_softmax(np.array([2.5, 1.0, -1.2])).round(3)
    array([-0.221, -1.721, -3.921])

    A confident row keeps its digits:

    >>> ul.log_softmax(np.array([0.0, -40.0]))
    array([-4.24835426e-18, -4.00000000e+01])
    """
    ...


def _log_softmax(xp: Any, x: Any) -> Any:
    return log_probabilities(xp, softmax_rows(xp, x))


def _pushforward(xp: Any, x: Any, t: Any) -> Any:
    rows = softmax_rows(xp, x)
    return xp.where(rows.live & ~rows.full, centred(xp, rows, probabilities(rows), t), 0.0)


def _pullback(xp: Any, x: Any, g: Any) -> Any:
    rows = softmax_rows(xp, x)
    g = xp.where(rows.live & ~rows.full, g, 0.0)
    return -mass_less(xp, rows, probabilities(rows), g)


define(log_softmax, RowMap(_log_softmax, pushforward=_pushforward, pullback=_pullback, masked=-float("inf")))
