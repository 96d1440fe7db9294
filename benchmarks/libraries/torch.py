"""torch against torch.nn.functional, eager and compiled."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F

import uniflogits as ul

from ..cases import CROSS_ENTROPY, DENSE, SMOOTHED, SMOOTHING, Inputs, Pair, Products

_ours = functools.partial(ul.softmax_cross_entropy_with_integer_labels, reduction="mean")
_our_dense = functools.partial(ul.softmax_cross_entropy, reduction="mean")


def _backward(loss: Callable[..., torch.Tensor], x: torch.Tensor, labels: torch.Tensor) -> Any:
    x.grad = None
    value = loss(x, labels)
    value.backward()
    return value.detach(), x.grad.detach()


def _steps(x: torch.Tensor, labels: torch.Tensor, *losses: Callable[..., Any]) -> list[Callable[[], Any]]:
    leaf = x.detach().requires_grad_()
    return [lambda loss=loss: _backward(loss, leaf, labels) for loss in losses]


def step(given: Inputs) -> list[Callable[[], Any]]:
    return _steps(torch.from_numpy(given.x), torch.from_numpy(given.labels), F.cross_entropy, _ours)


def _our_binary(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return ul.sigmoid_binary_cross_entropy(x, labels, reduction="mean")


def _mapped(x: torch.Tensor, cotangent: torch.Tensor) -> Iterator[Callable[[], Any]]:
    leaf = x.detach().requires_grad_()

    def both(function: Callable[..., torch.Tensor]) -> Any:
        value = function(leaf)
        return value.detach(), torch.autograd.grad(value, leaf, cotangent)[0]

    return (lambda f=f: both(f) for f in (lambda x: torch.softmax(x, -1), ul.softmax))


def _naive_kl(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    log_p, log_q = F.log_softmax(a, -1), F.log_softmax(b, -1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def pairs(given: Inputs, quick: bool) -> Iterator[Pair]:
    x, other, labels = (torch.from_numpy(a) for a in (given.x, given.other, given.labels))
    for name in ("softmax", "log_softmax", "logsumexp"):
        peer, own = getattr(torch, name), getattr(ul, name)
        yield Pair(name, f"torch.{name}", lambda f=peer: f(x, -1), lambda f=own: f(x), name)
    yield Pair(CROSS_ENTROPY, "F.cross_entropy", *step(given), "cross_entropy")
    yield Pair(
        "cross-entropy, value",
        "F.cross_entropy",
        lambda: F.cross_entropy(x, labels),
        lambda: _ours(x, labels),
        "cross_entropy_value",
    )
    smoothed = (functools.partial(f, label_smoothing=SMOOTHING) for f in (F.cross_entropy, _ours))
    yield Pair(SMOOTHED, "F.cross_entropy", *_steps(x, labels, *smoothed), "smoothed_cross_entropy")
    dense = _steps(x, torch.from_numpy(given.dense), F.cross_entropy, _our_dense)
    yield Pair(DENSE, "F.cross_entropy", *dense, "dense_cross_entropy")
    yield Pair("softmax, value + gradient", "torch.softmax", *_mapped(x, other), "softmax_gradient")
    binary = torch.from_numpy(given.binary)
    yield Pair(
        "binary cross-entropy, value + gradient",
        "F.binary_cross_entropy_with_logits",
        *_steps(x, binary, F.binary_cross_entropy_with_logits, _our_binary),
        "binary_cross_entropy",
    )
    for name, q in (("kl_divergence", other), ("kl_divergence_apart", torch.from_numpy(given.apart))):
        theirs, ours = (lambda f=f, q=q: f(x, q) for f in (_naive_kl, ul.kl_divergence))
        yield Pair(name, "Σ p (log p − log q)", theirs, ours, name)
    if quick:
        return
    torch._dynamo.reset()
    compiled = (torch.compile(f, fullgraph=True, dynamic=False) for f in (F.cross_entropy, _ours))
    yield Pair(
        f"{CROSS_ENTROPY}, compiled",
        "F.cross_entropy, compiled",
        *_steps(x, labels, *compiled),
        "cross_entropy",
    )


def linear(given: Products) -> Iterator[Pair]:
    h, w = (torch.from_numpy(a).requires_grad_() for a in (given.hidden, given.weight))
    labels = torch.from_numpy(given.labels)

    def step(loss: Callable[[], torch.Tensor]) -> Callable[[], Any]:
        def both() -> Any:
            h.grad = w.grad = None
            value = loss()
            value.backward()
            return value.detach(), h.grad

        return both

    options = torch.nn.LinearCrossEntropyOptions()
    naive = step(lambda: F.cross_entropy(h @ w.T, labels, reduction="sum"))
    chunked = step(lambda: F.linear_cross_entropy(h, w, labels, reduction="sum", options=options))
    total = step(lambda: ul.linear_cross_entropy(h, w, labels, reduction="sum"))
    none = step(lambda: ul.linear_cross_entropy(h, w, labels).sum())
    yield Pair("linear_cross_entropy, sum", "product and loss", naive, total, "linear")
    yield Pair("linear_cross_entropy, sum", "F.linear_cross_entropy, in chunks", chunked, total, "linear")
    yield Pair("linear_cross_entropy, none", "product and loss", naive, none, "linear")


def limit_threads() -> None:
    torch.set_num_threads(1)
