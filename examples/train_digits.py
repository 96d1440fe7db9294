"""Train a classifier of handwritten digits with one loop, on every array library that is installed.

    python examples/train_digits.py
    python examples/train_digits.py --backends numpy jax torch tensorflow --dtype float32

The data are the 1797 scans of 8x8 pixels that scikit-learn brings along, the model is softmax regression,
trained by plain gradient descent. `train` is the whole loop. It names no array library: arrays are multiplied
and added by the operators of the Array API, everything about the loss is uniflogits. Where the library has
automatic differentiation the gradient is taken by that, in NumPy by the closed form of the operation.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from program import Parser, finish, progress, show_table, write_results

import uniflogits as ul

RATE = 0.5
# How far the loss curves of two libraries may be apart, relatively, in float64.
AGREEMENT = 1e-10
BACKENDS = ("numpy", "jax", "torch", "tensorflow")


class Digits(NamedTuple):
    """Both parts of the data: one row per scan with a 1 at its end, which carries the bias."""

    train_rows: Any
    train_labels: Any
    test_rows: Any
    test_labels: Any
    test_scans: Any  # as they were, 8x8


class Library(NamedTuple):
    """All the example has to know about an array library."""

    name: str
    array: Callable[[Any], Any]  # from a NumPy array
    autodiff: bool


class Run(NamedTuple):
    """What training on one library gave."""

    backend: str
    version: str
    gradient: str
    losses: list[float]
    accuracy: float
    seconds: float
    probabilities: Any  # of the test scans, a NumPy array


def mean_loss(weights: Any, rows: Any, labels: Any) -> Any:
    return ul.softmax_cross_entropy_with_integer_labels(rows @ weights, labels, reduction="mean")


def closed_form(weights: Any, rows: Any, labels: Any) -> tuple[Any, Any]:
    """Value and gradient of `mean_loss` without autodiff: uniflogits' derivative, then the product's."""
    operation = ul.softmax_cross_entropy_with_integer_labels
    loss, pullback = ul.vjp(operation, rows @ weights, labels, reduction="mean")
    by_logits, _ = pullback(1.0)
    return loss, rows.T @ by_logits


def train(
    value_and_gradient: Callable[..., tuple[Any, Any]],
    weights: Any,
    rows: Any,
    labels: Any,
    steps: int,
    advance: Callable[[], None],
) -> tuple[Any, list[float]]:
    """The training loop, the same for every array library."""
    losses = []
    for _ in range(steps):
        loss, gradient = value_and_gradient(weights, rows, labels)
        weights = weights - RATE * gradient
        losses.append(float(loss))
        advance()
    return weights, losses


def run(library: Library, digits: Digits, dtype: str, steps: int, advance: Callable[[], None]) -> Run:
    rows, test_rows = (library.array(part.astype(dtype)) for part in (digits.train_rows, digits.test_rows))
    labels = library.array(digits.train_labels)
    weights = library.array(np.zeros((digits.train_rows.shape[1], 10), dtype=dtype))
    value_and_gradient = ul.value_and_grad(mean_loss) if library.autodiff else closed_form
    start = time.perf_counter()
    weights, losses = train(value_and_gradient, weights, rows, labels, steps, advance)
    seconds = time.perf_counter() - start
    probabilities = np.asarray(ul.softmax(test_rows @ weights))
    accuracy = float((probabilities.argmax(axis=1) == digits.test_labels).mean())
    gradient = "autodiff" if library.autodiff else "closed form"
    version = sys.modules[library.name].__version__
    return Run(library.name, version, gradient, losses, accuracy, seconds, probabilities)


def prepare_digits() -> Digits:
    """A quarter of the scans held back, every digit in proportion; pixels standardised by the other part."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    parts = train_test_split(pixels, labels, test_size=0.25, stratify=labels, random_state=0)
    train_pixels, test_pixels, train_labels, test_labels = parts
    mean, scale = train_pixels.mean(axis=0), train_pixels.std(axis=0)
    scale[scale == 0] = 1  # the corners that no pen ever touches

    def rows(part: Any) -> Any:
        return np.concatenate([(part - mean) / scale, np.ones((len(part), 1))], axis=1)

    scans = test_pixels.reshape(-1, 8, 8)
    return Digits(rows(train_pixels), train_labels, rows(test_pixels), test_labels, scans)


