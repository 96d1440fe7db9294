"""The calls that are measured: for every operation all regimes in one array, so that a library compiles once.

A block of rows is of shape (regimes, classes), its examples know nothing of each other. An operation that is
of no known shape takes part with its spec's samples, drawn afresh.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from uniflogits._core.operation import OPERATIONS

from ..harness import spec_of
from ..specs._losses import focal_underflow
from ..specs.base import Sample
from . import regimes
from .regimes import Rng

# What a class's probability is of its distance from the threshold, by default: this power.
POWERS = {"sparsemax": 1, "entmax": 2}
# Of more than a hundred classes: regimes drawn from all.
ROWS_OF_MANY = 8


@dataclass(frozen=True)
class Block:
    """One call; `regimes` names its rows, or its numbers where it is elementwise."""

    operation: str
    sample: Sample
    regimes: tuple[str, ...]
    classes: int = 0  # 0: elementwise
    plain: bool = True  # False: its rows are no examples of their own
    form: str = ""  # what the report shall keep apart
    labels: dict[str, Any] = field(default_factory=dict)
    summed: int = 1  # how many terms that may be subnormal are added up

    @property
    def id(self) -> str:
        return f"{self.operation} n={self.classes}" if self.classes else f"{self.operation} {self.sample.id}"


def rng_of(seed: int, *key: Any) -> Rng:
    return np.random.default_rng([seed, zlib.crc32(repr(key).encode())])


Made = tuple[tuple[str, ...], dict[str, np.ndarray], float]


def _stack(found: Iterable[tuple[Any, ...]], names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    found = list(found)
    arrays = {name: np.stack([one[i + 1] for one in found]) for i, name in enumerate(names)}
    return tuple(one[0] for one in found), arrays


def _repeat(make: Callable[[], Iterable[Any]], times: int) -> list[Any]:
    return [one for _ in range(times) for one in make()]


def _one_row(rng: Rng, name: str, n: int, dtype: str, times: int) -> Made:
    argument = OPERATIONS[name].arrays[0]
    found = _repeat(lambda: regimes.rows(rng, n, dtype), times)
    if name in POWERS:
        found = [one for one in found if not _has_kink(one[1].astype(dtype), POWERS[name])]
    # A probability that is flushed to 0 costs softmax's derivative the difference of two cotangents.
    return *_stack(found, [argument]), {"entropy": 1024.0, "softmax": 2.0}.get(name, 1.0)


def _has_kink(row: np.ndarray, power: int) -> bool:
    """Whether a class lies exactly where its probability begins: a derivative has two sides there."""
    z = row[np.isfinite(row)].astype(float) / power
    above = np.maximum(z - z[:, None], 0.0) ** power
    near = np.flatnonzero(np.abs(above.sum(axis=-1) - 1) < 1e-6)
    exact = [Fraction(number) for number in z]
    return any(sum((b - exact[i]) ** power for b in exact if b > exact[i]) == 1 for i in near)


def _two_rows(rng: Rng, name: str, n: int, dtype: str, times: int) -> Made:
    return *_stack(_repeat(lambda: regimes.pairs(rng, n, dtype), times), ["p_logits", "q_logits"]), 1024.0


def _labelled(rng: Rng, name: str, n: int, dtype: str, times: int) -> Made:
    labels, arrays = _stack(_repeat(lambda: regimes.rows(rng, n, dtype), times), ["logits"])
    x = arrays["logits"]
    winners = x.argmax(axis=-1)
    # The confident right class, or any that exists.
    any_class = np.asarray([rng.choice(np.flatnonzero(np.isfinite(row))) for row in x])
    right = rng.random(len(x)) < 0.6
    arrays["labels"] = np.where(right, winners, any_class)
    # The right label's gradient is a sum over the other classes, each of which may have underflowed.
    return labels, arrays, focal_underflow(x, 2.0) if "focal" in name else 3.0 * n


def _dense(rng: Rng, name: str, n: int, dtype: str, times: int) -> Made:
    labels, arrays = _stack(_repeat(lambda: regimes.rows(rng, n, dtype), times), ["logits"])
    x = arrays["logits"]
    y = np.where(np.isfinite(x), rng.gamma(0.5, size=x.shape) + 1e-3, 0.0)
    y /= y.sum(axis=-1, keepdims=True)
    one_hot = (np.arange(n) == x.argmax(axis=-1)[:, None]).astype(float)
    arrays["labels"] = np.where(rng.random(size=(len(x), 1)) < 0.5, y, one_hot)
    return labels, arrays, 3.0


def _flat(found: Iterable[tuple[str, np.ndarray]]) -> tuple[tuple[str, ...], np.ndarray]:
    found = list(found)
    return tuple(label for label, x in found for _ in x), np.concatenate([x for _, x in found])


def _elements(rng: Rng, name: str, dtype: str, count: int) -> Made:
    """Numbers of an elementwise operation, by what its domain is."""
    argument = OPERATIONS[name].arrays[0]
    if name == "log1mexp":
        labels, x = _flat(regimes.gaps(rng, count, dtype))
    elif name == "logit":
        labels, x = _flat(regimes.probabilities(rng, count, dtype))
        # JAX's derivative of a quotient has the square of the divisor, which is flushed to 0.
        x = np.maximum(x, 1.25 * np.sqrt(float(np.finfo(dtype).tiny)))
    elif name == "logit_from_log_prob":
        labels, x = _flat(
            [*regimes.gaps(rng, count, dtype), ("near ln 2", np.log(2) * rng.uniform(0.999, 1.001, count))]
        )
        x = -x
    else:
        labels, x = _flat(regimes.numbers(rng, count, dtype))
    return labels, {argument: x}, {"binary_entropy": 745.0, "softcap": 4.0}.get(name, 1.0)


def _element_pairs(rng: Rng, name: str, dtype: str, count: int) -> Made:
    first, second = OPERATIONS[name].arrays
    if name in ("logaddexp", "logsubexp"):
        labels, gap = _flat(regimes.gaps(rng, count, dtype))
        a = np.round(rng.choice([1.0, 30.0], size=gap.size) * rng.normal(size=gap.size) * 64) / 64
        b = (a - gap).astype(dtype).astype(float)
        b = np.where(b == a, a - 1.0, b)
        return labels, {first: a, second: b}, 1.0
    if name in ("xlogy", "xlog1py"):
        labels, y = _flat(regimes.probabilities(rng, count, dtype))
        # The second derivative, x / y², is to be a number.
        y = np.maximum(y, 2.0**10 * np.sqrt(float(np.finfo(dtype).tiny)))
        y = np.where(rng.random(y.size) < 0.3, 1 / y, y)
        if name == "xlog1py":
            y = np.where(rng.random(y.size) < 0.5, -np.minimum(y, 0.999), y)
        return labels, {first: rng.normal(size=y.size), second: y}, 1.0
    # Two Bernoulli distributions: near, apart, confident together and against each other.
    labels, x = _flat([one for one in regimes.numbers(rng, count, dtype) if one[0] not in ("offset 1e30",)])
    near = x * (
        1 + 2.0 ** -rng.uniform(3, regimes.DIGITS[dtype] - 4, size=x.size) * rng.choice([-1, 1], x.size)
    )
    y = np.where(rng.random(x.size) < 0.6, near, rng.choice([1.0, 20.0], x.size) * rng.normal(size=x.size))
    y = np.where(y.astype(dtype) == x.astype(dtype), x + 1, y)
    return labels, {first: x, second: y}, 1e3


def _binary_loss(rng: Rng, name: str, dtype: str, count: int) -> Made:
    labels, x = _flat(regimes.numbers(rng, count, dtype))
    y = np.where(rng.random(x.size) < 0.3, rng.integers(0, 17, size=x.size) / 16, (x > 0) * 1.0)
    wrong = rng.random(x.size) < 0.2
    y = np.where(wrong, 1 - y, y)
    if name == "sigmoid_focal_loss":
        # Its oracle steps in the labels too: soft ones need logits that leave it digits.
        y = np.round(y)
    return labels, {"logits": x, "labels": y}, focal_underflow(x, 2.0) if "focal" in name else 3.0


def _kind(name: str) -> tuple[str, Callable[..., Made]] | None:
    operation = OPERATIONS[name]
    arrays, elementwise = operation.arrays, operation.many_axes is None
    if len(arrays) == 1:
        return ("elements", _elements) if elementwise else ("rows", _one_row)
    if operation.partners == arrays and len(arrays) == 2:
        if elementwise:
            return "elements", _element_pairs
        return ("rows", _two_rows) if arrays[0] == "p_logits" else None
    if arrays == ("logits", "labels"):
        if elementwise:
            return "elements", _binary_loss
        return "rows", _dense if operation.many_axes else _labelled
    return None


def blocks(
    name: str,
    dtype: str,
    seed: int,
    classes: Sequence[int] = (2, 10, 1000),
    times: Sequence[int] = (4, 3, 1),
    quick: bool = False,
) -> list[Block]:
    """What an operation is measured on; `times` rows of each regime for each number of classes."""
    rng = rng_of(seed, name, dtype)
    kind = _kind(name)
    options = {"cap": 30.0} if name == "softcap" else {}
    if kind is None:
        return spec_blocks(name, dtype, seed)[: 8 if quick else None]
    made = []
    if kind[0] == "elements":
        labels, arrays, underflow = kind[1](rng, name, dtype, 8 * max(times))
        sample = Sample("numbers", arrays, options, underflow=underflow)
        return [Block(name, sample, labels)]
    for n, count in zip(classes, times, strict=True):
        # There are three times as many regimes of pairs.
        count = -(-count // 3) if kind[1] is _two_rows else count
        labels, arrays, underflow = kind[1](rng, name, n, dtype, count)
        if n > 100 or quick:
            some = np.sort(rng.permutation(len(labels))[:ROWS_OF_MANY])
            labels, arrays = tuple(labels[i] for i in some), {key: a[some] for key, a in arrays.items()}
        summed = 1 if kind[1] is _labelled else n  # which counts them itself
        sample = Sample(f"n={n}", arrays, options, underflow=underflow)
        made.append(Block(name, sample, labels, n, summed=summed))
    return made


def spec_blocks(name: str, dtype: str, seed: int) -> list[Block]:
    """The samples of an operation's spec, every option among them, from fresh numbers."""
    samples = spec_of(name).samples(rng_of(seed, name, dtype, "spec"))
    return [
        Block(name, sample, (f"spec: {sample.id}",), plain=False)
        for sample in samples
        if dtype in sample.dtypes
    ]
