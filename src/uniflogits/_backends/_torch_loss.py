"""torch's cross-entropy of integer labels in plain eager calls: the logits and a number a row are kept.

The formula's tape keeps some twenty arrays of the logits' size. Here the forward pass works in blocks of rows
and keeps log p of each row's label; the backward pass makes the softmax anew, in its place in the gradient.
Where p is near 1, 1 - p is the sum of the other probabilities, so nothing is lost to a subtraction.
`torch.exp` and `torch.logsumexp` are slow where results underflow; softmax is not.

Whatever is no plain reverse mode is left to the formula: transforms, forward mode, compilers, rows without a
finite maximum, and the derivative of the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch._C._functorch import is_batchedtensor

BLOCK = 1 << 18  # entries of a block for each thread: 1 MiB of float32
SLOW = -80.0  # below it torch.exp becomes slow
CONFIDENT = -0.3  # log p of the label above which 1 - p is summed up

_OPTIONS = ("where", "class_weights", "label_smoothing", "z_loss")


class _Examples(NamedTuple):
    x: Any  # (rows, K), detached
    labels: Any  # (rows, 1), int64
    removed: torch.Tensor | None  # (rows,)
    share: torch.Tensor | None  # what each counts, (rows,); None: 1
    count: Any  # what a mean divides by; None: no mean


def _examples(plan: Any, operands: dict[str, Any]) -> _Examples | None:
    """None where something asks for the formula."""
    x, labels, weights = operands["logits"], operands["labels"], operands.get("weights")
    if not plan.trusted or plan.axes != (x.ndim - 1,) or any(operands.get(o) is not None for o in _OPTIONS):
        return None
    if x.dtype not in (torch.float32, torch.float64) or x.numel() == 0 or not x.is_contiguous():
        return None
    if weights is not None and weights.requires_grad:
        return None
    options = dict(plan.options)
    flat = labels.reshape(-1)
    removed = share = None
    if weights is not None:
        share = weights.to(x.dtype).expand(labels.shape).reshape(-1)
        removed = share == 0
    ignore = options["ignore_index"]
    if ignore is not None and _holds(labels.dtype, ignore):
        ignored = flat == ignore
        removed = ignored if removed is None else removed | ignored
    if removed is not None:
        if not removed.any():
            removed = None
        else:
            flat = flat.masked_fill(removed, 0)
            kept = (~removed).to(x.dtype)
            share = kept if share is None else share * kept
    count = None
    if options["reduction"] == "mean":
        count = flat.shape[0] if share is None else share.sum()
        if share is not None and count.item() == 0:
            return None
    rows = x.detach().view(-1, x.shape[-1])
    return _Examples(rows, flat.to(torch.int64)[:, None], removed, share, count)


def _holds(dtype: torch.dtype, number: int) -> bool:
    limits = torch.iinfo(dtype)
    return limits.min <= number <= limits.max


def _height(x: torch.Tensor) -> int:
    return max(1, BLOCK * torch.get_num_threads() // x.shape[-1])


def _log_probabilities(x: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """log p of each row's label, (rows, 1); of all classes too, where that is one block and its exponential
    is quicker than another softmax.
    """
    rows, classes = x.shape
    height = _height(x)
    if rows <= height:
        scratch = torch.empty_like(x)
        log_p, confident = _block(x, labels, scratch, False)
        keep = not confident and log_p.max().item() <= CONFIDENT and scratch.min().item() > SLOW
        return log_p, scratch if keep else None
    out, scratch, confident = x.new_empty((rows, 1)), x.new_empty((height, classes)), False
    for start in range(0, rows, height):
        stop = min(start + height, rows)
        found = _block(x[start:stop], labels[start:stop], scratch[: stop - start], confident)
        out[start:stop], confident = found
    return out, None


def _block(
    x: torch.Tensor, labels: torch.Tensor, scratch: torch.Tensor, confident: bool
) -> tuple[torch.Tensor, bool]:
    """Either way is right where the other is not; whether most rows of the last block were confident says
    which one to try on all rows first.
    """
    first, second = (_by_others, _by_logarithm) if confident else (_by_logarithm, _by_others)
    log_p = first(x, labels, scratch)
    if not confident and not log_p.max().item() > CONFIDENT:
        return log_p, False
    odd = (log_p > CONFIDENT) != confident
    rows = odd[:, 0].nonzero()[:, 0]
    count = rows.shape[0]
    if count == x.shape[0]:
        log_p = second(x, labels, scratch)
    elif count:
        log_p[rows] = second(x[rows], labels[rows], scratch[:count])
    return log_p, (2 * count > x.shape[0]) != confident


def _by_logarithm(x: torch.Tensor, labels: torch.Tensor, scratch: torch.Tensor) -> torch.Tensor:
    return torch.log_softmax(x, -1, out=scratch).gather(1, labels)


def _by_others(x: torch.Tensor, labels: torch.Tensor, scratch: torch.Tensor) -> torch.Tensor:
    p = torch.softmax(x, -1, out=scratch)
    return torch.log1p(p.scatter_(1, labels, 0.0).sum(-1, keepdim=True).neg_())


class _Loss(torch.autograd.Function):
    """The loss that was computed, with its backward pass. A legacy Function: a call costs a fifth."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, value: torch.Tensor, rest: Any) -> torch.Tensor:  # type: ignore[override]
        examples, log_p, whole, formula = rest
        # Tensors that are the caller's are saved as such: torch says so if they were changed meanwhile.
        ctx.save_for_backward(x, examples.labels, examples.share, log_p, whole)
        ctx.rest = examples._replace(x=None, labels=None, share=None), formula
        return value

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> Any:  # type: ignore[override]
        x, labels, share, log_p, whole = ctx.saved_tensors
        examples, formula = ctx.rest
        differentiable = torch.is_grad_enabled()
        if differentiable or is_batchedtensor(cotangent):
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(formula(x), x, cotangent, create_graph=differentiable)
            return gradient, None, None
        examples = examples._replace(x=x.detach().view(-1, x.shape[-1]), labels=labels, share=share)
        return _gradient(examples, log_p, whole, cotangent).view(x.shape), None, None


