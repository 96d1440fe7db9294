"""The logistic function and its relatives: no branch cancels, and plain autodiff of each is exact.

Where nothing is differentiated (`slope` is None) there are forms without a selection by sign, for which NumPy
and torch take many times as long as for an exponential.
"""

from __future__ import annotations

from typing import Any


def decay(xp: Any, x: Any) -> Any:
    """e^(-|x|), with derivatives that are right at 0 as well, where those of abs() are not."""
    if xp.slope is None:
        return xp.exp(-xp.abs(x))
    return xp.exp(xp.where(x > 0, -x, x))


def sigmoid(xp: Any, x: Any) -> Any:
    z = decay(xp, x)
    larger = xp.exp(xp.clip(x, None, 0.0)) if xp.slope is None else xp.where(x > 0, 1.0, z)
    return larger / (1.0 + z)


def odds(xp: Any, x: Any) -> tuple[Any, Any]:
    """Two numbers whose ratio is e^x, the larger of which is 1."""
    if xp.slope is None:
        return xp.exp(xp.clip(x, None, 0.0)), xp.exp(-xp.clip(x, 0.0, None))
    z, ahead = decay(xp, x), x > 0
    return xp.where(ahead, 1.0, z), xp.where(ahead, z, 1.0)


def both_sigmoids(xp: Any, x: Any) -> tuple[Any, Any]:
    """σ(x) and σ(-x)."""
    up, down = odds(xp, x)
    total = up + down
    return up / total, down / total


def sigmoid_slope(xp: Any, x: Any) -> Any:
    """σ(x)·σ(-x), an even function."""
    z = decay(xp, x)
    return z / xp.square(1.0 + z)


def softplus(xp: Any, x: Any, beta: Any = 1.0) -> Any:
    positive = xp.clip(x, 0.0, None) if xp.slope is None else xp.where(x > 0, x, 0.0)
    return positive + xp.log1p(decay(xp, beta * x)) / beta


def both_softpluses(xp: Any, x: Any) -> tuple[Any, Any]:
    """softplus(x) and softplus(-x)."""
    shared = xp.log1p(decay(xp, x))
    if xp.slope is None:
        return xp.clip(x, 0.0, None) + shared, xp.clip(-x, 0.0, None) + shared
    ahead = x > 0
    return xp.where(ahead, x, 0.0) + shared, xp.where(ahead, 0.0, -x) + shared
