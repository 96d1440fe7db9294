"""Laws that hold whatever the numbers are. A spec names its operation's; test_laws.py draws the numbers.

A law takes what it needs to call the operation, and gives pairs of results that are equal to within rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

# Calls the operation with NumPy arrays by position and gives back a NumPy array.
Apply = Callable[..., np.ndarray]
# (what is compared, ours, expected, how many ulps of the largest number they may be apart)
Pair = tuple[str, np.ndarray, np.ndarray, float]


def shift_invariance(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """A constant added to all logits of a row changes nothing, where adding it is exact."""
    # Integers below 128 in size are exact in every dtype; multiples of 1/8 below 512 need float32.
    step, shifts = (1.0, (64.0, -64.0, 16.0)) if x.dtype.itemsize == 2 else (0.125, (256.0, -256.0, 16.0))
    grid = (np.round(np.clip(x.astype(np.float64), -60, 60) / step) * step).astype(x.dtype)
    for shift in shifts:
        moved = grid + np.asarray(shift, dtype=x.dtype)
        yield f"shifted by {shift}", apply(moved, *rest), apply(grid, *rest), 0


def permutation(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """The order of the rows, and of the classes with their labels, doesn't matter."""
    rows = rng.permutation(x.shape[0])
    plain = apply(x, *rest)
    by_row = apply(x[rows], *(np.asarray(r)[rows] for r in rest))
    # Not to the bit: the last few elements of an array leave the vectorised exp for a scalar one.
    yield "rows in another order", by_row, plain[rows], 8
    classes = rng.permutation(x.shape[1])
    others = tuple(
        np.argsort(classes)[r].astype(np.asarray(r).dtype) if np.ndim(r) == 1 else np.asarray(r)[:, classes]
        for r in rest
    )
    by_class = apply(x[:, classes], *others)
    expected = plain[:, classes] if plain.ndim == 2 else plain
    yield "classes in another order", by_class, expected, 8


def order_of_rows(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """The order of the examples doesn't matter; vectors of classes belong to none of them."""
    vectors, labels = rest
    rows = rng.permutation(x.shape[0])
    yield "rows in another order", apply(x[rows], vectors, labels[rows]), apply(x, vectors, labels)[rows], 8


def order_of_classes(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """The order of the vectors of the classes doesn't matter, if labels follow."""
    vectors, labels = rest
    classes = rng.permutation(vectors.shape[0])
    yield (
        "classes in another order",
        apply(x, vectors[classes], np.argsort(classes)[labels]),
        apply(x, vectors, labels),
        8,
    )


def common_vector(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """A vector added to those of all classes moves all logits of a row alike."""
    vectors, labels = np.round(rest[0] / 8), rest[1]
    # Integers below 8 in size, so that sums of 5 products are exact in every dtype.
    h = np.clip(np.round(x), -7, 7).astype(x.dtype)
    moved = (np.clip(vectors, -7, 7) + rng.integers(-4, 5, size=vectors.shape[1])).astype(x.dtype)
    yield (
        "vectors moved",
        apply(h, moved, labels),
        apply(h, np.clip(vectors, -7, 7).astype(x.dtype), labels),
        0,
    )


def sums_to_one(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """Probabilities (or, where the results are logarithms, their exponentials) of a row sum to 1."""
    result = apply(x, *rest).astype(np.float64)
    p = np.exp(result) if (result <= 0).all() and not (result == 0).all() else result
    yield "sum of a row", p.sum(axis=-1), np.ones(x.shape[0]), 64


def idempotence(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """The mean of equal numbers is that number."""
    yield "a row of one number", apply(np.repeat(x[:, :1], x.shape[1], axis=1)), x[:, 0], 0


def prefixes(apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator) -> Iterator[Pair]:
    """What comes later doesn't matter, and the sum never falls."""
    # Results of at least 1, in which no rounding of a larger number shows.
    x = np.abs(x) + np.asarray(1, dtype=x.dtype)
    y = apply(x)
    yield "the first entries alone", apply(x[:, :3]), y[:, :3], 8
    yield "the largest so far", np.maximum.accumulate(y, axis=1), y, 8


def symmetry(apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator) -> Iterator[Pair]:
    """What x and -x have to do with each other."""
    if rest:
        (labels,) = rest
        swapped = (1 - labels).astype(labels.dtype)
        # Only labels whose complement is exact make the two calls the same question.
        labels = (1 - swapped).astype(labels.dtype)
        yield "label y at x against 1 - y at -x", apply(-x, swapped), apply(x, labels), 8
        return
    yield "sigmoid(x) + sigmoid(-x)", apply(x) + apply(-x), np.ones_like(x), 4


def oddness(apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator) -> Iterator[Pair]:
    """f(-x) is -f(x)."""
    yield "f(-x) against -f(x)", apply(-x), -apply(x), 0


def evenness(apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator) -> Iterator[Pair]:
    """f(-x) is f(x)."""
    yield "f(-x) against f(x)", apply(-x), apply(x), 0


def moves_with_both(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """A constant added to both arrays is added to the result."""
    a, b = np.round(np.maximum(x, rest[0])), np.round(np.minimum(x, rest[0])) - 1
    a, b = a.astype(x.dtype), b.astype(x.dtype)
    moved = apply((a + 128).astype(x.dtype), (b + 128).astype(x.dtype)).astype(np.float64)
    yield "shifted by 128", moved, apply(a, b).astype(np.float64) + 128, 16


def commutes(apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator) -> Iterator[Pair]:
    """The order of the two arrays doesn't matter."""
    other = rest[0].astype(x.dtype)
    yield "a and b in the other order", apply(other, x), apply(x, other), 0


def odd_in_the_first(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """The result changes sign with the first array."""
    other = np.abs(rest[0]).astype(x.dtype) + np.asarray(0.125, x.dtype)
    yield "-x against x", apply(-x, other), -apply(x, other), 0


def doubles(apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator) -> Iterator[Pair]:
    """1 - z^2 = (1 - z)(1 + z), z = e^-x."""
    x = np.abs(x) + np.asarray(2.0**-10, x.dtype)
    twice = apply(x + x).astype(np.float64)
    yield "x against 2 x", apply(x), twice - np.log1p(np.exp(-x.astype(np.float64))), 16


def complement(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """The log-odds of 1 - p are those of p with the other sign."""
    # Multiples of 1/64: every dtype has them and their complements.
    p = (np.floor(np.abs(x.astype(np.float64))) % 63 + 1) / 64
    yield "1 - p against p", apply((1 - p).astype(x.dtype)), -apply(p.astype(x.dtype)), 0


def odds(apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator) -> Iterator[Pair]:
    """e^f is p / (1 - p), for log p between -3.75 and 0."""
    log_p = (-np.abs(x.astype(np.float64)) / 16 - 2.0**-10).astype(x.dtype)
    expected = 1 / np.expm1(-log_p.astype(np.float64))
    # Rounding a logarithm of size 4 to its dtype moves the odds by as many ulps.
    yield "e^f against the odds", np.exp(apply(log_p).astype(np.float64)), expected, 32


def relabelling(
    apply: Apply, x: np.ndarray, rest: tuple[Any, ...], rng: np.random.Generator
) -> Iterator[Pair]:
    """Which of two answers is called yes doesn't matter, and nothing is apart from itself."""
    other = rest[0].astype(x.dtype)
    yield "-a, -b against a, b", apply(-x, -other), apply(x, other), 16
    yield "a against itself", apply(x, x), np.zeros_like(x), 0
