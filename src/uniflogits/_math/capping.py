"""cap·tanh(x/cap), which keeps logits between -cap and cap, and its derivatives."""

from __future__ import annotations

from typing import Any

from .sigmoid_core import decay


def _tanh_slope(xp: Any, u: Any) -> Any:
    """1 - tanh² in two forms, each where neither it nor its derivative cancels."""
    near = xp.abs(u) < 0.75
    z = xp.square(decay(xp, u))
    return xp.where(near, 1.0 - xp.square(xp.tanh(xp.where(near, u, 0.0))), 4.0 * z / xp.square(1.0 + z))


def capped(xp: Any, x: Any, *, cap: Any) -> Any:
    u = x / cap
    bounded = cap * xp.attach(xp.tanh, lambda v: (_tanh_slope(xp, v),), u)
    # Where u may underflow, x still says how large it is.
    small = xp.abs(u) < 2.0**-30
    return xp.where(
        small, xp.where(small, x, 0.0) * (1.0 - xp.square(xp.where(small, u, 0.0)) / 3.0), bounded
    )


def slope(xp: Any, x: Any, *, cap: Any) -> Any:
    return _tanh_slope(xp, x / cap)


def curve(xp: Any, x: Any, *, cap: Any) -> Any:
    u = x / cap
    return -2.0 * xp.tanh(u) * _tanh_slope(xp, u) / cap
