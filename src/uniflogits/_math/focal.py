"""The focal loss of a question with two answers: u^γ·c, u the probability that was missed, c the cost.

Everything is told in terms of the likelier answer: by how much its logit leads, and how much of the label
lies on it and on the other. Then no step subtracts nearly equal numbers, neither where that answer is right
and u and c are as small as e^-lead, nor where it is wrong.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .log_core import difference
from .products import product
from .softmax_core import Rows, softmax_rows


class Odds(NamedTuple):
    lead: Any  # |logit|
    decay: Any  # e^-lead
    right: Any  # how much of the label lies on the likelier answer
    wrong: Any  # and on the other: 1 - right


class _Terms(NamedTuple):
    """What the derivatives are made of; `slope` and `curve` are those of the logistic function."""

    weight: Any  # u^γ
    missed: Any  # u, 1 where it is 0
    ratio: Any  # c / u
    slope: Any  # σ(lead)·σ(-lead)
    curve: Any  # σ(lead) - σ(-lead) = tanh(lead / 2)
    missed_by_lead: Any
    cost_by_lead: Any


class Truth(NamedTuple):
    """Each row as a question with two answers, the label or any of the others.

    Arrays are of shape (..., K), and (..., 1) where it says "row" and in the odds.
    """

    odds: Odds
    ahead: Any  # row: whether the label outweighs all the others
    label: Any  # the class that is right
    others: Rows
    dead: Any  # row: whether there is no class at all
    shared: Any  # row: whether label and others are +inf


def truth(xp: Any, x: Any, y: Any) -> Truth:
    label = y > 0
    others = softmax_rows(xp, xp.where(label, -xp.inf, x))
    own = xp.sum(xp.where(label, x, 0.0), axis=-1, keepdims=True)
    gap, lost = difference(xp, own, others.largest)
    logit = xp.where(others.mass & ~others.full, gap - others.log_total, own - others.logsumexp)
    # Logits of +inf share the mass equally; a row without mass has no right class.
    shared, dead = others.full & (own == xp.inf), ~others.mass & (own == -xp.inf)
    logit = xp.where(shared, -others.log_total, xp.where(dead, -xp.inf, logit))
    ahead = logit > 0
    lead = xp.where(ahead, logit, -logit)
    # e^-lead, not by the rounded logit but of exact numbers; its derivatives are the logit's.
    gap = xp.stop_gradient(xp.where(shared, 0.0, gap))
    far, total = xp.exp(xp.where(ahead, -gap, gap)), xp.stop_gradient(others.total)
    endless = xp.isinf(logit)
    decay = xp.where(ahead, far * total * (1.0 - lost), far / total * (1.0 + lost))
    decay = xp.where(endless, 0.0, decay)
    moving = xp.where(endless, 0.0, lead)
    decay = decay * xp.exp(xp.stop_gradient(moving) - moving)
    right = xp.astype(ahead, x.dtype)
    return Truth(Odds(lead, decay, right, 1.0 - right), ahead, label, others, dead, shared)


def focal_loss(xp: Any, odds: Odds, gamma: Any) -> Any:
    """u^γ·c, exact under plain autodiff in first and second derivative; γ = None: the cost alone."""
    cost = _cost(xp, odds)
    if gamma is None:
        return cost
    # Where the decay is 0 nothing depends on it, and nothing may: u'·c would be 0·inf.
    missed = _missed(xp, odds, xp.where(odds.decay == 0, 0.0, odds.decay))
    fixed = xp.stop_gradient(missed)
    # u^γ is held constant: its own derivatives, powers of u, would under- and overflow before they meet those
    # of c. Instead c takes the first two terms of the series of (u / fixed)^γ, which are 0 but for their
    # derivatives.
    moved, scale = missed - fixed, xp.where(fixed < float(xp.finfo(fixed.dtype).smallest_normal), 1.0, fixed)
    ratio = xp.where(xp.isinf(cost), 0.0, cost) / scale
    return xp.pow(fixed, gamma) * (
        cost + ratio * moved * (1.0 + 0.5 * (gamma - 1.0) * (moved / scale)) * gamma
    )


def focal_slopes(xp: Any, odds: Odds, gamma: Any) -> tuple[Any, Any]:
    """The derivatives by the lead and by the wrong part of the label."""
    gamma, terms = _terms(xp, odds, gamma)
    by_lead = terms.weight * (terms.cost_by_lead + gamma * (terms.ratio * terms.missed_by_lead))
    return by_lead, product(xp, terms.weight, gamma * (terms.ratio * terms.curve) + odds.lead)


def focal_curvature(xp: Any, odds: Odds, gamma: Any) -> Any:
    """The second derivative by the lead."""
    gamma, terms = _terms(xp, odds, gamma)
    bent = terms.ratio * terms.missed_by_lead
    inner = 2.0 * terms.cost_by_lead + (gamma - 1.0) * bent
    return terms.weight * (
        terms.slope + gamma * (terms.missed_by_lead / terms.missed * inner - bent * terms.curve)
    )


def focal_mixed(xp: Any, odds: Odds, gamma: Any) -> Any:
    """The derivative by the lead and by the wrong part of the label."""
    gamma, terms = _terms(xp, odds, gamma)
    rate = terms.missed_by_lead / terms.missed
    ratio_by_lead = terms.cost_by_lead / terms.missed - terms.ratio * rate
    inner = product(xp, rate, gamma * (terms.ratio * terms.curve) + odds.lead)
    inner = inner + terms.curve * ratio_by_lead + 2.0 * terms.ratio * terms.slope
    return terms.weight * (1.0 + gamma * inner)


def _cost(xp: Any, odds: Odds) -> Any:
    return xp.log1p(odds.decay) + product(xp, odds.wrong, odds.lead)


def _missed(xp: Any, odds: Odds, decay: Any) -> Any:
    # A label that rounding carried beyond 0 or 1 is taken for that: a power needs a base of at least 0.
    wrong = xp.where(odds.wrong < 0, 0.0, odds.wrong)
    return (odds.right * decay + wrong) / (1.0 + decay)


def _terms(xp: Any, odds: Odds, gamma: Any) -> tuple[Any, _Terms]:
    decay, total = odds.decay, 1.0 + odds.decay
    missed, cost = _missed(xp, odds, decay), _cost(xp, odds)
    gamma = 0.0 if gamma is None else gamma
    safe = xp.where(missed == 0, 1.0, missed)
    slope = decay / xp.square(total)
    terms = _Terms(
        weight=xp.pow(missed, gamma),
        missed=safe,
        ratio=xp.where(xp.isinf(cost), 0.0, cost) / safe,
        slope=slope,
        curve=(1.0 - decay) / total,
        missed_by_lead=(odds.wrong - odds.right) * slope,
        cost_by_lead=(odds.wrong - odds.right * decay) / total,
    )
    return gamma, terms
