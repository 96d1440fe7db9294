"""What torch's plain eager calls are made of: terms of rows in a cache, and values with their backward pass.

The formulas' tape keeps some twenty arrays of the logits' size. What is computed here keeps the logits, a few
numbers a row, at most one array more, and works in blocks of rows.
Whatever is no plain reverse mode is left to the formula: transforms, forward mode, compilers, rows without a
finite maximum, and the derivative of the backward pass.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch._C._functorch import is_batchedtensor, is_legacy_batchedtensor
from torch.autograd import forward_ad

from .._math.products import product
from ._blocks import alike, chunk_by_chunk, in_rows, value_in_blocks

BLOCK = 1 << 18  # entries of a block for each thread: 1 MiB of float32
KEPT = 1 << 20  # terms of up to so many logits are kept for the backward pass
PART = 1 << 16  # the same of a formula, which has many arrays of that size
over_chunks = functools.partial(chunk_by_chunk, torch.cat)

DTYPES = {"float32": torch.float32, "float64": torch.float64}
# The next float32 is the last whose exponential is a normal number, and takes torch fifty times as long.
_LOWEST = -87.33653259277344


def height(x: torch.Tensor) -> int:
    """How many rows of (rows, K) make a block."""
    return max(1, BLOCK * torch.get_num_threads() // x.shape[-1])


def blocks(x: torch.Tensor) -> Iterator[slice]:
    rows, size = x.shape[0], height(x)
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def columns(x: torch.Tensor, compute: Callable[[slice], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Numbers of each row, (rows, 1), which compute(part) gives for a block of them."""
    first, *others = blocks(x)
    found = compute(first)
    if not others:
        return found
    joined = tuple(x.new_empty((x.shape[0], 1)) for _ in found)
    for part in (first, *others):
        for whole, one in zip(joined, found if part is first else compute(part), strict=True):
            whole[part] = one
    return joined


