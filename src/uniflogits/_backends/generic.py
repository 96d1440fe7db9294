"""Any Array API library, and what a backend may do better for its own: all of this class's methods.

A library needs a subclass only where it lacks an Array API namespace, has autodiff, or holds values that can
be read.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import array_api_compat
import numpy as np

from .._core.dtypes import dtype_name
from .._core.errors import type_error
from .._math.linear_pass import one_pass, total_of
from .._math.products import product
from ._blocks import chunk_by_chunk


def extend(namespace: Any, **extras: Any) -> Any:
    """A copy of an Array API namespace with the few functions that formulas need beside the standard's."""
    extended = types.ModuleType(f"uniflogits namespace over {namespace.__name__}")
    extended.__dict__.update({name: value for name, value in vars(namespace).items() if name[:2] != "__"})
    extended.__dict__.update(extras)
    return extended


class _Lazily:
    """Namespaces that make their names on demand (array-api-strict, Dask) are asked each time."""

    def __init__(self, namespace: Any, **extras: Any) -> None:
        self._namespace = namespace
        self.__dict__.update(extras)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._namespace, name)


def value_alone(value: Callable[..., Any], gradients: Callable[..., Any], *arrays: Any) -> Any:
    """`attach` of a library without autodiff.

    ``attach(value, gradients, *arrays)`` is ``value(*arrays)``, which the library differentiates by
    ``gradients(*arrays)``, one derivative per array: of the value's shape, or with one more axis that the
    value is summed over. The derivatives' own derivatives are those of their formula.
    """
    return value(*arrays)


def exact_alone(quick: Any, exact: Callable[..., Any], *arrays: Any) -> Any:
    """`sift` of a library whose values cannot be read.

    ``sift(quick, exact, *arrays)`` is ``exact(*arrays)``, a number for each row (..., K); ``quick`` is how to
    get there by less work: `_core.row_rules.Quick`.
    """
    return exact(*arrays)


def whole(xp: Any, formula: Any, gradients: Any, arrays: Any, numbers: dict[str, Any], each: bool) -> Any:
    """`in_parts` of a library that gains nothing by them.

    ``in_parts(xp, formula, gradients, arrays, numbers, each)`` is ``formula(xp, *arrays, **numbers)``, of
    each element or a number of each row. The library may differentiate it by itself, or by ``gradients(xp,
    *arrays, **numbers)`` as `attach` does, where a derivative may be a function that makes it.
    """
    return formula(xp, *arrays, **numbers)


def value_and_nothing(xp: Any, value: Callable[..., Any], gradients: Callable[..., Any], *arrays: Any) -> Any:
    """`attach` by a formula: the value plus a zero whose first two derivatives are those wanted.

    The zero is gradients(x0 + d/2)·d at d = 0. A plain formula goes through every transform of its library,
    forward mode too, and through its compiler.
    """
    fixed = [xp.stop_gradient(x) for x in arrays]
    out = xp.stop_gradient(value(*fixed))
    # At an infinite x, where x - x is NaN, the step is infinite as the value is there.
    steps = [xp.where(xp.isinf(x), x, x - x0) for x, x0 in zip(arrays, fixed, strict=True)]
    middle = [xp.where(xp.isinf(x), x, x0 + 0.5 * d) for x, x0, d in zip(arrays, fixed, steps, strict=True)]
    result = out
    for slope, step in zip(gradients(*middle), steps, strict=True):
        rows = len(xp.dims(slope)) > len(xp.dims(out))
        nothing = _nothing(xp, out[..., None] if rows else out, slope, step)
        result = result + (xp.sum(nothing, axis=-1) if rows else nothing)
    return result


def _nothing(xp: Any, value: Any, slope: Any, step: Any) -> Any:
    """slope · step: a 0 with this slope, which leaves the value as it is at infinities and slopes of NaN."""
    nowhere, infinite = xp.isnan(slope), xp.isinf(step)
    slope = xp.where(nowhere, 0.0, slope)
    nothing = slope * xp.where(infinite, 0.0, step)
    # An infinite step must not meet the slope's own derivatives, and may only go where the value is:
    # elsewhere its slope is lost, not the value.
    far = product(xp, xp.stop_gradient(slope), xp.where(infinite, step, 0.0))
    far = xp.where(xp.isinf(far) & (far != value), 0.0, far)
    # The derivative of this root at 0 and at infinity is NaN, and the root itself is not.
    root = xp.sqrt(xp.square(xp.where(nowhere, step, 1.0)))
    return xp.where(nowhere, root, xp.where(infinite, far, nothing))


def losses_alone(exact: Any, one_pass: Any, arrays: Any, given: Any) -> Any:
    """`linear_losses` of a library without autodiff.

    ``linear_losses(exact, one_pass, arrays, given)`` is each row's loss; ``linear_total(exact, one_pass,
    arrays, given, factors)`` the sum of factors times losses. ``exact(given, *arrays)``, or ``exact(given,
    *arrays, factors)``, is what to differentiate where a library has no better way than its plain autodiff;
    ``one_pass(given, arrays, factors)`` gives the losses with the gradients of that sum. ``given`` is
    everything else that may be traced.
    """
    return one_pass(given, arrays, None).raw


def total_alone(xp: Any, exact: Any, one_pass: Any, arrays: Any, given: Any, factors: Any) -> Any:
    return total_of(xp, one_pass(given, arrays, None).raw, factors)


