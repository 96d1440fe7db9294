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


def sigmoid_slope(xp: Any, x: Any) -> Any:
    """σ(x)·σ(-x), an even function."""
    z = decay(xp, x)
    return z / xp.square(1.0 + z)


def softplus(xp: Any, x: Any, beta: Any = 1.0) -> Any:
    positive = xp.clip(x, 0.0, None) if xp.slope is None else xp.where(x > 0, x, 0.0)
    return positive + xp.log1p(decay(xp, beta * x)) / beta
