"""The part of the Array API standard that the formulas use, on `tf.Tensor`s; tf has no namespace of its own.

Functions are named and called as in the standard. They work eagerly, inside `tf.function` (dimensions may be
unknown, the rank may not), under XLA, and under tapes, forward accumulators and `vectorized_map`.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from ._tensorflow_functions import tanh as tanh

bool = tf.bool
int8, int16, int32, int64 = tf.int8, tf.int16, tf.int32, tf.int64
uint8, uint16, uint32, uint64 = tf.uint8, tf.uint16, tf.uint32, tf.uint64
float16, bfloat16, float32, float64 = tf.float16, tf.bfloat16, tf.float32, tf.float64
e, inf, nan, newaxis, pi = math.e, math.inf, math.nan, None, math.pi

exp, expm1, log, log1p = tf.exp, tf.math.expm1, tf.math.log, tf.math.log1p
atanh, sqrt, square, stop_gradient = tf.atanh, tf.sqrt, tf.square, tf.stop_gradient
floor, abs, sign, negative = tf.floor, tf.abs, tf.sign, tf.negative
logical_and, logical_or, logical_not = tf.logical_and, tf.logical_or, tf.logical_not
any, all = tf.reduce_any, tf.reduce_all
matmul, moveaxis = tf.experimental.numpy.matmul, tf.experimental.numpy.moveaxis
reshape, broadcast_to, expand_dims, squeeze = tf.reshape, tf.broadcast_to, tf.expand_dims, tf.squeeze
permute_dims, stack, concat = tf.transpose, tf.stack, functools.partial(tf.concat, axis=0)

# Sets, because comparing two of TensorFlow's dtypes is slow.
_FLOATS = frozenset((float16, bfloat16, float32, float64))
_SIGNED = frozenset((int8, int16, int32, int64))
_UNSIGNED = frozenset((uint8, uint16, uint32, uint64))
_KINDS = {
    "bool": frozenset((bool,)),
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED | _UNSIGNED,
    "real floating": _FLOATS,
    "complex floating": frozenset(),
    "numeric": _SIGNED | _UNSIGNED | _FLOATS,
}
# Exponents of machine epsilon and of the smallest normal number; NumPy does not know bfloat16's.
_EXPONENTS = {float16: (-10, -14), bfloat16: (-7, -126), float32: (-23, -126), float64: (-52, -1022)}


def isdtype(dtype, kind):
    if isinstance(kind, tuple):
        return builtins.any(isdtype(dtype, each) for each in kind)
    return dtype in _KINDS[kind] if isinstance(kind, str) else dtype == kind


def _limits(of, number):
    dtype = tf.as_dtype(getattr(of, "dtype", of))
    low, high = number(dtype.min), number(dtype.max)
    return SimpleNamespace(dtype=dtype, bits=8 * dtype.size, min=low, max=high)


def finfo(type, /):
    limits = _limits(type, float)
    limits.eps, limits.smallest_normal = (2.0**power for power in _EXPONENTS[limits.dtype])
    return limits


def iinfo(type, /):
    return _limits(type, int)


def _promote(a, b):
    rank_a, rank_b = (2 if dtype in _FLOATS else int(dtype != bool) for dtype in (a, b))
    if a == b or rank_a != rank_b:
        return a if rank_a >= rank_b else b
    if a in _FLOATS and a.size == b.size:
        return float32
    return tf.as_dtype(np.promote_types(a.as_numpy_dtype, b.as_numpy_dtype))


def result_type(*arrays_and_dtypes):
    strong = [
        tf.as_dtype(getattr(x, "dtype", x)) for x in arrays_and_dtypes if not isinstance(x, (int, float))
    ]
    dtype = functools.reduce(_promote, strong) if strong else bool
    for x in arrays_and_dtypes:
        if isinstance(x, float) and dtype not in _FLOATS:
            dtype = float32
        elif isinstance(x, int) and not isinstance(x, builtins.bool) and dtype == bool:
            dtype = int32
    return dtype


def _on(device):
    return contextlib.nullcontext() if device is None else tf.device(device)


def asarray(obj: Any, /, *, dtype=None, device=None, copy=None):
    """Tensors are immutable and TensorFlow copies NumPy's memory, so `copy` has nothing to do."""
    with _on(device):
        if not (tf.is_tensor(obj) or isinstance(obj, (tf.Variable, np.ndarray, np.generic))):
            # Through NumPy: tf rounds a number to float32 before it becomes float64.
            obj = np.asarray(obj)
            dtype = dtype or {"f": float32, "i": int32}.get(obj.dtype.kind)
        x: Any = tf.convert_to_tensor(obj)  # pyright: ignore[reportArgumentType]
        return x if dtype is None else tf.cast(x, dtype)


