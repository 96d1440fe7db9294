"""What the matrix knows about cumulative_logsumexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..oracle import cumulative_logsumexp
from ..oracle.running_magnitudes import cumulative_gradient, cumulative_second
from ._edges import COMPUTED, HUGE, HUGEST, INF, NAN, PLAIN_CASES, made_edge, row_edges
from ._messages import bad, bad_calls, bad_first_arrays, bad_scalar_axis
from ._regimes import dominated, logit_samples, missing, moderate, wide
from .base import BadInput, Edge, Row, Sample, Spec

NAME = "cumulative_logsumexp"
LOG_2 = float(np.log(2))


def samples(rng: np.random.Generator) -> list[Sample]:
    # What is summed first is far below what is summed later, or the other way round.
    ramp = np.sort(1e4 * rng.uniform(-1, 1, size=(2, 12)), axis=-1)
    return [
        *logit_samples(rng, "x"),
        Sample("rising", {"x": ramp}),
        Sample("falling", {"x": -ramp}),
        Sample("thousand-equal", {"x": np.full((1, 1000), -6.875)}, values_only=True),
        Sample("axis-0", {"x": wide(rng, 5, 3)}, {"axis": 0}),
        Sample("axis-1-of-3", {"x": 4 * rng.normal(size=(2, 3, 4))}, {"axis": 1}),
        Sample("reverse", {"x": moderate(rng)}, {"reverse": True}),
        Sample("reverse-dominated", {"x": dominated(rng)}, {"reverse": True}),
        Sample("reverse-minus-infinity", {"x": missing(rng)}, {"reverse": True}),
        Sample("reverse-axis-0", {"x": wide(rng, 5, 3)}, {"axis": 0, "reverse": True}),
    ]


_EDGES = {
    "minus-infinity": ([[0, 0, LOG_2]], [[2.5, 0, 0.5]]),
    "no-mass": ([[-INF, -INF]], [[0, 0]]),
    "nan": ([[0, NAN], [0, LOG_2]], [[NAN, NAN], [1.5, 0.5]]),
    "all-nan": ([[NAN, NAN]], [[NAN, NAN]]),
    "one-infinity": ([[0, INF, INF]], [[1, 2, 0]]),
    "several-infinities": ([[INF, INF, INF, INF]], [[3, 0, 1, 0]]),
    "infinity-and-nan": ([[INF, NAN]], [[NAN, NAN]]),
    "empty-axis": (np.zeros((2, 0)), np.zeros((2, 0))),
    "no-rows": (np.zeros((0, 3)), np.zeros((0, 3))),
    "one-class": ([[3], [-INF]], [[1], [0]]),
    "ties": (COMPUTED, COMPUTED),
    "1e30": ([[HUGE, HUGE, HUGE]], [[2, 1, 0]]),
    "3e38": ([[HUGEST, HUGEST, HUGEST]], [[2.5, 0, 0.5]]),
    "finite-mask": ([[0, 0]], [[2, 0]]),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (np.log(np.arange(1, 70_001)), None),
}


def _small(id: str, x: Any, value: Any, gradient: Any, **options: Any) -> Edge:
    return made_edge(id, cumulative_logsumexp, {"x": x}, options, value=value, gradient=gradient)


_MORE = (
    _small("minus-infinity-first", [[-INF, -INF, 0.0, 0.0]], [[-INF, -INF, 0, LOG_2]], [[0, 0, 1.5, 0.5]]),
    _small("minus-infinity-before-nan", [[-INF, 0.0, NAN]], [[-INF, 0, NAN]], [[NAN, NAN, NAN]]),
    _small("nan-before-infinity", [[0.0, NAN, INF]], [[0, NAN, NAN]], [[NAN, NAN, NAN]]),
    _small("infinity-between", [[0.0, INF, 1.0, INF, 0.0]], [[0, INF, INF, INF, INF]], [[1, 3, 0, 1, 0]]),
    _small("reverse-infinity", [[0.0, INF, 1.0]], [[INF, INF, 1]], [[0, 2, 1]], reverse=True),
    _small("reverse-nan", [[0.0, NAN, 1.0]], [[NAN, NAN, 1]], [[NAN, NAN, NAN]], reverse=True),
    _small("reverse-no-mass", [[0.0, -INF, -INF]], [[0, -INF, -INF]], [[1, 0, 0]], reverse=True),
)

_X = np.ones((2, 3), dtype=np.float32)


def _bad_axis(id: str, axis: Any, error: type[Exception], text: str, **fields: Any) -> BadInput:
    return bad(NAME, id, (_X,), {"axis": axis}, error, text, axis=axis, **fields)


def _bad_reverse(id: str, value: Any, got: str) -> BadInput:
    return bad(NAME, id, (_X,), {"reverse": value}, TypeError, "flag", option="reverse", got=got)


SPEC = Spec(
    name=NAME,
    oracle=cumulative_logsumexp,
    tolerance=Row(
        value=4,  # 2.53 of the larger of |m| and lse - m, of 70 000 entries
        gradient=7,  # 4.62 of the sum of absolute summands
        second=3.4,  # 2.13 of the sum of absolute summands
        tangent=9.3,  # 5.87 of the sum of absolute summands
        dagger=True,
    ),
    samples=samples,
    gradient_scale=cumulative_gradient,
    second_scale=cumulative_second,
    edges=(*row_edges("x", cumulative_logsumexp, _EDGES, PLAIN_CASES), *_MORE),
    bad_inputs=(
        *bad_first_arrays(NAME, "x", masks=False),
        *bad_calls(NAME, "1 positional argument (x)", "axis, reverse", [1.0, 2.0]),
        bad_scalar_axis(NAME, "x"),
        _bad_axis("axis-2", 2, ValueError, "axis-out-of-range", arg="x", shape="(2, 3)"),
        _bad_axis("axis-minus-3", -3, ValueError, "axis-out-of-range", arg="x", shape="(2, 3)"),
        _bad_axis("axis-float", 1.0, TypeError, "single-axis-class"),
        _bad_axis("axis-bool", True, TypeError, "single-axis-class"),
        _bad_axis("axis-tuple", (0, 1), TypeError, "single-axis-class"),
        _bad_axis("axis-none", None, TypeError, "single-axis-class"),
        _bad_reverse("reverse-int", 1, "int"),
        _bad_reverse("reverse-none", None, "NoneType"),
    ),
    laws=("prefixes",),
)
