"""The closed-form derivatives of a checked call, and the checks of what goes into them."""

from __future__ import annotations

import functools
import numbers
from typing import Any, NamedTuple

import numpy as np

from .._backends import NUMPY, find_backend
from . import annotations as roles
from .arguments import PYTHON, describe
from .dtypes import FLOATS, REAL, dtype_name
from .errors import class_name, shown, type_error, value_error
from .execution import Call, prepare
from .layout import Plan, cast, lay_out
from .operation import Operation, operation_of


class Gradient:
    """The gradient of an operation by one of its arrays, itself a function that `vjp` and `jvp` take.

    Made by `uniflogits.grad`. Called as ``g(*arrays, cotangent=None, **options)``: the gradient of the
    operation's value times the cotangent (1 where none is given), summed.
    """

    def __init__(self, operation: Operation, argnum: int) -> None:
        self.operation, self.argnum = operation, argnum
        self.__name__ = f"grad({operation.name})"

    def __repr__(self) -> str:
        return f"uniflogits.grad(uniflogits.{self.operation.name}, argnums={self.argnum})"

    def __call__(self, *arrays: Any, cotangent: Any = None, **options: Any) -> Any:
        call = prepare(self.operation, arrays, options)
        return pull(call, 1.0 if cotangent is None else cotangent, self.__name__)[self.argnum]


class _Target(NamedTuple):
    """What vjp or jvp differentiates: an operation, or the gradient of one."""

    operation: Operation
    gradient: Gradient | None
    arrays: tuple[Any, ...]
    options: dict[str, Any]


def pull_kernel(xp: Any, plan: Plan, operands: dict[str, Any]) -> Any:
    laid = lay_out(xp, plan, operands)
    return plan.operation.rule.pullback(laid, cast(xp, operands["cotangent"], plan.compute))


def value_and_pull_kernel(xp: Any, plan: Plan, operands: dict[str, Any]) -> Any:
    """Value and gradients together, of a rule that makes both in one pass."""
    laid = lay_out(xp, plan, operands)
    return plan.operation.rule.value_and_pullback(laid, cast(xp, operands["cotangent"], plan.compute))


def push_kernel(xp: Any, plan: Plan, operands: dict[str, Any]) -> Any:
    laid = lay_out(xp, plan, operands)
    return plan.operation.rule.pushforward(laid, _cast_all(xp, plan, operands["tangents"]))


def pull_gradient_kernel(xp: Any, plan: Plan, operands: dict[str, Any]) -> Any:
    laid = lay_out(xp, plan, operands)
    cotangent, direction = _cast_all(xp, plan, (operands["cotangent"], operands["direction"]))
    return plan.operation.rule.pullback_of_gradient(laid, cotangent, direction)


def push_gradient_kernel(xp: Any, plan: Plan, operands: dict[str, Any]) -> Any:
    laid = lay_out(xp, plan, operands)
    cotangent = cast(xp, operands["cotangent"], plan.compute)
    return plan.operation.rule.pushforward_of_gradient(
        laid, cotangent, _cast_all(xp, plan, operands["tangents"])
    )


def _cast_all(xp: Any, plan: Plan, arrays: Any) -> tuple[Any, ...]:
    return tuple(None if one is None else cast(xp, one, plan.compute) for one in arrays)


def pull(call: Call, cotangent: Any, name: str) -> tuple[Any, ...]:
    return run_pull(call, companion(call, name, "cotangent", cotangent, value_shape(call)))


def run_pull(call: Call, cotangent: Any) -> tuple[Any, ...]:
    return call.run(pull_kernel, cotangent=cotangent)


def value_shape(call: Call) -> tuple[Any, ...]:
    """The shape of the operation's value, told from the arguments alone."""
    operation, shape = call.plan.operation, call.checked.shape
    options = dict(call.plan.options)
    if options.get("reduction", "none") != "none":
        return ()
    if operation.rule.kind in ("elementwise", "rowmap") or call.plan.axes is None:
        return shape
    if options.get("keepdims"):
        return tuple(1 if i in call.plan.axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in call.plan.axes)


