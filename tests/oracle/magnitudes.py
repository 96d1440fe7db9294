"""The magnitudes in whose ulps the bounds of derivatives count: sums of absolute values of what is added up.

0 means the derivative's own magnitude. A derivative along one class alone (a unit cotangent or tangent) is a
single product, so there the bound is relative; a general one may cancel, and counts in ulps of its summands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from .logspace import weighted_classes
from .normalizers import ZERO, is_power_of_two, log_probabilities, present_classes, sigma
from .numbers import as_objects, exact
from .rows import Axis, from_rows, masks, reduced_shape, to_rows

Row = Sequence[mpfr]


def by_rows(
    function: Callable[..., list[mpfr]], shape: tuple[int, ...], axis: Axis, *arrays: Any
) -> np.ndarray:
    """``function`` of the rows of each array, broadcast to the logits' shape."""
    laid = [to_rows(np.broadcast_to(array, shape), axis) for array in arrays]
    return from_rows((function(*row) for row in zip(*laid, strict=True)), shape, axis)


def probabilities(row: Row, allowed: Sequence[bool]) -> list[mpfr]:
    return [gmpy2.exp(log) for log in log_probabilities(row, allowed)]


def along_one_class(direction: Row) -> bool:
    return sum(number != 0 for number in direction) <= 1


def spread(p: Row, direction: Row) -> list[mpfr]:
    """p_i (|t_i| + sum p|t|), of what p_i (t_i - sum p t) is the difference."""
    mean = sum((q * abs(t) for q, t in zip(p, direction, strict=True)), ZERO)
    return [q * (abs(t) + mean) for q, t in zip(p, direction, strict=True)]


def zeros(row: Row) -> list[mpfr]:
    return [ZERO] * len(row)


def softmax_gradient(logits: Any, *, cotangent: Any, axis: Axis = -1, where: Any = None) -> np.ndarray:
    def row_scale(row: Row, allowed: Sequence[bool], g: Row) -> list[mpfr]:
        return zeros(row) if along_one_class(g) else spread(probabilities(row, allowed), g)

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent))


def softmax_second(
    logits: Any, *, cotangent: Any, tangent: Any, axis: Axis = -1, where: Any = None
) -> np.ndarray:
    """p_i (t_i - sum p t)(g_i - sum p g) - p_i sum_k p_k (t_k - sum p t) g_k."""

    def row_scale(row: Row, allowed: Sequence[bool], g: Row, t: Row) -> list[mpfr]:
        p = probabilities(row, allowed)
        sizes = [abs(number) for number in g]
        mean = sum((q * size for q, size in zip(p, sizes, strict=True)), ZERO)
        moved = spread(p, t)
        change = sum((d * size for d, size in zip(moved, sizes, strict=True)), ZERO)
        return [d * (size + mean) + q * change for d, size, q in zip(moved, sizes, p, strict=True)]

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent), exact(tangent))


def log_softmax_gradient(logits: Any, *, cotangent: Any, axis: Axis = -1, where: Any = None) -> np.ndarray:
    """g_i - p_i sum g."""

    def row_scale(row: Row, allowed: Sequence[bool], g: Row) -> list[mpfr]:
        present = present_classes(row, allowed)
        total = sum((abs(g[k]) for k in present), ZERO)
        if along_one_class([g[k] for k in present]):
            return zeros(row)
        p = probabilities(row, allowed)
        return [abs(g[k]) + p[k] * total if k in present else ZERO for k in range(len(row))]

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent))


def log_softmax_second(
    logits: Any, *, cotangent: Any, tangent: Any, axis: Axis = -1, where: Any = None
) -> np.ndarray:
    """-(sum g) p_i (t_i - sum p t)."""

    def row_scale(row: Row, allowed: Sequence[bool], g: Row, t: Row) -> list[mpfr]:
        present = present_classes(row, allowed)
        if along_one_class([g[k] for k in present]) and along_one_class([t[k] for k in present]):
            return zeros(row)
        total = sum((abs(g[k]) for k in present), ZERO)
        return [total * number for number in spread(probabilities(row, allowed), t)]

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent), exact(tangent))


