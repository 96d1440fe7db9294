"""Train one small network three times, and see when float32 is enough: with which cross-entropy.

    python examples/softmax_collapse.py --library torch
    python examples/softmax_collapse.py --library jax

The task is addition modulo 31: half of the table of sums is learned, by Adam without weight decay, until each
answer is right and certain. From then on each step only makes the answers more certain, and the loss falls to
1e-11 and below. The network is trained in float32 with the library's own cross-entropy, in float32 with
uniflogits', and in float64 with the library's own, from the same weights. What is different is the loss only:
in float32 the library's loses the gradient of confident answers, which the ICLR 2025 paper "Grokking at the
Edge of Numerical Stability" named Softmax Collapse.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from program import Parser

import uniflogits as ul

MODULUS, WIDTH, STEPS = 31, 128, 2400
# Adam, its second moment as short-lived as usual for this task, and an epsilon below every gradient met.
RATE, BETA_1, BETA_2, EPSILON = 3e-3, 0.9, 0.98, 1e-15
# How far float32 may be from float64, relatively, and down to which loss.
AGREEMENT, LOWEST = 0.01, 1e-11
QUANTITIES = ("loss", "gradient norm", "largest logit")
LIBRARIES = ("torch", "jax")
# The curves that are written have no more points than this.
POINTS = 300


class Library(NamedTuple):
    """All the example has to know about an array library."""

    name: str
    version: str
    array: Callable[..., Any]  # from a NumPy array and a dtype's name, or from integers
    own_loss: Callable[[Any, Any], Any]
    differentiate: Callable[[Callable[..., Any]], Callable[..., Any]]
    compile: Callable[[Callable[..., Any]], Callable[..., Any]]


class Run(NamedTuple):
    """What one training gave: a row per step of loss, gradient norm and largest logit."""

    name: str
    dtype: str
    numbers: Any
    seconds: float


def our_loss(logits: Any, labels: Any) -> Any:
    return ul.softmax_cross_entropy_with_integer_labels(logits, labels, reduction="mean")


def network(weights: tuple[Any, Any], rows: Any) -> Any:
    """Logits of a + b: a hidden layer whose activation is the square, which is smooth."""
    hidden = rows @ weights[0]
    return (hidden * hidden) @ weights[1]


def adam(weights: Any, gradients: Any, moments: Any, step: Any) -> tuple[Any, Any]:
    """One step, the textbook's; it is the same arithmetic in every library."""
    moved, kept = [], []
    for weight, gradient, (first, second) in zip(weights, gradients, moments, strict=True):
        first = BETA_1 * first + (1 - BETA_1) * gradient
        second = BETA_2 * second + (1 - BETA_2) * gradient * gradient
        size = (second / (1 - BETA_2**step)) ** 0.5 + EPSILON
        moved.append(weight - RATE * (first / (1 - BETA_1**step)) / size)
        kept.append((first, second))
    return tuple(moved), tuple(kept)


def train(
    library: Library, loss: Callable[[Any, Any], Any], dtype: str, steps: int, advance: Callable[[], None]
) -> tuple[Any, float]:
    """The training loop, the same for every library and loss."""
    rows, labels, weights = prepare_sums()
    rows, labels = library.array(rows, dtype), library.array(labels)
    # The same numbers in both dtypes: those that float32 holds.
    weights = tuple(library.array(weight.astype(np.float32), dtype) for weight in weights)
    moments = tuple((0 * weight, 0 * weight) for weight in weights)
    differentiated = library.differentiate(lambda logits: loss(logits, labels))

    def one_step(weights: Any, moments: Any, step: Any) -> tuple[Any, ...]:
        value, logits, gradients = differentiated(weights, rows)
        norm = sum((gradient * gradient).sum() for gradient in gradients) ** 0.5
        weights, moments = adam(weights, gradients, moments, step)
        return weights, moments, value, norm, abs(logits).max()

    one_step = library.compile(one_step)
    numbers = np.empty((steps, 3))
    start = time.perf_counter()
    for step in range(steps):
        weights, moments, *measured = one_step(weights, moments, float(step + 1))
        numbers[step] = [float(number) for number in measured]
        advance()
    return numbers, time.perf_counter() - start


