"""torch on the CPU, one thread (pytest-xdist uses the cores)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.autograd.forward_ad as forward_ad

from .base import Adapter, Function, as_numpy

torch.set_num_threads(1)

# The first use of forward mode compiles torch's own rules by a function that torch deprecates.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    torch.func.jvp(torch.sin, (torch.ones(1),), (torch.ones(1),))


class Torch(Adapter):
    name = "torch"
    default_float = "float32"
    autodiff = True

    def array(self, value: Any, dtype: str | None = None, device: Any = None) -> torch.Tensor:
        array = as_numpy(value, dtype)
        if array.dtype.name == "bfloat16":
            return torch.asarray(array.astype(np.float32), device=device).to(torch.bfloat16)
        return torch.asarray(array, device=device)

    def to_numpy(self, result: Any) -> np.ndarray:
        result = result.detach().resolve_neg()
        if result.dtype == torch.bfloat16:
            return as_numpy(result.to(torch.float32).numpy(), "bfloat16")
        return result.numpy()

    def is_result(self, result: Any) -> bool:
        return type(result) is torch.Tensor

    def gradients(
        self, function: Function, arrays: Sequence[Any], cotangent: Any, argnums: Sequence[int]
    ) -> dict[str, list[Any]]:
        leaves = [a.detach().clone().requires_grad_(i in argnums) for i, a in enumerate(arrays)]
        wanted = [leaves[i] for i in argnums]
        backward = torch.autograd.grad(function(*leaves), wanted, cotangent)

        def part(*some: Any) -> Any:
            return function(*_replaced(arrays, argnums, some))

        _, pullback = torch.func.vjp(part, *(arrays[i] for i in argnums))
        return {"backward": list(backward), "func.vjp": list(pullback(cotangent))}

    def tangents(
        self, function: Function, arrays: Sequence[Any], tangents: Sequence[Any]
    ) -> dict[str, tuple[Any, Any]]:
        moving = [i for i, tangent in enumerate(tangents) if tangent is not None]

        def part(*some: Any) -> Any:
            return function(*_replaced(arrays, moving, some))

        primals, directions = tuple(arrays[i] for i in moving), tuple(tangents[i] for i in moving)
        with forward_ad.dual_level():
            dual = part(*map(forward_ad.make_dual, primals, directions))
            level = forward_ad.unpack_dual(dual)
        return {
            "func.jvp": torch.func.jvp(part, primals, directions),
            "forward_ad": (level.primal, level.tangent),
        }

    def hessian_products(
        self, function: Function, array: Any, others: tuple[Any, ...], cotangent: Any, tangent: Any
    ) -> dict[str, Any]:
        def of_array(x: Any) -> Any:
            return function(x, *others)

        def reverse(x: Any) -> Any:
            return torch.func.vjp(of_array, x)[1](cotangent)[0]

        def forward(x: Any) -> Any:
            return torch.func.jvp(of_array, (x,), (tangent,))[1]

        def forward_over_forward(x: Any) -> Any:
            columns = []
            for i in range(x.numel()):
                e = torch.zeros(x.numel(), dtype=x.dtype)
                e[i] = 1
                columns.append((torch.func.jvp(forward, (x,), (e.reshape(x.shape),))[1] * cotangent).sum())
            return torch.stack(columns).reshape(x.shape).to(x.dtype)

        leaf = array.detach().clone().requires_grad_()
        (first,) = torch.autograd.grad(of_array(leaf), leaf, cotangent, create_graph=True)
        products = {
            "double backward": torch.autograd.grad(first, leaf, tangent)[0],
            "forward over reverse": torch.func.jvp(reverse, (array,), (tangent,))[1],
            "reverse over reverse": torch.func.vjp(reverse, array)[1](tangent)[0],
            "reverse over forward": torch.func.vjp(forward, array)[1](cotangent)[0],
        }
        if array.numel() <= 8:
            products["forward over forward"] = forward_over_forward(array)
        return products

    def traced(self, function: Function) -> dict[str, Function]:
        def mapped_once(*arrays: Any) -> Any:
            return torch.func.vmap(function)(*(a[None] for a in arrays))[0]

        # All functions made by one line of a test count against one limit of recompilations.
        torch.compiler.reset()
        # eager: what is traced of the library, without what torch makes of that; test_transforms.py has both.
        compiled = torch.compile(function, fullgraph=True, backend="eager", dynamic=False)
        return {"func.vmap": mapped_once, "compile": compiled}


def _replaced(arrays: Sequence[Any], positions: Sequence[int], others: Sequence[Any]) -> list[Any]:
    result = list(arrays)
    for position, other in zip(positions, others, strict=True):
        result[position] = other
    return result


ADAPTER = Torch()