def log1m_softmax_gradient(logits: Any, *, cotangent: Any, axis: Axis = -1, where: Any = None) -> np.ndarray:
    """-p_j g_j + sum over i other than j of p_i p_j / (1 - p_i) g_i."""

    def row_scale(row: Row, allowed: Sequence[bool], g: Row) -> list[mpfr]:
        present = present_classes(row, allowed)
        if along_one_class([g[k] for k in present]):
            return zeros(row)
        p = probabilities(row, allowed)
        scale = [p[k] * abs(g[k]) for k in range(len(row))]
        shares = {i: p[i] * abs(g[i]) / (1 - p[i]) for i in present if p[i] <= 0.5}
        total = sum(shares.values(), ZERO)
        for j in present:
            scale[j] += p[j] * (total - shares.get(j, ZERO))
        for i in set(present) - set(shares):
            without = _others(row, allowed, i)
            for j in present:
                scale[j] += without[j] * p[i] * abs(g[i])
        return scale

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent))


def log1m_softmax_second(
    logits: Any, *, cotangent: Any, tangent: Any, axis: Axis = -1, where: Any = None
) -> np.ndarray:
    """Sum over i of g_i (r_j (t_j - sum r t) - p_j (t_j - sum p t)), r the softmax without class i."""

    def row_scale(row: Row, allowed: Sequence[bool], g: Row, t: Row) -> list[mpfr]:
        p, scale = probabilities(row, allowed), zeros(row)
        whole = spread(p, t)
        for i in present_classes(row, allowed):
            if p[i] > 0.5:
                moved = spread(_others(row, allowed, i), t)
                scale = [s + abs(g[i]) * (a + b) for s, a, b in zip(scale, moved, whole, strict=True)]
                continue
            # The same without the difference: p_i / (1 - p_i) times what is not larger than this.
            odds = p[i] / (1 - p[i])
            for j in range(len(row)):
                size = whole[i] / p[i] / (1 - p[i]) * (1 if i == j else p[j]) if p[i] else ZERO
                scale[j] += abs(g[i]) * odds * (size + whole[j])
        return scale

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent), exact(tangent))


def _others(row: Row, allowed: Sequence[bool], k: int) -> list[mpfr]:
    """The softmax without one class."""
    return probabilities(row, [a and j != k for j, a in enumerate(allowed)])


def sigmoid_second(x: Any, *, cotangent: Any, tangent: Any) -> np.ndarray:
    """s(x) s(-x) (s(-x) - s(x))."""
    x, factor = exact(x), exact(cotangent) * exact(tangent)
    return _elementwise(lambda n, f: abs(f) * sigma(n) * sigma(-n) * max(sigma(n), sigma(-n)), x, factor)


def softplus_gradient(x: Any, *, cotangent: Any, beta: float = 1.0) -> np.ndarray:
    """s(beta x), and how far the rounding of beta x moves it."""
    if is_power_of_two(beta):
        return _elementwise(lambda n: ZERO, exact(x))
    b = mpfr(beta, 1)
    return _elementwise(
        lambda n, g: abs(g) * sigma(b * n) * (1 + abs(b * n) * sigma(-b * n)), exact(x), exact(cotangent)
    )


def softplus_second(x: Any, *, cotangent: Any, tangent: Any, beta: float = 1.0) -> np.ndarray:
    """beta s(beta x) s(-beta x), and how far the rounding of beta x moves it."""
    if is_power_of_two(beta):
        return _elementwise(lambda n: ZERO, exact(x))
    b, factor = mpfr(beta, 1), exact(cotangent) * exact(tangent)
    return _elementwise(
        lambda n, f: abs(f) * b * sigma(b * n) * sigma(-b * n) * (1 + abs(b * n)), exact(x), factor
    )


def softcap_gradient(x: Any, *, cotangent: Any, cap: float) -> np.ndarray:
    """1 - tanh(x/cap)^2, and how far the rounding of x/cap moves it."""
    return _moved_by_rounding(x, exact(cotangent), cap, lambda u: gmpy2.sech(u) ** 2)


