"""The max-excluded softmax core, from which every normaliser, loss and divergence is made.

With m the largest logit, d = x - m and S = Σ e^d, the usual log(S) loses everything about the other classes
when one class is far ahead: S rounds to 1. Leaving the largest term out of the sum keeps it: log S =
log1p(S_o), 1 - p_max = S_o / S.

Plain autodiff of these expressions is exact to a few ulp in first and second order, because no step subtracts
nearly equal numbers: m is held constant, and where one class holds more than half of the mass (a *confident*
row, S < 2) its own logit enters through log1p(S_o · e^(m - x_w)) only.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Rows(NamedTuple):
    """What the core knows of each row: arrays of shape (..., K), and (..., 1) where it says "row"."""

    live: Any  # classes with probability mass; all of them in a row that holds a NaN
    winner: Any  # the class that holds more than half of the mass
    mass: Any  # row: whether there is any class
    full: Any  # row: whether a +inf logit takes all the mass
    largest: Any  # row: m, with the derivative of a winner's logit: logsumexp = largest + log_total
    relative: Any  # x - m, for a winner the constant 0: log p = relative - log_total
    log_total: Any  # row: log of the sum of e^relative
    logsumexp: Any  # row
    terms: Any  # e^relative
    rest: Any  # row: sum of the terms, a winner's left out
    total: Any  # row: sum of the terms, 1 in a row without mass


def softmax_rows(xp: Any, x: Any) -> Rows:
    """The core of logits (..., K); a class that does not exist is -inf."""
    m = largest(xp, x)
    full = m == xp.inf
    mass = m != -xp.inf
    ahead = full & (x == xp.inf)
    # A NaN has to reach every class of its row, so nothing is masked there.
    live = xp.where(full, ahead, (x != -xp.inf) | xp.isnan(m))
    m = xp.where(mass & ~full, m, 0.0)
    d = xp.where(live & ~ahead, x, m) - m
    terms = xp.where(live, xp.exp(d), 0.0)
    # S < 2 leaves room for one maximum only.
    confident = mass & (xp.stop_gradient(xp.sum(terms, axis=-1, keepdims=True)) < 2)
    winner = confident & live & (d == 0)
    # 0, with the derivative of the winner's logit.
    lead = xp.sum(xp.where(winner, d, 0.0), axis=-1, keepdims=True)
    behind = xp.exp(-lead)
    # Times the whole sum, not each term: autodiff would add those up once more for the winner's derivative.
    rest = xp.sum(xp.where(winner, 0.0, terms), axis=-1, keepdims=True) * behind
    terms = xp.where(winner, 1.0, terms * behind)
    excess = xp.where(confident, rest, xp.where(mass, rest - 1.0, 0.0))
    log_total = xp.log1p(excess)
    relative = xp.where(winner, 0.0, d - lead)
    # The gradient of a full row's logsumexp is p, though its value no longer moves.
    heads = xp.sum(xp.where(ahead, x, 0.0), axis=-1, keepdims=True) / xp.where(full & ~confident, rest, 1.0)
    top = m + lead
    lse = xp.where(full, heads, xp.where(mass, top + log_total, -xp.inf))
    return Rows(live, winner, mass, full, top, relative, log_total, lse, terms, rest, 1.0 + excess)


def largest(xp: Any, x: Any) -> Any:
    """Each row's largest logit, (..., 1), a constant."""
    return xp.stop_gradient(xp.max(x, axis=-1, keepdims=True))


def shares(xp: Any, x: Any, m: Any) -> Any:
    """e^(x - m), at most 1, in the fewest steps, where m is each row's largest logit.

    +inf shares the mass equally: halved, every finite logit is far below the largest number, and no selection
    among the classes is needed. In a row without mass nothing is subtracted from -inf.
    """
    full = m == xp.inf
    base = xp.where(full, float(xp.finfo(x.dtype).max), xp.where(m == -xp.inf, 0.0, m))
    factor = 1.0 - 0.5 * xp.astype(full, x.dtype)
    return xp.exp(xp.minimum(x * factor - base, 0.0))


def log_probabilities(xp: Any, rows: Rows) -> Any:
    return xp.where(rows.live, rows.relative - rows.log_total, -xp.inf)


def probabilities(rows: Rows) -> Any:
    return rows.terms / rows.total


def complement(rows: Rows) -> Any:
    """1 - p of a winner, without subtraction."""
    return rows.rest / rows.total


def centred(xp: Any, rows: Any, p: Any, t: Any) -> Any:
    """t - Σ p·t, with 1 - p of a winner taken whole so that its own entry does not cancel.

    Nor does it where reverse mode takes this the other way round, whatever a compiler computes twice.
    """
    t = xp.where(rows.live, t, 0.0)
    moved = p * t
    lost = xp.sum(xp.where(rows.winner, 0.0, moved), axis=-1, keepdims=True)
    won = xp.sum(xp.where(rows.winner, moved, 0.0), axis=-1, keepdims=True)
    return xp.where(rows.winner, t * complement(rows) - lost, t - (won + lost))


def mass_less(xp: Any, rows: Rows, p: Any, g: Any) -> Any:
    """p·Σg - g, with 1 - p of a winner taken whole."""
    won = xp.where(rows.winner, g, 0.0)
    lost = xp.sum(g - won, axis=-1, keepdims=True)
    return xp.where(
        rows.winner, p * lost - g * complement(rows), p * (lost + xp.sum(won, axis=-1, keepdims=True)) - g
    )
