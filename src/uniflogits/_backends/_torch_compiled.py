"""torch's cross-entropy of integer labels inside a compiled function: three reductions of a row in one loop.

The compiler makes vectors of a loop that compares a row's entries with its largest one, and single numbers of
what such a loop leaves over where it compares indices with the label. So what is left out of the sum is the
largest logit, as in the formula, and the mass of all but the label follows without cancelling: it is what was
summed where the label is the largest, and otherwise at least 1.
"""

from __future__ import annotations

from typing import Any

import torch


class _Loss(torch.autograd.Function):
    """-log p of each row's label, NaN for a label that is no class."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        column = labels[..., None]
        valid = (column >= 0) & (column < x.shape[-1])
        column = torch.where(valid, column, 0)
        own, m = torch.gather(x, -1, column), torch.amax(x, -1, keepdim=True)
        largest = x == m  # +inf shares the mass equally
        rest = torch.sum(torch.where(largest, 0.0, torch.exp(x - m)), -1, keepdim=True)
        count = torch.sum(largest.to(x.dtype), -1, keepdim=True)
        total, ahead, nothing = rest + count, own == m, m == -torch.inf
        behind = torch.where(ahead, 0.0, m - own)
        others = torch.where(ahead, rest + (count - 1.0), total - torch.exp(-behind))
        loss = torch.where(ahead, torch.log1p(others), behind + torch.log(total))
        loss = torch.where(nothing, torch.inf, loss)
        scale = torch.where(valid, torch.where(nothing, 0.0, 1.0 / total), torch.nan)
        ctx.save_for_backward(x, column, m, others * scale, scale)
        return torch.where(valid, loss, torch.nan)[..., 0]

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        x, column, m, against, scale = ctx.saved_tensors
        row = cotangents[0][..., None]
        # Not x == m, which the compiler would keep from the forward pass: an array of the logits' size.
        terms = torch.where(x >= m, 1.0, torch.exp(x - m))
        return torch.scatter(terms * (scale * row), -1, column, -against * row), None


def label_loss(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The losses of rows (..., K). Their gradient has none of its own: torch compiles no second backward."""
    return _Loss.apply(x, labels.to(torch.int64))