def astype(x, dtype, /, *, copy=True):
    return tf.cast(x, dtype)


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    limits = (0, start, step) if stop is None else (start, stop, step)
    # tf.range knows few dtypes: it counts in a wide one.
    wide = result_type(*limits, int32)
    with _on(device):
        return tf.cast(tf.range(*(tf.cast(limit, wide) for limit in limits)), dtype or result_type(*limits))


def full(shape, fill_value, *, dtype=None, device=None):
    with _on(device):
        return tf.fill(shape if isinstance(shape, tuple) else (shape,), asarray(fill_value, dtype=dtype))


def full_like(x, /, fill_value, *, dtype=None, device=None):
    return full(shape(x), fill_value, dtype=dtype or x.dtype, device=device)


zeros, ones = functools.partial(full, fill_value=0.0), functools.partial(full, fill_value=1.0)
zeros_like, ones_like = functools.partial(full_like, fill_value=0), functools.partial(full_like, fill_value=1)


def shape(x, /) -> tuple[Any, ...]:
    """The dimensions of x: ints where they are known, elsewhere scalar int64 tensors, as labels are."""
    return tuple(tf.shape(x, tf.int64)[i] if n is None else n for i, n in enumerate(x.shape))


def _axes(axis, rank):
    """Every form of `axis` as a list of non-negative ints."""
    given = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if not builtins.all(-rank <= each < rank for each in given):
        raise IndexError(f"axis {axis} is out of range for {rank} dimensions")
    return [each % rank for each in given]


def broadcast_arrays(*arrays):
    dimensions = functools.reduce(tf.broadcast_dynamic_shape, [tf.shape(x) for x in arrays])
    static = functools.reduce(tf.broadcast_static_shape, [x.shape for x in arrays])
    return tuple(tf.ensure_shape(tf.broadcast_to(x, dimensions), static) for x in arrays)


def flip(x, /, *, axis=None):
    return tf.reverse(x, _axes(axis, len(x.shape)))


def take_along_axis(x, indices, /, *, axis=-1):
    """Indices must be in range: elsewhere TensorFlow raises, clamps or gives 0, by mode and device."""
    x, indices = moveaxis(x, axis, -1), moveaxis(indices, axis, -1)
    if x.shape[:-1] != indices.shape[:-1] or not x.shape[:-1].is_fully_defined():
        batch = tf.broadcast_dynamic_shape(tf.shape(x)[:-1], tf.shape(indices)[:-1])
        x, indices = (tf.broadcast_to(a, tf.concat([batch, tf.shape(a)[-1:]], 0)) for a in (x, indices))
    return moveaxis(tf.gather(x, indices, batch_dims=len(x.shape) - 1, axis=-1), -1, axis)


def _predicate(function, of_integers):
    return lambda x, /: function(x) if x.dtype in _FLOATS else of_integers(x, dtype=bool)


isnan, isinf = _predicate(tf.math.is_nan, zeros_like), _predicate(tf.math.is_inf, zeros_like)
isfinite = _predicate(tf.math.is_finite, ones_like)


def _pair(a: Any, b: Any):
    """Both as tensors of one dtype; a Python number takes the other's."""
    a_number, b_number = isinstance(a, (int, float)), isinstance(b, (int, float))
    if b_number and not a_number and a.dtype in _FLOATS:
        return a, tf.constant(float(b), a.dtype)
    if a_number and not b_number and b.dtype in _FLOATS:
        return tf.constant(float(a), b.dtype), b
    if not a_number and not b_number and a.dtype == b.dtype:
        return a, b
    dtype = result_type(a, b)
    return asarray(a, dtype=dtype), asarray(b, dtype=dtype)


def _binary(function):
    return lambda x1, x2, /: function(*_pair(x1, x2))


add, subtract, multiply = _binary(tf.add), _binary(tf.subtract), _binary(tf.multiply)


def pow(x1, x2, /):
    """Graphs turn a second power into a product: done eagerly too, a traced call gives the same bits."""
    if isinstance(x2, (int, float)) and x2 == 2 and x1.dtype in _FLOATS:
        return tf.square(x1)
    return _power(x1, x2)


