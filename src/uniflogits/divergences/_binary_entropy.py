"""binary_entropy: how uncertain the answer to a yes-or-no question is."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT
from .._core.operation import define, operation
from .._core.rules import Elementwise
from .._math.sigmoid_core import decay, sigmoid_slope


@operation
def binary_entropy(logits: ArrayT, /) -> ArrayT:
    r"""Entropy of a yes-or-no question, from the logit of yes.

    .. math:: -p \log p - (1 - p) \log(1 - p), \qquad p = \sigma(x)

    with :math:`x` the ``logits``.

    Parameters
    ----------
    logits : array_like, any shape
        Log-odds in nats, each a distribution of its own. Floating; integers and booleans are promoted to the
        library's default float.

    Returns
    -------
    array, shape of ``logits``
        Entropies in nats, between 0 and log 2: float32 for float16, bfloat16 and float32 logits, float64 for
        float64.

    Raises
    ------
    TypeError
        ``logits`` is no array of real numbers.

    See Also
    --------
    binary_kl_divergence : how far two such distributions are apart.
    sigmoid : the probability of yes.

    Notes
    -----
    *Gradient*: :math:`-x\,\sigma(x)\,\sigma(-x)`; second derivative :math:`\sigma(x)\,\sigma(-x)\,(x
    \tanh\tfrac{x}{2} - 1)`.

    *Special values*: 0 at -inf and at +inf, with gradient 0. NaN gives NaN.

    Source: Shannon, C. E. (1948), A mathematical theory of communication; as :math:`\log(1 + z) + |x|\,
    \sigma(-|x|)` with :math:`z = e^{-|x|}`, in which nothing cancels.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.binary_entropy(np.array([-20.0, 0.0, 1.0, 20.0]))
    array([4.32842615e-08, 6.93147181e-01, 5.82203109e-01, 4.32842615e-08])
    """
    ...


def _entropy(xp: Any, x: Any) -> Any:
    # Plain autodiff cancels around 0.
    return xp.attach(lambda v: _value(xp, v), lambda v: (_first(xp, v),), x)


def _finite(xp: Any, x: Any) -> Any:
    """Infinite logits meet factors of 0 only."""
    return xp.where(xp.isinf(x), 0.0, x)


def _value(xp: Any, x: Any) -> Any:
    z = decay(xp, x)
    return xp.log1p(z) + xp.abs(_finite(xp, x)) * (z / (1.0 + z))


def _first(xp: Any, x: Any) -> Any:
    return -_finite(xp, x) * sigmoid_slope(xp, x)


def _second(xp: Any, x: Any) -> Any:
    return sigmoid_slope(xp, x) * (_finite(xp, x) * xp.tanh(0.5 * x) - 1.0)


define(binary_entropy, Elementwise(_entropy, first=_first, second=_second))
