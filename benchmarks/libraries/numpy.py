"""NumPy against scipy.special."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.special

import uniflogits as ul

from ..cases import CROSS_ENTROPY, Inputs, Pair, Products


def step(given: Inputs) -> tuple[Callable[[], Any], Callable[[], Any]]:
    x, labels = given.x, given.labels
    ours = ul.value_and_grad(ul.softmax_cross_entropy_with_integer_labels)
    rows = np.arange(len(x))

    def by_hand() -> Any:
        log_p = scipy.special.log_softmax(x, axis=-1)
        loss = -log_p[rows, labels].mean()
        gradient = np.exp(log_p)
        gradient[rows, labels] -= 1
        gradient /= len(x)
        return loss, gradient

    return by_hand, lambda: ours(x, labels, reduction="mean")


def _naive_kl(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    log_p, log_q = scipy.special.log_softmax(a, axis=-1), scipy.special.log_softmax(b, axis=-1)
    return (np.exp(log_p) * (log_p - log_q)).sum(axis=-1)


def pairs(given: Inputs, quick: bool) -> Iterator[Pair]:
    x, labels = given.x, given.labels
    for name in ("softmax", "log_softmax", "logsumexp"):
        peer, own = getattr(scipy.special, name), getattr(ul, name)
        yield Pair(
            name, f"scipy.special.{name}", lambda f=peer: f(x, axis=-1), lambda f=own: f(x, axis=-1), name
        )
    yield Pair(CROSS_ENTROPY, "scipy log_softmax and by hand", *step(given), "cross_entropy")
    rows = np.arange(len(x))
    yield Pair(
        "cross-entropy, value",
        "scipy log_softmax and by hand",
        lambda: -scipy.special.log_softmax(x, axis=-1)[rows, labels].mean(),
        lambda: ul.softmax_cross_entropy_with_integer_labels(x, labels, reduction="mean"),
        "cross_entropy_value",
    )
    for name, q in (("kl_divergence", given.other), ("kl_divergence_apart", given.apart)):
        theirs, ours = (lambda f=f, q=q: f(x, q) for f in (_naive_kl, ul.kl_divergence))
        yield Pair(name, "Σ p (log p − log q)", theirs, ours, name)


def linear(given: Products) -> Iterator[Pair]:
    h, w, labels = given.hidden, given.weight, given.labels
    rows = np.arange(len(h))

    def by_hand() -> Any:
        log_p = scipy.special.log_softmax(h @ w.T, axis=-1)
        loss = -log_p[rows, labels].sum()
        gradient = np.exp(log_p)
        gradient[rows, labels] -= 1
        gradient.T @ h
        return loss, gradient @ w

    def none() -> Any:
        losses, pullback = ul.vjp(ul.linear_cross_entropy, h, w, labels)
        return losses.sum(), pullback(1.0)[0]

    both = ul.value_and_grad(ul.linear_cross_entropy, (0, 1))

    def total() -> Any:
        loss, gradients = both(h, w, labels, reduction="sum")
        return loss, gradients[0]

    for reduction, ours in (("sum", total), ("none", none)):
        yield Pair(f"linear_cross_entropy, {reduction}", "product and loss", by_hand, ours, "linear")


def limit_threads() -> None:
    pass
