"""Gradients without autodiff: every operation's closed form, as vjp, jvp, value_and_grad and grad."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable
from typing import Any

from .._backends import NUMPY, find_backend
from . import annotations as roles
from .differentiation import (
    Gradient,
    as_tuple,
    called,
    companion,
    in_one_pass,
    pull,
    pull_gradient_kernel,
    push_gradient_kernel,
    push_kernel,
    run_pull,
    second,
    tangents_of,
    target_of,
)
from .errors import shown, type_error, value_error
from .execution import evaluate, prepare
from .operation import operation_of


def vjp(op: Any, /, *arrays: Any, **options: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Value of an operation and its pullback, by the closed-form derivative; works on every library.

    Parameters
    ----------
    op : operation, or ``grad`` of one
        Any operation of uniflogits, a ``functools.partial`` of one, or the function that `grad` returns.
    *arrays : array_like
        The operation's positional arrays.
    **options
        The operation's keyword arguments.

    Returns
    -------
    value : array
        ``op(*arrays, **options)``.
    pullback : callable
        ``pullback(cotangent)`` gives one gradient per array as a tuple: the derivative of ``sum(cotangent *
        value)``. The cotangent is a number or an array of the value's shape. Integer and boolean labels have
        no gradient: None. Gradients have their array's dtype, or the dtype of the computation where that is
        an integer.

    Raises
    ------
    TypeError
        ``op`` is no operation, or the cotangent belongs to another library.
    ValueError
        The cotangent's shape is not the value's, or the gradient of ``op`` has no closed-form derivative.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> op = ul.softmax_cross_entropy_with_integer_labels
    >>> loss, pullback = ul.vjp(op, np.array([2.5, 1.0, -1.2]), np.array(0))
    >>> loss, pullback(1.0)[0].round(3)
    (np.float64(0.22118...), array([-0.198,  0.179,  0.02 ]))
    """
    target = target_of("vjp", op, arrays, options)
    if target.gradient is None:
        call = prepare(target.operation, target.arrays, target.options)
        return call.run(evaluate), functools.partial(pull, call, name="pullback")
    call, cotangent = second(target)
    value = run_pull(call, cotangent)[0]

    def pullback(direction: Any) -> tuple[Any, ...]:
        along = companion(call, "pullback", "cotangent", direction, value.shape)
        return call.run(pull_gradient_kernel, cotangent=cotangent, direction=along)

    return value, pullback


def jvp(op: Any, arrays: Any, tangents: Any, /, **options: Any) -> tuple[Any, Any]:
    """Value of an operation and its derivative along a direction, in closed form; works on every library.

    Parameters
    ----------
    op : operation, or ``grad`` of one
        As for `vjp`.
    arrays : tuple of array_like
        The operation's positional arrays.
    tangents : tuple of array_like or None
        One direction per array, of its shape. None is zero; integer and boolean labels have no other.
    **options
        The operation's keyword arguments.

    Returns
    -------
    value : array
        ``op(*arrays, **options)``.
    tangent : array
        The derivative of the value along the tangents, in the value's shape and dtype. With
        ``return_sign=True`` it is that of the logarithm; the sign has none.

    Raises
    ------
    TypeError
        ``op`` is no operation, or a tangent is given for labels that are integers.
    ValueError
        The number of tangents or the shape of one is wrong.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> value, tangent = ul.jvp(ul.sigmoid, (np.array([0.0, 2.0]),), (np.array([1.0, 1.0]),))
    >>> tangent.round(3)
    array([0.25 , 0.105])
    """
    arrays = as_tuple("arrays", arrays)
    tangents = as_tuple("tangents", tangents)
    target = target_of("jvp", op, arrays, options)
    if len(tangents) != len(arrays):
        raise value_error(
            "jvp", f"tangents must have one entry per array, {len(arrays)}, got {len(tangents)}"
        )
    if target.gradient is None:
        call = prepare(target.operation, target.arrays, target.options)
        return call.run(evaluate), call.run(push_kernel, tangents=tangents_of(call, tangents))
    call, cotangent = second(target)
    tangent = call.run(push_gradient_kernel, cotangent=cotangent, tangents=tangents_of(call, tangents))
    return run_pull(call, cotangent)[0], tangent


def value_and_grad(
    fun: Callable[..., Any], argnums: int | tuple[int, ...] = 0
) -> Callable[..., tuple[Any, Any]]:
    """A function that gives a scalar function's value and its gradient.

    Operations of uniflogits (and ``functools.partial`` of them) are differentiated by their closed form, on
    any library. Other functions are differentiated by the autodiff of the library whose arrays come: JAX,
    torch, TensorFlow.

    Parameters
    ----------
    fun : callable
        Gives a scalar; losses do with ``reduction="sum"`` or ``"mean"``.
    argnums : int or tuple of ints
        Which positional arguments to differentiate by.

    Returns
    -------
    callable
        Called as ``fun`` is, returns ``(value, gradient)``; a tuple of gradients for a tuple of ``argnums``.

    Raises
    ------
    TypeError
        ``fun`` is a function of your own and its arrays belong to a library without autodiff.
    ValueError
        The value is not a scalar, or ``argnums`` names no positional argument.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> loss_and_grad = ul.value_and_grad(ul.softmax_cross_entropy_with_integer_labels)
    >>> loss, gradient = loss_and_grad(np.array([[2.5, 1.0, -1.2]]), np.array([0]), reduction="mean")
    >>> gradient.round(3)
    array([[-0.198,  0.179,  0.02 ]])
    """
    return ValueAndGradient(fun, argnums)


