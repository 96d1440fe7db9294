"""What the matrix knows about entropy."""

from __future__ import annotations

import numpy as np

from ..oracle import entropy
from ..oracle.divergence_magnitudes import entropy_gradient, entropy_second
from ._divergences import with_underflow
from ._edges import COMPUTED, NAN, row_edges
from ._messages import bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import logit_samples, masked, moderate, wide
from .base import Row, Sample, Spec

NAME = "entropy"


def samples(rng: np.random.Generator) -> list[Sample]:
    x, where = masked(rng)
    return with_underflow(
        [
            *logit_samples(rng),
            Sample("where", {"logits": x, "where": where}),
            Sample("where-broadcast", {"logits": moderate(rng), "where": np.arange(10) % 3 != 1}),
            Sample("axis-0", {"logits": wide(rng, 5, 3)}, {"axis": 0}),
            Sample("axes-0-2", {"logits": 4 * rng.normal(size=(2, 3, 4))}, {"axis": (0, 2)}),
            Sample("all-axes", {"logits": moderate(rng, 3, 4)}, {"axis": None}),
        ]
    )


_LOG_2 = float(np.log(2))
_EDGES = {
    "minus-infinity": ([_LOG_2], [[0, 0, 0]]),
    "no-mass": ([0], [[0, 0]]),
    "nothing-allowed": ([0], [[0, 0]]),
    "masked-nan": ([_LOG_2], [[0, 0, 0]]),
    "masked-infinity": ([_LOG_2], [[0, 0, 0]]),
    "nan": ([NAN, _LOG_2], [[NAN, NAN], [0, 0]]),
    "all-nan": ([NAN], [[NAN, NAN]]),
    "one-infinity": ([0], [[0, 0, 0]]),
    "several-infinities": ([_LOG_2], [[0, 0, 0, 0]]),
    "infinity-and-nan": ([NAN], [[NAN, NAN]]),
    "empty-axis": ([0, 0], np.zeros((2, 0))),
    "no-rows": (np.zeros(0), np.zeros((0, 3))),
    "0-d": (0, 0),
    "one-class": ([0, 0], [[0], [0]]),
    "ties": (COMPUTED, [[0, 0, 0, 0]]),
    "1e30": ([_LOG_2], [[0, 0, 0]]),
    "3e38": ([_LOG_2], [[0, 0, 0]]),
    "finite-mask": ([0], [[0, 0]]),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (np.log(70_000), None),
}

SPEC = Spec(
    name=NAME,
    oracle=entropy,
    tolerance=Row(
        value=10,
        gradient=8,
        second=1.4,  # 0.87 of the sum of absolute summands
        dagger=True,
    ),
    samples=samples,
    gradient_scale=entropy_gradient,
    second_scale=entropy_second,
    edges=row_edges("logits", entropy, _EDGES),
    bad_inputs=(
        *bad_first_arrays(NAME, "logits"),
        *bad_calls(NAME, "1 positional argument (logits)", "axis, where", [1.0, 2.0]),
        *bad_axes(NAME, "logits"),
        bad_scalar_axis(NAME, "logits"),
        *bad_where(NAME, "logits"),
    ),
    laws=("shift_invariance", "permutation"),
)
