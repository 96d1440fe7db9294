"""What the matrix knows about log_sigmoid."""

from __future__ import annotations

import numpy as np

from ..oracle import log_sigmoid
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays
from ._regimes import element_samples
from .base import Edge, Row, Spec

NAME = "log_sigmoid"

_EDGES = (
    Edge("minus-infinity", {"x": [-INF]}, [-INF], {}, [1]),
    Edge("infinity", {"x": [INF]}, [0], {}, [0]),
    Edge("nan", {"x": [NAN, INF]}, [NAN, 0], {}, [NAN, 0]),
    made_edge("zero", log_sigmoid, {"x": [0.0, -0.0]}),
    made_edge("0-d", log_sigmoid, {"x": np.asarray(1.0)}),
    Edge("empty", {"x": np.zeros((0, 2))}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    Edge("1e30", {"x": [HUGE, -HUGE]}, [0, -HUGE], {}, [0, 1], WIDE_RANGE),
    Edge("3e38", {"x": [HUGEST, -HUGEST]}, [0, -HUGEST], {}, [0, 1], WIDE_RANGE),
    made_edge("confident", log_sigmoid, {"x": [20.0, 40.0, 80.0]}),
    made_edge("integers", log_sigmoid, {"x": np.asarray([1, -2], np.int32)}, gradient=None, keep_dtype=True),
    made_edge("uint8", log_sigmoid, {"x": np.asarray([1, 2, 3], np.uint8)}, gradient=None, keep_dtype=True),
    made_edge("bool", log_sigmoid, {"x": np.asarray([True, False])}, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=log_sigmoid,
    tolerance=Row(value=5, gradient=4, second=6),
    samples=element_samples,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "x", masks=False),
        *bad_calls(NAME, "1 positional argument (x)", "none", [1.0, 2.0]),
    ),
    laws=("permutation",),
)
