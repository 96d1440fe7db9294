"""torch's softmax, log_softmax and logsumexp in plain eager calls, in blocks of rows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from .._core.layout import from_rows, to_rows
from .._math.products import product
from ._torch_eager import DTYPES, beyond_largest, blocks, powers, terms, with_backward

_HALF = 0.5


class _Way(NamedTuple):
    """How a block (rows, K) and its gradient are computed; `odds` are numbers of each row, (rows, 1)."""

    value: Callable[..., torch.Tensor]  # (x, m, out, scratch) -> the rows' mass, with the value in `out`
    # (kept, odds, cotangent, out) -> finite for each row that is right, with the gradient in `out`
    gradient: Callable[..., torch.Tensor]
    keeps_value: bool  # for its gradient, which is made of the logits otherwise


def _softmax(x: torch.Tensor, m: torch.Tensor, out: torch.Tensor, _: Any) -> torch.Tensor:
    total = terms(x, m, out).sum(-1, keepdim=True)
    out.div_(total)
    return total


def _log_softmax(x: torch.Tensor, m: torch.Tensor, out: torch.Tensor, scratch: Any) -> torch.Tensor:
    excess = beyond_largest(powers(torch.sub(x, m, out=out), scratch), x, m)
    out.sub_(torch.log1p(excess))
    return excess.add_(1.0)


def _logsumexp(x: torch.Tensor, m: torch.Tensor, out: torch.Tensor, scratch: Any) -> torch.Tensor:
    excess = beyond_largest(terms(x, m, scratch), x, m)
    torch.add(m, torch.log1p(excess), out=out)
    return excess.add_(1.0)


def _softmax_gradient(p: torch.Tensor, _: Any, t: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """p·(t - Σ p·t), of a class with more than half of the mass p·(t·(1 - p) - Σ p·t of the others)."""
    moved = torch.mul(p, t, out=out).sum(-1, keepdim=True)
    torch.sub(t, moved, out=out).mul_(p)
    won = _won(p)
    if won is not None:
        p, t = p[won], t[won]
        winner = p > _HALF
        rest = p.masked_fill(winner, 0.0)
        lost = (rest * t).sum(-1, keepdim=True)
        own = p * (t * rest.sum(-1, keepdim=True) - lost)
        out[won] = torch.where(winner, own, out[won])
    return moved


def _log_softmax_gradient(x: torch.Tensor, odds: Any, g: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """g - p·Σ g, of a class with more than half of the mass g·(1 - p) - p·Σ g of the others."""
    m, total = odds
    if not torch.amin(x).item() > -torch.inf:
        g = g.masked_fill(x == -torch.inf, 0.0)  # a class without mass is a constant
    p = terms(x, m, out).div_(total)
    won, whole = _won(p), g.sum(-1, keepdim=True)
    p_won = None if won is None else p[won]
    torch.sub(g, p.mul_(whole), out=out)
    if p_won is not None:
        g, winner = g[won], p_won > _HALF
        rest = p_won.masked_fill(winner, 0.0).sum(-1, keepdim=True)
        lost = g.masked_fill(winner, 0.0).sum(-1, keepdim=True)
        out[won] = torch.where(winner, g * rest - p_won * lost, out[won])
    return whole


def _logsumexp_gradient(x: torch.Tensor, odds: Any, g: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    m, total = odds
    terms(x, m, out).mul_(g / total)
    return g


def _won(p: torch.Tensor) -> torch.Tensor | None:
    """The rows in which a class holds more than half of the mass; None: there are none."""
    if torch.amax(p).item() <= _HALF:
        return None
    return torch.nonzero(torch.amax(p, -1) > _HALF)[:, 0]


WAYS = {
    "softmax": _Way(_softmax, _softmax_gradient, True),
    "log_softmax": _Way(_log_softmax, _log_softmax_gradient, False),
    "logsumexp": _Way(_logsumexp, _logsumexp_gradient, False),
}


def value(xp: Any, plan: Any, operands: dict[str, Any]) -> Any:
    """The operation's value; None where the formula has to run."""
    x, options, mask = operands[plan.operation.arrays[0]], dict(plan.options), operands.get("where")
    if x.numel() == 0 or operands.get("weights") is not None or options.get("return_sign"):
        return None
    shape, given = tuple(x.shape), x.dtype
    laid = to_rows(xp, x.to(DTYPES[plan.compute]), plan.axes)
    if mask is not None:
        mask = to_rows(xp, mask.expand(shape), plan.axes)
        laid = torch.where(mask, laid, -torch.inf)
    out = _rows(xp, plan.operation, laid.reshape(-1, laid.shape[-1]).contiguous())
    rule, dtype = plan.operation.rule, given if given.is_floating_point else DTYPES[plan.compute]
    if rule.kind == "rowmap":
        out = out.view(laid.shape)
        out = out if mask is None else torch.where(mask, out, rule.masked)
        return from_rows(xp, out, plan.axes, shape).to(dtype)
    lead = laid.shape[:-1]
    if options["keepdims"]:
        lead = tuple(1 if i in plan.axes else size for i, size in enumerate(shape))
    return out.view(lead).to(dtype)