def open_library(name: str) -> Library:
    """Import one library and say how NumPy arrays get into it."""
    if name == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)  # without it JAX has no float64
        return Library(name, jax.numpy.asarray, autodiff=True)
    if name == "torch":
        import torch

        return Library(name, torch.asarray, autodiff=True)
    if name == "tensorflow":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it greets otherwise, and in spite of that
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # to say that oneDNN is on
        import tensorflow

        return Library(name, tensorflow.convert_to_tensor, autodiff=True)
    return Library(name, np.asarray, autodiff=False)


def largest_difference(runs: list[Run]) -> float:
    """The largest relative difference between any two loss curves at any step."""
    curves = np.asarray([one.losses for one in runs])
    return float(np.max((curves.max(axis=0) - curves.min(axis=0)) / np.abs(curves).min(axis=0)))


def parse(arguments: list[str] | None) -> tuple[Parser, argparse.Namespace]:
    parser = Parser(__doc__, "digits.png")
    parser.add_argument(
        "--backends", nargs="+", metavar="NAME", help=f"of {', '.join(BACKENDS)} (default: those installed)"
    )
    parser.add_argument("--steps", type=int, default=300, help="of gradient descent (default: 300)")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    return parser, parser.parse_args(arguments)


def check(parser: Parser, options: argparse.Namespace) -> list[str]:
    """Find out what can go wrong before anything is trained; the backends to train on."""
    parser.check_number("steps", options.steps)
    names = list(dict.fromkeys(options.backends or filter(importlib.util.find_spec, BACKENDS)))
    for name in names:
        if name not in BACKENDS:
            parser.error(f"unknown backend {name!r}; choose from {', '.join(BACKENDS)}")
    parser.check_installed(*names)
    parser.check_paths(options)
    return names


def main(arguments: list[str] | None = None) -> int:
    parser, options = parse(arguments)
    names = check(parser, options)
    from digits_picture import draw

    libraries = [parser.load(name, functools.partial(open_library, name)) for name in names]
    digits = prepare_digits()
    runs = []
    with progress(**dict.fromkeys(names, options.steps)) as part:
        for library in libraries:
            with part(library.name) as advance:
                runs.append(run(library, digits, options.dtype, options.steps, advance))

    show(runs, options.dtype)
    difference = largest_difference(runs)
    write_results(options, report(runs, options, difference))
    draw(runs, digits, AGREEMENT if options.dtype == "float64" else None, options.output)
    failures = []
    if len(runs) > 1:
        print(f"Largest relative difference between the loss curves: {difference:.1e} in {options.dtype}.")
        if options.dtype == "float64" and not difference <= AGREEMENT:
            failures.append(f"The libraries disagree: at most {AGREEMENT:.0e} is allowed.")
    return finish(options, failures)


def show(runs: list[Run], dtype: str) -> None:
    rows = []
    for one in runs:
        numbers = f"{one.losses[-1]:.8f}", f"{one.accuracy:.4f}", f"{one.seconds:.2f}"
        rows.append((one.backend, dtype, one.gradient, *numbers))
    show_table(("backend", "dtype", "gradient"), ("final loss", "test accuracy", "seconds"), rows)


def report(runs: list[Run], options: argparse.Namespace, difference: float) -> dict[str, Any]:
    backends = {
        one.backend: {
            "version": one.version,
            "gradient": one.gradient,
            "final_loss": one.losses[-1],
            "test_accuracy": one.accuracy,
            "seconds": one.seconds,
            "losses": one.losses,
        }
        for one in runs
    }
    return {
        "dtype": options.dtype,
        "steps": options.steps,
        "largest_difference": difference if len(runs) > 1 else None,
        "backends": backends,
    }


if __name__ == "__main__":
    sys.exit(main())
