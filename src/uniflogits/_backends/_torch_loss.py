"""torch's cross-entropy of integer labels in plain eager calls: the logits and three numbers a row are kept.

The backward pass makes the terms anew, in their place in the gradient, unless there are few. With the mass of
the label and that of the others, the loss is log1p(others / own): nothing cancels.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from ._torch_eager import DTYPES, blocks, faint, height, terms, with_backward

KEPT = 1 << 20  # terms of up to so many logits are kept for the backward pass
FAR = 80.0  # a loss beyond which the label's share of the mass has lost digits, or soon will

_OPTIONS = {"where", "class_weights", "label_smoothing", "z_loss"}


class _Examples(NamedTuple):
    x: Any  # (rows, K), detached
    labels: Any  # (rows, 1), int64
    removed: torch.Tensor | None  # (rows, 1)
    share: torch.Tensor | None  # what each counts, (rows, 1); None: 1
    count: Any  # what a mean divides by; None: no mean


def _examples(
    x: torch.Tensor, plan: Any, operands: dict[str, Any], options: dict[str, Any]
) -> _Examples | None:
    """None where something asks for the formula."""
    labels, weights = operands["labels"], operands.get("weights")
    if not plan.trusted or plan.axes != (x.ndim - 1,) or not _OPTIONS.isdisjoint(operands):
        return None
    if x.numel() == 0 or not x.is_contiguous():
        return None
    if weights is not None and weights.requires_grad:
        return None
    labels = labels.reshape(-1, 1)
    removed = share = None
    if weights is not None:
        share = weights.to(x.dtype).expand(operands["labels"].shape).reshape(-1, 1)
        removed = share == 0
    ignore = options["ignore_index"]
    if ignore is not None and _holds(labels.dtype, ignore):
        ignored = labels == ignore
        removed = ignored if removed is None else removed | ignored
    if removed is not None:
        if not removed.any():
            removed = None
        else:
            labels = labels.masked_fill(removed, 0)
            kept = (~removed).to(x.dtype)
            share = kept if share is None else share * kept
    count = None
    if options["reduction"] == "mean":
        count = labels.shape[0] if share is None else share.sum()
        if share is not None and count.item() == 0:
            return None
    return _Examples(_rows(x), labels.long(), removed, share, count)


def _rows(x: torch.Tensor) -> torch.Tensor:
    x = x.detach()
    return x if x.ndim == 2 else x.view(-1, x.shape[-1])


def _holds(dtype: torch.dtype, number: int) -> bool:
    limits = torch.iinfo(dtype)
    return limits.min <= number <= limits.max


class _Odds(NamedTuple):
    """How each row shares out its mass, relative to its largest term: (rows, 1)."""

    m: torch.Tensor  # the largest logit
    others: torch.Tensor  # the mass of all but the label
    total: torch.Tensor
    terms: torch.Tensor | None  # (rows, K), less the others at the label, where that is kept


def _losses(x: torch.Tensor, labels: torch.Tensor, keep: bool) -> tuple[torch.Tensor, _Odds]:
    """-log p of each row's label, (rows, 1)."""
    rows, classes = x.shape
    size, keep = height(x), keep and x.numel() <= KEPT
    scratch = x.new_empty((rows if keep else min(rows, size), classes))
    if rows <= size:
        loss, m, others, total = _block(x, labels, scratch)
    else:
        loss, m, others, total = found = tuple(x.new_empty((rows, 1)) for _ in range(4))
        for part in blocks(x):
            place = scratch[part] if keep else scratch[: part.stop - part.start]
            for whole, one in zip(found, _block(x[part], labels[part], place), strict=True):
                whole[part] = one
    return loss, _Odds(m, others, total, scratch.scatter_(1, labels, others.neg()) if keep else None)


def _block(
    x: torch.Tensor, labels: torch.Tensor, scratch: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """-log p of each row's label, its largest logit and masses; the terms but the label's into `scratch`."""
    m = torch.amax(x, -1, keepdim=True)
    e = terms(x, m, scratch)
    own = e.gather(1, labels)
    others = e.scatter_(1, labels, 0.0).sum(-1, keepdim=True)
    rows = faint(others, x.shape[-1])
    if rows is not None:
        missed = torch.exp(x[rows] - m[rows]).scatter_(1, labels[rows], 0.0)
        others[rows] = missed.sum(-1, keepdim=True)
    loss = torch.log1p(others / own)
    if not loss.max().item() <= FAR:
        loss = torch.where(loss <= FAR, loss, (m - x.gather(1, labels)) + torch.log(others))
    return loss, m, others, own + others


def _pullback(count: Any, arrays: Any, kept: Any, cotangent: torch.Tensor, _: Any) -> tuple[torch.Tensor]:
    (x,), (labels, removed, share, *odds) = arrays, kept
    examples = _Examples(_rows(x), labels, removed, share, count)
    return (_gradient(examples, _Odds(*odds), cotangent).view_as(x),)


def _gradient(examples: _Examples, odds: _Odds, cotangent: torch.Tensor) -> torch.Tensor:
    """p - onehot times what each example counts."""
    x, labels, removed, share, count = examples
    scale = cotangent if count is None else cotangent / count
    scale = scale.reshape(-1, 1) if scale.ndim else scale
    factor = (scale if share is None else scale * share) / odds.total
    if odds.terms is not None:
        out = odds.terms * factor
        return out if removed is None else out.masked_fill_(removed, 0.0)
    out, at_label = torch.empty_like(x), odds.others.neg()
    for part in blocks(x):
        place = terms(x[part], odds.m[part], out[part])
        place.scatter_(1, labels[part], at_label[part]).mul_(factor[part])
        if removed is not None:
            place.masked_fill_(removed[part], 0.0)
    return out


def value(plan: Any, operands: dict[str, Any], formula: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The loss; None where the formula has to run."""
    x, options = operands["logits"], dict(plan.options)
    if x.dtype is not DTYPES[plan.compute]:
        x = x.to(DTYPES[plan.compute])
    examples = _examples(x, plan, operands, options)
    if examples is None:
        return None
    moving = torch.is_grad_enabled() and x.requires_grad
    # Nothing that requires a gradient gets here, so there is no tape to keep off.
    losses, odds = _losses(examples.x, examples.labels, moving)
    if examples.removed is not None:
        losses = losses.masked_fill(examples.removed, 0.0)
    total = losses.sum()
    # NaN, +inf or a row without mass: rare enough to begin again.
    if math.isnan(total.item()):
        return None
    if examples.share is not None:
        losses = torch.where(examples.share == 0, 0.0, losses * examples.share)
        total = losses.sum()
    if options["reduction"] == "none":
        out = losses.view(operands["labels"].shape)
    elif examples.count is None:
        out = total
    else:
        out = total.div_(examples.count)
    if not moving:
        return out
    kept = examples.labels, examples.removed, examples.share, *odds
    return with_backward(out, kept, functools.partial(_pullback, examples.count), formula, x)