def companion(call: Call, name: str, argument: str, value: Any, shape: tuple[Any, ...]) -> Any:
    """An array of a given shape in the call's library, from a number or an array of that shape."""
    backend = call.checked.backend
    like = call.operands[call.plan.operation.arrays[0]]
    kind = type(value)
    if kind in PYTHON and not (backend is NUMPY or backend.takes_numpy):
        made = backend.from_python(value, describe(name, argument, value)[0], call.plan.compute, like)
    elif kind in PYTHON or (
        backend is not NUMPY and backend.takes_numpy and find_backend(kind, value) is NUMPY
    ):
        made = backend.asarray(np.asarray(value, dtype=call.plan.compute))
    elif find_backend(kind, value) is backend:
        made = backend.adopt(name, argument, value)
    else:
        found = find_backend(kind, value)
        came = found.name if found else class_name(value)
        raise type_error(name, f"{argument} must be a number or an array from {backend.name}, got {came}")
    if dtype_name(made.dtype) not in REAL:
        raise type_error(name, f"{argument} must be real, got dtype {dtype_name(made.dtype)}")
    given = backend.shape(made)
    if isinstance(value, numbers.Real):
        return backend.xp.broadcast_to(made, shape)
    known = all(isinstance(size, int) for size in (*given, *shape))
    if len(given) != len(shape) or (known and tuple(given) != tuple(shape)):
        raise value_error(name, f"{argument} must have shape {shown(shape)}, got {shown(given)}")
    return made


def tangents_of(call: Call, tangents: tuple[Any, ...]) -> tuple[Any, ...]:
    operation, backend, made = call.plan.operation, call.checked.backend, []
    # By one array alone, two partners have derivatives that the other's infinities do not reach.
    partners = operation.rule.kind in ("divergence", "pairwise")
    first_moves = not partners or all(tangent is None for tangent in tangents)
    for index, (argument, tangent) in enumerate(zip(operation.arrays, tangents, strict=True)):
        array = call.operands[argument]
        role = operation.roles[argument]
        labels = role != roles.FLOAT and (
            role == roles.INTEGER_LABELS or dtype_name(array.dtype) not in FLOATS
        )
        if tangent is not None and labels:
            raise type_error("jvp", f"tangents must be None for {argument}, which are no floating numbers")
        if tangent is None and index == 0 and first_moves:
            tangent = 0.0
        shape = backend.shape(array)
        made.append(None if tangent is None else companion(call, "jvp", f"tangents[{index}]", tangent, shape))
    return tuple(made)


def target_of(name: str, op: Any, arrays: tuple[Any, ...], options: dict[str, Any]) -> _Target:
    if isinstance(op, functools.partial):
        return target_of(name, op.func, (*op.args, *arrays), {**op.keywords, **options})
    if isinstance(op, Gradient):
        return _Target(op.operation, op, arrays, options)
    operation = operation_of(op)
    if operation is None:
        raise type_error(
            name,
            f"op must be an operation of uniflogits, a functools.partial or grad of one, got {called(op)}",
        )
    return _Target(operation, None, arrays, options)


def in_one_pass(target: _Target) -> tuple[Any, Any] | None:
    """A scalar's value and gradients together, where library or rule make both at once; None elsewhere."""
    rule = target.operation.rule
    if target.gradient is not None or rule.kind not in ("loss", "linear_loss"):
        return None
    call = prepare(target.operation, target.arrays, target.options)
    if value_shape(call) != ():
        return None
    together = call.checked.backend.value_and_gradients(call.plan, call.operands)
    if together is not None or not hasattr(rule, "value_and_pullback"):
        return together
    cotangent = companion(call, "value_and_grad", "cotangent", 1.0, ())
    return call.run(value_and_pull_kernel, cotangent=cotangent)


def second(target: _Target) -> tuple[Call, Any]:
    operation, gradient = target.operation, target.gradient
    assert gradient is not None
    if gradient.argnum != 0 or not operation.rule.second_order:
        raise value_error(
            gradient.__name__,
            f"has no closed-form derivative by argument {gradient.argnum}; "
            "losses, logsumexp and elementwise operations have one by their first array. "
            "Use your library's autodiff",
        )
    options = dict(target.options)
    cotangent = options.pop("cotangent", None)
    call = prepare(operation, target.arrays, options)
    cotangent = 1.0 if cotangent is None else cotangent
    return call, companion(call, gradient.__name__, "cotangent", cotangent, value_shape(call))


def called(op: Any) -> str:
    return getattr(op, "__name__", None) or class_name(op)


def as_tuple(argument: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        raise type_error(
            "jvp", f"{argument} must be a tuple with one entry per array, got {class_name(value)}"
        )
    return tuple(value)