def _rows(xp: Any, operation: Any, x: torch.Tensor) -> torch.Tensor:
    """Of logits (rows, K): an array like them, or (rows, 1)."""
    way, formula = WAYS[operation.name], _formula(xp, operation)
    moving = torch.is_grad_enabled() and x.requires_grad
    plain = x.detach()
    out = plain.new_empty((x.shape[0], x.shape[1] if operation.rule.kind == "rowmap" else 1))
    m, total = (plain.new_empty((x.shape[0], 1)) for _ in range(2))
    scratch = None if way.keeps_value else torch.empty_like(plain[next(blocks(plain))])
    for part in blocks(plain):
        m[part] = torch.amax(plain[part], -1, keepdim=True)
        place = None if scratch is None else scratch[: part.stop - part.start]
        total[part] = way.value(plain[part], m[part], out[part], place)
    wrong = None if math.isfinite(m.sum().item()) else torch.nonzero(~torch.isfinite(m[:, 0]))[:, 0]
    if wrong is not None and len(wrong):
        out[wrong] = formula(plain[wrong])
    if not moving:
        return out
    kept = (out, None, None) if way.keeps_value else (None, m, total)
    pullback = functools.partial(_pullback, xp, operation, wrong)
    return with_backward(out, kept, pullback, formula, x)


def _formula(xp: Any, operation: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    rule = operation.rule
    if rule.kind == "rowmap":
        return functools.partial(rule.formula, xp)
    return lambda x: rule.formula(xp, x, weights=None, return_sign=False)[:, None]


def _pullback(
    xp: Any,
    operation: Any,
    wrong: torch.Tensor | None,
    arrays: Any,
    kept: Any,
    cotangent: torch.Tensor,
    _: Any,
) -> tuple[torch.Tensor]:
    (x,), (value, m, total) = arrays, kept
    way, out = WAYS[operation.name], torch.empty_like(x)
    right = torch.ones(x.shape[0], dtype=torch.bool)
    for part in blocks(x):
        odds = None if m is None or total is None else (m[part], total[part])
        base = x if value is None else value
        found = way.gradient(base[part], odds, cotangent[part], out[part])
        if not math.isfinite(found.sum().item()):
            right[part] = torch.isfinite(found)[:, 0]
    if wrong is not None:
        right[wrong] = False
    # What a cotangent that is not finite reaches is the rule's to say: not a class without mass.
    rest = None if right.all() else torch.nonzero(~right)[:, 0]
    if rest is not None:
        out[rest] = _by_rule(xp, operation.rule, x[rest], cotangent[rest])
    return (out,)


def _by_rule(xp: Any, rule: Any, x: torch.Tensor, cotangent: torch.Tensor) -> torch.Tensor:
    if rule.kind == "rowmap":
        return rule.backward(xp, x, cotangent)
    return product(xp, rule.gradient(xp, x, weights=None, return_sign=False), cotangent)
