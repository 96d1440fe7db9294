"""Who else looks at what TensorFlow computes: tapes, forward accumulators, vectorized_map, XLA."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# TensorFlow has no public way to ask whether a forward accumulator watches a tensor, whether anything watches
# all of them, or whether what is traced goes to XLA.
from tensorflow.python.eager.forwardprop_util import pack_tangents
from tensorflow.python.eager.record import could_possibly_record
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext


def is_pushed_forward(*arrays: Any) -> bool:
    """Whether a forward accumulator watches one of these."""
    return bool(pack_tangents([x for x in arrays if x is not None]).tangents)


def is_recorded() -> bool:
    """Whether a tape, or a forward accumulator, may record what is computed now."""
    return could_possibly_record()


def is_vectorized() -> bool:
    """Whether vectorized_map, or a tape's jacobian, traces this: it sees no custom gradients."""
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    while graph is not None and "loop_body" not in graph.get_name_scope():
        graph = getattr(graph, "outer_graph", None)
    return graph is not None


def is_compiled_by_xla() -> bool:
    """Whether a function with `jit_compile` is traced, in which no shape may depend on data."""
    return not tf.executing_eagerly() and GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def loses_custom_gradients(*arrays: Any) -> bool:
    """Whether a custom gradient of these would be looked through."""
    return is_pushed_forward(*arrays) or is_vectorized()


def is_differentiated_again() -> bool:
    """Whether a backward pass has to be a formula, and no custom gradient of its own.

    Who watches it may be a forward accumulator; within a graph that stumbles over a custom gradient of a
    custom gradient.
    """
    return is_recorded() or is_vectorized()
