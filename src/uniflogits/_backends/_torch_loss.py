"""torch's cross-entropy of integer labels in plain eager calls: the logits and two numbers a row are kept.

The formula's tape keeps some twenty arrays of the logits' size. Here both passes work in blocks of rows; the
backward pass makes the softmax anew, in its place in the gradient, unless all of it was one block. With the
mass of the label and that of the others, the loss is log1p(others / own): nothing cancels. The mass of all is
added up once more, in pairs: inside torch's softmax one term is added after the other.
`torch.exp` and `torch.logsumexp` are slow where results underflow; softmax is not.

Whatever is no plain reverse mode is left to the formula: transforms, forward mode, compilers, rows without a
finite maximum, and the derivative of the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch._C._functorch import is_batchedtensor

BLOCK = 1 << 18  # entries of a block for each thread: 1 MiB of float32
FAR = 80.0  # a loss beyond which the label's share of the mass has lost digits, or soon will

_OPTIONS = {"where", "class_weights", "label_smoothing", "z_loss"}
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


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


def _height(x: torch.Tensor) -> int:
    return max(1, BLOCK * torch.get_num_threads() // x.shape[-1])


class _Odds(NamedTuple):
    """How the mass of each row is shared out, (rows, 1), and by which classes where that was one block."""

    others: torch.Tensor  # all but the label
    total: torch.Tensor  # 1 but for rounding
    shares: torch.Tensor | None  # softmax, and less the others at the label


def _losses(x: torch.Tensor, labels: torch.Tensor, keep: bool) -> tuple[torch.Tensor, _Odds]:
    """-log p of each row's label, (rows, 1)."""
    rows, classes = x.shape
    height = _height(x)
    if rows <= height:
        loss, others, total, p = _block(x, labels, torch.empty_like(x))
        return loss, _Odds(others, total, p.scatter_(1, labels, others.neg()) if keep else None)
    scratch = x.new_empty((height, classes))
    loss, others, total = found = [x.new_empty((rows, 1)) for _ in range(3)]
    for start in range(0, rows, height):
        part = slice(start, min(start + height, rows))
        for whole, one in zip(
            found, _block(x[part], labels[part], scratch[: part.stop - start]), strict=False
        ):
            whole[part] = one
    return loss, _Odds(others, total, None)


def _block(x: torch.Tensor, labels: torch.Tensor, scratch: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """-log p of each row's label, the mass of the others, that of all, and the softmax without the label."""
    p = torch.softmax(x, -1, out=scratch)
    own = p.gather(1, labels)
    others = p.scatter_(1, labels, 0.0).sum(-1, keepdim=True)
    loss = torch.log1p(others / own)
    if not loss.max().item() <= FAR:
        m, p_m = x.amax(-1, keepdim=True), p.amax(-1, keepdim=True) / others
        loss = torch.where(loss <= FAR, loss, (m - x.gather(1, labels)) - torch.log(p_m))
    return loss, others, own + others, p


class _Loss(torch.autograd.Function):
    """The loss that was computed, with its backward pass. A legacy Function: a call costs a fifth."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, value: torch.Tensor, rest: Any) -> torch.Tensor:  # type: ignore[override]
        (_, labels, removed, share, count), odds, formula = rest
        # Tensors that are the caller's are saved as such: torch says so if they were changed meanwhile.
        ctx.save_for_backward(x, labels, removed, share, *odds)
        ctx.rest = count, formula
        return value

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> Any:  # type: ignore[override]
        x, labels, removed, share, *odds = ctx.saved_tensors
        count, formula = ctx.rest
        differentiable = torch.is_grad_enabled()
        if differentiable or is_batchedtensor(cotangent):
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(formula(x), x, cotangent, create_graph=differentiable)
            return gradient, None, None
        gradient = _gradient(_Examples(_rows(x), labels, removed, share, count), _Odds(*odds), cotangent)
        return gradient.view_as(x), None, None


def _gradient(examples: _Examples, odds: _Odds, cotangent: torch.Tensor) -> torch.Tensor:
    """p - onehot times what each example counts."""
    x, labels, removed, share, count = examples
    scale = cotangent if count is None else cotangent / count
    scale = scale.reshape(-1, 1) if scale.ndim else scale
    factor = (scale if share is None else scale * share) / odds.total
    if odds.shares is not None:
        out = odds.shares * factor
        return out if removed is None else out.masked_fill_(removed, 0.0)
    out, at_label, height = torch.empty_like(x), odds.others.neg(), _height(x)
    for start in range(0, x.shape[0], height):
        part = slice(start, min(start + height, x.shape[0]))
        place = torch.softmax(x[part], -1, out=out[part])
        place.scatter_(1, labels[part], at_label[part]).mul_(factor[part])
        if removed is not None:
            place.masked_fill_(removed[part], 0.0)
    return out


def value(plan: Any, operands: dict[str, Any], formula: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The loss; None where the formula has to run."""
    x, options = operands["logits"], dict(plan.options)
    if x.dtype is not _DTYPES[plan.compute]:
        x = x.to(_DTYPES[plan.compute])
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
    return _Loss.apply(x, out, (examples, odds, formula)) if moving else out
