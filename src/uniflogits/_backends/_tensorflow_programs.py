"""Plain calls of TensorFlow whose form keeps coming back, each as a graph.

Op by op a call is dozens of trips from Python into TensorFlow, of some thirty microseconds each. To trace a
graph takes as long as a few dozen such calls of small arrays, or one of large ones: the first calls of a form
run op by op.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ._tensorflow_watchers import is_pushed_forward, is_recorded

MOST = 256  # forms that are counted, or have a graph
FEW = 8  # calls before there is one
_LARGE = 1 << 20  # numbers

# Kernel, plan, and what each operand is like: how often it was met, and then its graph.
_met: dict[Any, Any] = {}


def run(xp: Any, kernel: Callable[..., Any], plan: Any, operands: dict[str, Any]) -> Any:
    """kernel(xp, plan, operands), on whatever device is set."""
    if not tf.executing_eagerly() or _gains_nothing(plan, operands):
        return kernel(xp, plan, operands)
    leaves = tf.nest.flatten(operands)
    form = (kernel, plan, tuple(operands), tuple(map(_form, leaves)))
    met = _met.get(form, 0)
    if isinstance(met, int) and met < FEW:
        if met == 0 and len(_met) >= MOST:
            _met.clear()
        _met[form] = met + 1
        return kernel(xp, plan, operands)
    if is_pushed_forward(*(leaf for leaf in leaves if tf.is_tensor(leaf))):
        return kernel(xp, plan, operands)
    if isinstance(met, int):
        met = _met[form] = _traced(xp, kernel, plan, operands)
    return met(*(tf.constant(leaf, plan.compute) if isinstance(leaf, float) else leaf for leaf in leaves))


def _gains_nothing(plan: Any, operands: dict[str, Any]) -> bool:
    """Whether most time is spent on numbers, and a graph would spend more.

    A graph's gradient can be differentiated again, which costs a loss more passes over its logits.
    """
    if plan.operation.vectors is not None:
        return True
    large = operands[plan.operation.arrays[0]].shape.num_elements() > _LARGE
    return large and plan.operation.rule.kind == "loss" and is_recorded()


def _form(leaf: Any) -> Any:
    return (leaf.dtype, leaf.shape) if tf.is_tensor(leaf) else type(leaf)


def _traced(xp: Any, kernel: Callable[..., Any], plan: Any, operands: dict[str, Any]) -> Callable[..., Any]:
    structure = tf.nest.map_structure(lambda _: None, operands)  # the arrays themselves are not kept
    # TensorFlow warns of functions that are traced often, which it tells apart by their code: this has none.
    return tf.function(functools.partial(_run, xp, kernel, plan, structure), autograph=False)


def _run(xp: Any, kernel: Callable[..., Any], plan: Any, structure: Any, *leaves: Any) -> Any:
    return kernel(xp, plan, tf.nest.pack_sequence_as(structure, leaves))
