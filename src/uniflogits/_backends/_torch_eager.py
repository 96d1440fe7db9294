"""What torch's plain eager calls are made of: terms of rows in a cache, and values with their backward pass.

The formulas' tape keeps some twenty arrays of the logits' size. What is computed here keeps the logits, a few
numbers a row, at most one array more, and works in blocks of rows.
Whatever is no plain reverse mode is left to the formula: transforms, forward mode, compilers, rows without a
finite maximum, and the derivative of the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch._C._functorch import is_batchedtensor

from .._math.products import product
from ._blocks import in_rows, value_in_blocks

BLOCK = 1 << 18  # entries of a block for each thread: 1 MiB of float32

DTYPES = {"float32": torch.float32, "float64": torch.float64}
# Below these torch.exp takes fifty times as long: its results are subnormal, or nearly. Exact in both dtypes.
_LOWEST = {torch.float32: -87.3359375, torch.float64: -707.0}


def height(x: torch.Tensor) -> int:
    """How many rows of (rows, K) make a block."""
    return max(1, BLOCK * torch.get_num_threads() // x.shape[-1])


def blocks(x: torch.Tensor) -> Iterator[slice]:
    rows, size = x.shape[0], height(x)
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def terms(x: torch.Tensor, m: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """e^(x - m), 0 below the smallest normal number."""
    return powers(torch.sub(x, m, out=out), out)


def powers(d: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """e^d for d of at most 0, 0 below the smallest normal number; torch's softmax is slow there as well."""
    lowest = _LOWEST[d.dtype]
    if not torch.amin(d).item() < lowest:
        return torch.exp(d, out=out)
    least = math.exp(lowest) * (1 + 1e-6)
    return torch.threshold_(torch.clamp(d, min=lowest, out=out).exp_(), least, 0.0)


def faint(rest: torch.Tensor, classes: int) -> torch.Tensor | None:
    """The rows whose sum of terms, (rows, 1), may miss what `powers` has left out; None: there are none."""
    limits = torch.finfo(rest.dtype)
    least = classes * limits.tiny / limits.eps
    if torch.amin(rest).item() >= least:
        return None
    rows = torch.nonzero(rest[:, 0] < least)[:, 0]
    return rows if len(rows) else None


class _Eager(torch.autograd.Function):
    """A legacy Function: a call costs a fifth."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, value: Any, kept: Any, pullback: Any, formula: Any, *arrays: torch.Tensor
    ) -> torch.Tensor:
        # Tensors that are the caller's are saved as such: torch says so if they were changed meanwhile.
        ctx.save_for_backward(*arrays, *kept)
        ctx.rest = pullback, formula, len(arrays)
        return value()

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> Any:  # type: ignore[override]
        pullback, formula, count = ctx.rest
        saved, needed = ctx.saved_tensors, ctx.needs_input_grad[4:]
        arrays, kept = saved[:count], saved[count:]
        differentiable = torch.is_grad_enabled()
        if differentiable or is_batchedtensor(cotangent):
            gradients = _by_formula(formula, arrays, needed, cotangent, differentiable)
        else:
            gradients = pullback(tuple(x.detach() for x in arrays), kept, cotangent, needed)
        return None, None, None, None, *gradients


def _by_formula(
    formula: Callable[..., torch.Tensor], arrays: Any, needed: Any, cotangent: Any, differentiable: bool
) -> list[torch.Tensor | None]:
    wanted = [x for x, need in zip(arrays, needed, strict=True) if need]
    with torch.enable_grad():
        found = torch.autograd.grad(formula(*arrays), wanted, cotangent, create_graph=differentiable)
    rest = iter(found)
    return [next(rest) if need else None for need in needed]


def with_backward(
    value: torch.Tensor,
    kept: tuple[torch.Tensor | None, ...],
    pullback: Callable[..., Any],
    formula: Callable[..., torch.Tensor],
    *arrays: torch.Tensor,
) -> torch.Tensor:
    """`value` of arrays, computed off the tape, with a backward pass.

    That is pullback(arrays, kept, cotangent, needed), which gives a gradient or None for each array; where it
    is itself differentiated or mapped, the one of formula(*arrays).
    """
    # Given as it is, or if it were a view, the result could not be written to in place.
    return _Eager.apply(value.detach, kept, pullback, formula, *arrays)


class _Slopes(NamedTuple):
    """How the gradients of `in_parts` are made, one part after the other."""

    xp: Any
    gradients: Callable[..., tuple[Any, ...]]
    entries: int
    each: bool

    def __call__(self, arrays: Any, _: Any, cotangent: torch.Tensor, needed: Any) -> list[Any]:
        rows, size = in_rows(self.xp, self.entries, arrays, self.each)
        if not self.each:  # a number of each row, or of each entry after all
            cotangent = cotangent[..., None] if cotangent.ndim < arrays[0].ndim else cotangent
            cotangent = cotangent.reshape(-1, cotangent.shape[-1])
        else:
            cotangent = cotangent.reshape(-1)
        out = [torch.empty_like(x) if need else None for x, need in zip(rows, needed, strict=True)]
        for start in range(0, rows[0].shape[0], size):
            part = slice(start, start + size)
            for place, slope in zip(out, self.gradients(*(x[part] for x in rows)), strict=True):
                if place is not None:
                    place[part] = product(self.xp, slope, cotangent[part])
        return [g if g is None else g.view(x.shape) for g, x in zip(out, arrays, strict=True)]


def in_parts(
    xp: Any,
    entries: int,
    value: Callable[..., Any],
    gradients: Callable[..., Any],
    formula: Callable[..., Any],
    arrays: tuple[torch.Tensor, ...],
    each: bool,
) -> torch.Tensor:
    """value(*arrays) of plain arrays of one shape, and its gradients, so many entries at a time."""
    with torch.no_grad():
        plain = tuple(x.detach() for x in arrays)
        out = value_in_blocks(xp, xp.over_chunks, entries, value, *plain, each=each)
    if not (torch.is_grad_enabled() and any(x.requires_grad for x in arrays)):
        return out
    return with_backward(out, (), _Slopes(xp, gradients, entries, each), formula, *arrays)
