"""What the matrix knows about logit."""

from __future__ import annotations

import numpy as np

from ..oracle import logit
from ._edges import FLOAT_PAIR, HALVES_TOO, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad, bad_calls, bad_first_arrays
from .base import BadInput, Edge, Row, Sample, Spec

NAME = "logit"


def samples(rng: np.random.Generator) -> list[Sample]:
    steps = 2.0 ** -np.arange(3.0, 24.0)
    clipped = [[2.0**-9, 0.004, 0.02, 0.5], [0.98, 0.7, 0.996, 0.3]]
    return [
        Sample("uniform", {"p": rng.uniform(0.02, 0.98, size=(3, 10))}),
        Sample("near-a-half", {"p": np.stack([0.5 + steps, 0.5 - steps])}),
        # Where formulas change: 0.325 and 0.675.
        Sample("switches", {"p": np.concatenate([np.linspace(0.3, 0.35, 20), np.linspace(0.65, 0.7, 20)])}),
        Sample("small", {"p": 2.0 ** -rng.uniform(2, 13, size=(2, 10))}),
        Sample("tiny", {"p": 10.0 ** -rng.uniform(1, 17, size=(2, 10))}, dtypes=WIDE_RANGE),
        Sample("near-1", {"p": 1 - steps * rng.uniform(1, 2, size=21)}, dtypes=FLOAT_PAIR),
        Sample("subnormal", {"p": [2.0**-130, 2.0**-149]}, dtypes=("bfloat16", "float32"), values_only=True),
        Sample("one-dimension", {"p": [0.25, 0.9]}),
        Sample("three-dimensions", {"p": rng.uniform(0.1, 0.9, size=(2, 2, 3))}),
        Sample("thousand", {"p": rng.uniform(0.002, 0.99, size=1000)}, values_only=True),
        Sample("eps-a-hundredth", {"p": clipped}, {"eps": 0.01}),
        Sample("eps-a-quarter", {"p": clipped}, {"eps": 0.25}),
        Sample("eps-0", {"p": clipped}, {"eps": 0.0}),
        Sample("eps-1e-6", {"p": [2.0**-40, 0.3, 1 - 2.0**-22]}, {"eps": 1e-6}, dtypes=FLOAT_PAIR),
        # 1 - eps is 1 in float32.
        Sample("eps-1e-9", {"p": [2.0**-40, 0.3, 0.75]}, {"eps": 1e-9}, dtypes=FLOAT_PAIR),
    ]


_EDGES = (
    Edge("ends", {"p": [0.0, -0.0, 1.0]}, [-INF, -INF, INF], {}, [INF] * 3, HALVES_TOO),
    Edge("outside", {"p": [-0.25, 1.25, -INF, INF]}, [NAN] * 4, {}, [NAN] * 4, HALVES_TOO),
    Edge("barely-outside", {"p": [-(2.0**-100)]}, [NAN], {}, [NAN], WIDE_RANGE),
    Edge("nan", {"p": [NAN, 0.5]}, [NAN, 0], {}, [NAN, 4], HALVES_TOO),
    Edge("half", {"p": [0.5]}, [0], {}, [4], HALVES_TOO),
    # Museum B9: today's frameworks are off by a million ulp.
    made_edge("half-and-1-ulp", logit, {"p": [0.5 + 2.0**-24, 0.5 + 2.0**-23]}, dtypes=("float32",)),
    made_edge("half-and-1-ulp-float64", logit, {"p": [0.5 + 2.0**-53]}, dtypes=("float64",)),
    Edge("ends-eps", {"p": [0.0, 1.0]}, [-np.log(3), np.log(3)], {"eps": 0.25}, [0, 0], HALVES_TOO),
    # 1 - eps is 1 in float32, and the result finite all the same.
    made_edge("ends-small-eps", logit, {"p": [0.0, 1.0]}, {"eps": 2.0**-40}, gradient=[0, 0]),
    Edge("ends-eps-0", {"p": [0.0, 1.0]}, [-INF, INF], {"eps": 0.0}, [INF, INF], HALVES_TOO),
    # Outside of the domain, which eps does not widen.
    Edge("outside-eps", {"p": [-0.25, 1.25, NAN]}, [NAN] * 3, {"eps": 0.25}, [NAN] * 3, HALVES_TOO),
    made_edge("0-d", logit, {"p": np.asarray(0.75)}),
    Edge("empty", {"p": np.zeros((0, 2))}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    Edge("integers", {"p": np.asarray([0, 1, -2], np.int32)}, [-INF, INF, NAN], keep_dtype=True),
    Edge("uint8", {"p": np.asarray([0, 1, 255], np.uint8)}, [-INF, INF, NAN], keep_dtype=True),
    Edge("bool", {"p": np.asarray([True, False])}, [INF, -INF], keep_dtype=True),
)

_P = np.asarray([0.25, 0.5], dtype=np.float32)


def _bad_eps(id: str, eps: float) -> BadInput:
    return bad(NAME, id, (_P,), {"eps": eps}, ValueError, "eps", got=repr(eps))


SPEC = Spec(
    name=NAME,
    oracle=logit,
    tolerance=Row(
        value=5,
        gradient=4,  # 2.6
        second=6,  # 4.0
    ),
    samples=samples,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "p", masks=False),
        *bad_calls(NAME, "1 positional argument (p)", "eps", [0.25, 0.5]),
        _bad_eps("eps-negative", -0.1),
        _bad_eps("eps-a-half", 0.5),
        _bad_eps("eps-nan", NAN),
        bad(NAME, "eps-string", (_P,), {"eps": "0.1"}, TypeError, "number", option="eps", got="str"),
        bad(NAME, "eps-bool", (_P,), {"eps": True}, TypeError, "number", option="eps", got="bool"),
    ),
    laws=("complement",),
)
