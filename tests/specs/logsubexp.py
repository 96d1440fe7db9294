"""What the matrix knows about logsubexp."""

from __future__ import annotations

import numpy as np

from ..oracle import logsubexp
from ..oracle.pair_magnitudes import LOGSUBEXP
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays, bad_partners
from ._regimes import gap_samples
from .base import ALL_DTYPES, Edge, Row, Sample, Spec

NAME = "logsubexp"


def samples(rng: np.random.Generator) -> list[Sample]:
    return gap_samples(rng, either_way=False)


_INTEGERS = {"a": np.asarray([3, -2], np.int32), "b": np.asarray([1, -4], np.int64)}
_BYTES = {"a": np.asarray([3, 2, 255], np.uint8), "b": np.asarray([1, 2, 254], np.uint8)}
_FLAGS = {"a": np.asarray([True, False]), "b": np.asarray([False, False])}

_EDGES = (
    Edge("nothing-left-of-nothing", {"a": [-INF], "b": [-INF]}, [-INF], {}, [0], ALL_DTYPES),
    Edge("minus-infinity", {"a": [2.0], "b": [-INF]}, [2], {}, [1], ALL_DTYPES),
    Edge("infinity", {"a": [INF, INF], "b": [2.0, -INF]}, [INF, INF], {}, [1, 1], ALL_DTYPES),
    # As logsumexp with weights 1 and -1 has it.
    Edge("two-infinities", {"a": [INF], "b": [INF]}, [NAN], {}, [NAN], ALL_DTYPES),
    Edge(
        "wrong-way-round",
        {"a": [1.0, -INF, 2.0, -INF], "b": [2.0, 2.0, INF, INF]},
        [NAN] * 4,
        {},
        [NAN] * 4,
        ALL_DTYPES,
    ),
    Edge("barely-wrong", {"a": [1.0], "b": [1.0 + 2.0**-23]}, [NAN], {}, [NAN]),
    Edge(
        "nan", {"a": [NAN, 0.0, INF, -INF], "b": [0.0, NAN, NAN, NAN]}, [NAN] * 4, {}, [NAN] * 4, ALL_DTYPES
    ),
    Edge("ties", {"a": [1.0, 0.0, -0.0], "b": [1.0, -0.0, 0.0]}, [-INF] * 3, {}, [INF] * 3, ALL_DTYPES),
    made_edge("0-d", logsubexp, {"a": np.asarray(1.0), "b": np.asarray(-0.5)}),
    made_edge("broadcast", logsubexp, {"a": [[4.0], [3.5]], "b": [0.0, 3.0, -INF]}),
    Edge("empty", {"a": np.zeros((0, 2)), "b": np.zeros(2)}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    Edge(
        "1e30", {"a": [HUGE, HUGE, 0.0], "b": [-HUGE, 0.0, -HUGE]}, [HUGE, HUGE, 0], {}, [1] * 3, WIDE_RANGE
    ),
    # The difference overflows.
    Edge("3e38", {"a": [HUGEST], "b": [-HUGEST]}, [HUGEST], {}, [1], WIDE_RANGE),
    made_edge("far-ahead", logsubexp, {"a": [0.0, 0.0], "b": [-40.0, -80.0]}),
    made_edge("integers", logsubexp, _INTEGERS, gradient=None, keep_dtype=True),
    made_edge("uint8", logsubexp, _BYTES, gradient=None, keep_dtype=True),
    made_edge("bool", logsubexp, _FLAGS, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=logsubexp,
    tolerance=Row(
        value=6,
        gradient=8,  # 7.5 by b, of single numbers: that of log1mexp
        second=12,  # 7.7
    ),
    samples=samples,
    **LOGSUBEXP,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "a", [1.0, 2.0], masks=False),
        *bad_partners(NAME, "a", "b"),
        *bad_calls(NAME, "2 positional arguments (a, b)", "none", [1.0, 2.0], [0.0, 1.0]),
    ),
    laws=("moves_with_both",),
)
