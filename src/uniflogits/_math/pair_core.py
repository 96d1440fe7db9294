"""Two distributions over the same classes: both softmax cores, and log p - log q without cancellation.

Where p and q are nearly equal, log p - log q is much smaller than either. It is formed of the logits' own
differences by error-free subtraction, measured from the most probable class, and then centred so that the
probabilities of both sum to 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .log_core import difference
from .series import fall
from .softmax_core import Rows, mass_less, probabilities, softmax_rows


class Pair(NamedTuple):
    """Arrays of shape (..., K), and (..., 1) where it says "row"."""

    p_rows: Rows
    q_rows: Rows
    p: Any
    q: Any
    common: Any  # classes that both have
    ratio: Any  # log p - log q of the common classes, else 0; its derivative is left out
    trusted: Any  # row: to the last digits where the two are nearly equal
    invalid: Any  # row: there is a NaN in one of them


def pair_rows(xp: Any, a: Any, b: Any) -> Pair:
    """The core of logits (..., K) of p and q; a class that does not exist is -inf."""
    p_rows, q_rows = softmax_rows(xp, a), softmax_rows(xp, b)
    # What x - m lost to rounding. One probability may be off by that; the difference of two that are each far
    # behind a leader of its own must not, nor that of their logarithms: it is smaller than they are.
    p_lost, q_lost = (difference(xp, x, rows.largest)[1] for x, rows in ((a, p_rows), (b, q_rows)))
    p, q = probabilities(p_rows) * (1.0 + p_lost), probabilities(q_rows) * (1.0 + q_lost)
    common = p_rows.live & q_rows.live
    invalid = xp.isnan(p_rows.total + q_rows.total)
    fixed = [xp.stop_gradient(x) for x in (a, b, p, q, p_rows.relative, q_rows.relative)]
    centred, trusted = _centred(xp, p_rows, q_rows, common, *fixed)
    plain = _ratio(xp, p_rows, q_rows, p_lost - q_lost)
    # Both may lie infinitely far behind, where nothing depends on which is farther.
    plain = xp.where(xp.isnan(plain) & ~invalid, 0.0, plain)
    ratio = xp.where(common, xp.where(trusted, centred, plain), 0.0)
    return Pair(p_rows, q_rows, p, q, common, ratio, trusted, invalid)


def _ratio(xp: Any, p_rows: Rows, q_rows: Rows, rest: Any) -> Any:
    """log p - log q, a constant."""
    far = xp.stop_gradient(p_rows.relative) - xp.stop_gradient(q_rows.relative)
    totals = xp.stop_gradient(p_rows.log_total) - xp.stop_gradient(q_rows.log_total)
    return far + (rest - totals)


def _centred(
    xp: Any, p_rows: Rows, q_rows: Rows, common: Any, a: Any, b: Any, p: Any, q: Any, p_far: Any, q_far: Any
) -> tuple[Any, Any]:
    """log p - log q, and in which rows it is the better way to it."""
    # Logits of +inf share the mass, whatever the others are.
    a = xp.where(common & ~p_rows.full, a, 0.0)
    b = xp.where(common & ~q_rows.full, b, 0.0)
    high, low = difference(xp, a, b)
    leads = common & (p_far == _largest(xp, common, p_far))
    leads = leads & (high == (high_lead := _largest(xp, leads, high)))
    low_lead = _largest(xp, leads, low)
    moved, rounding = difference(xp, high, high_lead)
    delta = moved + (rounding + (low - low_lead))
    # q up to the factor that makes it p at the leading class; p e^-delta would lose its exponent's digits.
    scaled = _largest(xp, leads, p) * xp.exp(q_far - _largest(xp, leads, q_far))
    near = xp.abs(delta) <= 1
    excess = xp.where(near, -p * fall(xp, xp.where(near, delta, 0.0)), scaled - p)
    p_alone = xp.sum(xp.where(common, 0.0, p), axis=-1, keepdims=True)
    q_alone = xp.sum(xp.where(common, 0.0, q), axis=-1, keepdims=True)
    excess = xp.sum(xp.where(common, excess, 0.0), axis=-1, keepdims=True) - p_alone
    # Elsewhere the distributions differ by much, and a long way from the leading class would cost digits.
    trusted = (excess > -0.9375) & (excess < 8) & (p_alone < 0.5) & (q_alone < 0.5)
    shift = _log1p(xp, xp.where(trusted, excess, 0.0)) - _log1p(xp, -xp.where(trusted, q_alone, 0.0))
    return delta + shift, trusted


def _log1p(xp: Any, x: Any) -> Any:
    """log(1 + x); XLA's log1p of float64 is 100 ulp off around -0.4, where the plain logarithm is as good."""
    low = x < -0.25
    return xp.where(low, xp.log(xp.where(low, 1.0 + x, 1.0)), xp.log1p(xp.where(low, 0.0, x)))


def _largest(xp: Any, among: Any, x: Any) -> Any:
    return xp.max(xp.where(among, x, -xp.inf), axis=-1, keepdims=True)


def moving_ratio(xp: Any, pair: Pair, probability: Any) -> Any:
    """`ratio` with its derivatives, for sums weighed by this probability: 0 where that is 0."""
    ratio = xp.where(probability == 0, 0.0, pair.ratio)
    return ratio + (_move(xp, pair, pair.p_rows) - _move(xp, pair, pair.q_rows))


def mass_apart(xp: Any, pair: Pair) -> Any:
    """q·Σp - p; of the ratio where the two are nearly equal, as a far class has lost digits of either.

    Where that is not to be trusted, it has lost more of them: those of both logarithms.
    """
    plain = mass_less(xp, pair.q_rows, pair.q, pair.p)
    near = pair.common & pair.trusted & (xp.abs(pair.ratio) <= 1)
    close = -xp.stop_gradient(pair.p) * fall(xp, xp.where(near, pair.ratio, 0.0))
    # What is added is 0, with the derivatives of the plain difference.
    return xp.where(near, close + (plain - xp.stop_gradient(plain)), plain)


def _move(xp: Any, pair: Pair, rows: Rows) -> Any:
    """0, with the derivative of the log-probabilities."""
    logs = rows.relative - rows.log_total
    logs = xp.where(pair.common & xp.isfinite(logs), logs, 0.0)
    return logs - xp.stop_gradient(logs)


def lacking(xp: Any, p_rows: Rows, q_rows: Rows) -> Any:
    """row: whether q lacks a class that p has."""
    return xp.any(p_rows.live & ~q_rows.live, axis=-1, keepdims=True)


def settled(xp: Any, rows: Rows, invalid: Any, gradient: Any) -> Any:
    """A gradient by logits that count only through their probabilities, which +inf logits hold still."""
    return xp.where(invalid, xp.nan, xp.where(rows.full, 0.0, gradient))
