"""NumPy: the library of plain lists and numbers too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.errors import type_error
from .._core.operation import OPERATIONS
from . import _numpy_kernels, _numpy_linear, _numpy_loss
from ._blocks import chunk_by_chunk, divisible, row_by_row, value_in_blocks
from ._numpy_rows import ENTRIES
from .generic import Backend, extend, losses_alone, total_alone

_INTEGER_LABELS = "softmax_cross_entropy_with_integer_labels"
# Kernel and operation -> what runs in its place; None from that leaves a call to the formula.
_FUSED = {
    **{("evaluate", name): function for name, function in _numpy_kernels.VALUES.items()},
    ("evaluate", _INTEGER_LABELS): _numpy_loss.value,
    ("pull_kernel", _INTEGER_LABELS): _numpy_loss.pullback,
}

_over_chunks = functools.partial(chunk_by_chunk, np.concatenate)
_UNSIGNED = {np.dtype(f"int{bits}"): np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)}


def _in_parts(xp: Any, formula: Any, _: Any, arrays: Any, numbers: dict[str, Any], each: bool) -> Any:
    value = functools.partial(formula, xp, **numbers)
    if not divisible(numbers, each):
        return value(*arrays)
    return value_in_blocks(np, _over_chunks, ENTRIES, value, *arrays, each=each)


def _without(x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    np.put_along_axis(x, classes, 0.0, axis=-1)
    return x


class NumPyBackend(Backend):
    name = "NumPy"
    xp = extend(
        np,  # array_api_compat's wrapper takes longer to import than all of uniflogits
        # NumPy 2.0 has no cumulative_sum.
        cumulative_sum=np.cumsum,
        astype=lambda x, dtype: x.astype(dtype),
        stop_gradient=lambda x: x,
        attach=lambda value, _, *arrays: value_in_blocks(np, _over_chunks, ENTRIES, value, *arrays),
        in_parts=_in_parts,
        sift=lambda *given: row_by_row(NumPyBackend.xp, *given),
        without=_without,
        slope=None,
        attach_short=None,
        attach_map=None,
        attach_label=None,
        recomputed=lambda function: function,
        over_chunks=_over_chunks,
        linear_pass=_numpy_linear.one_pass,
        linear_losses=losses_alone,
        linear_total=functools.partial(total_alone, np),
        barrier=lambda *arrays: arrays,
        dims=np.shape,
        contiguous=np.ascontiguousarray,
        class_indices=lambda x, dtype: np.arange(x.shape[-1], dtype=dtype),
    )

    def adopt(self, operation: str, argument: str, value: Any) -> Any:
        if isinstance(value, np.ma.MaskedArray):
            masks = operation in OPERATIONS and "where" in OPERATIONS[operation].options
            advice = f"a masked array; pass its .data{', and the inverse of its mask as where=' * masks}"
        elif isinstance(value, np.matrix):
            advice = "a numpy.matrix; convert it with numpy.asarray"
        else:
            value = np.asarray(value)
            return value if value.dtype.isnative else value.astype(value.dtype.newbyteorder("="))
        raise type_error(operation, f"{argument} must be an array, got {advice}")

    def form(self, value: Any) -> Any:
        if type(value) is np.ndarray and value.dtype.isnative:
            return value.dtype, value.shape
        return None

    def asarray(self, value: np.ndarray) -> Any:
        return value

    def dtype(self, name: str) -> Any:
        if name == "bfloat16":  # NumPy knows it only where ml_dtypes has registered it
            import ml_dtypes

            return np.dtype(ml_dtypes.bfloat16)
        return np.dtype(name)

    def default_float(self, like: Any) -> str:
        return "float64"

    def device(self, value: Any) -> Any:
        return None

    def read(self, value: Any) -> np.ndarray | None:
        return value

    def within(self, value: Any, low: float, high: float) -> bool | None:
        unsigned = _UNSIGNED.get(value.dtype)
        if unsigned is None or low != 0 or high >= 1 << (8 * value.itemsize - 1) or not value.size:
            return super().within(value, low, high)
        # A negative class is one too large without its sign.
        return bool(np.maximum.reduce(value.view(unsigned), None) <= high)

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        # Infinities and underflow are ordinary values here, whatever the caller has set.
        with np.errstate(all="ignore"):
            fused = _FUSED.get((kernel.__name__, plan.operation.name))
            out = None if fused is None else fused(self.xp, plan, operands)
            return _scalars(kernel(self.xp, plan, operands) if out is None else out)

    def value_and_gradients(self, plan: Any, operands: Any) -> Any:
        if plan.operation.name != _INTEGER_LABELS:
            return None
        with np.errstate(all="ignore"):
            both = _numpy_loss.value_and_gradients(self.xp, plan, operands)
        return None if both is None else (both[0][()], both[1])


def _scalars(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(_scalars(one) for one in result)
    return result[()] if isinstance(result, np.ndarray) and result.ndim == 0 else result


BACKEND = NumPyBackend()