divide, _power, equal = _binary(tf.divide), _binary(tf.pow), _binary(tf.equal)
maximum, minimum = _binary(tf.maximum), _binary(tf.minimum)


def where(condition, x1, x2, /):
    return tf.where(condition, *_pair(x1, x2))


# For use under stop_gradient only (ties share TensorFlow's derivative); `max(stop_gradient(x))` also spares
# forward accumulators the work.
def _extreme(reduce):
    def extreme(x, /, *, axis=None, keepdims=False):
        axes = axis if isinstance(axis, int) else _axes(axis, len(x.shape))  # a list takes 40 µs
        found = reduce(x, axes, keepdims)
        # The eager CPU kernels propagate NaN, XLA skips it, and a graph doesn't know whether XLA compiles it.
        if x.dtype not in _FLOATS or (tf.executing_eagerly() and "CPU" in x.device):
            return found
        return where(tf.reduce_any(tf.math.is_nan(x), axes, keepdims), nan, found)

    return extreme


max, min = _extreme(tf.reduce_max), _extreme(tf.reduce_min)


def _summable(x, dtype):
    """Booleans and small integers are counted in int32, small unsigned ones in uint32."""
    small = uint32 if x.dtype in _UNSIGNED else int32
    return tf.cast(x, dtype or (x.dtype if x.dtype in _FLOATS or x.dtype in (int64, uint64) else small))


def _long(dtype):
    # Short sums of float32 run in float64. Graphs may be for XLA, which adds one after the other.
    return 4096 if dtype != float64 else 128 if tf.executing_eagerly() else 16


def _block_sums(x) -> Any:
    *batch, n = shape(x)
    missing = -n % 16
    if not isinstance(missing, int) or missing:
        x = tf.pad(x, [[0, 0]] * len(batch) + [[0, missing]])
    if tf.executing_eagerly():
        return tf.reduce_sum(tf.reshape(x, (*batch, (n + missing) // 16, 16)), -1)
    # XLA would merge sums of blocks with the sum of those.
    parts = tf.split(x, 16, -1)
    while len(parts) > 1:
        parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _sum_last(x: Any):
    """The sum along a long last axis, in blocks."""
    if x.dtype != float64:
        return tf.cast(tf.reduce_sum(tf.cast(_block_sums(x), float64), -1), x.dtype)
    for _ in range(4):  # as many as 256 000 terms of an unknown dimension need
        if x.shape[-1] is None or x.shape[-1] > _long(float64):
            x = _block_sums(x)
    return tf.reduce_sum(x, -1)


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """The sum, more accurate than tf.reduce_sum over the last axes.

    Worst errors in eps up to 256 000 terms, float32 / float64: 1 / 2 eagerly, 2 / 5 in a graph, 1 / 2 under
    XLA; those of tf.reduce_sum: 40 / 68, as many, 2500 / 29.
    """
    x, rank = _summable(x, dtype), len(x.shape)
    axes = sorted(_axes(axis, rank))
    kept = rank - len(axes)
    n = x.shape[kept:].num_elements() if axes == list(range(kept, rank)) else 0
    if x.dtype in _FLOATS and (x.dtype == float64 if n is None else n > _long(x.dtype)):
        batch, rest = shape(x)[:kept], shape(x)[kept:]
        total = _sum_last(tf.reshape(x, (*batch, math.prod(rest))) if len(rest) > 1 else x)
        return tf.reshape(total, (*batch, *[1] * len(rest))) if keepdims else total
    terms = tf.cast(x, float64) if x.dtype in _FLOATS else x
    return tf.cast(tf.reduce_sum(terms, axes[0] if len(axes) == 1 else axes, keepdims), x.dtype)


def mean(x, /, *, axis=None, keepdims=False):
    count = math.prod(shape(x)[i] for i in _axes(axis, len(x.shape)))
    return sum(x, axis=axis, keepdims=keepdims) / tf.cast(count, x.dtype)


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    return tf.reduce_prod(_summable(x, dtype), _axes(axis, len(x.shape)), keepdims)


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    (axis,) = _axes(0 if axis is None else axis, len(x.shape))
    total = tf.cumsum(_summable(x, dtype), axis)
    return tf.pad(total, [[int(i == axis), 0] for i in range(len(x.shape))]) if include_initial else total


# At the end, because it builds on the names above.
from ._tensorflow_order import argmax as argmax  # noqa: E402
from ._tensorflow_order import argsort as argsort  # noqa: E402
from ._tensorflow_order import sort as sort  # noqa: E402
