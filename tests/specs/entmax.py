"""What the matrix knows about entmax."""

from __future__ import annotations

import numpy as np

from ..oracle import entmax
from ..oracle.entmax import entmax_gradient, entmax_second, entmax_tangent
from ._edges import INF, NAN, made_edge, row_edges
from ._messages import bad, bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import dominated, logit_samples, masked, moderate, near_ties, ties, wide
from .base import BadInput, Row, Sample, Spec
from .sparsemax import EDGES, crowded

NAME = "entmax"


def samples(rng: np.random.Generator) -> list[Sample]:
    x, where = masked(rng)

    def one(id: str, logits: np.ndarray, alpha: float, **more: bool) -> Sample:
        return Sample(f"{id}-alpha-{alpha:g}", {"logits": logits}, {"alpha": alpha}, **more)

    many = 0.1 * moderate(rng, 2, 1000)
    return [
        *logit_samples(rng),
        Sample("crowded", {"logits": crowded(rng)}),
        Sample("thousand-crowded", {"logits": many}, values_only=True),
        Sample("where", {"logits": x, "where": where}),
        Sample("where-broadcast", {"logits": moderate(rng), "where": np.arange(10) % 3 != 1}),
        Sample("axis-0", {"logits": wide(rng, 5, 3)}, {"axis": 0}),
        Sample("axes-0-2", {"logits": rng.normal(size=(2, 3, 4))}, {"axis": (0, 2)}),
        Sample("all-axes", {"logits": moderate(rng, 3, 4)}, {"axis": None}),
        one("moderate", moderate(rng, 2, 6), 1.0),
        one("moderate", 2 * moderate(rng, 2, 6), 1.001),
        one("dominated", dominated(rng, 4), 1.001),
        one("wide", wide(rng, 2, 6), 1.1),
        one("moderate", moderate(rng, 2, 6), 1.25),
        one("thousand-crowded", many[:1], 1.25, values_only=True),
        one("moderate", moderate(rng, 2, 6), 1.75),
        one("near-ties", near_ties(rng, 5), 1.75),
        one("crowded", crowded(rng, 5), 1.9),
        one("moderate", moderate(rng, 2, 6), 2.0),
        one("moderate", moderate(rng, 2, 6) / 2, 3.0),
        one("crowded", crowded(rng, 5), 3.0),
        one("thousand-crowded", many[:1], 3.0, values_only=True),
        one("ties", ties(rng, 6), 4.0),
        one("moderate", moderate(rng, 2, 6) / 9, 10.0),
        one("two-classes", np.asarray([[0.0, -0.1], [0.0, -0.03], [-0.001, 0.0]]), 10.0),
        one("two-classes", np.asarray([[0.0, -0.004], [0.0, -0.0001], [0.0, -1.0]]), 50.0),
        one("moderate", moderate(rng, 2, 6) / 49, 50.0, values_only=True),
    ]


_X = np.asarray([1.0, 2.0], dtype=np.float32)


def _bad_alpha(id: str, alpha: float) -> BadInput:
    return bad(NAME, id, (_X,), {"alpha": alpha}, ValueError, "alpha", got=repr(alpha))


_SPECIAL = [[NAN, 0.0, -INF], [INF, 0.0, INF], [-INF, -INF, -INF], [0.0, 0.0, -INF]]
_ANSWER = [[NAN, NAN, NAN], [0.5, 0, 0.5], [0, 0, 0], [0.5, 0.5, 0]]
_SLOPE = [[NAN, NAN, NAN], [0, 0, 0], [0, 0, 0], [0, 0, 0]]

SPEC = Spec(
    name=NAME,
    oracle=entmax,
    tolerance=Row(
        value=8,
        gradient=8,
        second=8,
    ),
    samples=samples,
    gradient_scale=entmax_gradient,
    second_scale=entmax_second,
    tangent_scale=entmax_tangent,
    edges=(
        *row_edges("logits", entmax, EDGES),
        # Exactly at the end of the support p is 0, and the class is not part of it.
        made_edge("kink", entmax, {"logits": [[0.0, -2.0]]}, value=[[1, 0]], gradient=[[0, 0]]),
        *(
            made_edge(
                f"special-rows-alpha-{alpha:g}",
                entmax,
                {"logits": _SPECIAL},
                {"alpha": alpha},
                value=_ANSWER,
                gradient=_SLOPE,
            )
            for alpha in (1.0, 1.1, 2.0, 3.0, 50.0, 1e40)
        ),
        made_edge(
            "kink-alpha-3",
            entmax,
            {"logits": [[0.0, -0.5]]},
            {"alpha": 3.0},
            value=[[1, 0]],
            gradient=[[0, 0]],
        ),
        made_edge(
            "kink-alpha-1.25",
            entmax,
            {"logits": [[0.0, -4.0]]},
            {"alpha": 1.25},
            value=[[1, 0]],
            gradient=[[0, 0]],
        ),
    ),
    bad_inputs=(
        *bad_first_arrays(NAME, "logits"),
        *bad_calls(NAME, "1 positional argument (logits)", "alpha, axis, where", [1.0, 2.0]),
        *bad_axes(NAME, "logits"),
        bad_scalar_axis(NAME, "logits"),
        *bad_where(NAME, "logits"),
        _bad_alpha("alpha-below-1", 0.5),
        _bad_alpha("alpha-negative", -1.5),
        _bad_alpha("alpha-nan", NAN),
        _bad_alpha("alpha-infinite", INF),
        bad(NAME, "alpha-string", (_X,), {"alpha": "2"}, TypeError, "number", option="alpha", got="str"),
        bad(NAME, "alpha-none", (_X,), {"alpha": None}, TypeError, "number", option="alpha", got="NoneType"),
    ),
    laws=("shift_invariance", "permutation", "sums_to_one"),
)
