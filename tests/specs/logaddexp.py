"""What the matrix knows about logaddexp."""

from __future__ import annotations

import numpy as np

from ..oracle import logaddexp
from ..oracle.pair_magnitudes import LOGADDEXP
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays, bad_partners
from ._regimes import equal, gap_samples, near_ties, ties
from .base import ALL_DTYPES, Edge, Row, Sample, Spec

NAME = "logaddexp"


def samples(rng: np.random.Generator) -> list[Sample]:
    x = ties(rng)
    return [
        *gap_samples(rng, either_way=True),
        Sample("ties", {"a": x, "b": x[:, ::-1]}),
        Sample("all-equal", {"a": equal(), "b": equal()}),
        Sample("nearer-ties", {"a": near_ties(rng), "b": near_ties(rng)}),
    ]


_INTEGERS = {"a": np.asarray([1, -2], np.int32), "b": np.asarray([3, -2], np.int64)}
_BYTES = {"a": np.asarray([1, 2, 3], np.uint8), "b": np.asarray([3, 2, 255], np.uint8)}
_FLAGS = {"a": np.asarray([True, False]), "b": np.asarray([False, False])}

_EDGES = (
    Edge("no-mass", {"a": [-INF], "b": [-INF]}, [-INF], {}, [0], ALL_DTYPES),
    Edge("minus-infinity", {"a": [-INF, 2.0], "b": [2.0, -INF]}, [2, 2], {}, [0, 1], ALL_DTYPES),
    Edge("two-infinities", {"a": [INF], "b": [INF]}, [INF], {}, [0.5], ALL_DTYPES),
    Edge(
        "one-infinity",
        {"a": [INF, 2.0, INF, -INF], "b": [2.0, INF, -INF, INF]},
        [INF] * 4,
        {},
        [1, 0, 1, 0],
        ALL_DTYPES,
    ),
    Edge(
        "nan", {"a": [NAN, 0.0, INF, -INF], "b": [0.0, NAN, NAN, NAN]}, [NAN] * 4, {}, [NAN] * 4, ALL_DTYPES
    ),
    made_edge("ties", logaddexp, {"a": [1.0, 0.0, -3.0], "b": [1.0, -0.0, -3.0]}, gradient=[0.5, 0.5, 0.5]),
    made_edge("0-d", logaddexp, {"a": np.asarray(1.0), "b": np.asarray(-0.5)}),
    made_edge("broadcast", logaddexp, {"a": [[1.0], [-2.0]], "b": [0.0, 3.0, -INF]}),
    Edge("empty", {"a": np.zeros((0, 2)), "b": np.zeros(2)}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    Edge(
        "1e30", {"a": [HUGE, -HUGE, HUGE], "b": [HUGE, HUGE, -HUGE]}, [HUGE] * 3, {}, [0.5, 0, 1], WIDE_RANGE
    ),
    # The difference overflows.
    Edge("3e38", {"a": [HUGEST, -HUGEST], "b": [-HUGEST, HUGEST]}, [HUGEST] * 2, {}, [1, 0], WIDE_RANGE),
    made_edge("far-ahead", logaddexp, {"a": [0.0, -40.0], "b": [-40.0, 0.0]}),
    made_edge("integers", logaddexp, _INTEGERS, gradient=None, keep_dtype=True),
    made_edge("uint8", logaddexp, _BYTES, gradient=None, keep_dtype=True),
    made_edge("bool", logaddexp, _FLAGS, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=logaddexp,
    tolerance=Row(
        value=6,
        gradient=4,
        second=5,  # 3.5
    ),
    samples=samples,
    **LOGADDEXP,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "a", [1.0, 2.0], masks=False),
        *bad_partners(NAME, "a", "b"),
        *bad_calls(NAME, "2 positional arguments (a, b)", "none", [1.0, 2.0], [0.0, 1.0]),
    ),
    laws=("permutation", "commutes", "moves_with_both"),
)
