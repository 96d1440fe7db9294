"""What the matrix knows about xlogy."""

from __future__ import annotations

import numpy as np

from ..oracle import xlogy
from ..oracle.pair_magnitudes import XLOGY
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays, bad_partners
from ._regimes import log_factor_samples
from .base import ALL_DTYPES, Edge, Row, Sample, Spec

NAME = "xlogy"


def samples(rng: np.random.Generator) -> list[Sample]:
    return log_factor_samples(rng, start=0.0)


_INTEGERS = {"x": np.asarray([1, -2], np.int32), "y": np.asarray([3, 2], np.int64)}
_BYTES = {"x": np.asarray([0, 2, 255], np.uint8), "y": np.asarray([0, 2, 254], np.uint8)}
_FLAGS = {"x": np.asarray([True, False]), "y": np.asarray([True, False])}

_EDGES = (
    # At x = 0 the gradient by x is log y where y > 0, else 0.
    Edge("zero", {"x": [0.0, 0.0, -0.0], "y": [0.0, -1.0, -INF]}, [0] * 3, {}, [0] * 3, ALL_DTYPES),
    made_edge("zero-and-positive", xlogy, {"x": [0.0, 0.0, -0.0], "y": [0.5, 2.0, 4.0]}),
    Edge("zero-and-infinity", {"x": [0.0, -0.0], "y": [INF, INF]}, [0, 0], {}, [INF, INF], ALL_DTYPES),
    Edge("log-of-zero", {"x": [1.0, -2.0], "y": [0.0, -0.0]}, [-INF, INF], {}, [-INF, -INF], ALL_DTYPES),
    Edge("negative", {"x": [1.0, -2.0, INF], "y": [-1.0, -INF, -1.0]}, [NAN] * 3, {}, [NAN] * 3, ALL_DTYPES),
    Edge(
        "nan", {"x": [0.0, NAN, NAN, INF], "y": [NAN, 1.0, -1.0, NAN]}, [NAN] * 4, {}, [NAN] * 4, ALL_DTYPES
    ),
    Edge("infinite-y", {"x": [2.0, -2.0], "y": [INF, INF]}, [INF, -INF], {}, [INF, INF], ALL_DTYPES),
    Edge("infinite-x", {"x": [INF, -INF], "y": [0.0, 0.0]}, [-INF, INF], {}, [-INF, -INF], ALL_DTYPES),
    Edge("infinite-both", {"x": [INF, -INF], "y": [INF, INF]}, [INF, -INF], {}, [INF, INF], ALL_DTYPES),
    Edge("infinity-times-zero", {"x": [INF, -INF], "y": [1.0, 1.0]}, [0, 0], {}, [0, 0], ALL_DTYPES),
    made_edge("0-d", xlogy, {"x": np.asarray(1.0), "y": np.asarray(0.5)}),
    made_edge("broadcast", xlogy, {"x": [[1.0], [-2.0]], "y": [0.5, 3.0, 0.125]}),
    Edge("empty", {"x": np.zeros((0, 2)), "y": np.zeros(2)}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    made_edge("1e30", xlogy, {"x": [HUGE, -HUGE], "y": [0.5, HUGE]}, dtypes=WIDE_RANGE),
    Edge("3e38", {"x": [HUGEST, -HUGEST], "y": [8.0, 8.0]}, [INF, -INF], {}, None, ("bfloat16", "float32")),
    made_edge("log-of-3e38", xlogy, {"x": [0.0, 1.0], "y": [HUGEST, HUGEST]}, dtypes=WIDE_RANGE),
    made_edge("integers", xlogy, _INTEGERS, gradient=None, keep_dtype=True),
    made_edge("uint8", xlogy, _BYTES, gradient=None, keep_dtype=True),
    made_edge("bool", xlogy, _FLAGS, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=xlogy,
    tolerance=Row(
        value=5,  # 3.9, of single numbers
        gradient=5,  # 3.5, likewise
        second=6,  # 4.4
    ),
    samples=samples,
    **XLOGY,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "x", [1.0, 2.0], masks=False),
        *bad_partners(NAME, "x", "y"),
        *bad_calls(NAME, "2 positional arguments (x, y)", "none", [1.0, 2.0], [0.0, 1.0]),
    ),
    laws=("odd_in_the_first",),
)
