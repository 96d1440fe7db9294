"""JAX with 64-bit numbers on and two CPU devices; tests that turn 64 bits off do so in a context."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .base import Adapter, Function, as_numpy

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_enable_x64", True)


class Jax(Adapter):
    name = "jax"
    default_float = "float64"
    flushes_subnormals = True
    autodiff = True

    @property
    def devices(self) -> tuple[Any, ...]:  # type: ignore[override]
        return tuple(jax.devices("cpu")[1:])

    def array(self, value: Any, dtype: str | None = None, device: Any = None) -> jax.Array:
        return jax.device_put(jnp.asarray(as_numpy(value, dtype)), device)

    def to_numpy(self, result: Any) -> np.ndarray:
        return np.asarray(result)

    def forget(self) -> None:
        jax.clear_caches()

    def is_result(self, result: Any) -> bool:
        return isinstance(result, jax.Array)

    def gradients(
        self, function: Function, arrays: Sequence[Any], cotangent: Any, argnums: Sequence[int]
    ) -> dict[str, list[Any]]:
        return {"jax.vjp": _gradients(function, tuple(argnums), tuple(arrays), cotangent)}

    def tangents(
        self, function: Function, arrays: Sequence[Any], tangents: Sequence[Any]
    ) -> dict[str, tuple[Any, Any]]:
        moving = [i for i, tangent in enumerate(tangents) if tangent is not None]

        directions = tuple(tangents[i] for i in moving)
        return {"jax.jvp": _tangents(function, tuple(moving), tuple(arrays), directions)}

    def hessian_products(
        self, function: Function, array: Any, others: tuple[Any, ...], cotangent: Any, tangent: Any
    ) -> dict[str, Any]:
        return _hessian_products(function, array, others, cotangent, tangent)

    def traced(self, function: Function) -> dict[str, Function]:
        return {"jit": jax.jit(function), "vmap": _mapped_once(function)}


# Compiled as a whole: JAX would compile the pieces of a transformed operation one by one, which takes longer.
@functools.partial(jax.jit, static_argnums=(0, 1))
def _gradients(function: Function, argnums: tuple[int, ...], arrays: Any, cotangent: Any) -> list[Any]:
    def part(*some: Any) -> Any:
        return function(*_replaced(arrays, argnums, some))

    return list(jax.vjp(part, *(arrays[i] for i in argnums))[1](cotangent))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _tangents(function: Function, moving: tuple[int, ...], arrays: Any, directions: Any) -> tuple[Any, Any]:
    def part(*some: Any) -> Any:
        return function(*_replaced(arrays, moving, some))

    return jax.jvp(part, tuple(arrays[i] for i in moving), directions)


@functools.partial(jax.jit, static_argnums=0)
def _hessian_products(
    function: Function, array: Any, others: tuple[Any, ...], cotangent: Any, tangent: Any
) -> dict[str, Any]:
    def of_array(x: Any) -> Any:
        return function(x, *others)

    def reverse(x: Any) -> Any:
        return jax.vjp(of_array, x)[1](cotangent)[0]

    def forward(x: Any) -> Any:
        return jax.jvp(of_array, (x,), (tangent,))[1]

    products = {
        "forward over reverse": jax.jvp(reverse, (array,), (tangent,))[1],
        "reverse over reverse": jax.vjp(reverse, array)[1](tangent)[0],
        "reverse over forward": jax.vjp(forward, array)[1](cotangent)[0],
    }
    if array.size <= 16:
        # One column at a time is all that forward mode gives: the basis is mapped over.
        basis = jnp.eye(array.size, dtype=array.dtype).reshape((array.size, *array.shape))
        columns = jax.vmap(lambda e: jax.jvp(forward, (array,), (e,))[1])(basis)
        sums = (columns * cotangent).reshape(array.size, -1).sum(1)
        products["forward over forward"] = sums.reshape(array.shape).astype(array.dtype)
    return products


def _mapped_once(function: Function) -> Function:
    @functools.wraps(function)
    def call(*arrays: Any) -> Any:
        return jax.vmap(function)(*(a[None] for a in arrays))[0]

    return call


def _replaced(arrays: Sequence[Any], positions: Sequence[int], others: Sequence[Any]) -> list[Any]:
    result = list(arrays)
    for position, other in zip(positions, others, strict=True):
        result[position] = other
    return result


ADAPTER = Jax()
