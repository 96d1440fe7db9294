"""TensorFlow, alone in its process: torch's compiler aborts once TensorFlow's LLVM is loaded."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import Adapter, Function, as_numpy

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow as tf

_CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(_CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


class TensorFlow(Adapter):
    name = "tensorflow"
    default_float = "float32"
    flushes_subnormals = True
    autodiff = True
    devices = ("CPU:1",)

    def array(self, value: Any, dtype: str | None = None, device: Any = None) -> tf.Tensor:
        with tf.device(device or "CPU:0"):
            return tf.identity(tf.constant(as_numpy(value, dtype)))

    def to_numpy(self, result: Any) -> np.ndarray:
        # Not np.asarray(result): 0-d tensors of bfloat16 refuse that.
        return np.asarray(result.numpy())

    def dtype(self, result: Any) -> str:
        return result.dtype.name

    def forget(self) -> None:
        from uniflogits._backends import _tensorflow_programs

        _tensorflow_programs._met.clear()

    def is_result(self, result: Any) -> bool:
        return tf.is_tensor(result) and not isinstance(result, tf.Variable)

    def gradients(
        self, function: Function, arrays: Sequence[Any], cotangent: Any, argnums: Sequence[int]
    ) -> dict[str, list[Any]]:
        wanted = [arrays[i] for i in argnums]
        with tf.GradientTape() as tape:
            tape.watch(wanted)
            value = function(*arrays)
        # The gradient of what vectorized_map gathered comes as tf.IndexedSlices.
        return {
            "tape": [
                None if g is None else tf.convert_to_tensor(g)
                for g in tape.gradient(value, wanted, cotangent)
            ]
        }

    def tangents(
        self, function: Function, arrays: Sequence[Any], tangents: Sequence[Any]
    ) -> dict[str, tuple[Any, Any]]:
        moving = [i for i, tangent in enumerate(tangents) if tangent is not None]
        with tf.autodiff.ForwardAccumulator(
            [arrays[i] for i in moving], [tangents[i] for i in moving]
        ) as accumulator:
            value = function(*arrays)
        return {"forward accumulator": (value, accumulator.jvp(value))}

    def hessian_products(
        self, function: Function, array: Any, others: tuple[Any, ...], cotangent: Any, tangent: Any
    ) -> dict[str, Any]:
        def of_array(x: Any) -> Any:
            return function(x, *others)

        def reverse(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = of_array(x)
            return tape.gradient(value, x, cotangent)

        with tf.GradientTape() as outer:
            outer.watch(array)
            first = reverse(array)
        with tf.autodiff.ForwardAccumulator(array, tangent) as accumulator:
            again = reverse(array)
        return {
            "reverse over reverse": outer.gradient(first, array, tangent),
            "forward over reverse": accumulator.jvp(again),
        }

    def traced(self, function: Function) -> dict[str, Function]:
        return {"function": tf.function(function, autograph=False)}


ADAPTER = TensorFlow()
