"""What the matrix knows about log1mexp."""

from __future__ import annotations

import numpy as np

from ..oracle import log1mexp
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays
from ._regimes import element_samples
from .base import ALL_DTYPES, Edge, Row, Sample, Spec

NAME = "log1mexp"


def samples(rng: np.random.Generator) -> list[Sample]:
    def positive(sample: Sample) -> Sample:
        x = np.abs(sample.arrays["x"])
        # At 0 the derivative is infinite: an edge.
        return Sample(
            sample.id,
            {"x": np.where(x == 0, 1.0, x)},
            {},
            sample.dtypes,
            sample.values_only,
            sample.underflow,
        )

    tiny = 2.0 ** -np.arange(10.0, 60.0, 7.0)
    return [
        *map(positive, element_samples(rng)),
        # Where formulas change: ln 2, 1.08.
        Sample("switches", {"x": np.linspace(0.3, 1.5, 40)}),
        Sample("tiny", {"x": tiny * rng.uniform(1, 2, size=tiny.size)}, dtypes=WIDE_RANGE),
        Sample("sweep", {"x": np.exp(rng.uniform(-7, 5, size=1000))}, values_only=True),
    ]


_EDGES = (
    Edge("zero", {"x": [0.0, -0.0]}, [-INF, -INF], {}, [INF, INF], ALL_DTYPES),
    Edge("infinity", {"x": [INF]}, [0], {}, [0], ALL_DTYPES),
    Edge("negative", {"x": [-1.0, -100.0, -INF]}, [NAN] * 3, {}, [NAN] * 3, ALL_DTYPES),
    Edge("barely-negative", {"x": [-(2.0**-100)]}, [NAN], {}, [NAN], WIDE_RANGE),
    Edge("nan", {"x": [NAN, INF]}, [NAN, 0], {}, [NAN, 0], ALL_DTYPES),
    made_edge("0-d", log1mexp, {"x": np.asarray(1.0)}),
    Edge("empty", {"x": np.zeros((0, 2))}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    Edge("1e30", {"x": [HUGE, HUGEST]}, [0, 0], {}, [0, 0], WIDE_RANGE),
    # The gradient at 1e-9 is 999999999.5, at 50 as large as the value.
    made_edge("one-billionth", log1mexp, {"x": [2.0**-30]}, dtypes=WIDE_RANGE),
    made_edge("fifty", log1mexp, {"x": [50.0]}),
    made_edge("integers", log1mexp, {"x": np.asarray([1, 2], np.int32)}, gradient=None, keep_dtype=True),
    made_edge("uint8", log1mexp, {"x": np.asarray([0, 2, 255], np.uint8)}, gradient=None, keep_dtype=True),
    made_edge("bool", log1mexp, {"x": np.asarray([True, False])}, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=log1mexp,
    tolerance=Row(
        value=8,
        gradient=8,
        second=17,  # 10.8 on JAX, seed 526548983: its expm1 is 5 ulp off, and enters twice
    ),
    samples=samples,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "x", masks=False),
        *bad_calls(NAME, "1 positional argument (x)", "none", [1.0, 2.0]),
    ),
    laws=("doubles",),
)
