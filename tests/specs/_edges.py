"""Edges that every operation on rows of logits has; each operation states its own answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import gmpy2
import numpy as np

from ..oracle import DERIVATIVE_BITS, VALUE_BITS, gradient, precision
from .base import Edge

NAN, INF = float("nan"), float("inf")
FLOAT_PAIR = ("float32", "float64")
HALVES_TOO = ("float16", "bfloat16", "float32", "float64")
# The dtypes that hold these; both are numbers of bfloat16, so that every dtype sees the same ones.
WIDE_RANGE = ("bfloat16", "float32", "float64")
HUGE, HUGEST = 2.0**100, 1.75 * 2.0**127  # about 1e30 and 3e38


@dataclass(frozen=True)
class Case:
    """One input of a row operation, in whatever operation it is tried."""

    logits: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    where: Any = None
    dtypes: tuple[str, ...] = HALVES_TOO
    keep_dtype: bool = False


ROW_CASES: dict[str, Case] = {
    "minus-infinity": Case([[0.0, -INF, 0.0]]),
    "no-mass": Case([[-INF, -INF]]),
    "nothing-allowed": Case([[1.0, NAN]], where=np.asarray([[False, False]])),
    "masked-nan": Case([[0.0, NAN, 0.0]], where=np.asarray([[True, False, True]])),
    "masked-infinity": Case([[0.0, INF, 0.0]], where=np.asarray([True, False, True])),
    "nan": Case([[0.0, NAN], [0.0, 0.0]]),
    "all-nan": Case([[NAN, NAN]]),
    "one-infinity": Case([[0.0, INF, 1.0]]),
    "several-infinities": Case([[INF, 0.0, INF, -INF]]),
    "infinity-and-nan": Case([[INF, NAN]]),
    "empty-axis": Case(np.zeros((2, 0))),
    "no-rows": Case(np.zeros((0, 3))),
    "0-d": Case(np.asarray(3.0), {"axis": None}),
    "one-class": Case([[3.0], [-INF]]),
    "ties": Case([[1.0, 1.0, 1.0, 1.0]]),
    "1e30": Case([[HUGE, HUGE, -HUGE]], dtypes=WIDE_RANGE),
    "3e38": Case([[HUGEST, -HUGEST, HUGEST]], dtypes=WIDE_RANGE),
    "finite-mask": Case([[0.0, -HUGEST]], dtypes=WIDE_RANGE),
    "integers": Case(np.asarray([[1, 2, 3]], dtype=np.int32), keep_dtype=True),
    "uint8": Case(np.asarray([1, 2, 3], dtype=np.uint8), keep_dtype=True),
    "bool": Case(np.asarray([True, False]), keep_dtype=True),
    # The sum does not fit float16.
    "70000-zeros": Case(np.zeros(70_000), dtypes=("float16", "float32")),
}
COMPUTED = object()  # an ordinary number: from the oracle


# The cases of an operation along a single axis, without a mask.
PLAIN_CASES = {name for name, case in ROW_CASES.items() if case.where is None and not case.options}


def row_edges(
    argument: str,
    oracle: Callable[..., Any],
    answers: Mapping[str, tuple[Any, Any]],
    cases: Collection[str] = ROW_CASES.keys(),
) -> tuple[Edge, ...]:
    """An edge for each case. An answer is (value, gradient for a cotangent of ones; None: not part of it)."""
    if answers.keys() != set(cases):
        raise ValueError(f"unanswered or unknown cases: {sorted(answers.keys() ^ set(cases))}")
    edges = []
    for name, (value, slope) in answers.items():
        case = ROW_CASES[name]
        arrays = {argument: np.asarray(case.logits)}
        if case.where is not None:
            arrays["where"] = case.where
        edges.append(
            made_edge(
                name,
                oracle,
                arrays,
                case.options,
                value=value,
                gradient=slope,
                dtypes=case.dtypes,
                keep_dtype=case.keep_dtype,
            )
        )
    return tuple(edges)


def made_edge(
    id: str,
    oracle: Callable[..., Any],
    arrays: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    *,
    value: Any = COMPUTED,
    gradient: Any = COMPUTED,
    dtypes: tuple[str, ...] = HALVES_TOO,
    keep_dtype: bool = False,
) -> Edge:
    """An edge whose ordinary numbers are computed and whose hard ones are stated."""
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    options = dict(options or {})
    if value is COMPUTED:
        value = computed_value(oracle, arrays, options)
    if gradient is COMPUTED:
        gradient = computed_gradient(oracle, arrays, options)
    return Edge(id, arrays, value, options, gradient, dtypes, keep_dtype)


_KEYWORDS = ("where", "bias", "weights", "class_weights", "pos_weight", "alpha")


def _split(arrays: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    positional = [array for name, array in arrays.items() if name not in _KEYWORDS]
    return positional, {name: array for name, array in arrays.items() if name in _KEYWORDS}


def computed_value(oracle: Callable[..., Any], arrays: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    positional, keywords = _split(arrays)
    with precision(VALUE_BITS):
        answer = oracle(*positional, **keywords, **options)
        return (answer[0] if isinstance(answer, tuple) else answer).value


def computed_gradient(
    oracle: Callable[..., Any], arrays: Mapping[str, Any], options: Mapping[str, Any]
) -> np.ndarray:
    positional, keywords = _split(arrays)
    slopes = gradient(oracle, positional, {**keywords, **options})
    with precision(DERIVATIVE_BITS):
        # Differences of equal numbers leave rounding of size 2^-360 where the derivative is 0.
        noise = gmpy2.div_2exp(gmpy2.mpfr(1), 340)
        flat = [gmpy2.mpfr(0) if abs(slope) < noise else slope for slope in slopes.ravel()]
    result = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(slopes.shape)
