"""Fresh rows, pairs of rows and numbers, of the regimes in which logit operations lose their digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

INF = float("inf")
Rng = np.random.Generator
ONE_LARGE_TERM = "one large term"  # among thousands alike: what libraries' own sums lose most of
DIGITS = {"float32": 24, "float64": 53}
LARGEST = {"float32": float(np.finfo("float32").max), "float64": float(np.finfo("float64").max)}


@dataclass(frozen=True)
class Lead:
    """How far ahead a class is where the others are subnormal or 0."""

    low: float
    high: float


SATURATED = {"float32": Lead(86.0, 106.0), "float64": Lead(705.0, 748.0)}
# Where a lead's rounding is the coarsest for its size, and so for what is allowed: just past these.
ROUNDED = {"float32": (16.0, 32.0, 64.0), "float64": (32.0, 64.0, 256.0, 512.0)}


def _ahead(rng: Rng, n: int, low: float, high: float) -> np.ndarray:
    x = rng.normal(size=n)
    winner = rng.integers(n)
    x[winner] = np.delete(x, winner).max() + rng.uniform(low, high)
    return x


def _dominated(rng: Rng, n: int, low: float, high: float) -> np.ndarray:
    x = _ahead(rng, n, low, high)
    return x - rng.choice([0.0, 0.0, x.max(), 60.0])


def _tied(rng: Rng, n: int) -> np.ndarray:
    x = rng.normal(size=n)
    x[rng.permutation(n)[: rng.integers(2, n + 1)]] = x.max() + rng.choice([0.0, 1.0, 20.0])
    return x


def _nearly_tied(rng: Rng, n: int, dtype: str) -> np.ndarray:
    step = 2.0 ** -rng.integers(3, DIGITS[dtype] - 3)
    return rng.choice([-3.0, -1.0, 0.0, 2.0]) + step * rng.integers(-3, 4, size=n)


def _with_holes(rng: Rng, n: int) -> np.ndarray:
    x = 3 * rng.normal(size=n)
    x[rng.permutation(n)[: rng.integers(1, n)]] = -INF
    return x


def _log_probabilities(rng: Rng, n: int) -> np.ndarray:
    x = rng.choice([1.0, 3.0, 8.0]) * rng.normal(size=n)
    x -= x.max()
    return x - np.log(np.exp(x).sum())


def rows(rng: Rng, n: int, dtype: str) -> Iterator[tuple[str, np.ndarray]]:
    """One row of n logits in each regime."""
    yield "moderate", rng.normal(size=n)
    yield "wide", 30 * rng.normal(size=n)
    yield "offset 1e4", rng.normal(size=n) + rng.choice([-1e4, 1e4])
    yield "offset 1e30", rng.choice([-1e30, 1e30]) * rng.choice([1.0, 1.5], size=n)
    yield "dominated", _dominated(rng, n, 20, 80)
    yield "ahead", _dominated(rng, n, 1, 20)
    for lead in ROUNDED[dtype]:
        yield f"past {lead:g}", _ahead(rng, n, lead, 1.15 * lead)
    yield "near ties", _nearly_tied(rng, n, dtype)
    yield "ties", _tied(rng, n)
    yield "all equal", np.full(n, rng.choice([0.0, 7.5, -300.0, 1e-3]))
    yield "saturated", _dominated(rng, n, SATURATED[dtype].low, SATURATED[dtype].high)
    yield "minus infinity", _with_holes(rng, n)
    yield "log-probabilities", _log_probabilities(rng, n)


def _near(rng: Rng, x: np.ndarray, dtype: str) -> np.ndarray:
    """A few steps away from x, from 1e-1 down to units in the last place; at some classes not at all."""
    step = 2.0 ** -rng.uniform(3, DIGITS[dtype] - 4)
    return x + step * rng.integers(-3, 4, size=x.shape)


def pairs(rng: Rng, n: int, dtype: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Two rows of n logits in each regime; the near ones are rounded before anything is added."""
    for label, x in rows(rng, n, dtype):
        if label in ("moderate", "wide", "dominated", "ahead", "saturated", "log-probabilities", "ties"):
            x = x.astype(dtype).astype(float)
            yield f"near, {label}", x, _near(rng, x, dtype)
    independent = list(rows(rng, n, dtype))
    for (label, x), (_, y) in zip(rows(rng, n, dtype), independent, strict=True):
        if label == "minus infinity":
            y = np.where(np.isfinite(x), rng.normal(size=n), -INF)
        yield f"apart, {label}", x, y
    for offset in (3.7, 100.0, 1e4):
        x = np.round(8 * rng.normal(size=n)) / 8
        yield f"near, offset {offset:g}", x, _near(rng, x, dtype) + offset
    x = rng.normal(size=n)
    masked = rng.permutation(n)[: n // 2]
    lowest = rng.choice([-3e38, -LARGEST[dtype]])
    y = _near(rng, x, dtype)
    x[masked] = y[masked] = lowest
    yield "near, finite mask", x, y
    # As much noise of the other's size as there is place for: one distribution moved by another.
    yield "a class apart", rng.normal(size=n), _dominated(rng, n, 5, 60)


def numbers(rng: Rng, count: int, dtype: str) -> Iterator[tuple[str, np.ndarray]]:
    """`count` logits of an elementwise operation in each regime, of both signs."""
    sign = rng.choice([-1.0, 1.0], size=count)
    lead = SATURATED[dtype]
    yield "moderate", rng.normal(size=count)
    yield "wide", 30 * rng.normal(size=count)
    yield "near 0", sign * 2.0 ** -rng.uniform(0, DIGITS[dtype] + 8, size=count)
    yield "around 1", sign * rng.uniform(0.25, 2.0, size=count)
    yield "confident", sign * rng.uniform(15, 80, size=count)
    yield "saturated", sign * rng.uniform(lead.low, lead.high, size=count)
    yield "offset 1e4", sign * rng.uniform(0.9e4, 1.1e4, size=count)
    yield "offset 1e30", sign * rng.uniform(0.9e30, 1.1e30, size=count)


def gaps(rng: Rng, count: int, dtype: str) -> Iterator[tuple[str, np.ndarray]]:
    """Positive numbers: differences, arguments of log1mexp."""
    yield "near 0", 2.0 ** -rng.uniform(0, DIGITS[dtype], size=count)
    yield "around the switch", rng.uniform(0.3, 1.5, size=count)
    yield "moderate", rng.uniform(0.5, 20, size=count)
    yield "far", rng.uniform(20, 80, size=count)
    yield "saturated", rng.uniform(SATURATED[dtype].low, SATURATED[dtype].high, size=count)


def probabilities(rng: Rng, count: int, dtype: str) -> Iterator[tuple[str, np.ndarray]]:
    sign = rng.choice([-1.0, 1.0], size=count)
    yield "anywhere", rng.uniform(0.001, 0.999, size=count)
    yield "near a half", 0.5 + sign * 2.0 ** -rng.uniform(2, DIGITS[dtype] - 1, size=count)
    yield "small", 2.0 ** -rng.uniform(1, 120, size=count)
    yield "near 1", 1 - 2.0 ** -rng.uniform(2, DIGITS[dtype] - 1, size=count)
