"""What the matrix knows about softplus."""

from __future__ import annotations

import numpy as np

from ..oracle import softplus
from ..oracle.magnitudes import softplus_gradient, softplus_second
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad, bad_calls, bad_first_arrays
from ._regimes import element_samples, moderate, wide
from .base import BadInput, Edge, Row, Sample, Spec

NAME = "softplus"


def samples(rng: np.random.Generator) -> list[Sample]:
    return [
        *element_samples(rng),
        # A power of two scales exactly; of 3 and 0.3 the products round, which the bound counts in.
        Sample("beta-2", {"x": wide(rng)}, {"beta": 2.0}, underflow=2.0),
        Sample("beta-a-quarter", {"x": wide(rng)}, {"beta": 0.25}),
        Sample("beta-3", {"x": moderate(rng)}, {"beta": 3.0}),
        Sample("beta-0.3", {"x": wide(rng)}, {"beta": 0.3}),
    ]


_EDGES = (
    Edge("minus-infinity", {"x": [-INF]}, [0], {}, [0]),
    Edge("infinity", {"x": [INF]}, [INF], {}, [1]),
    Edge("nan", {"x": [NAN, INF]}, [NAN, INF], {}, [NAN, 1]),
    made_edge("zero", softplus, {"x": [0.0]}),
    made_edge("0-d", softplus, {"x": np.asarray(1.0)}),
    Edge("empty", {"x": np.zeros((0, 2))}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    Edge("1e30", {"x": [HUGE, -HUGE]}, [HUGE, 0], {}, [1, 0], WIDE_RANGE),
    Edge("3e38", {"x": [HUGEST, -HUGEST]}, [HUGEST, 0], {}, [1, 0], WIDE_RANGE),
    # beta * x overflows, the result doesn't.
    Edge("3e38-beta-4", {"x": [HUGEST, -HUGEST]}, [HUGEST, 0], {"beta": 4.0}, [1, 0], WIDE_RANGE),
    Edge("infinity-beta", {"x": [INF, -INF, NAN]}, [INF, 0, NAN], {"beta": 0.5}, [1, 0, NAN]),
    made_edge("zero-beta-4", softplus, {"x": [0.0]}, {"beta": 4.0}),
    made_edge("above-the-threshold-of-others", softplus, {"x": [20.0, 20.5, 30.0, 100.0]}),
    made_edge("integers", softplus, {"x": np.asarray([1, -2], np.int32)}, gradient=None, keep_dtype=True),
    made_edge("uint8", softplus, {"x": np.asarray([1, 2, 3], np.uint8)}, gradient=None, keep_dtype=True),
    made_edge("bool", softplus, {"x": np.asarray([True, False])}, gradient=None, keep_dtype=True),
)

_X = np.asarray([1.0, 2.0], dtype=np.float32)


def _bad_beta(id: str, beta: float) -> BadInput:
    return bad(NAME, id, (_X,), {"beta": beta}, ValueError, "beta", got=repr(beta))


SPEC = Spec(
    name=NAME,
    oracle=softplus,
    tolerance=Row(value=4, gradient=4, second=6),
    samples=samples,
    gradient_scale=softplus_gradient,
    second_scale=softplus_second,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "x", masks=False),
        *bad_calls(NAME, "1 positional argument (x)", "beta", [1.0, 2.0]),
        _bad_beta("beta-zero", 0.0),
        _bad_beta("beta-negative", -1.0),
        _bad_beta("beta-nan", NAN),
        _bad_beta("beta-infinite", INF),
        bad(NAME, "beta-string", (_X,), {"beta": "1"}, TypeError, "number", option="beta", got="str"),
        bad(NAME, "beta-none", (_X,), {"beta": None}, TypeError, "number", option="beta", got="NoneType"),
        bad(NAME, "beta-bool", (_X,), {"beta": True}, TypeError, "number", option="beta", got="bool"),
    ),
    laws=("permutation",),
)