class ValueAndGradient:
    """What `value_and_grad` returns; no closure, so that it can be pickled."""

    def __init__(self, fun: Callable[..., Any], argnums: int | tuple[int, ...]) -> None:
        self.fun, self.argnums = fun, argnums
        self.numbers = _argnums("value_and_grad", argnums)
        self.closed_form = _is_operation(fun)
        self.bound = len(fun.args) if self.closed_form and isinstance(fun, functools.partial) else 0
        self.__name__ = f"value_and_grad({called(fun)})"

    def __call__(self, *arrays: Any, **options: Any) -> tuple[Any, Any]:
        fun = self.fun
        for index in self.numbers:
            if not -len(arrays) <= index < len(arrays):
                raise value_error(
                    "value_and_grad", f"argnums {index} is out of range for {len(arrays)} arguments"
                )
        chosen = [index % len(arrays) for index in self.numbers]
        if self.closed_form:
            value, gradients = _value_and_gradients(fun, arrays, options)
            grads = tuple([gradients[index + self.bound] for index in chosen])
            for one in grads:
                if one is None:
                    raise type_error(
                        "value_and_grad", "integer and boolean labels have no gradient; choose other argnums"
                    )
        else:
            backend = _backend_of(arrays)
            scalar = functools.partial(_scalar, fun)
            value, grads = backend.value_and_grad(scalar, tuple(chosen), arrays, options)
        return value, grads if isinstance(self.argnums, tuple) else grads[0]


def _value_and_gradients(fun: Any, arrays: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, Any]:
    target = target_of("value_and_grad", fun, arrays, options)
    together = in_one_pass(target)
    if together is not None:
        return together
    value, pullback = vjp(fun, *arrays, **options)
    _check_scalar(value)
    return value, pullback(1.0)


def grad(op: Any, argnums: int = 0) -> Gradient:
    """The gradient of an operation, as an operation that `vjp` and `jvp` take again.

    Parameters
    ----------
    op : operation
        Any operation of uniflogits.
    argnums : int
        Which positional array to differentiate by.

    Returns
    -------
    Gradient
        ``g(*arrays, cotangent=None, **options)``, the gradient of ``sum(cotangent * op(*arrays,
        **options))``; no cotangent means ones. ``vjp(g, ...)`` and ``jvp(g, ...)`` are Hessian products, for
        losses, ``logsumexp`` and elementwise operations by their first array.

    Raises
    ------
    TypeError
        ``op`` is no operation.
    ValueError
        ``argnums`` names none of its arrays.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> x = np.array([2.5, 1.0, -1.2])
    >>> _, tangent = ul.jvp(ul.grad(ul.logsumexp), (x,), (np.array([1.0, 0.0, 0.0]),))
    >>> tangent.round(4)
    array([ 0.1591, -0.1434, -0.0158])
    """
    operation = operation_of(op)
    if operation is None:
        raise type_error("grad", f"op must be an operation of uniflogits, got {called(op)}")
    (index,) = _argnums("grad", argnums)
    if not -len(operation.arrays) <= index < len(operation.arrays):
        raise value_error("grad", f"argnums {index} is out of range for the arrays of {operation.name}")
    index %= len(operation.arrays)
    if operation.roles[operation.arrays[index]] == roles.INTEGER_LABELS:
        raise type_error("grad", f"{operation.name} has no gradient by its integer labels")
    return Gradient(operation, index)


def _is_operation(fun: Any) -> bool:
    if isinstance(fun, functools.partial):
        return _is_operation(fun.func)
    return isinstance(fun, Gradient) or operation_of(fun) is not None


def _backend_of(arrays: tuple[Any, ...]) -> Any:
    for value in arrays:
        leaves = (
            value
            if isinstance(value, (list, tuple))
            else value.values()
            if isinstance(value, dict)
            else (value,)
        )
        for leaf in leaves:
            backend = find_backend(type(leaf), leaf)
            if backend is not None and backend is not NUMPY:
                return backend
    return NUMPY


def _scalar(fun: Callable[..., Any], *arrays: Any, **options: Any) -> Any:
    value = fun(*arrays, **options)
    _check_scalar(value)
    return value


def _check_scalar(value: Any) -> None:
    if isinstance(value, tuple) or tuple(getattr(value, "shape", ())) != ():
        came = "a tuple" if isinstance(value, tuple) else f"shape {shown(value.shape)}"
        raise value_error(
            "value_and_grad", f'the value must be a scalar, got {came}; losses take reduction="mean"'
        )


def _argnums(name: str, argnums: Any) -> tuple[int, ...]:
    given = argnums if isinstance(argnums, tuple) else (argnums,)
    if not given or any(isinstance(one, bool) or not isinstance(one, numbers.Integral) for one in given):
        raise type_error(name, f"argnums must be an int or a tuple of ints, got {argnums!r}")
    return tuple(int(one) for one in given)
