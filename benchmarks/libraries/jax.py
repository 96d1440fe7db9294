"""JAX against jax.nn and optax, compiled; softmax also as a plain call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax

import uniflogits as ul

from ..cases import CROSS_ENTROPY, DENSE, Inputs, Pair, Products


def _waiting(function: Callable[..., Any], *arrays: Any) -> Callable[[], Any]:
    return lambda: jax.block_until_ready(function(*arrays))


def _theirs(x: Any, labels: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(x, labels).mean()


def _ours(x: Any, labels: Any) -> Any:
    return ul.softmax_cross_entropy_with_integer_labels(x, labels, reduction="mean")


def _their_dense(x: Any, labels: Any) -> Any:
    return optax.softmax_cross_entropy(x, labels).mean()


def _our_dense(x: Any, labels: Any) -> Any:
    return ul.softmax_cross_entropy(x, labels, reduction="mean")


def _steps(x: Any, labels: Any, *losses: Callable[..., Any]) -> list[Callable[[], Any]]:
    return [_waiting(jax.jit(jax.value_and_grad(f)), jnp.asarray(x), jnp.asarray(labels)) for f in losses]


def step(given: Inputs) -> list[Callable[[], Any]]:
    return _steps(given.x, given.labels, _theirs, _ours)


def _naive_kl(a: Any, b: Any) -> Any:
    log_p, log_q = jax.nn.log_softmax(a), jax.nn.log_softmax(b)
    return (jnp.exp(log_p) * (log_p - log_q)).sum(-1)


def pairs(given: Inputs, quick: bool) -> Iterator[Pair]:
    x, other, labels = jnp.asarray(given.x), jnp.asarray(given.other), jnp.asarray(given.labels)
    yield Pair(
        "softmax, eager", "jax.nn.softmax", _waiting(jax.nn.softmax, x), _waiting(ul.softmax, x), "softmax"
    )
    yield Pair(f"{CROSS_ENTROPY}, jit", "optax", *step(given), "cross_entropy")
    dense = _steps(x, given.dense, _their_dense, _our_dense)
    yield Pair(f"{DENSE}, jit", "optax", *dense, "dense_cross_entropy")
    if quick:
        return
    peers = {
        "softmax": (jax.nn.softmax, ul.softmax),
        "log_softmax": (jax.nn.log_softmax, ul.log_softmax),
        "logsumexp": (lambda x: jax.nn.logsumexp(x, axis=-1), ul.logsumexp),
    }
    for name, both in peers.items():
        theirs, ours = (_waiting(jax.jit(function), x) for function in both)
        yield Pair(f"{name}, jit", f"jax.nn.{name}", theirs, ours, name)
    value = (_waiting(jax.jit(function), x, labels) for function in (_theirs, _ours))
    yield Pair("cross-entropy, value, jit", "optax", *value, "cross_entropy_value")
    for name, q in (("kl_divergence", other), ("kl_divergence_apart", jnp.asarray(given.apart))):
        kl = (_waiting(jax.jit(function), x, q) for function in (_naive_kl, ul.kl_divergence))
        yield Pair(f"{name}, jit", "Σ p (log p − log q)", *kl, name)


def linear(given: Products) -> Iterator[Pair]:
    h, w, labels = (jnp.asarray(a) for a in (given.hidden, given.weight, given.labels))

    def step(loss: Callable[..., Any]) -> Callable[[], Any]:
        both = jax.jit(jax.value_and_grad(loss, (0, 1)))

        def call() -> Any:
            value, gradients = jax.block_until_ready(both(h, w, labels))
            return value, gradients[0]

        return call

    naive = step(lambda h, w, y: optax.softmax_cross_entropy_with_integer_labels(h @ w.T, y).sum())
    total = step(lambda h, w, y: ul.linear_cross_entropy(h, w, y, reduction="sum"))
    none = step(lambda h, w, y: ul.linear_cross_entropy(h, w, y).sum())
    for reduction, ours in (("sum", total), ("none", none)):
        yield Pair(f"linear_cross_entropy, {reduction}", "product and loss", naive, ours, "linear")


def limit_threads() -> None:
    pass  # XLA takes as many threads as the process has cores
