"""logaddexp and logsubexp: sum and difference of two numbers that are given by their logarithms."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._core.annotations import ArrayT, Partner
from .._core.operation import define, operation
from .._core.rules import ElementwisePair
from .._math import log_core as core


@operation
def logaddexp(a: ArrayT, b: Partner, /) -> ArrayT:
    r"""Logarithm of the sum of two exponentials.

    .. math:: \log(e^a + e^b)

    Parameters
    ----------
    a : array_like, any shape
        Logarithm of a term, in nats. Floating; integers and booleans are promoted to the library's default
        float.
    b : array_like
        Logarithm of the other term. Broadcasts with ``a``.

    Returns
    -------
    array, shape of ``a`` and ``b`` together
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
    logsumexp : the same of any number of terms along an axis.
    logsubexp : the difference.

    Notes
    -----
    *Gradient*: :math:`\sigma(a - b)` by ``a`` and :math:`\sigma(b - a)` by ``b``, each with all its digits.

    *Special values*: -inf adds nothing; where both are -inf the result is -inf with gradient 0. +inf gives
    +inf; where both are, they share the gradient equally. NaN gives NaN.

    Source: Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and softmax functions.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.logaddexp(np.array([0.0, 0.0, 1000.0]), np.array([0.0, -40.0, 1000.0]))
    array([6.93147181e-01, 4.24835426e-18, 1.00069315e+03])
    """
    ...


class _Terms(NamedTuple):
    ahead: Any  # whether a is the larger one, or equal
    alike: Any  # whether both are the same infinity
    larger: Any  # 0 where they are
    odds: Any  # of the smaller term against the larger


def _terms(xp: Any, a: Any, b: Any) -> _Terms:
    ahead = a >= b
    alike = xp.isinf(a) & (a == b)
    larger = xp.where(alike, 0.0, xp.where(ahead, a, b))
    smaller = xp.where(alike, 0.0, xp.where(ahead, b, a))
    d, rest = core.difference(xp, smaller, larger)
    return _Terms(ahead, alike, larger, core.exp_of(xp, d, rest))


def _logaddexp(xp: Any, a: Any, b: Any) -> Any:
    terms = _terms(xp, a, b)
    # The mean of the two shares the gradient.
    both = xp.where(a > 0, 0.5 * (a + b), -xp.inf)
    return xp.where(terms.alike, both, terms.larger + xp.log1p(terms.odds))


def _logaddexp_first(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    ahead, alike, _, odds = _terms(xp, a, b)
    empty = alike & (a < 0)
    of_larger, of_smaller = 1.0 / (1.0 + odds), odds / (1.0 + odds)
    by_a, by_b = xp.where(ahead, of_larger, of_smaller), xp.where(ahead, of_smaller, of_larger)
    return xp.where(empty, 0.0, by_a), xp.where(empty, 0.0, by_b)


def _logaddexp_second(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    _, alike, _, odds = _terms(xp, a, b)
    curve = xp.where(alike, 0.0, odds / xp.square(1.0 + odds))
    return curve, -curve


define(logaddexp, ElementwisePair(_logaddexp, first=_logaddexp_first, second=_logaddexp_second))


@operation
def logsubexp(a: ArrayT, b: Partner, /) -> ArrayT:
    r"""Logarithm of the difference of two exponentials.

    .. math:: \log(e^a - e^b)

    Parameters
    ----------
    a : array_like, any shape
        Logarithm of the number that is subtracted from, in nats; at least ``b``. Floating; integers and
        booleans are promoted to the library's default float.
    b : array_like
        Logarithm of the number to subtract. Broadcasts with ``a``.

    Returns
    -------
    array, shape of ``a`` and ``b`` together
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
    logaddexp : the sum.
    log1mexp : ``logsubexp(0, -x)``.
    logsumexp : with weights of both signs, differences of many terms.

    Notes
    -----
    *Gradient*: with :math:`d = a - b`, :math:`1 / (1 - e^{-d})` by ``a`` and :math:`-1 / (e^d - 1)` by ``b``.

    *Special values*: where ``a < b`` NaN, its gradients too. Equal numbers give -inf with gradients +inf and
    -inf, two -inf give -inf with gradients 0, two +inf NaN. Subtracting -inf changes nothing, and +inf less
    anything smaller is +inf. NaN gives NaN.

    Source: Maechler, M. (2012), Accurately computing log(1 - exp(-a)).

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.logsubexp(np.array([0.0, 1000.0]), np.array([-40.0, 999.0]))
    array([-4.24835426e-18,  9.99541325e+02])
    """
    ...


class _Gap(NamedTuple):
    nothing: Any  # whether both numbers are 0, their logarithms -inf
    upper: Any  # a, or 0 where they are
    gap: Any  # a - b, or 1 where they are
    rest: Any  # what the gap lost to rounding


def _gap(xp: Any, a: Any, b: Any) -> _Gap:
    nothing = (a == b) & (a == -xp.inf)
    upper = xp.where(nothing, 0.0, a)
    return _Gap(nothing, upper, *core.difference(xp, upper, xp.where(nothing, -1.0, b)))


def _logsubexp(xp: Any, a: Any, b: Any) -> Any:
    nothing, upper, gap, rest = _gap(xp, a, b)
    return xp.where(nothing, -xp.inf, upper + core.log1mexp(xp, gap, rest))


def _logsubexp_first(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    nothing, _, gap, rest = _gap(xp, a, b)
    slope = core.log1mexp_slope(xp, gap, rest)
    return xp.where(nothing, 0.0, 1.0 + slope), xp.where(nothing, 0.0, -slope)


def _logsubexp_second(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    nothing, _, gap, rest = _gap(xp, a, b)
    curve = xp.where(nothing, 0.0, core.log1mexp_curve(xp, gap, rest))
    return curve, -curve


define(logsubexp, ElementwisePair(_logsubexp, first=_logsubexp_first, second=_logsubexp_second))
