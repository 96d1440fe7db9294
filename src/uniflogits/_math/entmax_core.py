"""Sparse probabilities: the α-entmax family, of which softmax (α = 1) and sparsemax (α = 2) are members.

With c = (α - 1)·(max x - x) and q = 1 / (α - 1) the probabilities are p = max(T - c, 0)^q, T such that they
sum to 1. It is found by a number of Newton steps that depends on the number of classes only, on constants: no
derivative is taken through them. Derivatives come from p itself. Along h, with s = p^(2-α) on the support
(p > 0), ω = s / Σs and y = s·(h - Σω·h),

    p(x + h) = p + y + (1 - α/2)·(y²/p - ω·Σy²/p) + O(h³)

which the formula adds with h = x - stop(x), a zero: its plain autodiff is exact in first and second order.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

# Beyond this α only the number of ties at the maximum counts, and float32 holds numbers not much larger.
_LARGEST = 1e30
# From here on powers are taken by way of logarithms.
_LARGE_POWER = 4


class _Slopes(NamedTuple):
    """What the Jacobian of a row is made of; constants."""

    live: Any  # the support
    safe: Any  # p, and 1 outside of the support
    slope: Any  # s = p^(2-α)
    share: Any  # ω = s / Σs
    winner: Any  # the class whose share is more than half


def entmax(xp: Any, x: Any, *, alpha: float) -> Any:
    """Probabilities of logits (..., K) for α > 1; a class that does not exist is -inf."""
    alpha, fixed = min(alpha, _LARGEST), xp.stop_gradient(x)
    p, moving = _probabilities(xp, fixed, alpha)
    if fixed is x:  # a library without autodiff
        return p
    rows = _slopes(xp, p, moving, alpha)
    x = xp.where(rows.live, x, 0.0)
    y = _along(xp, rows, x - xp.stop_gradient(x))
    # 0 at α = 2, and still there: some libraries refuse to differentiate the gradient of a linear map.
    bend = y / rows.safe * y
    return p + (y + (1.0 - 0.5 * alpha) * (bend - rows.share * xp.sum(bend, axis=-1, keepdims=True)))


def entmax_product(xp: Any, x: Any, t: Any, *, alpha: float) -> Any:
    """The Jacobian, which is symmetric, times t."""
    alpha = min(alpha, _LARGEST)
    p, moving = _probabilities(xp, x, alpha)
    return _along(xp, _slopes(xp, p, moving, alpha), t)


def _probabilities(xp: Any, x: Any, alpha: float) -> tuple[Any, Any]:
    """p, and in which rows it moves with the logits."""
    m = xp.max(x, axis=-1, keepdims=True)
    full, mass = m == xp.inf, m != -xp.inf
    distance = xp.where(mass & ~full, m, 0.0) - xp.where(mass, x, 0.0)
    # A NaN has to reach every class of its row; +inf logits share the mass equally.
    distance = xp.where(full & (x == xp.inf), 0.0, xp.where(full, xp.inf, distance))
    solve = _by_threshold if alpha <= 2 else _by_smallest
    p = solve(xp, (alpha - 1.0) * distance, alpha)
    return xp.where(mass, p, 0.0), mass & ~full


def _steps(xp: Any, x: Any, growth: float) -> int:
    """4 Newton steps and `growth` more for every factor of e in the number of classes.

    A step from outside removes a share of the classes that are too many; only the last few steps converge.
    """
    classes = xp.dims(x)[-1]
    return 4 + math.ceil(growth * math.log(classes if isinstance(classes, int) else 1_000_000))


def _by_threshold(xp: Any, c: Any, alpha: float) -> Any:
    """1 < α <= 2, where q >= 1: the q-norm of max(T - c, 0) is convex in T, so Newton from T = 1 descends.

    With e = (1 - c/T)^q and E = Σe the norm is T·E^(α-1), its slope Σ(e/E)^(2-α), and p = e·T^q = e/E. The
    last step corrects p instead of T, which has no digits left for it.
    """
    threshold: Any = 1.0
    for _ in range(_steps(xp, c, alpha - 1.0)):
        terms, slopes = _terms(xp, c / threshold, alpha)
        threshold = threshold + _missing(xp, threshold, terms, slopes, alpha)
    relative, q = c / threshold, 1.0 / (alpha - 1.0)
    terms, slopes = _terms(xp, relative, alpha)
    if q < _LARGE_POWER:
        # The errors of many terms near 0 add up in their sum: by ω no class gets more than its part of them.
        p = terms * threshold**q
        excess = xp.sum(p, axis=-1, keepdims=True) - 1.0
        p = p - slopes * (excess / xp.sum(slopes, axis=-1, keepdims=True))
        return xp.where(p < 0, 0.0, p)
    # T^q would multiply the rounding of T by q.
    more = _missing(xp, threshold, terms, slopes, alpha) / threshold * q
    terms = terms + slopes * xp.where(relative >= 1, 0.0, relative) * more
    terms = xp.where(terms < 0, 0.0, terms)
    return terms / xp.sum(terms, axis=-1, keepdims=True)


def _missing(xp: Any, threshold: Any, terms: Any, slopes: Any, alpha: float) -> Any:
    total = xp.sum(terms, axis=-1, keepdims=True)
    slope = xp.sum(slopes, axis=-1, keepdims=True) * total ** (alpha - 2.0)
    return (1.0 - threshold * total ** (alpha - 1.0)) / slope


def _terms(xp: Any, relative: Any, alpha: float) -> tuple[Any, Any]:
    """e = (1 - relative)^q and e^(2-α) = (1 - relative)^(q-1), both 0 where the base is not positive."""
    out = relative >= 1
    relative = xp.where(out, 0.0, relative)
    base, q = 1.0 - relative, 1.0 / (alpha - 1.0)
    if q == 1:
        slopes = base * 0.0 + 1.0
    elif q == 2:
        slopes = base
    elif q < _LARGE_POWER:
        slopes = base ** (q - 1.0)
    else:
        # 1 - relative has no digits for what a large q makes of it; log1p is poor near -0.4 on XLA's CPUs.
        log = xp.where(relative < 0.34, xp.log1p(-relative), xp.log(base))
        slopes = xp.exp((q - 1.0) * log)
    slopes = xp.where(out, 0.0, slopes)
    return slopes * base, slopes


def _by_smallest(xp: Any, c: Any, alpha: float) -> Any:
    """α > 2, where q < 1: T - c of a small p has no digits, so the smallest p itself is the unknown, w.

    With g = (c of the support's last - c)^q the others are p = (w^(α-1) + g^(α-1))^q: a norm, so that Σp is
    convex in w, and Newton descends from (1 - Σg) / (how many are last).
    """
    q = 1.0 / (alpha - 1.0)
    c = xp.where(c > 2, 2.0, c)
    last = _last_of_support(xp, c, q)
    inside = c <= last
    others = _ahead(xp, c, last, q)
    ties = xp.sum(xp.where(inside & (others == 0), 1.0, 0.0 * c), axis=-1, keepdims=True)
    w = (1.0 - xp.sum(others, axis=-1, keepdims=True)) / ties
    for _ in range(_steps(xp, c, 0.5)):
        p = _joined(xp, w, others, inside, alpha, q)
        slopes = xp.where(inside, (w / xp.where(inside, p, 1.0)) ** (alpha - 2.0), 0.0)
        change = (1.0 - xp.sum(p, axis=-1, keepdims=True)) / xp.sum(slopes, axis=-1, keepdims=True)
        w = w + change
        w = xp.where(w < 0, 0.0, w)
    p = _joined(xp, w, others, inside, alpha, q)
    return p / xp.sum(p, axis=-1, keepdims=True)


def _joined(xp: Any, w: Any, others: Any, inside: Any, alpha: float, q: float) -> Any:
    """(w^(α-1) + others^(α-1))^q on the support; neither power is formed, they underflow."""
    larger = xp.where(others > w, others, w)
    ratio = xp.where(others > w, w, others) / xp.where(larger == 0, 1.0, larger)
    joined = larger * xp.exp(q * xp.log1p(ratio ** (alpha - 1.0)))
    return xp.where(inside, joined, 0.0)


def _ahead(xp: Any, c: Any, last: Any, q: float) -> Any:
    """(last - c)^q where that is positive, else 0."""
    ahead = c < last
    return xp.where(ahead, xp.where(ahead, last - c, 1.0) ** q, 0.0)


def _last_of_support(xp: Any, c: Any, q: float) -> Any:
    """The largest c whose class has a part of the mass: Σ(c_k - c)^q < 1, found by halving the sorted row."""
    classes = xp.dims(c)[-1]
    order = xp.sort(c, axis=-1)
    indices = xp.class_indices(c, c.dtype)
    low = xp.sum(0.0 * c, axis=-1, keepdims=True)
    high = low + (classes - 1 if isinstance(classes, int) else xp.max(indices))
    for _ in range(math.ceil(math.log2(classes)) if isinstance(classes, int) else 20):
        middle = xp.floor(0.5 * (low + high + 1.0))
        candidate = xp.sum(xp.where(indices == middle, order, 0.0), axis=-1, keepdims=True)
        fits = xp.sum(_ahead(xp, c, candidate, q), axis=-1, keepdims=True) < 1
        low, high = xp.where(fits, middle, low), xp.where(fits, high, middle - 1.0)
    return xp.sum(xp.where(indices == low, order, 0.0), axis=-1, keepdims=True)


def _slopes(xp: Any, p: Any, moving: Any, alpha: float) -> _Slopes:
    live = moving & (p != 0)
    safe = xp.where(live, p, 1.0)
    # Relative to the largest slope, so that the shares are right where slopes are beyond the range.
    steepest = (
        xp.max(xp.where(live, p, 0.0), axis=-1, keepdims=True)
        if alpha <= 2
        else xp.min(safe, axis=-1, keepdims=True)
    )
    steepest = xp.where(steepest == 0, 1.0, steepest)
    weight = xp.where(live, _power(safe / steepest, 2.0 - alpha), 0.0)
    total = xp.sum(weight, axis=-1, keepdims=True)
    share = weight / xp.where(total == 0, 1.0, total)
    if alpha > 2:
        # At 0·inf a NaN would come of slopes beyond the range, also where they are of no consequence.
        floor = (0.1 * float(xp.finfo(p.dtype).max)) ** (-1.0 / (alpha - 2.0))
        slope = _power(xp.where(safe < floor, floor, safe), 2.0 - alpha)
    else:
        slope = _power(safe, 2.0 - alpha)
    return _Slopes(live, safe, xp.where(live, slope, 0.0), share, live & (share > 0.5))


def _power(x: Any, exponent: float) -> Any:
    """x^exponent; NaN to the power of 0 is NaN."""
    return 1.0 + 0.0 * x if exponent == 0 else x**exponent


def _along(xp: Any, rows: _Slopes, t: Any) -> Any:
    """s·(t - Σω·t), measured from the winner's t so that its own entry does not cancel."""
    t = xp.where(rows.live, t, 0.0)
    t = t - xp.sum(xp.where(rows.winner, t, 0.0), axis=-1, keepdims=True)
    mean = xp.sum(rows.share * t, axis=-1, keepdims=True)
    lost = xp.sum(rows.slope * t, axis=-1, keepdims=True)
    return xp.where(rows.winner, -rows.share * lost, rows.slope * (t - mean))
