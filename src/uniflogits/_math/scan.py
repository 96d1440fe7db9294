"""Running logsumexps by doubling: after each step an entry knows of twice as many before it.

A state is a pair (m, above) that stands for m + above, the logsumexp of what it knows of: m is their maximum,
held constant, or -inf where there is nothing; above lies between 0 and the log of their number. So the
difference of two states keeps its digits at any offset. Plain autodiff of joining two is exact, because the
derivatives by them are sigmoids of that difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .log_core import difference
from .sigmoid_core import decay

# Steps that are enough for any size that is not known beforehand.
_STEPS = 31


class Running(NamedTuple):
    """State of every entry with all before it."""

    m: Any
    above: Any


def steps(xp: Any, x: Any) -> Iterator[int]:
    """1, 2, 4, ... while smaller than the last dimension."""
    size = xp.dims(x)[-1]
    for power in range(_STEPS):
        if isinstance(size, int) and 2**power >= size:
            return
        yield 2**power


def running(xp: Any, x: Any) -> Running:
    """The running logsumexps of x, which holds no +inf; NaN reaches all after it."""
    m = xp.stop_gradient(x)
    state = Running(m, xp.where(m == -xp.inf, 0.0, x - m))
    for s in steps(xp, x):
        joined = _join(
            xp, Running(*(part[..., :-s] for part in state)), Running(*(part[..., s:] for part in state))
        )
        state = Running(
            *xp.barrier(
                *(xp.concat([old[..., :s], new], axis=-1) for old, new in zip(state, joined, strict=True))
            )
        )
    return state


def _join(xp: Any, a: Running, b: Running) -> Running:
    no_a, no_b = a.m == -xp.inf, b.m == -xp.inf
    d = ahead(xp, a, b)
    larger = d > 0
    m = xp.where(a.m > b.m, a.m, b.m)
    above = xp.where(larger, (a.m - m) + a.above, (b.m - m) + b.above) + xp.log1p(decay(xp, d))
    return Running(
        xp.where(no_a, b.m, xp.where(no_b, a.m, m)), xp.where(no_a, b.above, xp.where(no_b, a.above, above))
    )


def ahead(xp: Any, a: Running, b: Running) -> Any:
    """How far a is ahead of b; where one is nothing, any number."""
    nothing = (a.m == -xp.inf) | (b.m == -xp.inf)
    # Exponentials make relative errors of absolute ones, and these add up from state to state.
    d, lost = difference(xp, xp.where(nothing, 0.0, a.m), xp.where(nothing, 0.0, b.m))
    return d + (lost + (a.above - b.above))


def weights(xp: Any, state: Running, s: int) -> Any:
    """e^(y[k-s] - y[k]) for every k from s on, y the running logsumexps; 0 where y[k-s] is -inf."""
    before, after = Running(*(part[..., :-s] for part in state)), Running(*(part[..., s:] for part in state))
    return xp.where(before.m == -xp.inf, 0.0, xp.exp(ahead(xp, before, after)))


def own_weight(xp: Any, x: Any, state: Running) -> Any:
    """e^(x[k] - y[k])."""
    nothing = x == -xp.inf
    d, lost = difference(xp, xp.where(nothing, 0.0, x), xp.where(nothing, 0.0, state.m))
    return xp.where(nothing, 0.0, xp.exp(d + (lost - state.above)))


def pushed(xp: Any, x: Any, state: Running, t: Any) -> Any:
    """Σ over j <= k of e^(x[j] - y[k])·t[j]: the tangents of the running logsumexps."""
    total = own_weight(xp, x, state) * t
    for s in steps(xp, x):
        more = total[..., s:] + weights(xp, state, s) * total[..., :-s]
        (total,) = xp.barrier(xp.concat([total[..., :s], more], axis=-1))
    return total


def pulled(xp: Any, x: Any, state: Running, g: Any) -> Any:
    """Σ over k >= j of e^(x[j] - y[k])·g[k]: the gradient."""
    total = g
    for s in steps(xp, x):
        more = total[..., :-s] + weights(xp, state, s) * total[..., s:]
        (total,) = xp.barrier(xp.concat([more, total[..., -s:]], axis=-1))
    return own_weight(xp, x, state) * total