def terms(x: torch.Tensor, m: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """e^(x - m), as `powers`."""
    return powers(torch.sub(x, m, out=out), out)


def powers(d: torch.Tensor, out: torch.Tensor, lowest: float | None = None) -> torch.Tensor:
    """e^d for d of at most 0; in float32 0 below the smallest normal number, where torch is slow.

    `lowest` is the smallest d, if that is known.
    """
    if d.dtype is not torch.float32:
        return torch.exp(d, out=out)
    if not (torch.amin(d).item() if lowest is None else lowest) < _LOWEST:
        return torch.exp(d, out=out)
    least = math.exp(_LOWEST) * (1 + 1e-6)  # whichever way it was rounded
    return torch.threshold_(torch.clamp(d, min=_LOWEST, out=out).exp_(), least, 0.0)


def faintest(x: torch.Tensor) -> float:
    """A sum of terms of rows (rows, K) that is no smaller misses nothing which `powers` has left out."""
    limits = torch.finfo(x.dtype)
    return x.shape[-1] * limits.tiny / limits.eps


def faint(rest: torch.Tensor, x: torch.Tensor) -> torch.Tensor | None:
    """The rows of x whose sum of terms, (rows, 1), is smaller than that; None: there are none."""
    least = faintest(x)
    if not len(rest) or torch.amin(rest).item() >= least:
        return None
    rows = torch.nonzero(rest[:, 0] < least)[:, 0]
    return rows if len(rows) else None


def beyond_largest(terms: torch.Tensor, x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """The sum of terms whose largest is 1, less that one, which is left out where it hides the others."""
    rest = terms.sum(-1, keepdim=True).sub_(1.0)
    if torch.amin(rest).item() >= 1:
        return rest
    rows = torch.nonzero(rest[:, 0] < 1)[:, 0]
    hidden = terms[rows]
    largest = hidden == 1
    hidden = hidden.masked_fill_(largest, 0.0).sum(-1, keepdim=True)
    few = faint(hidden, x)
    if few is not None:
        exact = torch.exp(x[rows[few]] - m[rows[few]])
        hidden[few] = exact.masked_fill_(largest[few], 0.0).sum(-1, keepdim=True)
    rest[rows] = hidden
    return rest


class _Eager(torch.autograd.Function):
    """A legacy Function: a call costs a fifth."""

    @staticmethod
    def forward(ctx: Any, value: Any, kept: Any, pullback: Any, formula: Any, *arrays: Any) -> Any:
        # Tensors that are the caller's are saved as such: torch says so if they were changed meanwhile.
        ctx.save_for_backward(*arrays, *kept)
        ctx.rest = pullback, formula, len(arrays)
        return value()

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        (cotangent,), (pullback, formula, count) = cotangents, ctx.rest
        saved, needed = ctx.saved_tensors, ctx.needs_input_grad[4:]
        arrays, kept = saved[:count], saved[count:]
        if torch.is_grad_enabled() or _is_transformed(cotangent):
            gradients = _by_formula(formula, arrays, needed, cotangent)
        else:
            plain = tuple(None if x is None else x.detach() for x in arrays)
            gradients = pullback(plain, kept, cotangent, needed)
        return None, None, None, None, *gradients


def _is_transformed(cotangent: torch.Tensor) -> bool:
    """Whether a backward pass is mapped over, by either of torch's ways, or carries a tangent."""
    mapped = is_batchedtensor(cotangent) or is_legacy_batchedtensor(cotangent)
    return mapped or forward_ad.unpack_dual(cotangent).tangent is not None


def _by_formula(formula: Callable[..., Any], arrays: Any, needed: Any, cotangent: torch.Tensor) -> list[Any]:
    """Gradients that can be differentiated again, where that is asked for."""
    wanted = [x for x, need in zip(arrays, needed, strict=True) if need]
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        found = iter(torch.autograd.grad(formula(*arrays), wanted, cotangent, create_graph=again))
    return [next(found) if need else None for need in needed]


def with_backward(
    value: torch.Tensor,
    kept: tuple[torch.Tensor | None, ...],
    pullback: Callable[..., Any],
    formula: Callable[..., torch.Tensor],
    *arrays: torch.Tensor | None,
) -> torch.Tensor:
    """`value` of arrays, computed off the tape, with a backward pass.

    That is pullback(arrays, kept, cotangent, needed), which gives a gradient or None for each array; where it
    is itself differentiated or mapped, the one of formula(*arrays).
    """
    # Given as it is, or if it were a view, the result could not be written to in place.
    return _Eager.apply(value.detach, kept, pullback, formula, *arrays)


def in_parts(
    value: Callable[..., torch.Tensor],
    gradients: Callable[..., Any],
    formula: Callable[..., torch.Tensor],
    arrays: tuple[torch.Tensor, ...],
    each: bool,
) -> torch.Tensor:
    """value(*arrays) of plain arrays of one shape, and its gradients, a part of the entries at a time."""
    entries = PART * torch.get_num_threads()
    plain = tuple(x.detach() for x in arrays)
    out = value_in_blocks(torch, over_chunks, entries, value, *plain, each=each)
    if not (torch.is_grad_enabled() and any(x.requires_grad for x in arrays)):
        return out

    def pullback(arrays: Any, _: Any, cotangent: torch.Tensor, needed: Any) -> list[torch.Tensor | None]:
        rows, size = in_rows(torch, entries, arrays, each)
        if alike(cotangent, arrays[0]):
            (cotangent,), _ = in_rows(torch, entries, (cotangent,), each)
        else:  # a number of each row
            cotangent = cotangent.reshape(-1, 1)
        out = [torch.empty_like(x) if need else None for x, need in zip(rows, needed, strict=True)]
        for start in range(0, rows[0].shape[0], size):
            part = slice(start, start + size)
            for place, slope in zip(out, gradients(*(x[part] for x in rows)), strict=True):
                if place is not None:
                    slope = slope() if callable(slope) else slope
                    place[part] = product(torch, slope, cotangent[part])
        return [g if g is None else g.view(x.shape) for g, x in zip(out, arrays, strict=True)]

    return with_backward(out, (), pullback, formula, *arrays)
