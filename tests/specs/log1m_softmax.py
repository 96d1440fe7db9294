"""What the matrix knows about log1m_softmax."""

from __future__ import annotations

import numpy as np

from ..oracle import log1m_softmax
from ..oracle.magnitudes import log1m_softmax_gradient, log1m_softmax_second
from ._edges import COMPUTED, HUGEST, INF, NAN, row_edges
from ._messages import bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import logit_samples, masked, moderate, wide
from .base import Row, Sample, Spec

NAME = "log1m_softmax"
LOG_2 = float(np.log(2))


def samples(rng: np.random.Generator) -> list[Sample]:
    x, where = masked(rng)
    return [
        *logit_samples(rng),
        # The others together are as heavy as the winner, or nearly; none of them is.
        Sample(
            "crowd", {"logits": np.asarray([[7.0, *[0.0] * 900], [6.0, *[0.25] * 900]])}, values_only=True
        ),
        Sample("where", {"logits": x, "where": where}),
        Sample("where-broadcast", {"logits": moderate(rng), "where": np.arange(10) % 3 != 1}),
        Sample("axis-0", {"logits": wide(rng, 5, 3)}, {"axis": 0}),
        Sample("axes-0-2", {"logits": 4 * rng.normal(size=(2, 3, 4))}, {"axis": (0, 2)}),
        Sample("all-axes", {"logits": moderate(rng, 3, 4)}, {"axis": None}),
    ]


_EDGES = {
    "minus-infinity": ([[-LOG_2, 0, -LOG_2]], [[0, 0, 0]]),
    "no-mass": ([[0, 0]], [[0, 0]]),
    "nothing-allowed": ([[0, 0]], [[0, 0]]),
    "masked-nan": ([[-LOG_2, 0, -LOG_2]], [[0, 0, 0]]),
    "masked-infinity": ([[-LOG_2, 0, -LOG_2]], [[0, 0, 0]]),
    "nan": ([[NAN, NAN], [-LOG_2, -LOG_2]], [[NAN, NAN], [0, 0]]),
    "all-nan": ([[NAN, NAN]], [[NAN, NAN]]),
    "one-infinity": ([[0, -INF, 0]], [[0, 0, 0]]),
    "several-infinities": ([[-LOG_2, 0, -LOG_2, 0]], [[0, 0, 0, 0]]),
    "infinity-and-nan": ([[NAN, NAN]], [[NAN, NAN]]),
    "empty-axis": (np.zeros((2, 0)), np.zeros((2, 0))),
    "no-rows": (np.zeros((0, 3)), np.zeros((0, 3))),
    "0-d": (-INF, 0),
    "one-class": ([[-INF], [0]], [[0], [0]]),
    "ties": (COMPUTED, [[0, 0, 0, 0]]),
    "1e30": ([[-LOG_2, -LOG_2, 0]], [[0, 0, 0]]),
    "3e38": ([[-LOG_2, 0, -LOG_2]], [[0, 0, 0]]),
    "finite-mask": ([[-HUGEST, 0]], [[-1, 1]]),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (np.full(70_000, np.log1p(-1 / 70_000)), None),
}

SPEC = Spec(
    name=NAME,
    oracle=log1m_softmax,
    tolerance=Row(
        value=8,
        gradient=7,  # 4.5 of the sum of absolute summands
        second=3.7,  # 2.4 of the sum of absolute summands
        dagger=True,
    ),
    samples=samples,
    gradient_scale=log1m_softmax_gradient,
    second_scale=log1m_softmax_second,
    edges=row_edges("logits", log1m_softmax, _EDGES),
    bad_inputs=(
        *bad_first_arrays(NAME, "logits"),
        *bad_calls(NAME, "1 positional argument (logits)", "axis, where", [1.0, 2.0]),
        *bad_axes(NAME, "logits"),
        bad_scalar_axis(NAME, "logits"),
        *bad_where(NAME, "logits"),
    ),
    laws=("shift_invariance", "permutation"),
)
