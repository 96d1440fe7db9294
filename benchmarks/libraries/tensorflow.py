"""TensorFlow against tf.nn, in tf.function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

import uniflogits as ul

from ..cases import CROSS_ENTROPY, DENSE, Inputs, Pair, Products


def _theirs(x: Any, labels: Any) -> Any:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, x))


def _ours(x: Any, labels: Any) -> Any:
    return ul.softmax_cross_entropy_with_integer_labels(x, labels, reduction="mean")


def _value_and_gradient(loss: Callable[..., Any]) -> Callable[..., Any]:
    @tf.function(autograph=False)
    def both(x: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x, labels)
        return value, tape.gradient(value, x)

    return both


def _their_dense(x: Any, labels: Any) -> Any:
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, x))


def _our_dense(x: Any, labels: Any) -> Any:
    return ul.softmax_cross_entropy(x, labels, reduction="mean")


def _steps(x: Any, labels: Any, *losses: Callable[..., Any]) -> list[Callable[[], Any]]:
    x, labels = tf.constant(x), tf.constant(labels)
    return [functools.partial(_value_and_gradient(loss), x, labels) for loss in losses]


def step(given: Inputs) -> list[Callable[[], Any]]:
    return _steps(given.x, given.labels, _theirs, _ours)


def _naive_kl(a: Any, b: Any) -> Any:
    log_p, log_q = tf.nn.log_softmax(a), tf.nn.log_softmax(b)
    return tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), -1)


def pairs(given: Inputs, quick: bool) -> Iterator[Pair]:
    x, other, labels = tf.constant(given.x), tf.constant(given.other), tf.constant(given.labels)
    yield Pair(
        f"{CROSS_ENTROPY}, tf.function",
        "tf.nn.sparse_softmax_cross_entropy_with_logits",
        *step(given),
        "cross_entropy",
    )
    yield Pair(
        f"{DENSE}, tf.function",
        "tf.nn.softmax_cross_entropy_with_logits",
        *_steps(given.x, given.dense, _their_dense, _our_dense),
        "dense_cross_entropy",
    )
    peers = {"softmax": tf.nn.softmax, "log_softmax": tf.nn.log_softmax}
    for name, peer in peers.items():
        theirs, ours = (tf.function(f, autograph=False) for f in (peer, getattr(ul, name)))
        yield Pair(f"{name}, tf.function", f"tf.nn.{name}", lambda f=theirs: f(x), lambda f=ours: f(x), name)
    if quick:
        return
    value = [tf.function(f, autograph=False) for f in (_theirs, _ours)]
    yield Pair(
        "cross-entropy, value, tf.function",
        "tf.nn.sparse_softmax_cross_entropy_with_logits",
        lambda: value[0](x, labels),
        lambda: value[1](x, labels),
        "cross_entropy_value",
    )
    kl = [tf.function(f, autograph=False) for f in (_naive_kl, ul.kl_divergence)]
    for name, q in (("kl_divergence", other), ("kl_divergence_apart", tf.constant(given.apart))):
        theirs, ours = (lambda f=f, q=q: f(x, q) for f in kl)
        yield Pair(f"{name}, tf.function", "Σ p (log p − log q)", theirs, ours, name)


def linear(given: Products) -> Iterator[Pair]:
    h, w, labels = tf.constant(given.hidden), tf.constant(given.weight), tf.constant(given.labels)

    def step(loss: Callable[..., Any]) -> Callable[[], Any]:
        @tf.function(autograph=False)
        def both(h: Any, w: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch([h, w])
                value = tf.reduce_sum(loss(h, w, labels))
            return value, *tape.gradient(value, [h, w])

        return lambda: both(h, w, labels)[:2]

    naive = step(
        lambda h, w, y: tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.matmul(h, w, transpose_b=True))
    )
    for reduction in ("sum", "none"):
        ours = step(lambda h, w, y, r=reduction: ul.linear_cross_entropy(h, w, y, reduction=r))
        yield Pair(f"linear_cross_entropy, {reduction}", "product and loss", naive, ours, "linear")


def limit_threads() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
