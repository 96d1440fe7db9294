"""torch's cross-entropy of one label a row: the logits and three numbers a row are kept.

With the mass of the label and that of the others, the loss is log1p(others / own): nothing cancels. The
backward pass makes the terms anew, in their place in the gradient, unless there are few.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ._torch_eager import KEPT, blocks, columns, faint, faintest, height, terms

FAR = 80.0  # a loss beyond which the label's share of the mass has lost digits, or soon will


class Label(NamedTuple):
    """The class of each row, (rows, 1), int64."""

    labels: Any

    def losses(self, x: torch.Tensor, keep: bool) -> tuple[torch.Tensor, Any]:
        """-log p of each row's label, (rows, 1), and what the gradient is made of."""
        (labels,) = self
        keep = keep and x.numel() <= KEPT
        if len(x) <= height(x):
            scratch = torch.empty_like(x)
            loss, m, others, total = _block(x, labels, scratch)
        else:
            scratch = x.new_empty((len(x) if keep else height(x), x.shape[1]))

            def of_block(part: slice) -> tuple[Any, ...]:
                place = scratch[part] if keep else scratch[: part.stop - part.start]
                return _block(x[part], labels[part], place)

            loss, m, others, total = columns(x, of_block)
        return loss, (m, others, total, scratch.scatter_(1, labels, others.neg()) if keep else None)

    def gradient(self, x: torch.Tensor, odds: Any, scale: torch.Tensor) -> torch.Tensor:
        """p - onehot times the scale, (rows, 1) or a number."""
        (labels,), (m, others, total, kept) = self, odds
        factor = scale / total
        if kept is not None:
            return kept * factor
        out, at_label = torch.empty_like(x), others.neg()
        for part in blocks(x):
            place = terms(x[part], m[part], out[part])
            place.scatter_(1, labels[part], at_label[part]).mul_(factor[part])
        return out


def _block(
    x: torch.Tensor, labels: torch.Tensor, scratch: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """-log p of each row's label, its largest logit and masses; the terms but the label's into `scratch`."""
    m = torch.amax(x, -1, keepdim=True)
    e = terms(x, m, scratch)
    own = e.gather(1, labels)
    others = e.scatter_(1, labels, 0.0).sum(-1, keepdim=True)
    loss = torch.log1p(others / own)
    low, high = (end.item() for end in torch.aminmax(loss))
    # The largest term is 1, so others are at least half of a loss below log 2, or a half.
    if not 0.5 * low >= faintest(x):
        rows = faint(others, x)
        if rows is not None:
            missed = torch.exp(x[rows] - m[rows]).scatter_(1, labels[rows], 0.0)
            others[rows] = missed.sum(-1, keepdim=True)
            loss = torch.log1p(others / own)
    if not high <= FAR:
        loss = torch.where(loss <= FAR, loss, (m - x.gather(1, labels)) + torch.log(others))
    return loss, m, others, own + others
