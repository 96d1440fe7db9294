"""What is timed: inputs, the pairs of calls that do the same, and the ratios aimed at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

SHAPES = ((1024, 32000), (4096, 1000), (8192, 100), (128, 10))
QUICK_SHAPES = ((1024, 1000), (128, 10))
LOGITS = ("moderate", "confident")
# Rows at 1000 classes and classes at 256 rows, to see that time grows linearly in both.
SWEEP = tuple((rows, 1000) for rows in (256, 1024, 4096, 16384)) + tuple(
    (256, classes) for classes in (100, 1000, 10000, 100000)
)
TOKENS = (256, 512, 1024, 2048)  # of the memory measurement, at 32000 classes
VOCABULARY = 32000

LINEAR = (4096, VOCABULARY, 256)  # tokens, vocabulary and width of logits that are products

CROSS_ENTROPY = "cross-entropy, value + gradient"
DENSE = "dense cross-entropy, value + gradient"
SMOOTHED = "smoothed cross-entropy, value + gradient"
SMOOTHING = 0.125


class Inputs(NamedTuple):
    """One set of logits, float32, and what operations take beside them."""

    shape: tuple[int, int]
    logits: str
    x: np.ndarray
    other: np.ndarray  # a second set of logits, near the first
    labels: np.ndarray  # random, or the largest logit's where the logits are confident
    apart: np.ndarray  # a third set, which has nothing to do with the first

    @property
    def dense(self) -> np.ndarray:
        """What each class counts: masses of which a row's are 1 together."""
        mass = np.abs(self.apart) + np.float32(0.1)
        return mass / mass.sum(axis=-1, keepdims=True)

    @property
    def binary(self) -> np.ndarray:
        """A label for each element, 0 or 1."""
        return (self.apart > 0).astype(np.float32)


class Products(NamedTuple):
    """Hidden states and a vector for each class, whose products are the logits."""

    shape: tuple[int, int, int]
    logits: str
    hidden: np.ndarray
    weight: np.ndarray
    labels: np.ndarray

    @property
    def x(self) -> np.ndarray:
        """The logits of the first examples."""
        return self.hidden[:64] @ self.weight.T


class Pair(NamedTuple):
    """Two calls without arguments that give the same; each waits for its result."""

    what: str
    peer: str
    theirs: Callable[[], Any]
    ours: Callable[[], Any]
    reference: str  # the function of `reference.py` that checks both


def inputs(shape: tuple[int, int], logits: str, seed: int = 2026) -> Inputs:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape, dtype=np.float32)
    other = x + np.float32(0.1) * rng.standard_normal(shape, dtype=np.float32)
    labels = rng.integers(0, shape[1], shape[0])
    apart = rng.standard_normal(shape, dtype=np.float32)
    if logits == "confident":
        x *= 30
        other *= 30
        apart *= 30
        labels = x.argmax(axis=-1)
    return Inputs(shape, logits, x, other, labels, apart)


def products(shape: tuple[int, int, int], seed: int = 2026) -> Products:
    rng = np.random.default_rng(seed)
    tokens, vocabulary, width = shape
    hidden = rng.standard_normal((tokens, width), dtype=np.float32)
    weight = rng.standard_normal((vocabulary, width), dtype=np.float32) * np.float32(width**-0.5)
    return Products(shape, "products", hidden, weight, rng.integers(0, vocabulary, tokens))


def cells(shapes: tuple[tuple[int, int], ...]) -> Iterator[tuple[tuple[int, int], str]]:
    return ((shape, logits) for shape in shapes for logits in LOGITS)


# Ratios aimed at, at the four shapes; for moderate logits unless the third entry says otherwise.
_TARGETS = {
    ("numpy", "softmax"): (0.7, 0.9, 1.0, 1.2),
    ("numpy", "log_softmax"): (0.7, 0.9, 1.0, 1.6),
    ("numpy", "logsumexp"): (0.25, 0.25, 0.45, 0.5),
    ("numpy", CROSS_ENTROPY): (0.5, 0.7, 0.8, 1.0),
    ("torch", CROSS_ENTROPY): (0.55, 1.0, 1.3, 2.5),
    ("torch", CROSS_ENTROPY, "confident"): (1.0, 1.1, 2.5, 3.0),
    ("torch", f"{CROSS_ENTROPY}, compiled"): (1.1, 1.1, 1.1, 1.2),
    ("jax", f"{CROSS_ENTROPY}, jit"): (1.2, 1.2, 1.3, 1.1),
    ("jax", "softmax, eager"): (1.1, 1.1, 1.1, 0.6),
    ("tensorflow", f"{CROSS_ENTROPY}, tf.function"): (1.5, 1.5, 1.5, 2.0),
}
_KL = 2.5
_LINEAR = {
    ("torch", "product and loss"): 0.7,
    ("torch", "F.linear_cross_entropy, in chunks"): 0.9,
    ("jax", "product and loss", "sum"): 1.1,
    ("numpy", "product and loss", "sum"): 1.1,
    ("jax", "product and loss", "none"): 1.5,
    ("numpy", "product and loss", "none"): 1.5,
    ("tensorflow", "product and loss"): 1.5,
}


def linear_target(library: str, peer: str, reduction: str) -> float | None:
    return _LINEAR.get((library, peer, reduction)) or _LINEAR.get((library, peer))


def target(library: str, what: str, shape: tuple[int, int], logits: str) -> float | None:
    if shape not in SHAPES:
        return None
    if what.startswith("kl_divergence"):
        return _KL
    row = _TARGETS.get((library, what, logits)) or _TARGETS.get((library, what))
    return None if row is None else row[SHAPES.index(shape)]
