"""torch: the formula itself runs, so every transform of torch's own applies to it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import array_api_compat.torch as namespace
import numpy as np
import torch
import torch.autograd.forward_ad as forward_ad
from torch.utils.checkpoint import checkpoint

from .._core.dtypes import dtype_name
from .._core.errors import type_error
from .._math.linear_pass import one_pass, total_of
from . import _torch_compiled, _torch_eager, _torch_linear, _torch_loss, _torch_rows
from ._blocks import alike, divisible, row_by_row
from ._torch_watchers import TENSORS, is_differentiated, is_on_cpu, is_plain, is_watched, transforming
from .generic import Backend, extend, value_alone, value_and_nothing

# What torch stores and does not compute with.
_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def _attach(value: Callable[..., Any], gradients: Callable[..., Any], *arrays: torch.Tensor) -> torch.Tensor:
    """A formula and no autograd.Function: that goes through every transform of torch and its compiler."""
    formula = functools.partial(value_and_nothing, TorchBackend.xp, value, gradients)
    if is_on_cpu(*arrays) and alike(*arrays):
        return _torch_eager.in_parts(value, gradients, formula, arrays, False)
    return formula(*arrays) if any(is_differentiated(x) for x in arrays) else value(*arrays)


def _in_parts(
    xp: Any, formula: Any, gradients: Any, arrays: Any, numbers: dict[str, Any], each: bool
) -> torch.Tensor:
    taped = functools.partial(formula, xp, **numbers)
    tensors = [number for number in numbers.values() if isinstance(number, torch.Tensor)]
    if not divisible(numbers, each) or any(x.requires_grad for x in tensors):
        return taped(*arrays)
    if not is_on_cpu(*arrays, *tensors) or not alike(*arrays):
        return taped(*arrays)
    value, slopes = (functools.partial(one, _OFF_TAPE, **numbers) for one in (formula, gradients))
    return _torch_eager.in_parts(value, slopes, taped, arrays, each)


def _attach_label(*given: Any) -> torch.Tensor | None:
    """The losses of labels by a rule inside a compiled function; the formula elsewhere."""
    *_, x, labels = given
    compiled = torch.compiler.is_compiling() and not transforming()
    return _torch_compiled.label_loss(x, labels) if compiled else None


def _sift(quick: Any, exact: Callable[..., Any], *arrays: torch.Tensor) -> torch.Tensor:
    # Whether rows are good is read: at once on a CPU, elsewhere after all that was asked for before.
    return row_by_row(TorchBackend.xp, quick, exact, *arrays) if is_on_cpu(*arrays) else exact(*arrays)


class _Slope(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        return cotangents[0]

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return tangents[0].clone()


def _slope(x: torch.Tensor) -> torch.Tensor:
    """Zeros whose derivative by x is 1, at infinite x too; its own derivative, 0, survives nested forward
    modes.

    The compiler refuses a Function that has a forward mode: there the derivative is 0.
    """
    if torch.compiler.is_compiling() or not is_differentiated(x):
        return torch.zeros_like(x)
    return _Slope.apply(x)


def _expm1(x: torch.Tensor) -> torch.Tensor:
    """e^x - 1. Compiled for vectors of a CPU, torch's own subtracts: nothing is left of it near 0.

    pytorch#189803; the quotient is Kahan's, its derivatives those of the exponential.
    """
    if not torch.compiler.is_compiling():
        return torch.expm1(x)
    e = torch.exp(x)
    fixed, u = x.detach(), e.detach()
    near, same = torch.abs(fixed) < 0.7, u == 1
    quotient = (u - 1) * (fixed / torch.log(torch.where(near & ~same, u, 2.0)))
    value = torch.where(near, torch.where(same, fixed, quotient), u - 1)
    return torch.where(torch.isinf(u), e, value + (e - u))


def _recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Saves the arguments for backward, and nothing else, where torch can: not in its other transforms."""

    def call(*arrays: Any) -> Any:
        given = [x for x in arrays if x is not None]
        compiling = torch.compiler.is_compiling()
        if not compiling and (transforming() or not any(is_differentiated(x) for x in given)):
            return function(*arrays)
        if not compiling and any(forward_ad.unpack_dual(x).tangent is not None for x in given):
            return function(*arrays)
        return checkpoint(function, *arrays, use_reentrant=False, preserve_rng_state=False)

    return call


def _linear_pass(arrays: Any, labels: Any, factors: Any, z_loss: Any, size: int | None) -> Any:
    moving = torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in (*arrays, factors))
    if moving or not is_plain(*arrays, labels, factors):
        return one_pass(TorchBackend.xp, arrays, labels, factors, z_loss, size)
    return _torch_linear.one_pass(TorchBackend.xp, arrays, labels, factors, z_loss, size)


def _linear_losses(exact: Any, one_pass: Any, arrays: Any, given: Any) -> Any:
    if not is_plain(*arrays, given[0]):
        return exact(given, *arrays)
    return _torch_linear.losses(exact, one_pass, arrays, given)


def _linear_total(exact: Any, one_pass: Any, arrays: Any, given: Any, factors: Any) -> Any:
    if not is_plain(*arrays, given[0], factors):
        return exact(given, *arrays, factors)
    if not torch.is_grad_enabled() or not any(x is not None and x.requires_grad for x in (*arrays, factors)):
        return total_of(TorchBackend.xp, one_pass(given, arrays, None).raw, factors)
    return _torch_linear.total(TorchBackend.xp, exact, one_pass, arrays, given, factors)


