"""Sums of JAX arrays that lose no more than a few ulp of their largest term, however many the others are.

XLA's own for CPUs are as good where many terms make many sums. But it adds 32 terms of a small array one
after the other, and the products of one long row in a few lanes: a term that is half an ulp of what has been
added is lost, and so are thousands like it.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

_SHORT = 10  # terms that may be added one after the other
_SMALL = 1 << 13  # terms of an array that XLA adds in that way
_LANES = 64  # sums that one long row is made of


def careful_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """jnp.sum, in pairs where the last axes are added and XLA's own order would lose too much."""
    kept = _kept(x, axis)
    if kept is None or dtype is not None or jax.default_backend() != "cpu":
        return jnp.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)
    lead, n = x.shape[:kept], math.prod(x.shape[kept:])
    if n <= _SHORT or (x.size > _SMALL and x.size > n):
        return jnp.sum(x, axis=axis, keepdims=keepdims)
    total = _in_pairs(jnp.reshape(x, (*lead, n)))
    return jnp.reshape(total, (*lead, *[1] * (x.ndim - kept))) if keepdims else total


def _kept(x: Any, axis: Any) -> int | None:
    """How many axes come before those that are added; None: these aren't the last ones, of known size."""
    known = all(isinstance(size, int) for size in x.shape)
    if not known or not jnp.issubdtype(x.dtype, jnp.floating) or is_spread(x):
        return None
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    kept = x.ndim - len(axes)
    return kept if sorted(i % x.ndim for i in axes) == list(range(kept, x.ndim)) else None


def _in_pairs(x: Any) -> Any:
    """The sums along the last axis."""
    *lead, n = x.shape
    if n > _SMALL:
        end = n // _LANES * _LANES
        lanes = jnp.sum(jnp.reshape(x[..., :end], (*lead, _LANES, end // _LANES)), axis=-1)
        x = jnp.concatenate([lanes, x[..., end:]], axis=-1)
    while (n := x.shape[-1]) > 1:
        half = n // 2
        # Joined rather than padded: XLA would make one slow loop of all the steps.
        x = jnp.concatenate([x[..., :half] + x[..., half : 2 * half], x[..., 2 * half :]], axis=-1)
    return x[..., 0]


def makes_many_sums(operands: dict[str, Any]) -> bool:
    """Whether jax.vmap runs this for so many examples that XLA's sums are good; False where it is not told.

    Each example is a small array, or a single row, to itself.
    """
    return any(isinstance(x, Tracer) and _entries_of_all_examples(x) > _SMALL for x in operands.values())


def _entries_of_all_examples(x: Tracer) -> int:
    """0: it is not known to be one of several examples."""
    inner: Any = x
    sizes: list[Any] = [x.size]
    # What a transform has wrapped is an attribute of its tracer.
    while isinstance(inner, Tracer):
        inner = getattr(inner, "val", getattr(inner, "primal", None))
        sizes.append(getattr(inner, "size", None))
    known = [size for size in sizes if isinstance(size, int)]
    return known[-1] if len(set(known)) > 1 else 0


def is_spread(x: Any) -> bool:
    """Whether a mesh with explicit axes has parts of this on several devices."""
    return any(axis is not None for axis in jax.typeof(x).sharding.spec)
