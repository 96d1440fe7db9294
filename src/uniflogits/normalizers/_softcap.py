"""softcap: logits kept below a bound, smoothly."""

from __future__ import annotations

from .._core.annotations import ArrayT
from .._core.operation import define, operation
from .._core.rules import Elementwise
from .._math import capping


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


define(softcap, Elementwise(capping.capped, first=capping.slope, second=capping.curve))
