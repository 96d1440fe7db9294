"""What the matrix knows about logit_from_log_prob."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..oracle import logit_from_log_prob as oracle
from ._edges import HALVES_TOO, HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays
from ._regimes import element_samples
from .base import Edge, Row, Sample, Spec

NAME = "logit_from_log_prob"


def samples(rng: np.random.Generator) -> list[Sample]:
    def negative(sample: Sample) -> Sample:
        x = -np.abs(sample.arrays["log_p"])
        # At 0 the derivative is infinite: an edge.
        return dataclasses.replace(sample, arrays={"log_p": np.where(x == 0, -1.0, x)})

    return [
        *map(negative, element_samples(rng, "log_p")),
        # Where formulas change: ln 2 and -log 0.34. The result is 0 at ln 2.
        Sample("switches", {"log_p": -np.linspace(0.6, 1.2, 40)}),
        Sample("near-log-2", {"log_p": -np.log(2) + np.linspace(-1e-6, 1e-6, 12)}),
        Sample("tiny", {"log_p": -(10.0 ** -rng.uniform(1, 17, size=(2, 10)))}, dtypes=WIDE_RANGE),
    ]


_EDGES = (
    Edge("ends", {"log_p": [-INF, 0.0, -0.0]}, [-INF, INF, INF], {}, [1, INF, INF], HALVES_TOO),
    Edge("outside", {"log_p": [0.5, 100.0, INF]}, [NAN] * 3, {}, [NAN] * 3, HALVES_TOO),
    Edge("barely-outside", {"log_p": [2.0**-100]}, [NAN], {}, [NAN], WIDE_RANGE),
    Edge("nan", {"log_p": [NAN, -INF]}, [NAN, -INF], {}, [NAN, 1], HALVES_TOO),
    Edge("1e30", {"log_p": [-HUGE, -HUGEST]}, [-HUGE, -HUGEST], {}, [1, 1], WIDE_RANGE),
    made_edge("0-d", oracle, {"log_p": np.asarray(-1.0)}),
    made_edge("nearly-certain", oracle, {"log_p": [-(2.0**-60)]}, dtypes=WIDE_RANGE),
    made_edge("hardly-likely", oracle, {"log_p": [-1000.0, -40.0]}),
    Edge("empty", {"log_p": np.zeros((0, 2))}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    made_edge("integers", oracle, {"log_p": np.asarray([-1, -2], np.int32)}, gradient=None, keep_dtype=True),
    Edge("uint8", {"log_p": np.asarray([0, 1], np.uint8)}, [INF, NAN], keep_dtype=True),
    Edge("bool", {"log_p": np.asarray([True, False])}, [NAN, INF], keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=oracle,
    tolerance=Row(
        value=5,  # 3.5, of the larger one of log p and log(1 - p)
        gradient=6,  # 3.8
        second=10,  # 6.6
    ),
    samples=samples,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "log_p", masks=False),
        *bad_calls(NAME, "1 positional argument (log_p)", "none", [-1.0, -2.0]),
    ),
    laws=("odds",),
)
