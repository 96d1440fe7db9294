"""The exact answers for many classes: closed forms on the numbers of one row, at some of its classes.

Differences of the oracle would take hours here. tests/accuracy/test_quick.py holds these closed forms, and
the magnitudes in whose ulps they count, to the oracle on few classes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from uniflogits._core import operation as registry

from ..exact import Reference
from ..oracle.entmax import probabilities
from ..oracle.numbers import exact, precision
from .references import joined
from .regimes import DIGITS, ONE_LARGE_TERM

# The regimes here have gaps of up to 80: 1 - p keeps 140 bits of these.
BITS = 256
LINEAR = "linear_cross_entropy"
OPERATIONS = (*(name for name, one in registry.OPERATIONS.items() if one.many_axes is not None), LINEAR)
WIDTH = 4  # of its hidden states
ALPHAS = {"sparsemax": 2.0, "entmax": 1.5}
# Where classes are farther apart than 1, few have a share: all have one of the last row.
CROWDING = 2.0 ** -np.asarray([[0.0], [10.0], [22.0]])
# Those with a number for each class of a row.
BY_CLASS = ("softmax", "log_softmax", "log1m_softmax", "cumulative_logsumexp", *ALPHAS)
_exp, _number = np.frompyfunc(gmpy2.exp, 1, 1), np.frompyfunc(lambda x: mpfr(x, 1), 1, 1)
_sizes = np.frompyfunc(abs, 1, 1)
_log1p, _expm1 = np.frompyfunc(gmpy2.log1p, 1, 1), np.frompyfunc(gmpy2.expm1, 1, 1)


class Row:
    """What all operations are made of: distances from the maximum and the sum of their exponentials."""

    def __init__(self, x: np.ndarray) -> None:
        with precision(BITS):
            winner = max(range(len(x)), key=lambda k: x[k])
            self.top = x[winner]
            self.behind = x - self.top
            self.powers = _exp(self.behind)
            self.others = self.powers.sum() - self.powers[winner]
            self.total = 1 + self.others
            self.log_sum = gmpy2.log1p(self.others)
            self.p = self.powers / self.total

    def log_p(self, k: Any) -> Any:
        return self.behind[k] - self.log_sum

    def without(self, k: int) -> mpfr:
        """1 - p."""
        return self.others / self.total if self.behind[k] == 0 and self.total < 2 else 1 - self.p[k]


@dataclass
class Rows:
    """Rows of logits, of others near them, and of labels; the exact numbers come with them."""

    regimes: tuple[str, ...]
    p_logits: np.ndarray
    q_logits: np.ndarray  # nearly equal
    q_apart: np.ndarray  # every class's share has clearly grown or shrunk
    labels: np.ndarray
    soft: np.ndarray
    hidden: np.ndarray
    weight: np.ndarray
    words: np.ndarray  # the labels of the hidden states
    cotangent: np.ndarray  # of the shape of the logits; its first column where there is one number per row
    positions: np.ndarray  # the same classes of every row, and the largest, the next and the label of each

    def arrays(self, operation: str) -> dict[str, np.ndarray]:
        first, *others = registry.OPERATIONS[operation].arrays
        if operation == LINEAR:
            return {"hidden": self.hidden, "weight": self.weight, "labels": self.words}
        logits = self.p_logits
        if operation in ALPHAS:
            logits = (logits * CROWDING[: len(logits)]).astype(logits.dtype)
        known = {
            "q_logits": self.q_apart if operation == "total_variation" else self.q_logits,
            "labels": self.soft if operation == "softmax_cross_entropy" else self.labels,
        }
        return {first: logits, **{name: known[name] for name in others}}

    @property
    def alike(self) -> bool:
        return self.regimes == (ONE_LARGE_TERM,)

    def weights(self, operation: str) -> np.ndarray:
        """The cotangent of its value."""
        return self.cotangent if operation in BY_CLASS else self.cotangent[:, 0].copy()


def make(rng: np.random.Generator, n: int, dtype: str, sampled: int = 24) -> Rows:
    """Three rows: moderate, wide and dominated."""
    lead = rng.normal(size=n)
    lead[rng.integers(n)] = lead.max() + rng.uniform(20, 60)
    x = np.stack([rng.choice([1.0, 4.0]) * rng.normal(size=n) + 3.5, 30 * rng.normal(size=n), lead])
    return _rows(rng, ("moderate", "wide", "dominated"), x.astype(dtype), sampled)


def one_large_term(rng: np.random.Generator, n: int, dtype: str, sampled: int = 8) -> Rows:
    """One row: a class in front, perhaps one a little behind, and all others alike.

    The others are each about half an ulp of the one behind, or anywhere if there is none.
    """
    x = np.full((1, n), -rng.uniform(0.0, 20.0))
    first, second = rng.permutation(n)[:2]
    if rng.random() < 0.7:
        lead = rng.choice([0.5, 1.0, 3.0, 8.0])
        x[:] = -lead - DIGITS[dtype] * np.log(2) - rng.uniform(0.0, 1.5)
        x[0, second] = -lead
    x[0, first] = 0.0
    return _rows(rng, (ONE_LARGE_TERM,), x.astype(dtype), sampled)


def _rows(rng: np.random.Generator, regimes: tuple[str, ...], x: np.ndarray, sampled: int) -> Rows:
    count, n, dtype = *x.shape, x.dtype.name
    digits = {"float32": 20, "float64": 48}[dtype]
    y = (x + 2.0 ** -rng.uniform(3, digits, size=(count, 1)) * rng.normal(size=x.shape)).astype(dtype)
    steps = np.where(np.arange(n) == x.argmax(axis=-1)[:, None], 0.5, rng.choice([-1.0, 2.0], size=x.shape))
    apart = (x + 2.0 ** -rng.uniform(3, 9, size=(count, 1)) * steps).astype(dtype)
    labels = np.where(rng.random(count) < 0.6, x.argmax(axis=-1), rng.integers(n, size=count))
    soft = rng.dirichlet(np.ones(n), size=count).astype(dtype)
    soft[rng.integers(count)] = 0.0
    sizes = np.asarray([[1.0], [8.0], [16.0]])[:count]
    hidden = (sizes * rng.normal(size=(count, WIDTH))).astype(dtype)
    weight = rng.normal(size=(n, WIDTH)).astype(dtype)
    right = (hidden.astype(float) @ weight.T.astype(float)).argmax(axis=-1)
    words = np.where(rng.random(count) < 0.6, right, rng.integers(n, size=count))
    ct = (rng.integers(1, 33, size=x.shape) / 16 * rng.choice([-1.0, 1.0], size=x.shape)).astype(dtype)
    order = np.argsort(x, axis=-1)
    some = np.broadcast_to(rng.choice(n, size=min(sampled, n), replace=False), (count, min(sampled, n)))
    ends = np.concatenate([order[:, :1], order[:, -3:], labels[:, None], words[:, None]], axis=1)
    positions = np.concatenate([ends, some], axis=1)
    return Rows(regimes, x, y, apart, labels, soft, hidden, weight, words, ct, positions)


# Operation and quantity, flat positions in it, and the exact numbers there.
Known = tuple[str, str, np.ndarray, Reference]
# The same with numbers, and in ulps of what they count (None: their own magnitude).
Answer = tuple[str, str, np.ndarray, Any, Any]


def references(rows: Rows, operations: Collection[str] = OPERATIONS) -> Iterator[Known]:
    """The exact numbers at the rows' positions, or the one number of each row."""
    found: dict[tuple[str, str], list[tuple[np.ndarray, Reference]]] = {}
    with precision(BITS):
        for operation, quantity, where, numbers, scales in _answers(rows, operations):
            value = np.asarray(numbers, dtype=object)
            scale = None if scales is None else np.asarray([float(s) for s in scales])
            found.setdefault((operation, quantity), []).append((where, Reference.of(value, scale)))
    for (operation, quantity), parts in found.items():
        places = np.concatenate([where for where, _ in parts])
        yield operation, quantity, places, joined([reference for _, reference in parts])


