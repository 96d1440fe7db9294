"""softcap: logits kept below a bound, smoothly."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT
from .._core.operation import define, operation
from .._core.rules import Elementwise
from .._math.sigmoid_core import decay


@operation
def softcap(logits: ArrayT, /, *, cap: float) -> ArrayT:
    r"""Logits squeezed into the interval from -cap to cap, small ones left nearly as they are.

    .. math:: c \tanh(x / c)

    with :math:`x` the ``logits`` and :math:`c` the ``cap``.

    Parameters
    ----------
    logits : array_like, any shape
        Floating; integers and booleans are promoted to the library's default float.
    cap : float
        The bound, finite and greater than 0; it has no default.

    Returns
    -------
    array, shape of ``logits``
        In the dtype of ``logits``. float16 and bfloat16 are computed in float32.

    Raises
    ------
    TypeError
        ``logits`` is no array of real numbers, ``cap`` is missing or no number.
    ValueError
        ``cap`` is not finite and greater than 0.

    See Also
    --------
    softmax : often takes logits that were capped, in attention as in the last layer.

    Notes
    -----
    *Gradient*: :math:`1 - \tanh^2(x/c)`, with all its digits where the cap is reached; second derivative
    :math:`-\frac{2}{c} \tanh(x/c)\,(1 - \tanh^2(x/c))`.

    *Special values*: cap at +inf, -cap at -inf, with gradient 0 at both. NaN gives NaN.

    Source: Bello, Pham, Le, Norouzi and Bengio (2016), Neural combinatorial optimization with reinforcement
    learning; Gemma Team (2024), Gemma 2.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.softcap(np.array([-100.0, 1.0, 25.0, 1000.0]), cap=30.0).round(4)
    array([-29.9237,   0.9996,  20.4616,  30.    ])
    """
    ...


def _tanh_slope(xp: Any, u: Any) -> Any:
    """1 - tanh² in two forms, each where neither it nor its derivative cancels."""
    near = xp.abs(u) < 0.75
    z = xp.square(decay(xp, u))
    return xp.where(near, 1.0 - xp.square(xp.tanh(xp.where(near, u, 0.0))), 4.0 * z / xp.square(1.0 + z))


def _softcap(xp: Any, x: Any, *, cap: Any) -> Any:
    u = x / cap
    capped = cap * xp.attach(xp.tanh, lambda v: (_tanh_slope(xp, v),), u)
    # Where u may underflow, x still says how large it is.
    small = xp.abs(u) < 2.0**-30
    return xp.where(small, xp.where(small, x, 0.0) * (1.0 - xp.square(xp.where(small, u, 0.0)) / 3.0), capped)


def _first(xp: Any, x: Any, *, cap: Any) -> Any:
    return _tanh_slope(xp, x / cap)


def _second(xp: Any, x: Any, *, cap: Any) -> Any:
    u = x / cap
    return -2.0 * xp.tanh(u) * _tanh_slope(xp, u) / cap


define(softcap, Elementwise(_softcap, first=_first, second=_second))