def softcap_second(x: Any, *, cotangent: Any, tangent: Any, cap: float) -> np.ndarray:
    """-2 tanh(x/cap) (1 - tanh(x/cap)^2) / cap, and how far the rounding of x/cap moves it."""
    scale = exact(cotangent) * exact(tangent) / mpfr(cap, 1)
    return _moved_by_rounding(x, scale, cap, lambda u: 2 * abs(gmpy2.tanh(u)) * gmpy2.sech(u) ** 2)


def _moved_by_rounding(x: Any, factor: Any, cap: float, function: Callable[[mpfr], mpfr]) -> np.ndarray:
    """|function(x/cap)| (1 + 2 |x/cap|): in the tails both derivatives are of the form e^(-2 |x/cap|)."""
    if is_power_of_two(cap):
        return _elementwise(lambda n: ZERO, exact(x))
    c = mpfr(cap, 1)
    return _elementwise(lambda n, f: abs(f) * function(n / c) * (1 + 2 * abs(n / c)), exact(x), factor)


def _elementwise(function: Callable[..., mpfr], x: np.ndarray, *others: Any) -> np.ndarray:
    columns = (np.broadcast_to(np.asarray(other, dtype=object), x.shape).ravel() for other in others)
    return as_objects((function(*numbers) for numbers in zip(x.ravel(), *columns, strict=True)), x.shape)


def _signed_shares(row: Row, weights: Row, allowed: Sequence[bool]) -> tuple[list[mpfr], mpfr]:
    """|w_i| e^x_i over |sum w e^x|, and by how much the sum of the absolute terms exceeds the sum."""
    kept = weighted_classes(row, weights, allowed)
    if not kept:
        return zeros(row), mpfr(1)
    m = max(row[k] for k in kept)
    terms = {k: weights[k] * gmpy2.exp(row[k] - m) for k in kept}
    total = abs(sum(terms.values(), ZERO))
    excess = sum(map(abs, terms.values()), ZERO) / total
    return [abs(terms[k]) / total if k in terms else ZERO for k in range(len(row))], excess


def _per_class(rows: Any, shape: tuple[int, ...], axis: Axis) -> np.ndarray:
    """One number per row, repeated for each of its classes."""
    numbers = exact(rows).ravel().tolist()
    classes = to_rows(np.empty(shape, dtype=object), axis).shape[1]
    numbers = numbers * (int(np.prod(reduced_shape(shape, axis), initial=1)) if len(numbers) == 1 else 1)
    return from_rows(([number] * classes for number in numbers), shape, axis)


def logsumexp_gradient(
    x: Any,
    *,
    cotangent: Any,
    axis: Axis = -1,
    keepdims: bool = False,
    where: Any = None,
    weights: Any = None,
    return_sign: bool = False,
) -> np.ndarray:
    x = exact(x)
    if weights is None:
        return _elementwise(lambda n: ZERO, x)

    def row_scale(row: Row, factors: Row, allowed: Sequence[bool], g: Row) -> list[mpfr]:
        shares, excess = _signed_shares(row, factors, allowed)
        return [abs(factor) * share * excess for factor, share in zip(g, shares, strict=True)]

    g = _per_class(cotangent, x.shape, axis)
    return by_rows(row_scale, x.shape, axis, x, exact(weights), masks(where, x.shape), g)


def logsumexp_second(
    x: Any,
    *,
    cotangent: Any,
    tangent: Any,
    axis: Axis = -1,
    keepdims: bool = False,
    where: Any = None,
    weights: Any = None,
    return_sign: bool = False,
) -> np.ndarray:
    """q_i (t_i - sum q t), q = w e^x / sum w e^x."""

    def row_scale(row: Row, factors: Row, allowed: Sequence[bool], g: Row, t: Row) -> list[mpfr]:
        if weights is None and along_one_class(t):
            return zeros(row)
        shares, excess = _signed_shares(row, factors, allowed)
        return [abs(g[0]) * excess * number for number in spread(shares, t)]

    x = exact(x)
    g = _per_class(cotangent, x.shape, axis)
    factors = exact(1 if weights is None else weights)
    return by_rows(row_scale, x.shape, axis, x, factors, masks(where, x.shape), g, exact(tangent))
