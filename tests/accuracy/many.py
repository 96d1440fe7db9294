"""The exact answers for many classes: closed forms on the numbers of one row, at some of its classes.

Differences of the oracle would take hours here. tests/accuracy/test_quick.py holds these closed forms to the
oracle on few classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from uniflogits._core import operation as registry

from ..exact import Reference
from ..oracle.numbers import precision

# The regimes here have gaps of up to 80: 1 - p keeps 140 bits of these.
BITS = 256
OPERATIONS = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "softmax_cross_entropy_with_integer_labels",
    "softmax_cross_entropy",
    "entropy",
    "kl_divergence",
    "logmeanexp",
    "log1m_softmax",
    "cumulative_logsumexp",
    "cross_entropy_between",
    "js_divergence",
)
# Those with a number for each class of a row.
BY_CLASS = ("softmax", "log_softmax", "log1m_softmax", "cumulative_logsumexp")
_exp, _number = np.frompyfunc(gmpy2.exp, 1, 1), np.frompyfunc(lambda x: mpfr(x, 1), 1, 1)
_sizes, _log1p = np.frompyfunc(abs, 1, 1), np.frompyfunc(gmpy2.log1p, 1, 1)


class Row:
    """What all operations are made of: distances from the maximum and the sum of their exponentials."""

    def __init__(self, x: np.ndarray) -> None:
        with precision(BITS):
            numbers = _number(x.astype(float))
            self.top = mpfr(float(x.max()), 1)
            self.behind = numbers - self.top
            self.powers = _exp(self.behind)
            winner = int(np.argmax(x))
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
    """Rows of logits, of others nearly equal to them, and of labels; the exact numbers come with them."""

    regimes: tuple[str, ...]
    p_logits: np.ndarray
    q_logits: np.ndarray
    labels: np.ndarray
    soft: np.ndarray
    cotangent: np.ndarray  # of the shape of the logits; its first column where there is one number per row
    positions: np.ndarray  # the same classes of every row, and the largest, the next and the label of each

    def arrays(self, operation: str) -> dict[str, np.ndarray]:
        first, *others = registry.OPERATIONS[operation].arrays
        labels = {"softmax_cross_entropy": self.soft}.get(operation, self.labels)
        known = {"q_logits": self.q_logits, "labels": labels}
        return {first: self.p_logits, **{name: known[name] for name in others}}


def make(rng: np.random.Generator, n: int, dtype: str, sampled: int = 24) -> Rows:
    """Three rows: moderate, wide and dominated."""
    lead = rng.normal(size=n)
    lead[rng.integers(n)] = lead.max() + rng.uniform(20, 60)
    x = np.stack([rng.choice([1.0, 4.0]) * rng.normal(size=n) + 3.5, 30 * rng.normal(size=n), lead]).astype(
        dtype
    )
    digits = {"float32": 20, "float64": 48}[dtype]
    y = (x + 2.0 ** -rng.uniform(3, digits, size=(3, 1)) * rng.normal(size=x.shape)).astype(dtype)
    labels = np.where(rng.random(3) < 0.6, x.argmax(axis=-1), rng.integers(n, size=3))
    soft = rng.dirichlet(np.ones(n), size=3).astype(dtype)
    soft[rng.integers(3)] = 0.0
    ct = (rng.integers(1, 33, size=x.shape) / 16 * rng.choice([-1.0, 1.0], size=x.shape)).astype(dtype)
    order = np.argsort(x, axis=-1)
    ends = np.concatenate([order[:, :1], order[:, -3:], labels[:, None]], axis=1)
    some = np.broadcast_to(rng.choice(n, size=min(sampled, n), replace=False), (3, min(sampled, n)))
    return Rows(
        ("moderate", "wide", "dominated"), x, y, labels, soft, ct, np.concatenate([ends, some], axis=1)
    )


def references(rows: Rows) -> Iterator[tuple[str, str, list[Reference]]]:
    """Operation, quantity and for every row the exact numbers at its positions, or its one number."""
    found: dict[tuple[str, str], list[Reference]] = {}
    with precision(BITS):
        for i in range(len(rows.regimes)):
            for operation, quantity, numbers, scales in _of_row(rows, i):
                value = np.asarray(numbers, dtype=object)
                scale = None if scales is None else np.asarray([float(s) for s in scales])
                found.setdefault((operation, quantity), []).append(Reference.of(value, scale))
    for (operation, quantity), parts in found.items():
        yield operation, quantity, parts


Answer = tuple[str, str, list[Any], list[Any] | None]


def _of_row(rows: Rows, i: int) -> Iterator[Answer]:
    row, other = Row(rows.p_logits[i]), Row(rows.q_logits[i])
    places = rows.positions[i].tolist()
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


def _log1m_softmax(row: Row, g: np.ndarray, places: list[int]) -> Iterator[Answer]:
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


def _cumulative_logsumexp(row: Row, g: np.ndarray, places: list[int]) -> Iterator[Answer]:
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
