"""What the matrix knows about softcap."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..oracle import softcap
from ..oracle.magnitudes import softcap_gradient, softcap_second
from ._edges import HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad, bad_calls, bad_first_arrays
from ._regimes import element_samples, moderate, wide
from .base import BadInput, Edge, Row, Sample, Spec

NAME = "softcap"
CAP = {"cap": 4.0}


def samples(rng: np.random.Generator) -> list[Sample]:
    # Divided by a power of two x stays exact; by 30 and 0.3 it rounds, which the bound counts in.
    return [
        *(
            dataclasses.replace(s, options=CAP if i % 2 else {"cap": 30.0}, underflow=4.0)
            for i, s in enumerate(element_samples(rng, "logits"))
        ),
        Sample("cap-1", {"logits": wide(rng)}, {"cap": 1.0}, underflow=4.0),
        Sample("cap-32", {"logits": wide(rng)}, {"cap": 32.0}, underflow=4.0),
        Sample("cap-50", {"logits": 4 * wide(rng)}, {"cap": 50.0}, underflow=4.0),
        Sample("cap-0.3", {"logits": moderate(rng)}, {"cap": 0.3}, underflow=16.0),
        Sample("around-the-branches", {"logits": np.linspace(0.7, 0.8, 12)}, {"cap": 1.0}),
    ]


_EDGES = (
    Edge("infinities", {"logits": [-INF, INF]}, [-4, 4], CAP, [0, 0]),
    Edge("nan", {"logits": [NAN, 0.0]}, [NAN, 0], CAP, [NAN, 1]),
    Edge("zero", {"logits": [0.0, -0.0]}, [0, 0], CAP, [1, 1]),
    made_edge("0-d", softcap, {"logits": np.asarray(1.0)}, CAP),
    Edge("empty", {"logits": np.zeros((0, 2))}, np.zeros((0, 2)), CAP, np.zeros((0, 2))),
    Edge("1e30", {"logits": [HUGE, -HUGE]}, [4, -4], CAP, [0, 0], WIDE_RANGE),
    # x / cap overflows, the result doesn't.
    Edge(
        "3e38", {"logits": [HUGEST, -HUGEST]}, [2.0**-20, -(2.0**-20)], {"cap": 2.0**-20}, [0, 0], WIDE_RANGE
    ),
    # x / cap underflows, the result doesn't.
    Edge(
        "1e-30-beside-1e30", {"logits": [1 / HUGE, -1.0]}, [1 / HUGE, -1], {"cap": HUGE}, [1, 1], WIDE_RANGE
    ),
    made_edge("cap-reached", softcap, {"logits": [32.0, 64.0, -80.0]}, CAP),
    made_edge(
        "integers", softcap, {"logits": np.asarray([1, -2], np.int32)}, CAP, gradient=None, keep_dtype=True
    ),
    made_edge(
        "uint8", softcap, {"logits": np.asarray([1, 2, 3], np.uint8)}, CAP, gradient=None, keep_dtype=True
    ),
    made_edge("bool", softcap, {"logits": np.asarray([True, False])}, CAP, gradient=None, keep_dtype=True),
)

_X = np.asarray([1.0, 2.0], dtype=np.float32)


def _bad_cap(id: str, cap: float) -> BadInput:
    return bad(NAME, id, (_X,), {"cap": cap}, ValueError, "cap", got=repr(cap))


SPEC = Spec(
    name=NAME,
    oracle=softcap,
    tolerance=Row(
        value=6,  # 4.5
        gradient=6,  # 3.9
        second=8,  # 5.1
    ),
    samples=samples,
    gradient_scale=softcap_gradient,
    second_scale=softcap_second,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "logits", masks=False, options=CAP),
        *bad_calls(NAME, "1 positional argument (logits)", "cap", [1.0, 2.0]),
        bad(NAME, "cap-missing", (_X,), {}, TypeError, "missing-option", option="cap"),
        _bad_cap("cap-zero", 0.0),
        _bad_cap("cap-negative", -1.0),
        _bad_cap("cap-nan", NAN),
        _bad_cap("cap-infinite", INF),
        bad(NAME, "cap-string", (_X,), {"cap": "1"}, TypeError, "number", option="cap", got="str"),
        bad(NAME, "cap-none", (_X,), {"cap": None}, TypeError, "number", option="cap", got="NoneType"),
        bad(NAME, "cap-bool", (_X,), {"cap": True}, TypeError, "number", option="cap", got="bool"),
    ),
    laws=("permutation", "oddness"),
)