def _answers(rows: Rows, operations: Collection[str]) -> Iterator[Answer]:
    for i in range(len(rows.regimes)):
        places = rows.positions[i].tolist()
        by_class = i * rows.p_logits.shape[1] + rows.positions[i]
        for operation, quantity, numbers, scales in _of_row(rows, i, places):
            if operation in operations:
                yield operation, quantity, by_class if len(numbers) > 1 else np.asarray([i]), numbers, scales
    for operation in ALPHAS:
        if operation in operations:
            yield from _of_thresholds(rows, operation)
    if "total_variation" in operations:
        yield from _total_variation(rows)
    if LINEAR in operations:
        yield from _linear(rows)


def _of_row(rows: Rows, i: int, places: list[int]) -> Iterator[tuple[str, str, list[Any], list[Any] | None]]:
    row, other = Row(exact(rows.p_logits[i])), Row(exact(rows.q_logits[i]))
    g, c = _number(rows.cotangent[i].astype(float)), mpfr(float(rows.cotangent[i, 0]), 1)
    p, q = row.p, other.p
    own = None
    mean, mean_size = (p * g).sum(), (p * _sizes(g)).sum()

    yield "softmax", "value", [p[k] for k in places], own
    scale = [p[k] * (abs(g[k]) + mean_size) for k in places]
    yield "softmax", "gradient", [p[k] * (g[k] - mean) for k in places], scale

    yield "log_softmax", "value", [row.log_p(k) for k in places], own
    total, total_size = g.sum(), _sizes(g).sum()
    scale = [abs(g[k]) + p[k] * total_size for k in places]
    yield "log_softmax", "gradient", [g[k] - p[k] * total for k in places], scale

    yield "logsumexp", "value", [row.top + row.log_sum], [max(abs(row.top), row.log_sum)]
    yield "logsumexp", "gradient", [c * p[k] for k in places], own

    name, y = "softmax_cross_entropy_with_integer_labels", int(rows.labels[i])
    yield name, "value", [-row.log_p(y)], own
    yield name, "gradient", [c * (-row.without(k) if k == y else p[k]) for k in places], own

    name, missed, cost = "softmax_focal_loss", row.without(y), -row.log_p(y)
    yield name, "value", [missed**2 * cost], own
    right = -(missed**2) * (2 * p[y] * cost + missed)
    slope = missed * (2 * p[y] * cost + missed)
    yield name, "gradient", [c * (right if k == y else p[k] * slope) for k in places], own

    name, t = "softmax_cross_entropy", _number(rows.soft[i].astype(float))
    yield name, "value", [-(t * (row.behind - row.log_sum)).sum()], own
    mass = t.sum()
    scale = [abs(c) * max(p[k] * mass, t[k]) for k in places]
    yield name, "gradient", [c * (p[k] * mass - t[k]) for k in places], scale

    behind = (p * row.behind).sum()
    yield "entropy", "value", [row.log_sum - behind], own
    scale = [abs(c) * p[k] * (abs(row.behind[k]) - behind) for k in places]
    yield "entropy", "gradient", [-c * p[k] * (row.behind[k] - behind) for k in places], scale

    delta = (row.behind - other.behind) - (row.log_sum - other.log_sum)
    divergence, largest = (p * delta).sum(), max(map(abs, delta))
    yield "kl_divergence", "value", [divergence], own
    numbers = [c * p[k] * (delta[k] - divergence) for k in places]
    yield "kl_divergence", "gradient", numbers, [abs(c) * p[k] * largest for k in places]
    by_q, by_q_scale = [c * (q[k] - p[k]) for k in places], [abs(c) * max(p[k], q[k]) for k in places]
    yield "kl_divergence", "gradient by q_logits", by_q, by_q_scale

    size = gmpy2.log(mpfr(len(p)))
    yield "logmeanexp", "value", [row.top + row.log_sum - size], [max(abs(row.top), row.log_sum, size)]
    yield "logmeanexp", "gradient", [c * p[k] for k in places], own

    yield "cross_entropy_between", "value", [other.log_sum - (p * other.behind).sum()], own
    far = (p * other.behind).sum()
    scale = [abs(c) * p[k] * (abs(other.behind[k]) - far) for k in places]
    yield "cross_entropy_between", "gradient", [-c * p[k] * (other.behind[k] - far) for k in places], scale
    yield "cross_entropy_between", "gradient by q_logits", by_q, by_q_scale

    # log p/m and log q/m, m the mean of p and q.
    r, s = -_log1p(_exp(-delta)) + gmpy2.const_log2(), -_log1p(_exp(delta)) + gmpy2.const_log2()
    yield "js_divergence", "value", [((p * r).sum() + (q * s).sum()) / 2], own
    for quantity, share, log in (("gradient", p, r), ("gradient by q_logits", q, s)):
        mean, mean_size = (share * log).sum(), (share * _sizes(log)).sum()
        scale = [abs(c) / 2 * share[k] * (abs(log[k]) + mean_size) for k in places]
        yield "js_divergence", quantity, [c / 2 * share[k] * (log[k] - mean) for k in places], scale

    yield from _log1m_softmax(row, g, places)
    yield from _cumulative_logsumexp(row, g, places)