class Backend:
    """One array library: its namespace, how arrays get into it, how a kernel runs there."""

    name: str  # as errors write it
    xp: Any
    takes_numpy = False  # NumPy arrays beside this library's are converted
    differentiates = False  # value_and_grad of a user's function
    compiles = False  # a first call's time is mostly a compiler's, which other threads need not wait for

    def __reduce__(self) -> str | tuple[Any, ...]:
        return "BACKEND"  # a copy is the same one: backends are told apart by identity

    def adopt(self, operation: str, argument: str, value: Any) -> Any:
        """Check that this kind of array is one to compute with, and unwrap what only wraps one."""
        return value

    def form(self, value: Any) -> Any:
        """All that checks look at in an array, hashable and holding no array; None: look at every call."""
        return None

    def asarray(self, value: np.ndarray) -> Any:
        """Bring a NumPy array into the library; asked only where `takes_numpy`."""
        raise AssertionError(f"{self.name} takes no NumPy arrays")

    def from_python(self, value: Any, shape: tuple[int, ...], dtype: str, like: Any) -> Any:
        """Make an array of a number or nested list, beside `like`."""
        made = self.xp.asarray(
            value, dtype=self.dtype(dtype), device=None if like is None else self.device(like)
        )
        return made if tuple(made.shape) == shape else self.xp.reshape(made, shape)

    def dtype(self, name: str) -> Any:
        return getattr(self.xp, name)

    def default_float(self, like: Any) -> str:
        info = self.xp.__array_namespace_info__()
        return dtype_name(info.default_dtypes(device=self.device(like))["real floating"])

    def index_name(self, like: Any) -> str:
        """The integer dtype that labels are cast to."""
        return "int64"

    def device(self, value: Any) -> Any:
        """Where an array lives, or None where it can't be told."""
        return array_api_compat.device(value)

    def shape(self, value: Any) -> tuple[Any, ...]:
        """The shape; dimensions that are not known now are no ints."""
        return tuple(value.shape)

    def read(self, value: Any) -> np.ndarray | None:
        """The values, for checks of labels; None where reading would wait, fail or be undone by a tracer."""
        return None

    def within(self, value: Any, low: float, high: float) -> bool | None:
        """Whether all values lie between these two, which NaN does not; None where they cannot be read."""
        values = self.read(value)
        if values is None or values.size == 0:
            return None if values is None else True
        return bool(np.minimum.reduce(values, None) >= low and np.maximum.reduce(values, None) <= high)

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        """Run a kernel on this library's arrays."""
        return kernel(self.xp, plan, operands)

    def at_once(self, functions: list[Callable[[], Any]]) -> list[Any]:
        """Call functions without arguments; in one program where that is quicker."""
        return [function() for function in functions]

    def value_and_gradients(self, plan: Any, operands: Any) -> Any:
        """A reduced loss and its gradients, where taking both together is worth it; else None."""
        return None

    def value_and_grad(
        self, function: Callable[..., Any], argnums: tuple[int, ...], arrays: Any, options: Any
    ):
        """Differentiate a user's function by the library's own autodiff."""
        raise type_error(
            "value_and_grad",
            f"{self.name} cannot differentiate a function of your own; pass an operation of uniflogits "
            "(or a functools.partial of one), or build the gradient with uniflogits.vjp",
        )


def _contiguous(xp: Any) -> Callable[[Any], Any]:
    # Reshaping to one dimension and back lays a transposed array out anew, so that sums run along memory.
    return lambda x: xp.reshape(xp.reshape(x, (-1,)), x.shape)


class ArrayAPIBackend(Backend):
    """A library known by its namespace alone."""

    def __init__(self, namespace: Any, name: str) -> None:
        self.name = name
        self.xp = _Lazily(
            namespace,
            stop_gradient=lambda x: x,
            attach=value_alone,
            in_parts=whole,
            sift=exact_alone,
            slope=None,
            attach_short=None,
            attach_map=None,
            attach_label=None,
            recomputed=lambda function: function,
            over_chunks=lambda *given: chunk_by_chunk(namespace.concat, *given),
            linear_pass=lambda *given: one_pass(self.xp, *given),
            linear_losses=losses_alone,
            linear_total=lambda *given: total_alone(self.xp, *given),
            # Each row of a by each of b. A name of its own: XLA's loops copy what they are given transposed.
            inner=lambda a, b: namespace.matmul(a, namespace.permute_dims(b, (1, 0))),
            barrier=lambda *arrays: arrays,
            dims=lambda x: tuple(x.shape),
            contiguous=_contiguous(namespace),
            class_indices=lambda x, dtype: namespace.arange(x.shape[-1], dtype=dtype, device=self.device(x)),
        )

    def __reduce__(self) -> str | tuple[Any, ...]:
        from . import backend_named

        return backend_named, (self.xp._namespace.__name__,)

    def index_name(self, like: Any) -> str:
        info = self.xp.__array_namespace_info__()
        return dtype_name(info.default_dtypes(device=self.device(like))["integral"])

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        # Many of these libraries compute by NumPy.
        with np.errstate(all="ignore"):
            return kernel(self.xp, plan, operands)


class StrictBackend(ArrayAPIBackend):
    """array-api-strict: its arrays are in memory, so labels can be judged."""

    def read(self, value: Any) -> np.ndarray | None:
        xp = self.xp
        host = xp.Device("CPU_DEVICE")
        return np.asarray(value if value.device == host else value.to_device(host))
