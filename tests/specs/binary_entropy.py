"""What the matrix knows about binary_entropy."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..oracle import binary_entropy as oracle
from ..oracle.binary import binary_entropy_second
from ._edges import HALVES_TOO, HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays
from ._regimes import element_samples
from .base import Edge, Row, Sample, Spec

NAME = "binary_entropy"


def samples(rng: np.random.Generator) -> list[Sample]:
    # |x| multiplies e^-|x|, which is subnormal from 87 to 104, in float64 from 708 to 745.
    return [
        *(dataclasses.replace(s, underflow=745.0) for s in element_samples(rng, "logits")),
        # The second derivative is 0 at 1.5434.
        Sample("inflection", {"logits": 1.5434 + np.linspace(-0.1, 0.1, 12)}),
    ]


_LOG_2 = float(np.log(2))

_EDGES = (
    Edge("infinities", {"logits": [-INF, INF]}, [0, 0], {}, [0, 0], HALVES_TOO),
    Edge("nan", {"logits": [NAN, 0.0]}, [NAN, _LOG_2], {}, [NAN, 0], HALVES_TOO),
    Edge("zero", {"logits": [0.0, -0.0]}, [_LOG_2, _LOG_2], {}, [0, 0], HALVES_TOO),
    Edge("1e30", {"logits": [HUGE, -HUGE]}, [0, 0], {}, [0, 0], WIDE_RANGE),
    Edge("3e38", {"logits": [HUGEST, -HUGEST]}, [0, 0], {}, [0, 0], WIDE_RANGE),
    # Museum D2: others give 2.06e-9, 0 and 9.4e-14.
    made_edge("confident", oracle, {"logits": [20.0, -20.0, 30.0]}),
    made_edge("0-d", oracle, {"logits": np.asarray(1.0)}),
    Edge("empty", {"logits": np.zeros((0, 2))}, np.zeros((0, 2)), {}, np.zeros((0, 2))),
    made_edge("integers", oracle, {"logits": np.asarray([1, -2], np.int32)}, gradient=None, keep_dtype=True),
    made_edge("uint8", oracle, {"logits": np.asarray([1, 2, 3], np.uint8)}, gradient=None, keep_dtype=True),
    made_edge("bool", oracle, {"logits": np.asarray([True, False])}, gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=oracle,
    tolerance=Row(
        value=5,
        gradient=6,  # 4.1
        second=10,  # 6.4 of s(x) s(-x) (1 + |x tanh(x/2)|): the two cancel at 1.54.
    ),
    samples=samples,
    second_scale=binary_entropy_second,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "logits", masks=False),
        *bad_calls(NAME, "1 positional argument (logits)", "none", [1.0, 2.0]),
    ),
    laws=("permutation", "evenness"),
)
