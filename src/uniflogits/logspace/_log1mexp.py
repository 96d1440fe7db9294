"""log1mexp: the logarithm of a complement whose own logarithm is known."""

from __future__ import annotations

from .._core.annotations import ArrayT
from .._core.operation import define, operation
from .._core.rules import Elementwise
from .._math import log_core as core


@operation
def log1mexp(x: ArrayT, /) -> ArrayT:
    r"""Logarithm of 1 less a decaying exponential.

    .. math:: \log(1 - e^{-x})

    If ``-x`` is the logarithm of a probability, this is the logarithm of the opposite's probability.

    Parameters
    ----------
    x : array_like, any shape
        At least 0. Floating; integers and booleans are promoted to the library's default float.

    Returns
    -------
    array, shape of ``x``
        At most 0, in the dtype of ``x``. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        ``x`` is no array of real numbers.

    See Also
    --------
    logsubexp : ``a + log1mexp(a - b)``.
    softplus : the sum's counterpart; ``softplus(-x)`` is :math:`\log(1 + e^{-x})`.

    Notes
    -----
    The sign of ``x`` is that of ``jax.nn.log1mexp``; some libraries call :math:`\log(1 - e^x)` by this name.

    *Gradient*: :math:`1 / (e^x - 1)`; second derivative :math:`-1 / (4 \sinh^2(x/2))`.

    *Special values*: -inf at 0 with gradient +inf, 0 at +inf with gradient 0. NaN, its gradient too, below 0
    and at NaN.

    Source: Maechler, M. (2012), Accurately computing log(1 - exp(-a)).

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.log1mexp(np.array([1e-9, 1.0, 50.0]))
    array([-2.07232658e+01, -4.58675145e-01, -1.92874985e-22])
    """
    ...


define(log1mexp, Elementwise(core.log1mexp, first=core.log1mexp_slope, second=core.log1mexp_curve))