def _log1m_softmax(row: Row, g: np.ndarray, places: list[int]) -> Iterator[Any]:
    name, p = "log1m_softmax", row.p
    winner = max(range(len(p)), key=lambda k: p[k])
    yield (
        name,
        "value",
        [gmpy2.log(row.without(k)) if k == winner else gmpy2.log1p(-p[k]) for k in places],
        None,
    )
    odds = p / (1 - p)
    odds[winner] = p[winner] / row.without(winner)
    moved = g * odds
    total, total_size = moved.sum(), _sizes(moved).sum()
    yield (
        name,
        "gradient",
        [p[k] * (total - moved[k] - g[k]) for k in places],
        [p[k] * (abs(g[k]) + total_size - abs(moved[k])) for k in places],
    )


def _cumulative_logsumexp(row: Row, g: np.ndarray, places: list[int]) -> Iterator[Any]:
    name, sums = "cumulative_logsumexp", np.add.accumulate(row.powers)
    values = [row.top + gmpy2.log(sums[k]) for k in places]
    tops = float(row.top) + np.maximum.accumulate(row.behind.astype(float))[places]
    scale = [max(abs(top), value - top) for top, value in zip(tops, values, strict=True)]
    yield name, "value", values, scale
    shares = g / sums
    rest, sizes = (np.add.accumulate(one[::-1])[::-1] for one in (shares, _sizes(shares)))
    yield (
        name,
        "gradient",
        [row.powers[k] * rest[k] for k in places],
        [row.powers[k] * sizes[k] for k in places],
    )


