"""What the matrix knows about binary_kl_divergence."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..oracle import binary_kl_divergence as oracle
from ..oracle.binary import kl_by_p, kl_by_q, kl_second
from ._edges import FLOAT_PAIR, HALVES_TOO, HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad_calls, bad_first_arrays, bad_partners
from ._regimes import moderate, wide
from .base import ALL_DTYPES, Edge, Row, Sample, Spec

NAME = "binary_kl_divergence"


def samples(rng: np.random.Generator) -> list[Sample]:
    def sample(id: str, a: Any, b: Any, dtypes: tuple[str, ...] = ALL_DTYPES, **fields: Any) -> Sample:
        return Sample(id, {"p_logits": np.asarray(a), "q_logits": np.asarray(b)}, dtypes=dtypes, **fields)

    near = 4 * rng.normal(size=(3, 12))
    steps = 2.0 ** -np.arange(1.0, 25.0, 2.0) * rng.choice([-1.0, 1.0], size=(3, 12))
    sign = rng.choice([-1.0, 1.0], size=12)
    confident = sign * rng.uniform(20, 80, size=12)
    column, row = np.asarray([[2.0], [-3.5]]), np.asarray([-1.0, 0.25, 1.0])
    many = 8 * rng.normal(size=(2, 1000))
    return [
        sample("moderate", moderate(rng), moderate(rng)),
        sample("wide", wide(rng), wide(rng)),
        sample("nearly-equal", near, near + steps, FLOAT_PAIR),
        sample("nearly-equal-and-confident", confident, confident * (1 + steps[0]), FLOAT_PAIR),
        # The oracle's derivatives are 1e-103 in place of 0, which float64 can tell: it has the edges.
        sample("equal", near, near, ("float16", "bfloat16", "float32")),
        # Where formulas change: a - b = 1, and logarithms of ratios of 1 and -1.5.
        sample("switches", np.full((2, 20), [[0.5], [-6.0]]), np.linspace(-8, 4, 40).reshape(2, 20)),
        sample("switches-1", np.linspace(-3, 3, 25), np.linspace(-3, 3, 25) - np.linspace(0.9, 1.1, 25)),
        sample("confident", confident, confident + rng.uniform(-4, 4, size=12)),
        sample("confident-and-wrong", confident, -confident + moderate(rng, 1, 12)[0]),
        # What q rules out, p hardly believes in.
        sample("p-underflows", [-95.0, 101.0, -730.0, 60.5], [1e6, -3e5, 2e8, -1e3], FLOAT_PAIR),
        sample("p-certain", sign * 200, moderate(rng, 1, 12)[0]),
        sample("q-certain", moderate(rng, 1, 12)[0], sign * 300),
        sample("offsets", [1e4, -1e4, 1e4, 3.0], [1e4 + 3, -12345.0, -1e4, 1e4]),
        sample("huge-offsets", [1e30, -1e30, 1.0], [-1e30, -1e30, 1e30], WIDE_RANGE),
        sample(
            "saturated", [88.0, -90.5, 95.0, 103.0, 710.0], [80.0, -103.0, 90.0, 96.0, 700.0], underflow=1e3
        ),
        sample("one-dimension", [0.5, -2.0], [1.0, -1.75]),
        sample("three-dimensions", rng.normal(size=(2, 2, 3)), 3 * rng.normal(size=(2, 2, 3))),
        # A test adds up tangents, of halves rounded ones; the edges have broadcasting in halves.
        sample("broadcast", column, row, FLOAT_PAIR),
        sample("broadcast-back", row, column, FLOAT_PAIR),
        sample("thousand", many[0], many[1], values_only=True),
    ]


def _edge(id: str, a: Any, b: Any, *answers: Any, dtypes: tuple[str, ...] = HALVES_TOO) -> Edge:
    """Answers: the value, the gradients by both."""
    value, by_p, by_q = answers
    arrays = {"p_logits": np.asarray(a), "q_logits": np.asarray(b)}
    return Edge(id, arrays, value, {}, by_p, dtypes, partner_gradient=by_q)


def _pair(id: str, a: Any, b: Any, **fields: Any) -> Edge:
    return made_edge(id, oracle, {"p_logits": a, "q_logits": b}, **fields)


_LOG_2 = float(np.log(2))

_EDGES = (
    _edge("equal", [0.0, 3.0, -80.0], [0.0, 3.0, -80.0], [0] * 3, [0] * 3, [0] * 3),
    _edge("equal-infinities", [INF, -INF], [INF, -INF], [0, 0], [0, 0], [0, 0]),
    _edge("p-infinite", [INF, -INF], [0.0, 0.0], [_LOG_2, _LOG_2], [0, 0], [-0.5, 0.5]),
    _edge("q-infinite", [0.0, 0.0], [INF, -INF], [INF, INF], [NAN, NAN], [0.5, -0.5]),
    _edge("opposite-infinities", [INF, -INF], [-INF, INF], [INF, INF], [NAN, NAN], [-1, 1]),
    # p hardly believes in what q rules out, and is right.
    _edge("q-infinite-p-certain", [200.0, -200.0], [INF, -INF], [INF, INF], [NAN, NAN], None),
    _edge(
        "p-infinite-q-certain",
        [INF, -INF, INF],
        [800.0, -3e4, -3e4],
        [0, 0, 3e4],
        [0] * 3,
        None,
        dtypes=FLOAT_PAIR,
    ),
    _edge(
        "nan", [NAN, 0.0, NAN, 0.0], [0.0, NAN, INF, 0.0], [NAN] * 3 + [0], [NAN] * 3 + [0], [NAN] * 3 + [0]
    ),
    _edge("1e30", [HUGE, -HUGE], [-HUGE, -HUGE], [HUGE, 0], [0, 0], [-1, 0], dtypes=WIDE_RANGE),
    # a - b overflows, the result doesn't.
    _edge("3e38", [HUGEST, -HUGEST], [-HUGEST, HUGEST], [HUGEST] * 2, [0, 0], [-1, 1], dtypes=WIDE_RANGE),
    # Museum D3: torch gives -1.30e-9.
    _pair("20-against-21", [20.0, -20.0, 20.0], [21.0, -21.0, 19.0]),
    _pair("1-ulp-apart", [1.0, -2.0], [1 + 2.0**-23, -2 - 2.0**-22], dtypes=FLOAT_PAIR),
    _pair("0-d", 1.0, -0.5),
    _pair("broadcast", [[1.0], [2.0]], [0.5, -0.5, 0.75]),
    _edge("empty", np.zeros((0, 2)), np.zeros((0, 2)), *[np.zeros((0, 2))] * 3),
    _pair("integers", np.asarray([1, -2], np.int32), [0, 1], gradient=None, keep_dtype=True),
    _pair("uint8", np.asarray([1, 2, 3], np.uint8), [0, 1, 2], gradient=None, keep_dtype=True),
    _pair("bool", np.asarray([True, False]), [True, True], gradient=None, keep_dtype=True),
)

SPEC = Spec(
    name=NAME,
    oracle=oracle,
    tolerance=Row(
        value=10,  # 20 is promised; 6.5
        gradient=8,  # by p_logits 6.0
        second=11,  # 7.05, XLA with its optimizations
    ),
    samples=samples,
    gradient_scale=kl_by_p,
    second_scale=kl_second,
    partner_scale=kl_by_q,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "p_logits", [[1.0, 0.0], [0.0, 1.0]], masks=False),
        *bad_calls(NAME, "2 positional arguments (p_logits, q_logits)", "none", [1.0, 2.0], [1.0, 0.0]),
        *bad_partners(NAME, "p_logits", "q_logits"),
    ),
    laws=("permutation", "relabelling"),
)
