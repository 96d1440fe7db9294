"""What the matrix knows about sigmoid."""

from __future__ import annotations

import numpy as np

from ..oracle import sigmoid
from ..oracle.magnitudes import sigmoid_second
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays
from ._regimes import element_samples
from .base import Edge, Row, Spec

NAME = "sigmoid"

_EDGES = (
    Edge("minus-infinity", {"x": [-INF]}, [0], {}, [0]),
    Edge("infinity", {"x": [INF]}, [1], {}, [0]),
    Edge("nan", {"x": [NAN, 0.0]}, [NAN, 0.5], {}, [NAN, 0.25]),
    Edge("zero", {"x": [0.0, -0.0]}, [0.5, 0.5], {}, [0.25, 0.25]),
    made_edge("0-d", sigmoid, {"x": np.asarray(1.0)}),
    Edge("empty", {"x": np.zeros((0, 2))}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    Edge("1e30", {"x": [HUGE, -HUGE]}, [1, 0], {}, [0, 0], WIDE_RANGE),
    Edge("3e38", {"x": [HUGEST, -HUGEST]}, [1, 0], {}, [0, 0], WIDE_RANGE),
    made_edge("integers", sigmoid, {"x": np.asarray([1, -2], np.int32)}, gradient=None, keep_dtype=True),
    made_edge("uint8", sigmoid, {"x": np.asarray([1, 2, 3], np.uint8)}, gradient=None, keep_dtype=True),
    made_edge("bool", sigmoid, {"x": np.asarray([True, False])}, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=sigmoid,
    tolerance=Row(
        value=4,
        gradient=6,
        # 9.0 of s(x) s(-x) max(s(x), s(-x)): around 0 the two terms cancel.
        second=14,
    ),
    samples=element_samples,
    second_scale=sigmoid_second,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "x", masks=False),
        *bad_calls(NAME, "1 positional argument (x)", "none", [1.0, 2.0]),
    ),
    laws=("permutation", "symmetry"),
)
