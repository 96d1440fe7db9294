"""What the matrix knows about sparsemax."""

from __future__ import annotations

import numpy as np
from gmpy2 import mpfr

from ..oracle import sparsemax
from ..oracle.entmax import sparsemax_gradient, sparsemax_tangent
from ._edges import COMPUTED, INF, NAN, made_edge, row_edges
from ._messages import bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import logit_samples, masked, moderate, wide
from .base import Row, Sample, Spec

NAME = "sparsemax"


def crowded(rng: np.random.Generator, classes: int = 10) -> np.ndarray:
    """Many classes share the mass: close together, and all but one far below but still with a part."""
    x = 0.05 * moderate(rng, 3, classes)
    x[1] *= 0.1
    x[2] = -1 + 0.01 * rng.random(classes)
    x[2, 3] = -1 / 16
    return x


def samples(rng: np.random.Generator) -> list[Sample]:
    x, where = masked(rng)
    many = 0.1 * moderate(rng, 2, 1000)
    many[1] = -0.9995 + 1e-5 * many[1]
    many[1, 500] = 0.0
    return [
        *logit_samples(rng),
        Sample("crowded", {"logits": crowded(rng)}),
        Sample("thousand-crowded", {"logits": many}, values_only=True),
        Sample("where", {"logits": x, "where": where}),
        Sample("where-broadcast", {"logits": moderate(rng), "where": np.arange(10) % 3 != 1}),
        Sample("axis-0", {"logits": wide(rng, 5, 3)}, {"axis": 0}),
        Sample("axes-0-2", {"logits": rng.normal(size=(2, 3, 4))}, {"axis": (0, 2)}),
        Sample("all-axes", {"logits": moderate(rng, 3, 4)}, {"axis": None}),
    ]


# The probabilities always sum to 1, so for a cotangent of ones every gradient is 0.
EDGES = {
    "minus-infinity": ([[0.5, 0, 0.5]], [[0, 0, 0]]),
    "no-mass": ([[0, 0]], [[0, 0]]),
    "nothing-allowed": ([[0, 0]], [[0, 0]]),
    "masked-nan": ([[0.5, 0, 0.5]], [[0, 0, 0]]),
    "masked-infinity": ([[0.5, 0, 0.5]], [[0, 0, 0]]),
    "nan": ([[NAN, NAN], [0.5, 0.5]], [[NAN, NAN], [0, 0]]),
    "all-nan": ([[NAN, NAN]], [[NAN, NAN]]),
    "one-infinity": ([[0, 1, 0]], [[0, 0, 0]]),
    "several-infinities": ([[0.5, 0, 0.5, 0]], [[0, 0, 0, 0]]),
    "infinity-and-nan": ([[NAN, NAN]], [[NAN, NAN]]),
    "empty-axis": (np.zeros((2, 0)), np.zeros((2, 0))),
    "no-rows": (np.zeros((0, 3)), np.zeros((0, 3))),
    "0-d": (1, 0),
    "one-class": ([[1], [0]], [[0], [0]]),
    "ties": ([[0.25, 0.25, 0.25, 0.25]], [[0, 0, 0, 0]]),
    "1e30": ([[0.5, 0.5, 0]], [[0, 0, 0]]),
    "3e38": ([[0.5, 0, 0.5]], [[0, 0, 0]]),
    "finite-mask": ([[1, 0]], [[0, 0]]),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (np.full(70_000, mpfr(1) / 70_000), None),
}

SPEC = Spec(
    name=NAME,
    oracle=sparsemax,
    tolerance=Row(
        value=8,
        gradient=8,
        second=8,
    ),
    samples=samples,
    gradient_scale=sparsemax_gradient,
    tangent_scale=sparsemax_tangent,
    edges=(
        *row_edges("logits", sparsemax, EDGES),
        # Exactly at the end of the support p is 0, and the class is not part of it.
        made_edge("kink", sparsemax, {"logits": [[0.0, -1.0]]}, value=[[1, 0]], gradient=[[0, 0]]),
        made_edge(
            "kink-of-three",
            sparsemax,
            {"logits": [[0.5, 0.0, -0.25, -INF]]},
            value=[[0.75, 0.25, 0, 0]],
            gradient=[[0, 0, 0, 0]],
        ),
    ),
    bad_inputs=(
        *bad_first_arrays(NAME, "logits"),
        *bad_calls(NAME, "1 positional argument (logits)", "axis, where", [1.0, 2.0]),
        *bad_axes(NAME, "logits"),
        bad_scalar_axis(NAME, "logits"),
        *bad_where(NAME, "logits"),
    ),
    laws=("shift_invariance", "permutation", "sums_to_one"),
)
