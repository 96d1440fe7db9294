"""Functions of single numbers in which TensorFlow's own lose digits."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def tanh(x: Any) -> Any:
    """TensorFlow's own of float64 is up to 7 ulp off above 1, and is 1 from 17.7 on instead of 19."""
    if x.dtype != tf.float64:
        return tf.tanh(x)
    far = tf.abs(x) > 1.0
    z = tf.exp(-2.0 * tf.abs(x))
    return tf.where(
        far, tf.sign(x) * (1.0 - 2.0 * z / (1.0 + z)), tf.tanh(tf.where(far, tf.zeros_like(x), x))
    )