def prepare_sums() -> tuple[Any, Any, tuple[Any, Any]]:
    """Half of all a + b as one-hot rows, their sums, and the weights that every training starts from."""
    rng = np.random.default_rng(0)
    a, b = np.divmod(rng.permutation(MODULUS**2)[: MODULUS**2 // 2], MODULUS)
    rows = np.concatenate([np.eye(MODULUS)[a], np.eye(MODULUS)[b]], axis=1)
    first = rng.normal(scale=0.5, size=(2 * MODULUS, WIDTH))
    second = rng.normal(scale=WIDTH**-0.5, size=(WIDTH, MODULUS))
    return rows, (a + b) % MODULUS, (first, second)


def open_torch() -> Library:
    import torch

    def array(value: Any, dtype: str | None = None) -> Any:
        return torch.asarray(value, dtype=getattr(torch, dtype) if dtype else torch.int64)

    def differentiate(loss: Callable[[Any], Any]) -> Callable[..., Any]:
        def differentiated(weights: Any, rows: Any) -> tuple[Any, Any, Any]:
            weights = [weight.detach().requires_grad_() for weight in weights]
            logits = network((weights[0], weights[1]), rows)
            value = loss(logits)
            return value.detach(), logits.detach(), torch.autograd.grad(value, weights)

        return differentiated

    own_loss = torch.nn.functional.cross_entropy
    return Library("torch", torch.__version__, array, own_loss, differentiate, lambda function: function)


def open_jax() -> Library:
    import jax

    jax.config.update("jax_enable_x64", True)  # without it JAX has no float64

    def array(value: Any, dtype: str | None = None) -> Any:
        return jax.numpy.asarray(value, dtype=dtype)

    def own_loss(logits: Any, labels: Any) -> Any:
        return -jax.nn.log_softmax(logits)[jax.numpy.arange(len(labels)), labels].mean()

    def differentiate(loss: Callable[[Any], Any]) -> Callable[..., Any]:
        def both(weights: Any, rows: Any) -> tuple[Any, Any]:
            logits = network(weights, rows)
            return loss(logits), logits

        def differentiated(weights: Any, rows: Any) -> tuple[Any, Any, Any]:
            (value, logits), gradients = jax.value_and_grad(both, has_aux=True)(weights, rows)
            return value, logits, gradients

        return differentiated

    return Library("jax", jax.__version__, array, own_loss, differentiate, jax.jit)


def report(library: Library, runs: list[Run]) -> dict[str, Any]:
    """Everything that the table and the picture show."""
    exact = next(run.numbers[:, 0] for run in runs if run.dtype == "float64")
    steps = len(exact)
    shown = sorted({*range(0, steps, -(-steps // POINTS)), steps - 1})
    curves = {}
    for run in runs:
        loss = run.numbers[:, 0]
        apart = np.abs(loss - exact) / exact
        off = np.flatnonzero(apart > AGREEMENT)
        curves[run.name] = {
            "dtype": run.dtype,
            "seconds": run.seconds,
            "final": dict(zip(QUANTITIES, map(float, run.numbers[-1]), strict=True)),
            # Of the losses that are at least LOWEST.
            "apart": float(np.max(apart[exact >= LOWEST], initial=0.0)),
            "left_at_step": int(off[0]) + 1 if len(off) else None,
            "left_at_loss": float(exact[off[0]]) if len(off) else None,
            "distance": [float(f"{number:.3g}") for number in apart[shown]],
            **{
                quantity: [float(f"{number:.5g}") for number in run.numbers[shown, column]]
                for column, quantity in enumerate(QUANTITIES)
            },
        }
    return {
        "library": library.name,
        "version": library.version,
        "uniflogits": ul.__version__,
        "steps": steps,
        "shown": [step + 1 for step in shown],
        "agreement": AGREEMENT,
        "lowest": LOWEST,
        "runs": curves,
    }


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options; what can go wrong is found out before anything is trained."""
    parser = Parser(__doc__, "collapse.png")
    parser.add_argument(
        "--library", dest="framework", choices=LIBRARIES, default="torch", help="(default: torch)"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of Adam (default: {STEPS})")
    options = parser.parse_args(arguments)
    parser.check_number("steps", options.steps)
    parser.check_installed(options.framework)
    parser.check_paths(options)
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    from collapse_picture import figure_of
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with console.status(f"importing {options.framework}"):
        library = open_torch() if options.framework == "torch" else open_jax()
    plan = [
        (f"{library.name}'s, float64", library.own_loss, "float64"),
        (f"{library.name}'s, float32", library.own_loss, "float32"),
        ("uniflogits', float32", our_loss, "float32"),
    ]
    runs = []
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks = [progress.add_task(name, total=options.steps, start=False) for name, _, _ in plan]
        for (name, loss, dtype), task in zip(plan, tasks, strict=True):
            progress.start_task(task)
            advance = functools.partial(progress.advance, task)
            runs.append(Run(name, dtype, *train(library, loss, dtype, options.steps, advance)))

    results = report(library, runs)
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results) + "\n", encoding="utf-8")
    figure_of(results).savefig(options.output, dpi=120)
    print(f"The picture is in {options.output}.")
    apart = results["runs"][runs[-1].name]["apart"]
    print(f"In float32 uniflogits' loss stays within {apart:.1e} of float64's, down to {LOWEST:.0e}.")
    if not apart <= AGREEMENT:
        print(f"It left the curve of float64: at most {AGREEMENT:.0%} is allowed.", file=sys.stderr)
        return 1
    return 0


def show(results: dict[str, Any]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    table.add_column("cross-entropy", no_wrap=True)
    for title in ("final loss", "gradient norm", "largest logit", "left float64 at", "seconds"):
        table.add_column(title.replace(" ", "\n", 1), justify="right", no_wrap=True)
    for name, one in results["runs"].items():
        left = "-" if one["left_at_loss"] is None else f"{one['left_at_loss']:.1e}"
        loss, norm, logit = (one["final"][quantity] for quantity in QUANTITIES)
        table.add_row(name, f"{abs(loss):.2e}", f"{norm:.2e}", f"{logit:.1f}", left, f"{one['seconds']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
