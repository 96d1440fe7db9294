"""Train an Equinox model on JAX with uniflogits' loss and with jax.nn.log_softmax, and compare the two.

    python examples/equinox_model.py

The loss goes through jit and grad as any function of arrays does. Steps are gradient descent with momentum,
written out so that nothing but Equinox is needed.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from spirals import ARMS, WIDTH, Run, check, compare, descend, options_of, spirals

import uniflogits as ul

OURS, THEIRS = "uniflogits", "jax.nn.log_softmax"
RATE, MOMENTUM = 0.3, 0.95


def mean_loss(name: str, logits: Any, labels: Any) -> Any:
    import jax

    if name == THEIRS:
        log_p = jax.nn.log_softmax(logits)
        return -log_p[jax.numpy.arange(len(labels)), labels].mean()
    return ul.softmax_cross_entropy_with_integer_labels(logits, labels, reduction="mean")


def train(name: str, advance: Callable[[], None], steps: int) -> Run:
    import equinox as eqx
    import jax

    model = eqx.nn.MLP(2, ARMS, WIDTH, depth=1, activation=jax.numpy.tanh, key=jax.random.key(0))
    velocity = jax.tree.map(jax.numpy.zeros_like, eqx.filter(model, eqx.is_array))
    rows, labels = map(jax.numpy.asarray, spirals())

    @eqx.filter_value_and_grad
    def loss_and_gradient(model: Any) -> Any:
        return mean_loss(name, jax.vmap(model)(rows), labels)

    @eqx.filter_jit
    def move(model: Any, velocity: Any) -> tuple[Any, Any, Any]:
        loss, gradient = loss_and_gradient(model)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v - RATE * g, velocity, gradient)
        return loss, eqx.apply_updates(model, velocity), velocity

    def step() -> float:
        nonlocal model, velocity
        loss, model, velocity = move(model, velocity)
        return float(loss)

    losses = descend(step, steps, advance)
    return Run(name, losses, lambda points: np.asarray(jax.vmap(model)(points)), 0.0)


def main(arguments: list[str] | None = None) -> int:
    parser = options_of(__doc__, "equinox_model")
    options = parser.parse_args(arguments)
    check(parser, options, "jax", "equinox")

    def load() -> None:
        import equinox  # noqa: F401

    parser.load("equinox", load)
    return compare(options, "JAX", functools.partial(train, steps=options.steps), (OURS, THEIRS))


if __name__ == "__main__":
    sys.exit(main())
