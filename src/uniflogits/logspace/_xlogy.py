"""xlogy and xlog1py: a number times a logarithm, 0 where the number is 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .._core.annotations import ArrayT, Partner
from .._core.operation import define, operation
from .._core.rules import ElementwisePair
from .._math import log_core as core


@operation
def xlogy(x: ArrayT, y: Partner, /) -> ArrayT:
    r"""A number times a logarithm, 0 where the number is 0.

    .. math:: x \log y

    Parameters
    ----------
    x : array_like, any shape
        Floating; integers and booleans are promoted to the library's default float.
    y : array_like
        At least 0 where ``x`` is not 0. Broadcasts with ``x``.

    Returns
    -------
    array, shape of ``x`` and ``y`` together
        In the wider dtype of the two, float32 for float16 with bfloat16. float16 and bfloat16 are computed in
        float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, or of other things than real numbers.
    ValueError
        Shapes that do not broadcast.

    See Also
    --------
    xlog1py : with the logarithm of 1 + y.

    Notes
    -----
    *Gradient*: :math:`\log y` by ``x``, :math:`x / y` by ``y``.

    *Special values*: where ``x`` is 0 the result is 0, with gradient :math:`\log y` by ``x`` for ``y > 0``, 0
    for ``y <= 0``, and 0 by ``y``. Elsewhere ``y = 0`` gives an infinity, and ``y < 0`` NaN with NaN
    gradients. An infinite ``x`` times the logarithm of 1 is 0 with gradients 0. NaN in either gives NaN.

    Source: the entropies of information theory, where 0 log 0 = 0.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.xlogy(np.array([0.0, 0.0, 2.0]), np.array([0.0, -1.0, 3.0]))
    array([0.        , 0.        , 2.19722458])
    """
    ...


@operation
def xlog1py(x: ArrayT, y: Partner, /) -> ArrayT:
    r"""A number times the logarithm of 1 + y, 0 where the number is 0.

    .. math:: x \log(1 + y)

    Parameters
    ----------
    x : array_like, any shape
        Floating; integers and booleans are promoted to the library's default float.
    y : array_like
        At least -1 where ``x`` is not 0. Broadcasts with ``x``.

    Returns
    -------
    array, shape of ``x`` and ``y`` together
        In the wider dtype of the two, float32 for float16 with bfloat16. float16 and bfloat16 are computed in
        float32.

    Raises
    ------
    TypeError
        Arrays of two libraries, or of other things than real numbers.
    ValueError
        Shapes that do not broadcast.

    See Also
    --------
    xlogy : with the logarithm of y itself.

    Notes
    -----
    *Gradient*: :math:`\log(1 + y)` by ``x``, :math:`x / (1 + y)` by ``y``.

    *Special values*: where ``x`` is 0 the result is 0, with gradient :math:`\log(1 + y)` by ``x`` for ``y >
    -1``, 0 for ``y <= -1``, and 0 by ``y``. Elsewhere ``y = -1`` gives an infinity, and ``y < -1`` NaN with
    NaN gradients. An infinite ``x`` times the logarithm of 1 is 0 with gradients 0. NaN in either gives NaN.

    Source: the log-likelihoods of rare events, where 1 - p is close to 1.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.xlog1py(np.array([0.0, 2.0]), np.array([-1.0, 1e-20]))
    array([0.e+00, 2.e-20])
    """
    ...


class _Factors(NamedTuple):
    x: Any  # 0 where it is infinite and the logarithm 0
    y: Any  # 0 or 1, of logarithm 0, where only x = 0 makes the product 0; NaN outside of the domain
    log: Any
    skipped: Any  # where that is
    steep: Any  # where x is 0 and the logarithm +inf


def _factors(xp: Any, x: Any, y: Any, log: Callable[[Any, Any], Any], end: float) -> _Factors:
    """`end` is where the logarithm begins, and end + 1 where it is 0."""
    skipped = (x == 0) & (y <= end)
    y = core.within(xp, xp.where(skipped, end + 1.0, y), (x != x) | ((x != 0) & (y < end)))
    logarithm = log(xp, y)
    x = xp.where(xp.isinf(x) & (logarithm == 0), 0.0, x)
    return _Factors(x, y, logarithm, skipped, (x == 0) & (logarithm == xp.inf))


def _product(xp: Any, factors: _Factors) -> Any:
    x, steep = factors.x, factors.steep
    # The root is 0 with an infinite slope, as the product is there.
    root = xp.sqrt(core.within(xp, xp.where(steep, x, 1.0), x != x))
    return xp.where(steep, root, x * xp.where(steep, 0.0, factors.log))


def _slopes(factors: _Factors, argument: Any) -> tuple[Any, Any]:
    return factors.log, factors.x / argument


def _curves(xp: Any, factors: _Factors, argument: Any) -> tuple[Any, Any]:
    valid = ~xp.isnan(factors.log)
    nothing = xp.where(valid, 0.0, factors.log)
    return nothing, xp.where(factors.skipped, 0.0, 1.0 / argument)


def _log(xp: Any, y: Any) -> Any:
    return xp.log(y)


def _xlogy(xp: Any, x: Any, y: Any) -> Any:
    return _product(xp, _factors(xp, x, y, _log, 0.0))


def _xlogy_first(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    factors = _factors(xp, x, y, _log, 0.0)
    return _slopes(factors, factors.y)


def _xlogy_second(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    factors = _factors(xp, x, y, _log, 0.0)
    return _curves(xp, factors, factors.y)


def _xlog1py(xp: Any, x: Any, y: Any) -> Any:
    return _product(xp, _factors(xp, x, y, core.log1p, -1.0))


def _xlog1py_first(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    factors = _factors(xp, x, y, core.log1p, -1.0)
    return _slopes(factors, 1.0 + factors.y)


def _xlog1py_second(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    factors = _factors(xp, x, y, core.log1p, -1.0)
    return _curves(xp, factors, 1.0 + factors.y)


define(xlogy, ElementwisePair(_xlogy, first=_xlogy_first, second=_xlogy_second))
define(xlog1py, ElementwisePair(_xlog1py, first=_xlog1py_first, second=_xlog1py_second))