# In ulps of what an error counts needs no more than float64: what tests/oracle has for any options, here
# written for none.


def _of_thresholds(rows: Rows, name: str) -> Iterator[Answer]:
    """sparsemax and entmax; the oracle finds the threshold."""
    (logits,), alpha = rows.arrays(name).values(), ALPHAS[name]
    everywhere = [True] * logits.shape[1]
    for i, row in enumerate(logits):
        places, g = rows.positions[i], exact(rows.cotangent[i])
        where = i * len(row) + places
        exact_p = np.asarray(probabilities(exact(row).tolist(), everywhere, alpha), dtype=object)
        slopes = np.asarray([number ** (2 - mpfr(alpha)) if number else number for number in exact_p])
        mean = (slopes * g).sum() / slopes.sum()
        p, s, sizes = exact_p.astype(float), slopes.astype(float), np.abs(g.astype(float))
        share = s / s.sum()
        distance = np.where(p > 0, row.max() - row.astype(float), 0.0)
        moved = s * (distance * (1 - share) + ((share * distance).sum() - share * distance))
        rounding = p + share + moved
        yield name, "value", where, exact_p[places], rounding[places]
        unsure = (2 - alpha) * np.divide(rounding, p, out=np.zeros_like(p), where=p > 0)
        sizes = sizes + (share * sizes).sum()
        sizes = s * (sizes + (share * unsure * sizes).sum()) * (1 + unsure)
        yield name, "gradient", where, (slopes * (g - mean))[places], sizes[places]


def _total_variation(rows: Rows) -> Iterator[Answer]:
    name = "total_variation"
    for i, c in enumerate(exact(rows.weights(name))):
        places = rows.positions[i]
        where = i * rows.p_logits.shape[1] + places
        row, other = (Row(exact(x[i])) for x in (rows.p_logits, rows.q_apart))
        delta = (row.behind - other.behind) - (row.log_sum - other.log_sum)
        # p - q, of probabilities that are nearly 1, too.
        change = np.where(delta > 0, -row.p * _expm1(-delta), other.p * _expm1(delta))
        yield name, "value", np.asarray([i]), [_sizes(change).sum() / 2], None
        signs = np.where(delta > 0, mpfr(1), mpfr(-1))
        for quantity, one, way in (("gradient", row, 1), ("gradient by q_logits", other, -1)):
            moved = c / 2 * way * one.p * (signs - (one.p * signs).sum())
            yield name, quantity, where, moved[places], (abs(c) * one.p)[places]


def _linear(rows: Rows) -> Iterator[Answer]:
    some = np.unique(rows.positions)
    by_weight: Any = np.full((len(some), WIDTH), mpfr(0), dtype=object)
    by_weight_scale: Any = np.zeros((len(some), WIDTH))
    weight, vectors = exact(rows.weight), np.abs(rows.weight.astype(float))
    for i, (label, c) in enumerate(zip(rows.words.tolist(), exact(rows.weights(LINEAR)), strict=True)):
        hidden = exact(rows.hidden[i])
        row, states = Row((weight * hidden).sum(axis=-1)), np.abs(rows.hidden[i].astype(float))
        cost, p, noise = -row.log_p(label), row.p.astype(float), vectors @ states
        mean = (p * noise).sum()
        yield LINEAR, "value", np.asarray([i]), [cost], [float(cost) + mean + noise[label]]
        slopes = row.p.copy()
        slopes[label] = -row.without(label)
        slopes, unsure = c * slopes, p * (noise + mean)
        sizes = p + unsure
        sizes[label] = float(row.without(label)) + np.delete(unsure, label).sum()
        sizes = abs(float(c)) * sizes
        where = i * WIDTH + np.arange(WIDTH)
        yield LINEAR, "gradient", where, (slopes[:, None] * weight).sum(axis=0), sizes @ vectors
        by_weight = by_weight + slopes[some, None] * hidden
        by_weight_scale = by_weight_scale + sizes[some, None] * states
    where = (some[:, None] * WIDTH + np.arange(WIDTH)).ravel()
    yield LINEAR, "gradient by weight", where, by_weight.ravel(), by_weight_scale.ravel()
