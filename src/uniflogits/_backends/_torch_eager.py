"""What torch's plain eager calls are made of: terms of rows in a cache, and values with their backward pass.

The formulas' tape keeps some twenty arrays of the logits' size. What is computed here keeps the logits, a few
numbers a row, at most one array more, and works in blocks of rows.
Whatever is no plain reverse mode is left to the formula: transforms, forward mode, compilers, rows without a
finite maximum, and the derivative of the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch._C._functorch import is_batchedtensor

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


class _Eager(torch.autograd.Function):
    """A legacy Function: a call costs a fifth."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: torch.Tensor, value: torch.Tensor, saved: Any, pullback: Any, formula: Any
    ) -> torch.Tensor:
        # Tensors that are the caller's are saved as such: torch says so if they were changed meanwhile.
        ctx.save_for_backward(x, *saved)
        ctx.rest = pullback, formula
        return value

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> Any:  # type: ignore[override]
        x, *saved = ctx.saved_tensors
        pullback, formula = ctx.rest
        differentiable = torch.is_grad_enabled()
        if differentiable or is_batchedtensor(cotangent):
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(formula(x), x, cotangent, create_graph=differentiable)
        else:
            gradient = pullback(x.detach(), *saved, cotangent)
        return gradient, None, None, None, None


def with_backward(
    x: torch.Tensor,
    value: torch.Tensor,
    saved: tuple[torch.Tensor | None, ...],
    pullback: Callable[..., torch.Tensor],
    formula: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """`value`, computed off the tape, whose backward pass is pullback(x, *saved, cotangent).

    Where that is itself differentiated or mapped, it is the one of formula(x).
    """
    return _Eager.apply(x, value, saved, pullback, formula)
