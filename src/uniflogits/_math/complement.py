"""log(1 - p) of the classes of softmax rows, and its tangent: no complement is formed by subtraction.

A winner's 1 - p is the share of the others, which may be far below the smallest number: then its logarithm is
the others' logsumexp less the whole one, and its derivative is taken from there in any case.
"""

from __future__ import annotations

from typing import Any

from .softmax_core import Rows, centred, complement, probabilities, softmax_rows

# From here on the others' terms lose digits to underflow; their logsumexp is far enough below the whole one
# that nothing cancels, whatever their number.
_FAINT = 1e-20
# XLA's log1p of float64 loses digits between -0.42 and -0.36; from here on log(1 - p) is as good.
_LARGE = 0.34


def other_rows(xp: Any, x: Any, rows: Rows) -> Rows:
    """The core of each row without its winner."""
    return softmax_rows(xp, xp.where(rows.winner, -xp.inf, x))


def log_complement(xp: Any, x: Any, rows: Rows) -> Any:
    """log(1 - p) of every class; plain autodiff of it is exact.

    0 for classes without probability. -inf for a class that takes it all, because it is alone or +inf.
    """
    others = other_rows(xp, x, rows)
    exact = (others.largest - rows.largest) + (others.log_total - rows.log_total)
    # With many others these are a difference of large numbers; log of the share itself has their derivative.
    faint = rows.rest < _FAINT
    share = xp.stop_gradient(xp.where(faint, 1.0, complement(rows)))
    won = xp.where(faint, exact, xp.log(share) + (exact - xp.stop_gradient(exact)))
    won = xp.where(others.mass & ~rows.full, won, -xp.inf)
    p = xp.where(rows.winner, 0.0, probabilities(rows))
    large = p > _LARGE
    # 0 - p, which is not -0 for a class without probability.
    lost = xp.where(large, xp.log(xp.where(large, 1.0 - p, 1.0)), xp.log1p(xp.where(large, 0.0, 0.0 - p)))
    return xp.where(rows.winner, won, lost)


def odds(xp: Any, rows: Rows, p: Any) -> Any:
    """p / (1 - p) of every class but a winner, there 0."""
    p = xp.where(rows.winner, 0.0, p)
    return p / (1.0 - p)


def pushed_complement(xp: Any, x: Any, rows: Rows, t: Any) -> Any:
    """The tangent of `log_complement` along t: -p / (1 - p) · (t - Σ p·t).

    A winner's is -p · (t - Σ r·t), r the softmax of the others.
    """
    others, p = other_rows(xp, x, rows), probabilities(rows)
    t = xp.where(rows.live, t, 0.0)
    won = p * (t - xp.sum(probabilities(others) * t, axis=-1, keepdims=True))
    lost = odds(xp, rows, p) * centred(xp, rows, p, t)
    moves = ~rows.full & (others.mass | ~rows.winner)
    return xp.where(moves, -xp.where(rows.winner, won, lost), 0.0)


def pulled_complement(xp: Any, x: Any, rows: Rows, g: Any) -> Any:
    """The gradient of Σ g · `log_complement`."""
    others, p = other_rows(xp, x, rows), probabilities(rows)
    moves = rows.live & ~rows.full & (others.mass | ~rows.winner)
    g = xp.where(moves, g, 0.0)
    won = xp.sum(xp.where(rows.winner, p * g, 0.0), axis=-1, keepdims=True)
    lost = odds(xp, rows, p) * g
    return p * (xp.sum(lost, axis=-1, keepdims=True) - lost - g) + probabilities(others) * won
