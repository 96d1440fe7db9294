"""JAX: kernels are compiled once per plan; numbers are traced, so that new values compile nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.custom_derivatives import SymbolicZero

from .._core.errors import type_error
from .._math.linear_pass import one_pass, total_of
from ._blocks import chunks_in_a_loop, in_rows, value_in_blocks
from ._jax_sums import careful_sum, is_spread, makes_many_sums
from .generic import Backend, extend, whole

_BLOCK = 1 << 15  # entries of rows that are computed together on a CPU
_FEW = 1 << 12  # and of those that are computed once more


def _attach(value: Callable[..., Any], gradients: Callable[..., Any], *arrays: Any) -> Any:
    function = jax.custom_jvp(value)

    # Symbolic zeros: a slope of NaN is no concern of who does not differentiate by that array.
    @functools.partial(function.defjvp, symbolic_zeros=True)
    def _(primals: Any, tangents: Any) -> Any:
        out, slopes = function(*primals), gradients(*primals)
        pairs = zip(slopes, tangents, strict=True)
        terms = [slope * t for slope, t in pairs if not isinstance(t, SymbolicZero)]
        tangent = functools.reduce(jnp.add, terms)
        return out, jnp.sum(tangent, axis=-1) if tangent.ndim > out.ndim else tangent

    return function(*arrays)


def _attach_short(
    value: Callable[..., Any], gradients: Callable[..., Any], exact: Callable[..., Any], *arrays: Any
) -> Any:
    """`attach` of gradients whose own derivatives are those of `exact`."""
    slopes = jax.custom_jvp(gradients)

    @slopes.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return slopes(*primals), jax.jvp(exact, primals, tangents)[1]

    return _attach(value, slopes, *arrays)


def _sift(xp: Any, quick: Any, exact: Callable[..., Any], *arrays: Any) -> Any:
    """By the quick formula some rows at a time on a CPU, then by the exact one those that need it.

    What a formula makes stays in the cache then. Other devices would have to wait where a branch depends on
    data, and rows that a mesh spreads over several are not taken apart.
    """
    if jax.default_backend() != "cpu" or any(is_spread(x) for x in arrays):
        return exact(*arrays)

    def block(*rows: Any) -> Any:
        found, good = quick.of_most(xp, *rows)
        return jnp.where(good, found, jnp.nan)

    found = value_in_blocks(_NAMESPACE, _over_chunks, _BLOCK, block, *arrays)
    return jax.lax.cond(
        jnp.any(jnp.isnan(found)), functools.partial(_again, exact), lambda found, *_: found, found, *arrays
    )


def _again(exact: Callable[..., Any], found: Any, *arrays: Any) -> Any:
    """What was found, where it is NaN by the exact formula, a few rows at a time."""
    if not all(isinstance(size, int) for x in arrays for size in x.shape) or found.size < 2:
        return jnp.where(jnp.isnan(found), exact(*arrays), found)
    rows, height = in_rows(_NAMESPACE, _FEW, tuple(jnp.broadcast_arrays(*arrays)), each=False)
    count = found.size
    height = max(1, min(height, count // 8))
    flat = jnp.reshape(found, (count,))
    bad = jnp.isnan(flat)
    # Past the last of them come places that no row has.
    places = jnp.nonzero(bad, size=-(-count // height) * height, fill_value=count)[0]

    def step(i: Any, flat: Any) -> Any:
        some = jax.lax.dynamic_slice(places, (i * height,), (height,))
        return flat.at[some].set(exact(*(x.at[some].get(mode="clip") for x in rows)), mode="drop")

    steps = (jnp.sum(bad) + (height - 1)) // height
    return jnp.reshape(jax.lax.fori_loop(0, steps, step, flat), found.shape)


def _attach_map(value: Callable[..., Any], pushforward: Callable[..., Any], _: Any, x: Any) -> Any:
    """`value(x)`, whose derivative along t is `pushforward(x, t)`."""
    function = jax.custom_jvp(value)

    @function.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return function(*primals), pushforward(*primals, *tangents)

    return function(x)


def _attach_label(
    loss: Callable[..., Any], gradient: Callable[..., Any], _: Any, curvature: Callable[..., Any], *given: Any
) -> Any:
    """`loss(x, labels)` with its derivative by x, and that one with its own."""
    value, slope = jax.custom_jvp(loss), jax.custom_jvp(gradient)

    @value.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return value(*primals), jnp.sum(slope(*primals) * tangents[0], axis=-1)

    @slope.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return slope(*primals), curvature(*primals, tangents[0])

    return value(*given)


@jax.custom_jvp
def _slope(x: Any) -> Any:
    """Zeros whose derivative by x is 1, at infinite x too."""
    return jnp.where(x == x, 0.0, x)


_slope.defjvps(lambda tangent, _, __: tangent)


def _over_chunks(*given: Any) -> Any:
    return chunks_in_a_loop(_NAMESPACE, jax.lax.scan, *given)


def _linear_total(exact: Any, one_pass: Any, arrays: Any, given: Any, factors: Any) -> Any:
    """The sum of factors times losses, its gradients made with it; their derivatives are the formula's."""

    @jax.custom_jvp
    def total(arrays: Any, factors: Any, given: Any) -> Any:
        return total_of(_NAMESPACE, one_pass(given, arrays, None).raw, factors)

    @functools.partial(total.defjvp, symbolic_zeros=True)
    def _(primals: Any, tangents: Any) -> Any:
        value, slopes = with_slopes(*primals)
        moves = jax.tree.leaves(tangents[:2], is_leaf=lambda t: isinstance(t, SymbolicZero))
        pairs = zip(jax.tree.leaves(slopes), moves, strict=True)
        terms = [jnp.sum(slope * t) for slope, t in pairs if not isinstance(t, SymbolicZero)]
        return value, functools.reduce(jnp.add, terms, jnp.zeros_like(value))

    @jax.custom_jvp
    def with_slopes(arrays: Any, factors: Any, given: Any) -> Any:
        found = one_pass(given, arrays, factors)
        slopes = (found.by_hidden, found.by_vectors, found.by_bias), found.raw
        return total_of(_NAMESPACE, found.raw, factors), slopes

    @with_slopes.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        arrays, factors, given = primals
        formula = jax.value_and_grad(lambda arrays, factors: exact(given, *arrays, factors), (0, 1))
        return jax.jvp(formula, (arrays, factors), tangents[:2])

    return total(arrays, factors, given)


