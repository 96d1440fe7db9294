"""torch's cross-entropy of one label a row: the logits and three numbers a row are kept.

With the mass of the label and that of the others, the loss is log1p(others / own): nothing cancels. The
backward pass makes the terms anew, in their place in the gradient, unless there are few.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ._torch_eager import KEPT, blocks, columns, faint, faintest, height, powers, terms

FAR = 80.0  # a loss beyond which the label's share of the mass has lost digits, or soon will
FEW = 1 << 11  # of so many terms all are made as they are: finding those that take long takes longer
NEAR = -50.0  # terms of x - max above it are far from the smallest normal number, and so are their sums


class Label(NamedTuple):
    """The class of each row, (rows, 1), int64."""

    labels: Any

    def losses(self, x: torch.Tensor, keep: bool) -> tuple[torch.Tensor, Any]:
        """-log p of each row's label, (rows, 1), and what the gradient is made of."""
        (labels,) = self
        keep = keep and x.numel() <= KEPT
        if len(x) <= height(x):
            loss, m, others, total, e = _block(x, labels, None)
        else:
            e = x.new_empty((len(x) if keep else height(x), x.shape[1]))

            def of_block(part: slice) -> tuple[Any, ...]:
                place = e[part] if keep else e[: part.stop - part.start]
                return _block(x[part], labels[part], place)[:-1]

            loss, m, others, total = columns(x, of_block)
        return loss, (m, others, total, e.scatter_(1, labels, others.neg()) if keep else None)

    def gradient(self, x: torch.Tensor, odds: Any, scale: torch.Tensor | None) -> torch.Tensor:
        """p - onehot times the scale, (rows, 1) or a number; None: 1."""
        (labels,), (m, others, total, kept) = self, odds
        if kept is not None:
            return kept / total if scale is None else kept * (scale / total)
        factor = total.reciprocal() if scale is None else scale / total
        out, at_label = torch.empty_like(x), others.neg()
        for part in blocks(x):
            place = terms(x[part], m[part], out[part])
            place.scatter_(1, labels[part], at_label[part]).mul_(factor[part])
        return out


def _block(x: torch.Tensor, labels: torch.Tensor, scratch: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
    """-log p of each row's label, its largest logit and masses; the terms but the label's, in `scratch`."""
    m = torch.amax(x, -1, keepdim=True)
    d = torch.sub(x, m, out=scratch)
    lowest = torch.amin(d).item()
    e = torch.exp(d, out=d) if d.numel() <= FEW else powers(d, d, lowest)
    own = e.gather(1, labels)
    others = e.scatter_(1, labels, 0.0).sum(-1, keepdim=True)
    loss = torch.log1p(others / own)
    if not lowest >= NEAR:
        loss = _mended(loss, x, m, labels, own, others)
    return loss, m, others, own + others, e


def _mended(
    loss: torch.Tensor,
    x: torch.Tensor,
    m: torch.Tensor,
    labels: torch.Tensor,
    own: torch.Tensor,
    others: torch.Tensor,
) -> torch.Tensor:
    """The losses where terms may have been too small; `others` gets what was left out."""
    low, high = (end.item() for end in torch.aminmax(loss))
    # The largest term is 1, so others are at least half of a loss below log 2, or a half.
    if x.numel() > FEW and not 0.5 * low >= faintest(x):
        rows = faint(others, x)
        if rows is not None:
            missed = torch.exp(x[rows] - m[rows]).scatter_(1, labels[rows], 0.0)
            others[rows] = missed.sum(-1, keepdim=True)
            loss[rows] = torch.log1p(others[rows] / own[rows])
    if not high <= FAR:
        loss = torch.where(loss <= FAR, loss, (m - x.gather(1, labels)) + torch.log(others))
    return loss
