"""The single pass of linear_cross_entropy on torch, and how it meets torch's plain reverse mode.

For ordinary tensors outside of every transform: buffers are written over in place, and gradients of a sum
come with the losses. Everything else is the formula's.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from .._math import linear_pass
from .._math.linear_pass import Pass, rows_of, total_of
from ._torch_eager import with_backward

_TERMS = 1024


def matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The product of two matrices, more than 1024 terms added up in parts, those of its derivatives too.

    On some processors torch adds all of them up one after the other. Where small terms come after large ones
    nothing is left of them, and 256 000 classes cost float32 thousands of ulp.
    """
    terms, columns = b.shape
    if columns > _TERMS:
        return torch.cat([matmul(a, part) for part in b.split(_TERMS, 1)], 1)
    if terms > _TERMS:
        return functools.reduce(torch.add, map(torch.mm, a.split(_TERMS, 1), b.split(_TERMS, 0)))
    return torch.mm(a, b)


def one_pass(
    xp: Any,
    arrays: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None],
    labels: torch.Tensor,
    factors: torch.Tensor | None,
    z_loss: float | None,
    size: int | None,
) -> Pass:
    """As `_math.linear_pass.one_pass`."""
    h, vectors, bias = arrays
    count = h.shape[0]
    size = max(count if size is None else size, 1)
    logits = h.new_empty(size, vectors.shape[0])
    raw = h.new_empty(count)
    by_h = by_vectors = by_bias = None
    if factors is not None:
        by_h, by_vectors = torch.empty_like(h), torch.zeros_like(vectors)
        by_bias = None if bias is None else torch.zeros_like(bias)
    for start in range(0, count, size):
        some = slice(start, min(start + size, count))
        rows, x = h[some], logits[: min(size, count - start)]
        given = None if factors is None else factors[some]
        bad = labels[some] < 0
        y = torch.where(bad, 0, labels[some])
        if bias is None:
            torch.mm(rows, vectors.T, out=x)
        else:
            torch.addmm(bias, rows, vectors.T, out=x)
        own = torch.where(bad, torch.nan, x.gather(1, y[:, None])[:, 0])
        x.scatter_(1, y[:, None], -torch.inf)
        largest = x.amax(1)
        if not (torch.isfinite(largest) & ~torch.isnan(own)).all():
            # Infinities and NaN are for the formula, which is slower.
            found = linear_pass.one_pass(xp, (rows, vectors, bias), labels[some], given, z_loss, None)
            raw[some] = found.raw
            if by_h is not None and by_vectors is not None:
                by_h[some] = found.by_hidden
                by_vectors += found.by_vectors
                if by_bias is not None:
                    by_bias += found.by_bias
            continue
        # The exponential itself takes many times as long where it underflows. The largest of these shares is
        # 1 over the sum of e^(x - largest).
        torch.softmax(x, 1, out=x)
        row = rows_of(xp, own, largest, 1 / x.amax(1), z_loss)
        raw[some] = row.raw
        if given is None or by_h is None or by_vectors is None:
            continue
        others, label = given * row.others, (given * row.label)[:, None]
        by_vectors.addmm_(x.T, others[:, None] * rows)
        by_vectors.index_add_(0, y, label * rows)
        by_h[some] = matmul(x, vectors)
        by_h[some].mul_(others[:, None]).addcmul_(label, vectors.index_select(0, y))
        if by_bias is not None:
            by_bias.addmv_(x.T, others).index_add_(0, y, label[:, 0])
    return Pass(raw, by_h, by_vectors, by_bias)


def losses(exact: Any, one_pass: Any, arrays: Any, given: Any) -> Any:
    """Each row's loss; backward makes the logits anew."""

    def pullback(arrays: Any, _: Any, cotangent: torch.Tensor, needed: Any) -> tuple[Any, ...]:
        found = one_pass(given, arrays, cotangent)
        return found.by_hidden, found.by_vectors, found.by_bias

    with torch.no_grad():
        raw = one_pass(given, arrays, None).raw
    return with_backward(raw, (), pullback, functools.partial(exact, given), *arrays)


def total(xp: Any, exact: Any, one_pass: Any, arrays: Any, given: Any, factors: torch.Tensor) -> Any:
    """The sum of factors times losses; its gradients are made with it."""

    def pullback(_: Any, slopes: Any, cotangent: torch.Tensor, needed: Any) -> list[Any]:
        return [slope * cotangent if need else None for slope, need in zip(slopes, needed, strict=True)]

    with torch.no_grad():
        found = one_pass(given, arrays, factors)
        value = total_of(xp, found.raw, factors)
    slopes = found.by_hidden, found.by_vectors, found.by_bias, found.raw
    return with_backward(value, slopes, pullback, functools.partial(exact, given), *arrays, factors)