def _take(x: Any, indices: Any, axis: int = 0) -> Any:
    """Entries along the first axis, which on a mesh with explicit axes lie where their indices do."""
    if not is_spread(indices) and not is_spread(x):
        return jnp.take(x, indices, axis=axis)
    spec = jax.sharding.PartitionSpec(*jax.typeof(indices).sharding.spec, *jax.typeof(x).sharding.spec[1:])
    return x.at[indices].get(mode="fill", out_sharding=spec)


_NAMESPACE = extend(
    jnp,
    take=_take,
    stop_gradient=jax.lax.stop_gradient,
    attach=_attach,
    in_parts=whole,
    slope=_slope,
    attach_short=_attach_short,
    attach_map=_attach_map,
    attach_label=_attach_label,
    recomputed=jax.checkpoint,
    over_chunks=_over_chunks,
    linear_pass=lambda *given: one_pass(_NAMESPACE, *given),
    linear_losses=lambda exact, one_pass, arrays, given: exact(given, *arrays),
    linear_total=_linear_total,
    # XLA would compute each step of a scan anew wherever its result is used.
    barrier=lambda *arrays: jax.lax.optimization_barrier(arrays),
    dims=jnp.shape,
    contiguous=lambda x: x,
    class_indices=lambda x, dtype: jnp.arange(x.shape[-1], dtype=dtype),
    bfloat16=jnp.bfloat16,
)


def _adding_by(sum: Callable[..., Any]) -> Any:
    xp = extend(_NAMESPACE, sum=sum)
    xp.sift = functools.partial(_sift, xp)
    return xp


_FEW_SUMS, _MANY_SUMS = _adding_by(careful_sum), _adding_by(jnp.sum)


# One compiled program per kernel and plan; jax.jit itself drops the least recently used ones.
@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _compiled(kernel: Callable[..., Any], plan: Any, many: bool, operands: Any) -> Any:
    return kernel(_MANY_SUMS if many else _FEW_SUMS, plan, operands)


class JAXBackend(Backend):
    name = "JAX"
    xp = _FEW_SUMS
    takes_numpy = True
    differentiates = True
    compiles = True

    def adopt(self, operation: str, argument: str, value: Any) -> Any:
        if not isinstance(value, jax.Array):
            raise type_error(
                operation, f"{argument} must be a dense jax.Array, got jax.{type(value).__name__}"
            )
        return value

    def form(self, value: Any) -> Any:
        if isinstance(value, Tracer) or not isinstance(value, jax.Array):
            return None
        # Whether integers have 64 bits can change from call to call.
        return value.dtype, value.shape, self.device(value), jax.dtypes.canonicalize_dtype(np.int64)

    def asarray(self, value: np.ndarray) -> Any:
        # float64 and int64 shrink silently where JAX runs without x64, as in JAX itself.
        return jnp.asarray(value, dtype=jax.dtypes.canonicalize_dtype(value.dtype))

    def dtype(self, name: str) -> Any:
        return jnp.dtype(name)

    def default_float(self, like: Any) -> str:
        return jax.dtypes.canonicalize_dtype(np.float64).name

    def index_name(self, like: Any) -> str:
        return jax.dtypes.canonicalize_dtype(np.int64).name

    def device(self, value: Any) -> Any:
        if isinstance(value, Tracer) or not value.committed:
            return None
        return frozenset(value.devices())

    def read(self, value: Any) -> np.ndarray | None:
        if isinstance(value, Tracer) or not value.is_fully_addressable:
            return None
        on_host = all(device.platform == "cpu" for device in value.devices())
        return np.asarray(value) if on_host else None

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        return _compiled(kernel, plan, makes_many_sums(operands), operands)

    def at_once(self, functions: list[Callable[[], Any]]) -> list[Any]:
        return jax.jit(lambda: [function() for function in functions])()

    def value_and_grad(
        self, function: Callable[..., Any], argnums: tuple[int, ...], arrays: Any, options: Any
    ):
        return jax.value_and_grad(functools.partial(function, **options), argnums)(*arrays)


BACKEND = JAXBackend()
