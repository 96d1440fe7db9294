"""What the matrix knows about logsumexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..oracle import logsumexp
from ..oracle.magnitudes import logsumexp_gradient, logsumexp_second
from ._edges import COMPUTED, HUGE, HUGEST, INF, NAN, made_edge, row_edges
from ._messages import bad, bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import dominated, logit_samples, masked, moderate, wide
from .base import BadInput, Edge, Row, Sample, Spec

NAME = "logsumexp"


def samples(rng: np.random.Generator) -> list[Sample]:
    x, where = masked(rng)
    positive = rng.uniform(0.1, 3, size=(3, 10))
    signed = positive * rng.choice([-1.0, 1.0], size=(3, 10))
    signed[:, 0] = 6.0
    with_zeros = np.where(rng.random(size=(3, 10)) < 0.3, 0.0, positive)
    removed = np.where(with_zeros == 0, INF, moderate(rng))
    both_signs = {"return_sign": True}
    return [
        *logit_samples(rng, "x"),
        Sample("where", {"x": x, "where": where}),
        Sample("axis-0-keepdims", {"x": wide(rng, 5, 3)}, {"axis": 0, "keepdims": True}),
        Sample("axes-0-2", {"x": 4 * rng.normal(size=(2, 3, 4))}, {"axis": (0, 2)}),
        Sample("all-axes-keepdims", {"x": moderate(rng, 3, 4)}, {"axis": None, "keepdims": True}),
        Sample("weights", {"x": moderate(rng), "weights": positive}),
        Sample("weights-broadcast", {"x": wide(rng), "weights": positive[0]}),
        Sample("weights-dominated", {"x": dominated(rng), "weights": positive[:1]}),
        Sample("weights-0-remove", {"x": removed, "weights": with_zeros}),
        Sample("weights-signed", {"x": moderate(rng), "weights": signed}, both_signs),
        Sample("weights-negative-sum", {"x": moderate(rng), "weights": -signed}, both_signs),
        Sample(
            "weights-cancel",
            {"x": [[0.0, 0.0, -3.0], [1.0, 1.0, 0.5]], "weights": [1.0, -0.875, 0.5]},
            both_signs,
        ),
        # The largest logit carries next to nothing: m is the maximum of x + log|w|.
        Sample("weights-outweigh", {"x": [[80.0, 0.0]], "weights": [2.0**-120, 1.0]}),
        Sample("return-sign", {"x": moderate(rng)}, both_signs),
        Sample("weights-where", {"x": x, "weights": positive, "where": where}),
    ]


def _small(
    id: str, x: Any, value: Any, gradient: Any, options: dict[str, Any] | None = None, **arrays: Any
) -> Edge:
    return made_edge(id, logsumexp, {"x": x, **arrays}, options, value=value, gradient=gradient)


_EDGES = {
    "minus-infinity": ([np.log(2)], [[0.5, 0, 0.5]]),
    "no-mass": ([-INF], [[0, 0]]),
    "nothing-allowed": ([-INF], [[0, 0]]),
    "masked-nan": ([np.log(2)], [[0.5, 0, 0.5]]),
    "masked-infinity": ([np.log(2)], [[0.5, 0, 0.5]]),
    "nan": ([NAN, np.log(2)], [[NAN, NAN], [0.5, 0.5]]),
    "all-nan": ([NAN], [[NAN, NAN]]),
    "one-infinity": ([INF], [[0, 1, 0]]),
    "several-infinities": ([INF], [[0.5, 0, 0.5, 0]]),
    "infinity-and-nan": ([NAN], [[NAN, NAN]]),
    "empty-axis": ([-INF, -INF], np.zeros((2, 0))),
    "no-rows": (np.zeros(0), np.zeros((0, 3))),
    "0-d": (3, 1),
    "one-class": ([3, -INF], [[1], [0]]),
    "ties": (COMPUTED, [[0.25, 0.25, 0.25, 0.25]]),
    "1e30": ([HUGE], [[0.5, 0.5, 0]]),
    "3e38": ([HUGEST], [[0.5, 0, 0.5]]),
    "finite-mask": ([0], [[1, 0]]),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (np.log(70_000), None),
}
_WEIGHTED = (
    _small("weight-0-removes-infinity", [[INF, 1.0]], [1], [[0, 1]], weights=[0.0, 1.0]),
    _small("weight-0-removes-nan", [[NAN, 1.0]], [1], [[0, 1]], weights=[0.0, 1.0]),
    _small("weights-all-0", [[1.0, 2.0]], [-INF], [[0, 0]], weights=[0.0, 0.0]),
    _small("weights-negative-sum-without-sign", [[0.0, 0.0]], [NAN], [[NAN, NAN]], weights=[1.0, -2.0]),
    _small("weights-with-minus-infinity", [[-INF, 0.0]], COMPUTED, [[0, 1]], weights=[3.0, 2.0]),
    # One entry outweighs the others in the first row, and none in the second.
    _small(
        "weights-alike",
        [[0.0, -8.0, -9.0], [0.0, -0.125, -0.125]],
        COMPUTED,
        COMPUTED,
        weights=[1.0, 1.0, 1.0],
    ),
    _small("weights-far-apart", [[0.0, 0.0]], COMPUTED, COMPUTED, weights=[1.0, 2.0**-20]),
    _small("weights-share-infinity", [[INF, INF, 0.0]], [INF], [[0.5, 0.5, 0]], weights=[3.0, 3.0, 2.0]),
    _small("weight-times-infinity", [[INF, 0.0]], [INF], [[1, 0]], weights=[3.0, 2.0]),
    _small("weight-nan", [[0.0, 0.0]], [NAN], [[NAN, NAN]], weights=[NAN, 2.0]),
    _small("weights-no-mass", [[-INF, -INF]], [-INF], [[0, 0]], weights=[3.0, 2.0]),
)

_X = np.ones((2, 3), dtype=np.float32)


def _bad_weights(id: str, weights: np.ndarray, error: type[Exception], text: str, **fields: Any) -> BadInput:
    return bad(NAME, id, (_X,), {"weights": weights}, error, text, option="weights", **fields)


def _bad_flag(option: str, value: Any) -> BadInput:
    kind = type(value).__name__
    return bad(NAME, f"{option}-{kind}", (_X,), {option: value}, TypeError, "flag", option=option, got=kind)


SPEC = Spec(
    name=NAME,
    oracle=logsumexp,
    tolerance=Row(value=6, gradient=8, second=14, dagger=True),
    samples=samples,
    gradient_scale=logsumexp_gradient,
    second_scale=logsumexp_second,
    edges=(*row_edges("x", logsumexp, _EDGES), *_WEIGHTED),
    bad_inputs=(
        *bad_first_arrays(NAME, "x"),
        *bad_calls(
            NAME, "1 positional argument (x)", "axis, keepdims, where, weights, return_sign", [1.0, 2.0]
        ),
        *bad_axes(NAME, "x"),
        bad_scalar_axis(NAME, "x"),
        *bad_where(NAME, "x"),
        _bad_weights(
            "weights-shape",
            np.ones(2, dtype=np.float32),
            ValueError,
            "broadcast",
            arg="x",
            shape="(2, 3)",
            got="(2,)",
        ),
        _bad_weights(
            "weights-enlarge",
            np.ones((4, 2, 3), dtype=np.float32),
            ValueError,
            "broadcast",
            arg="x",
            shape="(2, 3)",
            got="(4, 2, 3)",
        ),
        _bad_weights(
            "weights-complex", np.ones(3, dtype=np.complex64), TypeError, "real-dtype", dtype="complex64"
        ),
        _bad_flag("keepdims", 1),
        _bad_flag("return_sign", "yes"),
        _bad_flag("return_sign", None),
    ),
    laws=("permutation",),
)
