"""What the matrix knows about log_softmax."""

from __future__ import annotations

import numpy as np

from ..oracle import log_softmax
from ..oracle.magnitudes import log_softmax_gradient, log_softmax_second
from ._edges import COMPUTED, HUGE, HUGEST, INF, NAN, row_edges
from ._messages import bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import logit_samples, masked, moderate, wide
from .base import Row, Sample, Spec

NAME = "log_softmax"
LOG_2 = float(np.log(2))


def samples(rng: np.random.Generator) -> list[Sample]:
    x, where = masked(rng)
    return [
        *logit_samples(rng),
        Sample("where", {"logits": x, "where": where}),
        Sample("where-broadcast", {"logits": moderate(rng), "where": np.arange(10) % 3 != 1}),
        Sample("axis-0", {"logits": wide(rng, 5, 3)}, {"axis": 0}),
        Sample("axes-0-2", {"logits": 4 * rng.normal(size=(2, 3, 4))}, {"axis": (0, 2)}),
        Sample("all-axes", {"logits": moderate(rng, 3, 4)}, {"axis": None}),
    ]


# The entry of a missing class is a constant, so the cotangent there counts for nothing.
_EDGES = {
    "minus-infinity": ([[-LOG_2, -INF, -LOG_2]], [[0, 0, 0]]),
    "no-mass": ([[-INF, -INF]], [[0, 0]]),
    "nothing-allowed": ([[-INF, -INF]], [[0, 0]]),
    "masked-nan": ([[-LOG_2, -INF, -LOG_2]], [[0, 0, 0]]),
    "masked-infinity": ([[-LOG_2, -INF, -LOG_2]], [[0, 0, 0]]),
    "nan": ([[NAN, NAN], [-LOG_2, -LOG_2]], [[NAN, NAN], [0, 0]]),
    "all-nan": ([[NAN, NAN]], [[NAN, NAN]]),
    "one-infinity": ([[-INF, 0, -INF]], [[0, 0, 0]]),
    "several-infinities": ([[-LOG_2, -INF, -LOG_2, -INF]], [[0, 0, 0, 0]]),
    "infinity-and-nan": ([[NAN, NAN]], [[NAN, NAN]]),
    "empty-axis": (np.zeros((2, 0)), np.zeros((2, 0))),
    "no-rows": (np.zeros((0, 3)), np.zeros((0, 3))),
    "0-d": (0, 0),
    "one-class": ([[0], [-INF]], [[0], [0]]),
    "ties": (COMPUTED, [[0, 0, 0, 0]]),
    "1e30": ([[-LOG_2, -LOG_2, -2 * HUGE]], [[-0.5, -0.5, 1]]),
    # In float32 the difference overflows: that class's own entry is -inf, and its gradient 1 all the same.
    "3e38": ([[-LOG_2, -2 * HUGEST, -LOG_2]], [[-0.5, 1, -0.5]]),
    "finite-mask": ([[0, -HUGEST]], [[-1, 1]]),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (np.full(70_000, -np.log(70_000)), None),
}

SPEC = Spec(
    name=NAME,
    oracle=log_softmax,
    tolerance=Row(
        value=6,
        gradient=3.4,  # 2.17 of |g_i| + p_i sum|g|, float64, seed 249007937; 8 is promised
        second=5.4,  # 3.39 of sum|g| p_i (|t_i| + sum p|t|), torch's double backward, seed 189167588
        tangent=2.2,  # 1.39 of sum|J_ij t_j|
        dagger=True,
    ),
    samples=samples,
    gradient_scale=log_softmax_gradient,
    second_scale=log_softmax_second,
    edges=row_edges("logits", log_softmax, _EDGES),
    bad_inputs=(
        *bad_first_arrays(NAME, "logits"),
        *bad_calls(NAME, "1 positional argument (logits)", "axis, where", [1.0, 2.0]),
        *bad_axes(NAME, "logits"),
        bad_scalar_axis(NAME, "logits"),
        *bad_where(NAME, "logits"),
    ),
    laws=("shift_invariance", "permutation", "sums_to_one"),
)
