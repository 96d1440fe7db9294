"""What the matrix knows about logmeanexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..oracle import logmeanexp
from ..oracle.magnitudes import logsumexp_gradient, logsumexp_second
from ._edges import COMPUTED, HUGE, HUGEST, INF, NAN, made_edge, row_edges
from ._messages import bad, bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import logit_samples, masked, moderate, wide
from .base import Edge, Row, Sample, Spec

NAME = "logmeanexp"
LOG_2, LOG_3 = float(np.log(2)), float(np.log(3))


def samples(rng: np.random.Generator) -> list[Sample]:
    x, where = masked(rng)
    return [
        *logit_samples(rng, "x"),
        Sample("where", {"x": x, "where": where}),
        Sample("where-broadcast", {"x": moderate(rng), "where": np.arange(10) % 3 != 1}),
        Sample("axis-0-keepdims", {"x": wide(rng, 5, 3)}, {"axis": 0, "keepdims": True}),
        Sample("axes-0-2", {"x": 4 * rng.normal(size=(2, 3, 4))}, {"axis": (0, 2)}),
        Sample("all-axes-keepdims", {"x": moderate(rng, 3, 4)}, {"axis": None, "keepdims": True}),
    ]


_EDGES = {
    "minus-infinity": ([LOG_2 - LOG_3], [[0.5, 0, 0.5]]),
    "no-mass": ([-INF], [[0, 0]]),
    "nothing-allowed": ([-INF], [[0, 0]]),
    "masked-nan": ([0], [[0.5, 0, 0.5]]),
    "masked-infinity": ([0], [[0.5, 0, 0.5]]),
    "nan": ([NAN, 0], [[NAN, NAN], [0.5, 0.5]]),
    "all-nan": ([NAN], [[NAN, NAN]]),
    "one-infinity": ([INF], [[0, 1, 0]]),
    "several-infinities": ([INF], [[0.5, 0, 0.5, 0]]),
    "infinity-and-nan": ([NAN], [[NAN, NAN]]),
    "empty-axis": ([-INF, -INF], np.zeros((2, 0))),
    "no-rows": (np.zeros(0), np.zeros((0, 3))),
    "0-d": (3, 1),
    "one-class": ([3, -INF], [[1], [0]]),
    "ties": ([1], [[0.25, 0.25, 0.25, 0.25]]),
    "1e30": ([HUGE], [[0.5, 0.5, 0]]),
    "3e38": ([HUGEST], [[0.5, 0, 0.5]]),
    "finite-mask": ([-LOG_2], [[1, 0]]),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (0, None),
}


def _small(id: str, x: Any, value: Any, gradient: Any, **arrays: Any) -> Edge:
    return made_edge(id, logmeanexp, {"x": x, **arrays}, value=value, gradient=gradient)


_COUNTED = (
    # A term of 0 counts, one that does not exist doesn't.
    _small(
        "minus-infinity-counts",
        [[-INF, 0.0, -INF, 5.0]],
        [-LOG_3],
        [[0, 1, 0, 0]],
        where=[True, True, True, False],
    ),
    _small("one-allowed", [[7.0, 0.5, NAN]], [0.5], [[0, 1, 0]], where=[False, True, False]),
)

_X = np.ones((2, 3), dtype=np.float32)

SPEC = Spec(
    name=NAME,
    oracle=logmeanexp,
    tolerance=Row(
        value=1.75,  # 1.12 of the largest of |m|, lse - m and log K
        gradient=3.8,  # 2.41, float64 compiled by XLA, seed 465173401
        second=4.8,  # 3.00 of p(|t| + sum p|t|), float64 on TensorFlow, seed 731904467
        tangent=2.4,  # 1.54 of sum p|t|
        dagger=True,
    ),
    samples=samples,
    gradient_scale=logsumexp_gradient,
    second_scale=logsumexp_second,
    edges=(*row_edges("x", logmeanexp, _EDGES), *_COUNTED),
    bad_inputs=(
        *bad_first_arrays(NAME, "x"),
        *bad_calls(NAME, "1 positional argument (x)", "axis, keepdims, where", [1.0, 2.0]),
        *bad_axes(NAME, "x"),
        bad_scalar_axis(NAME, "x"),
        *bad_where(NAME, "x"),
        bad(NAME, "keepdims-int", (_X,), {"keepdims": 1}, TypeError, "flag", option="keepdims", got="int"),
    ),
    laws=("idempotence",),
)
