"""torch's cross-entropy of several classes a row: dense labels, smoothed ones, weighed classes, a z-loss.

With d = x - m and t what each class counts, the loss is Σt·log Σe^d - Σt·d, two sums of one sign.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ._torch_eager import KEPT, beyond_largest, blocks, columns, height, powers, terms


class Targets(NamedTuple):
    """What counts in rows of logits (rows, K)."""

    smoothing: float | None
    z_loss: float | None
    labels: Any  # of a class, (rows, 1), int64; or dense, (rows, K)
    class_weights: Any  # (K,), of classes; None: 1

    def losses(self, x: torch.Tensor, keep: bool) -> tuple[torch.Tensor, Any]:
        """Each row's loss, (rows, 1), and what the gradient is made of."""
        counted, size, keep = self._counted(x), height(x), keep and x.numel() <= KEPT
        d, moved = (x.new_empty((min(len(x), size), x.shape[1])) for _ in range(2))
        e = torch.empty_like(x if keep else d)

        def of_block(part: slice) -> tuple[Any, ...]:
            few = slice(0, part.stop - part.start)
            m = torch.amax(x[part], -1, keepdim=True)
            mass, away = counted.sums(self.labels[part], torch.sub(x[part], m, out=d[few]), moved[few])
            beyond = beyond_largest(powers(d[few], e[part if keep else few]), x[part], m)
            log_total = torch.log1p(beyond)
            loss = log_total * mass - away
            if self.z_loss is not None:
                loss += self.z_loss * torch.square(m + log_total)
            return loss, m, beyond, mass

        loss, m, beyond, mass = columns(x, of_block)
        return loss, (m, beyond, mass, e if keep else None)

    def gradient(self, x: torch.Tensor, odds: Any, scale: torch.Tensor | None) -> torch.Tensor:
        """p·Σt - t, with 1 - p of a winner taken whole, times the scale, (rows, 1) or a number (None: 1)."""
        (m, beyond, mass, kept), counted, out = odds, self._counted(x), torch.empty_like(x)
        total = 1.0 + beyond
        scale = torch.ones_like(m) if scale is None else scale.expand(len(x), 1)
        pull = torch.zeros_like(m)  # of the z-loss: it has nothing to cancel with
        if self.z_loss is not None:
            pull = 2.0 * self.z_loss * (m + torch.log1p(beyond))
        factor = scale * (mass + pull) / total
        scratch = x.new_empty((min(len(x), height(x)), x.shape[1]))
        for part in blocks(x):
            labels, place = self.labels[part], out[part]
            e = terms(x[part], m[part], place) if kept is None else kept[part]
            rows = torch.nonzero(beyond[part, 0] < 1)[:, 0]
            winner = e[rows].argmax(-1, keepdim=True) if len(rows) else rows[:, None]
            torch.mul(e, factor[part], out=place)
            counted.subtract(labels, scale[part], place, scratch[: part.stop - part.start])
            if len(rows):
                won, lost = counted.apart(labels[rows], winner)
                pulled, rest, whole, by = (one[part][rows] for one in (pull, beyond, total, scale))
                moved = (lost + pulled - won * rest) / whole * by
                place.index_put_((rows, winner[:, 0]), moved[:, 0])
        return out

    def label_gradient(self, x: torch.Tensor, odds: Any, scale: torch.Tensor) -> torch.Tensor:
        """-log p of each class, of dense labels: times the scale."""
        m, beyond, _, _ = odds
        kept = 1.0 if self.smoothing is None else 1.0 - self.smoothing
        return torch.sub(m, x).add_(torch.log1p(beyond)).mul_(kept * scale)

    def _counted(self, x: torch.Tensor) -> _OfClasses | _Dense:
        if self.labels.is_floating_point():
            return _Dense(self.smoothing)
        return _of_classes(x, self.smoothing, self.class_weights)


class _OfClasses(NamedTuple):
    """t of labels (rows, 1): c·(1 - ε) at the label and c·ε/K at every class."""

    own: torch.Tensor  # (K,)
    each: torch.Tensor | None  # (K,); None: 0
    total: Any  # Σ each
    without: torch.Tensor  # Σ each but one, (K,)

    def sums(self, labels: torch.Tensor, d: torch.Tensor, scratch: torch.Tensor) -> tuple[Any, Any]:
        """Σt and Σt·d, (rows, 1)."""
        own = self.own[labels]
        away = own * d.gather(1, labels)
        if self.each is not None:
            away += torch.mul(d, self.each, out=scratch).sum(-1, keepdim=True)
        return own + self.total, away

    def subtract(self, labels: torch.Tensor, by: torch.Tensor, out: torch.Tensor, scratch: Any) -> None:
        """t·by, where `by` is (rows, 1)."""
        if self.each is not None:
            out.addcmul_(self.each, by, value=-1.0)
        out.scatter_add_(1, labels, -self.own[labels] * by)

    def apart(self, labels: torch.Tensor, one: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """t of one class of each row, and the sum of all others."""
        own, it = self.own[labels], labels == one
        won, lost = torch.where(it, own, 0.0), torch.where(it, 0.0, own)
        return won if self.each is None else won + self.each[one], lost + self.without[one]


def _of_classes(x: torch.Tensor, smoothing: float | None, weights: torch.Tensor | None) -> _OfClasses:
    classes = x.shape[1]
    if weights is None:
        kept, each = (1.0, 0.0) if smoothing is None else (1.0 - smoothing, smoothing / classes)
        own, spread, without = (x.new_full((classes,), n) for n in (kept, each, each * (classes - 1)))
        return _OfClasses(own, None if smoothing is None else spread, each * classes, without)
    weights = weights.to(x.dtype)
    if smoothing is None:
        return _OfClasses(weights, None, 0.0, torch.zeros_like(weights))
    each = weights * (smoothing / x.shape[1])
    total, largest = each.sum(), each.argmax()
    without = total - each
    # Only the largest can be most of the sum, and leave no digits of the others.
    without[largest] = each.index_fill(0, largest, 0.0).sum()
    return _OfClasses(weights * (1.0 - smoothing), each, total, without)


class _Dense(NamedTuple):
    """t of dense labels (rows, K): (1 - ε)·y + ε/K."""

    smoothing: float | None

    def _of(self, labels: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        if self.smoothing is None:
            return labels
        return torch.mul(labels, 1.0 - self.smoothing, out=out).add_(self.smoothing / out.shape[1])

    def sums(self, labels: torch.Tensor, d: torch.Tensor, scratch: torch.Tensor) -> tuple[Any, Any]:
        t = self._of(labels, scratch)
        mass = t.sum(-1, keepdim=True)
        return mass, torch.mul(t, d, out=scratch).sum(-1, keepdim=True)

    def subtract(self, labels: torch.Tensor, by: torch.Tensor, out: torch.Tensor, scratch: Any) -> None:
        out.addcmul_(self._of(labels, scratch), by, value=-1.0)

    def apart(self, labels: torch.Tensor, one: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        t = self._of(labels, torch.empty_like(labels))
        return t.gather(1, one), t.scatter(1, one, 0.0).sum(-1, keepdim=True)