def _gradient(
    examples: _Examples, log_p: torch.Tensor, whole: torch.Tensor | None, cotangent: torch.Tensor
) -> torch.Tensor:
    x, labels, removed, share, count = examples
    scale = cotangent if count is None else cotangent / count
    if share is not None:
        scale = scale.reshape(-1) * share
    if scale.ndim:
        scale = scale.reshape(-1, 1)
    # p - 1, whole also where p rounds to 1.
    at_label = torch.expm1(log_p).mul_(scale)
    if whole is not None:
        out = torch.exp(whole).mul_(scale).scatter_(1, labels, at_label)
        return out if removed is None else out.masked_fill_(removed[:, None], 0.0)
    out, height = torch.empty_like(x), _height(x)
    for start in range(0, x.shape[0], height):
        part = slice(start, min(start + height, x.shape[0]))
        place = torch.softmax(x[part], -1, out=out[part])
        place.mul_(scale[part] if scale.ndim else scale).scatter_(1, labels[part], at_label[part])
        if removed is not None:
            place.masked_fill_(removed[part, None], 0.0)
    return out


def value(plan: Any, operands: dict[str, Any], formula: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The loss; None where the formula has to run."""
    x = operands["logits"]
    with torch.no_grad():
        examples = _examples(plan, operands)
        if examples is None:
            return None
        log_p, whole = _log_probabilities(examples.x, examples.labels)
        counted = log_p[:, 0]
        if examples.removed is not None:
            counted = counted.masked_fill(examples.removed, 0.0)
        total = counted.sum()
        number = total.item()
        # NaN, +inf or a row without mass: rare enough to begin again.
        if number != number:
            return None
        reduction = dict(plan.options)["reduction"]
        if examples.share is not None:
            counted = torch.where(examples.share == 0, 0.0, counted * examples.share)
            total = counted.sum()
        if reduction == "none":
            out = counted.neg().view(operands["labels"].shape)
        elif examples.count is None:
            out = total.neg_()
        else:
            out = total.neg_().div_(examples.count)
    if not (torch.is_grad_enabled() and x.requires_grad):
        return out
    return _Loss.apply(x, out, (examples, log_p, whole, formula))
