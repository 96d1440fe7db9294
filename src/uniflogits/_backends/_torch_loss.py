"""torch's softmax cross-entropies in plain eager calls: which examples count, and how much.

What their rows cost is `_torch_label`'s to say, of a label alone, or `_torch_targets`'.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from ._torch_eager import DTYPES, with_backward
from ._torch_label import Label
from ._torch_targets import Targets

INTEGER_LABELS = "softmax_cross_entropy_with_integer_labels"
LOSSES = (INTEGER_LABELS, "softmax_cross_entropy")

# Gradients of up to so many logits are made beside the loss: a multiplication is left to the backward pass.
READY = 1 << 16
_OPTIONS = {"class_weights", "label_smoothing", "z_loss"}


class _Examples(NamedTuple):
    x: Any  # (rows, K), detached
    make: Callable[..., Any]  # of tensors that are the caller's: `Label` or `Targets`
    tensors: tuple[Any, ...]
    removed: torch.Tensor | None  # (rows, 1)
    share: torch.Tensor | None  # what each counts, (rows, 1); None: 1
    count: Any  # what a mean divides by; None: no mean


def _examples(
    x: torch.Tensor, plan: Any, operands: dict[str, Any], options: dict[str, Any]
) -> _Examples | None:
    """None where something asks for the formula."""
    labels = operands["labels"]
    weights, of_classes = operands.get("weights"), operands.get("class_weights")
    if not plan.trusted or plan.axes != (x.ndim - 1,) or "where" in operands:
        return None
    if x.numel() == 0 or not x.is_contiguous():
        return None
    if any(one is not None and one.requires_grad for one in (weights, of_classes)):
        return None
    integer = plan.operation.name == INTEGER_LABELS
    if of_classes is not None and not integer:
        return None
    rows, removed, share = _rows(x), None, None
    labels = labels.reshape(-1, 1) if integer else labels.detach().to(x.dtype).reshape(rows.shape)
    if weights is not None:
        share = weights.to(x.dtype).expand(x.shape[:-1]).reshape(-1, 1)
        removed = share == 0
    ignore = options.get("ignore_index")
    if ignore is not None and _holds(labels.dtype, ignore):
        ignored = labels == ignore
        removed = ignored if removed is None else removed | ignored
    # Not every integer dtype can be written to.
    labels = labels.long() if integer else labels
    if removed is not None:
        if not removed.any():
            removed = None
        else:
            labels = labels.masked_fill(removed, 0)
            share = (~removed).to(x.dtype) if share is None else share.masked_fill(removed, 0.0)
    # A class weight that is no number spoils losses of other classes too, and is nothing to a removed row.
    if not all(one is None or math.isfinite(one.sum().item()) for one in (share, of_classes)):
        return None
    count = None
    if options["reduction"] == "mean":
        counted = share
        if of_classes is not None:
            counted = of_classes.to(x.dtype)[labels]
            counted = counted if share is None else counted * share
        count = labels.shape[0] if counted is None else counted.sum()
        if counted is not None and count.item() == 0:
            return None
    if _OPTIONS.isdisjoint(operands) and integer:
        return _Examples(rows, Label, (labels,), removed, share, count)
    make = functools.partial(Targets, operands.get("label_smoothing"), operands.get("z_loss"))
    return _Examples(rows, make, (labels, of_classes), removed, share, count)


def _rows(x: torch.Tensor) -> torch.Tensor:
    x = x.detach()
    return x if x.ndim == 2 else x.view(-1, x.shape[-1])


def _holds(dtype: torch.dtype, number: int) -> bool:
    limits = torch.iinfo(dtype)
    return limits.min <= number <= limits.max


def _moved(way: Callable[..., Any], rows: Any, odds: Any, scale: Any, removed: Any) -> torch.Tensor:
    """A core's gradient of rows, and 0 for removed ones."""
    out = way(rows, odds, scale)
    return out if removed is None else out.masked_fill_(removed, 0.0)


def _pullback(
    make: Callable[..., Any],
    given: int,
    count: Any,
    arrays: Any,
    kept: Any,
    cotangent: torch.Tensor,
    needed: Any,
) -> list[torch.Tensor | None]:
    x, (removed, share, *tensors) = arrays[0], kept
    rows, core, odds = _rows(x), make(*tensors[:given]), tensors[given:]
    scale = cotangent if count is None else cotangent / count
    scale = scale.reshape(-1, 1) if scale.ndim else scale
    scale = scale if share is None else scale * share
    ways = (core.gradient, getattr(core, "label_gradient", None))
    return [
        _moved(way, rows, odds, scale, removed).view_as(x) if need and way else None
        for way, need in zip(ways, needed, strict=True)
    ]


def _times(count: Any, arrays: Any, kept: Any, cotangent: torch.Tensor, needed: Any) -> list[Any]:
    """The pullback of a gradient that is there."""
    scale = cotangent if count is None else cotangent / count
    return [kept[0] * (scale[..., None] if scale.ndim else scale), None]


def value(plan: Any, operands: dict[str, Any], formula: Callable[..., torch.Tensor]) -> Any:
    """The loss, `formula` of logits and labels; None where the formula has to run."""
    x, options = operands["logits"], dict(plan.options)
    if x.dtype is not DTYPES[plan.compute]:
        x = x.to(DTYPES[plan.compute])
    examples = _examples(x, plan, operands, options)
    if examples is None:
        return None
    labels = operands["labels"]
    moving = torch.is_grad_enabled() and (x.requires_grad or labels.requires_grad)
    # Nothing else requires a gradient here, so there is no tape to keep off.
    core = examples.make(*examples.tensors)
    losses, odds = core.losses(examples.x, moving)
    if examples.removed is not None:
        losses = losses.masked_fill(examples.removed, 0.0)
    share, count = examples.share, examples.count
    mean = share is None and isinstance(count, int)
    total = losses.mean() if mean else losses.sum()
    # NaN, infinities or a row without mass: rare enough to begin again.
    if not math.isfinite(total.item()):
        return None
    if share is not None:
        losses = torch.where(share == 0, 0.0, losses * share)
        total = losses.sum()
    if options["reduction"] == "none":
        out = losses.view(x.shape[:-1])
    else:
        out = total if mean or count is None else total.div_(count)
    if not moving:
        return out
    if x.numel() <= READY and not labels.requires_grad:
        gradient = _moved(core.gradient, examples.x, odds, share, examples.removed).view_as(x)
        pullback = functools.partial(_times, count)
        return with_backward(out, (gradient,), pullback, formula, x, labels)
    kept = examples.removed, share, *examples.tensors, *odds
    pullback = functools.partial(_pullback, examples.make, len(examples.tensors), count)
    return with_backward(out, kept, pullback, formula, x, labels)
