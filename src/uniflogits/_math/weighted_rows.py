"""logsumexp with weights of either sign: the max-excluded core, formed of w·e^x, not e^(x + log w)."""

from __future__ import annotations

from typing import Any, NamedTuple


class WeightedRows(NamedTuple):
    """As `softmax_core.Rows`: arrays (..., K), and (..., 1) where it says "row"."""

    live: Any  # entries that count
    winner: Any  # the entry that outweighs all others together
    full: Any  # row: a +inf entry takes all
    share: Any  # each entry's part of the sum: the gradient of its logarithm
    logsumexp: Any  # row: log |Σ w·e^x|
    sign: Any  # row: the sign of the sum, 0 where that is 0
    rest: Any  # row: sum of the terms, a winner's left out
    total: Any  # row: sum of the terms, 1 in a row without mass


def weighted_rows(xp: Any, x: Any, w: Any) -> WeightedRows:
    """The core of entries and weights (..., K); a weight of 0 removes its entry, whatever that holds."""
    counts = w != 0
    x, w = xp.where(counts, x, -xp.inf), xp.where(counts, w, 1.0)
    size = xp.abs(w)
    leads, m, lead_size = _leaders(xp, xp.stop_gradient(x), xp.stop_gradient(size))
    full, mass = m == xp.inf, m != -xp.inf
    ahead = full & (x == xp.inf)
    live = xp.where(full, ahead, (x != -xp.inf) | xp.isnan(m))
    m = xp.where(mass & ~full, m, 0.0)
    d = xp.where(live & ~ahead, x, m) - m
    # Half of the exponent goes to either factor, because w may be as small as e^d is large.
    half = xp.exp(0.5 * d)
    terms = xp.where(live, (size * half) * (half / lead_size), 0.0)
    terms = xp.where(w < 0, -terms, terms)
    leads = leads & live
    others = xp.stop_gradient(xp.sum(xp.where(leads, 0.0, terms), axis=-1, keepdims=True))
    alone = xp.sum(xp.astype(leads, x.dtype), axis=-1, keepdims=True) == 1
    confident = mass & alone & (xp.abs(others) < 1)
    winner = confident & leads
    # 0, with the derivative of the winner's entry and weight.
    log_size = xp.log(xp.where(winner, size, 1.0))
    lead = xp.where(winner, d + (log_size - xp.stop_gradient(log_size)), 0.0)
    lead = xp.sum(lead, axis=-1, keepdims=True)
    lead_sign = xp.sign(xp.sum(xp.where(winner, xp.stop_gradient(w), 0.0), axis=-1, keepdims=True))
    terms = xp.where(winner, lead_sign, terms * xp.exp(-lead))
    rest = xp.sum(xp.where(winner, 0.0, terms), axis=-1, keepdims=True)
    total = xp.where(confident, lead_sign + rest, xp.where(mass, rest, 1.0))
    log_total = xp.where(
        confident, xp.log1p(xp.where(confident, lead_sign * rest, 0.0)), xp.log(xp.abs(total))
    )
    share = terms / total
    heads = xp.sum(xp.where(ahead, xp.stop_gradient(share) * x, 0.0), axis=-1, keepdims=True)
    lse = xp.where(mass, m + xp.log(lead_size) + lead + log_total, -xp.inf)
    lse = xp.where(full, heads, lse)
    return WeightedRows(live, winner, full, share, lse, xp.where(mass, xp.sign(total), 0.0), rest, total)


def _leaders(xp: Any, x: Any, size: Any) -> tuple[Any, Any, Any]:
    """The entries with the largest term, their exponent and weight: one pair, whatever rounds alike."""
    z = x + xp.log(size)
    leads = z == xp.max(z, axis=-1, keepdims=True)
    m = xp.max(xp.where(leads | xp.isnan(z), x, -xp.inf), axis=-1, keepdims=True)
    leads = leads & (x == m)
    lead_size = xp.max(xp.where(leads, size, 0.0), axis=-1, keepdims=True)
    return leads & (size == lead_size), m, xp.where(lead_size == 0, 1.0, lead_size)
