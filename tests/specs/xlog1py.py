"""What the matrix knows about xlog1py."""

from __future__ import annotations

import numpy as np

from ..oracle import xlog1py
from ..oracle.pair_magnitudes import XLOG1PY
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays, bad_partners
from ._regimes import log_factor_samples, moderate
from .base import ALL_DTYPES, Edge, Row, Sample, Spec

NAME = "xlog1py"


def samples(rng: np.random.Generator) -> list[Sample]:
    steps = 2.0 ** -np.arange(1.0, 21.0)
    return [
        *log_factor_samples(rng, start=-1.0),
        Sample("near-zero", {"x": moderate(rng, 1, 20)[0], "y": steps * rng.choice([-1.0, 1.0], size=20)}),
        Sample("nearer-zero", {"x": [1.0, -2.0, 0.5], "y": [1e-20, -1e-30, 1e-12]}, dtypes=WIDE_RANGE),
        # 1 + y is subtracted from: it is exact.
        Sample(
            "near-minus-one", {"x": moderate(rng, 1, 20)[0], "y": steps - 1}, dtypes=("float32", "float64")
        ),
    ]


_INTEGERS = {"x": np.asarray([1, -2], np.int32), "y": np.asarray([3, 0], np.int64)}
_BYTES = {"x": np.asarray([0, 2, 255], np.uint8), "y": np.asarray([0, 2, 255], np.uint8)}
_FLAGS = {"x": np.asarray([True, False]), "y": np.asarray([True, False])}

_EDGES = (
    # At x = 0 the gradient by x is log(1 + y) where y > -1, else 0.
    Edge("zero", {"x": [0.0, 0.0, -0.0], "y": [-1.0, -2.0, -INF]}, [0] * 3, {}, [0] * 3, ALL_DTYPES),
    made_edge("zero-and-above", xlog1py, {"x": [0.0, 0.0, -0.0], "y": [-0.5, 2.0, 0.25]}),
    Edge("zero-and-infinity", {"x": [0.0, -0.0], "y": [INF, INF]}, [0, 0], {}, [INF, INF], ALL_DTYPES),
    Edge("log-of-zero", {"x": [1.0, -2.0], "y": [-1.0, -1.0]}, [-INF, INF], {}, [-INF, -INF], ALL_DTYPES),
    Edge("below", {"x": [1.0, -2.0, INF], "y": [-1.5, -INF, -2.0]}, [NAN] * 3, {}, [NAN] * 3, ALL_DTYPES),
    Edge(
        "nan", {"x": [0.0, NAN, NAN, INF], "y": [NAN, 0.0, -2.0, NAN]}, [NAN] * 4, {}, [NAN] * 4, ALL_DTYPES
    ),
    Edge("infinite-y", {"x": [2.0, -2.0], "y": [INF, INF]}, [INF, -INF], {}, [INF, INF], ALL_DTYPES),
    Edge("infinite-x", {"x": [INF, -INF], "y": [-1.0, -1.0]}, [-INF, INF], {}, [-INF, -INF], ALL_DTYPES),
    Edge("infinite-both", {"x": [INF, -INF], "y": [INF, INF]}, [INF, -INF], {}, [INF, INF], ALL_DTYPES),
    Edge("infinity-times-zero", {"x": [INF, -INF], "y": [0.0, -0.0]}, [0, 0], {}, [0, 0], ALL_DTYPES),
    made_edge("0-d", xlog1py, {"x": np.asarray(1.0), "y": np.asarray(0.5)}),
    made_edge("broadcast", xlog1py, {"x": [[1.0], [-2.0]], "y": [-0.5, 3.0, 0.125]}),
    Edge("empty", {"x": np.zeros((0, 2)), "y": np.zeros(2)}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    made_edge("1e30", xlog1py, {"x": [HUGE, -HUGE], "y": [-0.5, HUGE]}, dtypes=WIDE_RANGE),
    Edge("3e38", {"x": [HUGEST, -HUGEST], "y": [8.0, 8.0]}, [INF, -INF], {}, None, ("bfloat16", "float32")),
    made_edge("log-of-3e38", xlog1py, {"x": [0.0, 1.0], "y": [HUGEST, HUGEST]}, dtypes=WIDE_RANGE),
    made_edge("integers", xlog1py, _INTEGERS, gradient=None, keep_dtype=True),
    made_edge("uint8", xlog1py, _BYTES, gradient=None, keep_dtype=True),
    made_edge("bool", xlog1py, _FLAGS, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=xlog1py,
    tolerance=Row(
        value=6,  # 4.5, of single numbers
        gradient=5,  # 3.8, likewise
        second=6,  # 4.4
    ),
    samples=samples,
    **XLOG1PY,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "x", [1.0, 2.0], masks=False),
        *bad_partners(NAME, "x", "y"),
        *bad_calls(NAME, "2 positional arguments (x, y)", "none", [1.0, 2.0], [0.0, 1.0]),
    ),
    laws=("odd_in_the_first",),
)
