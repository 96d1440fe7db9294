"""Plain calls of TensorFlow whose form keeps coming back, each as a graph.

Op by op a call is dozens of trips from Python into TensorFlow, of some thirty microseconds each. To trace a
graph takes as long as a few dozen such calls of small arrays, or one of large ones: the first calls of a form
run op by op.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ._tensorflow_watchers import is_pushed_forward

MOST = 256  # forms that are counted, or have a graph
FEW = 8  # calls before there is one

# Kernel, plan, and what each operand is like: how often it was met, and then its graph.
_met: dict[Any, Any] = {}


def run(xp: Any, kernel: Callable[..., Any], plan: Any, operands: dict[str, Any]) -> Any:
    """kernel(xp, plan, operands), on whatever device is set."""
    # What goes by chunks is no matter of trips, and a graph cannot know that gradients will be asked for.
    if plan.operation.vectors is not None or not tf.executing_eagerly():
        return kernel(xp, plan, operands)
    leaves = tf.nest.flatten(operands)
    form = (kernel, plan, tuple(operands), tuple(map(_form, leaves)))
    met = _met.get(form, 0)
    if isinstance(met, int):
        if met == 0 and len(_met) >= MOST:
            _met.clear()
        if met < FEW:
            _met[form] = met + 1
            return kernel(xp, plan, operands)
        met = _met[form] = _traced(xp, kernel, plan, operands)
    if is_pushed_forward(*(leaf for leaf in leaves if tf.is_tensor(leaf))):
        return kernel(xp, plan, operands)
    return met(*(tf.constant(leaf, plan.compute) if isinstance(leaf, float) else leaf for leaf in leaves))


def _form(leaf: Any) -> Any:
    return (leaf.dtype, leaf.shape) if tf.is_tensor(leaf) else type(leaf)


def _traced(xp: Any, kernel: Callable[..., Any], plan: Any, operands: dict[str, Any]) -> Callable[..., Any]:
    structure = tf.nest.map_structure(lambda _: None, operands)  # the arrays themselves are not kept

    def program(*leaves: Any) -> Any:
        return kernel(xp, plan, tf.nest.pack_sequence_as(structure, leaves))

    return tf.function(program, autograph=False)
