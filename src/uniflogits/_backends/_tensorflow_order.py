"""Sorting and searching of the TensorFlow namespace."""

from __future__ import annotations

import tensorflow as tf

from . import _tensorflow_namespace as xp


def argmax(x, /, *, axis=None, keepdims=False):
    """xp.int32, as all indices here: they can be compared with `arange`."""
    found = tf.argmax(tf.reshape(x, (-1,)) if axis is None else x, axis or 0, xp.int32)
    if not keepdims:
        return found
    return tf.reshape(found, (1,) * len(x.shape)) if axis is None else tf.expand_dims(found, axis)


def _order(x, descending):
    keys = x if descending else -x if x.dtype in xp._FLOATS else tf.bitwise.invert(x)
    return tf.math.top_k(keys, xp.shape(x)[-1])[1]


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    """NaN counts as larger than +xp.inf, xp.where TensorFlow's own sort leaves it anywhere; always stable."""
    x = xp.moveaxis(tf.stop_gradient(x), axis, -1)
    if x.dtype in xp._FLOATS:
        bad = tf.math.is_nan(x)
        # XLA sorts -0 before 0.
        found = _order(xp.where(x == 0, 0, xp.where(bad, xp.inf, x)), descending)
        bad = xp.take_along_axis(tf.cast(bad, xp.int32), found)
        found = xp.take_along_axis(found, _order(bad, descending))
    else:
        found = _order(tf.cast(x, xp.int32) if x.dtype.size < 4 else x, descending)
    return xp.moveaxis(found, -1, axis)


def sort(x, /, *, axis=-1, descending=False, stable=True):
    return xp.take_along_axis(x, argsort(x, axis=axis, descending=descending), axis=axis)