class TorchBackend(Backend):
    name = "torch"
    xp = extend(
        namespace,
        stop_gradient=torch.Tensor.detach,
        attach=_attach,
        in_parts=_in_parts,
        sift=_sift,
        without=lambda x, classes: x.scatter_(-1, classes, 0.0),
        slope=_slope,
        attach_short=None,
        attach_map=None,
        attach_label=_attach_label,
        recomputed=_recomputed,
        linear_pass=_linear_pass,
        linear_losses=_linear_losses,
        linear_total=_linear_total,
        over_chunks=_torch_eager.over_chunks,
        barrier=lambda *arrays: arrays,
        expm1=_expm1,
        matmul=_torch_linear.matmul,
        inner=lambda a, b: _torch_linear.matmul(a, b.T),
        # The namespace's own make tensors of the limits, or, up to array-api-compat 1.13, ask for them.
        clip=torch.clamp,
        minimum=lambda x, most: torch.clamp(x, max=most),
        dims=lambda x: tuple(x.shape),
        contiguous=torch.Tensor.contiguous,
        # The namespace's own assigns to a mask, which torch.func.vmap refuses.
        sign=torch.sign,
        # torch's compiler does not get through the namespace's own.
        cumulative_sum=lambda x, axis: torch.cumsum(x, axis),
        class_indices=lambda x, dtype: torch.arange(x.shape[-1], dtype=dtype, device=x.device),
        bfloat16=torch.bfloat16,
    )
    differentiates = True

    def adopt(self, operation: str, argument: str, value: Any) -> Any:
        if value.layout is not torch.strided or value.is_nested:
            kind = "nested" if value.is_nested else "sparse"
            advice = "to_padded_tensor() and where=" if value.is_nested else "to_dense()"
            raise type_error(
                operation, f"{argument} must be a dense tensor, got a {kind} one; convert it with {advice}"
            )
        if value.is_quantized:
            raise type_error(
                operation,
                f"{argument} must be a dense tensor, got a quantized one; convert it with dequantize()",
            )
        return value

    def form(self, value: Any) -> Any:
        if torch.compiler.is_compiling() or type(value) not in TENSORS:
            return None
        if value.layout is not torch.strided or value.is_nested:
            return None
        return value.dtype, value.shape, value.device

    def dtype(self, name: str) -> Any:
        return getattr(torch, name)

    def default_float(self, like: Any) -> str:
        return dtype_name(torch.get_default_dtype())

    def device(self, value: Any) -> Any:
        return value.device

    def read(self, value: Any) -> np.ndarray | None:
        if torch.compiler.is_compiling() or type(value) not in TENSORS:
            return None
        if value.device.type != "cpu" or transforming():
            return None
        value = value.detach()
        return value.float().numpy() if value.dtype is torch.bfloat16 else value.numpy()

    def within(self, value: Any, low: float, high: float) -> bool | None:
        if is_watched() or type(value) not in TENSORS or not value.is_cpu or value.dtype in _UNSIGNED:
            return super().within(value, low, high)
        if value.numel() == 0:
            return True
        # NumPy's reductions, fast by themselves, slow down what torch does next.
        least, most = torch.aminmax(value.detach())
        return least.item() >= low and most.item() <= high

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        kind = operands[plan.operation.arrays[0]].device.type
        multiplies = plan.operation.vectors is not None and torch.amp.is_autocast_available(kind)
        if multiplies and torch.is_autocast_enabled(kind):
            # Logits made here are summed in the dtype of the computation, not in the one for other products.
            with torch.autocast(kind, enabled=False):
                return self._run(kernel, plan, operands)
        return self._run(kernel, plan, operands)

    def _run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        name = plan.operation.name if kernel.__name__ == "evaluate" else None
        if (name in _torch_loss.LOSSES or name in _torch_rows.WAYS) and is_on_cpu(*operands.values()):
            out = self._eagerly(kernel, plan, operands)
            if out is not None:
                return out
        return kernel(self.xp, plan, operands)

    def _eagerly(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        if plan.operation.name not in _torch_loss.LOSSES:
            return _torch_rows.value(self.xp, plan, operands)

        def formula(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return kernel(self.xp, plan, {**operands, "logits": x, "labels": labels})

        return _torch_loss.value(plan, operands, formula)

    def value_and_grad(
        self, function: Callable[..., Any], argnums: tuple[int, ...], arrays: Any, options: Any
    ):
        with torch.enable_grad():
            leaves = [a.detach().requires_grad_() if i in argnums else a for i, a in enumerate(arrays)]
            value = function(*leaves, **options)
            grads = torch.autograd.grad(value, [leaves[i] for i in argnums], allow_unused=True)
        filled = [
            torch.zeros_like(leaves[i]) if g is None else g for i, g in zip(argnums, grads, strict=True)
        ]
        return value.detach(), tuple(filled)


# What nothing differentiates has shorter forms.
_OFF_TAPE = extend(TorchBackend.xp, slope=None, attach=value_alone)
BACKEND = TorchBackend()
