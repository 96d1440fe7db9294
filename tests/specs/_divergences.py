"""Samples, edges and errors that the divergences share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._edges import FLOAT_PAIR, HALVES_TOO, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._messages import bad, bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import (
    dominated,
    equal,
    huge_offset,
    log_probabilities,
    masked,
    missing,
    moderate,
    near_ties,
    saturated,
    ties,
    wide,
)
from .base import BadInput, Edge, Sample

P, Q = "p_logits", "q_logits"
EXACT_STEPS = ("float32", "float64")  # the dtypes that hold steps of 2^-22 beside 1


def with_underflow(samples: list[Sample], factor: float = 1024.0) -> list[Sample]:
    """A probability that underflows is multiplied by its logarithm, of at most about this size."""
    return [dataclasses.replace(sample, underflow=factor) for sample in samples]


def pair_samples(rng: np.random.Generator) -> list[Sample]:
    """The regimes without any option, for an operation on two distributions, and some with each."""

    def sample(id: str, p: Any, q: Any, options: Mapping[str, Any] | None = None, **more: Any) -> Sample:
        where = {"where": more.pop("where")} if "where" in more else {}
        return Sample(id, {P: p, Q: q, **where}, options or {}, **more)

    def beside(p: np.ndarray, step: float) -> np.ndarray:
        """Nearly equal: a few steps away, at some classes not at all."""
        return p + step * rng.integers(-3, 4, size=p.shape)

    base = np.round(8 * moderate(rng)) / 8  # exact in every dtype
    holes = missing(rng)
    fewer = holes.copy()
    fewer[0, 5] = fewer[1, 1] = -INF
    with_mask, without = moderate(rng, 2), moderate(rng, 2)
    with_mask[:, 7:] = without[:, 7:] = -3e38
    other_mask = moderate(rng, 2)
    other_mask[:, :2] = -3.25e38
    x, where = masked(rng)
    y = moderate(rng)
    y[~where] = NAN
    lead = dominated(rng)
    many = 4 * moderate(rng, 2, 1000)
    return [
        sample("moderate", moderate(rng), moderate(rng)),
        sample("wide", wide(rng), wide(rng)),
        sample("near-2^-4", base, beside(base, 2.0**-4)),
        sample("near-2^-10", base, beside(base, 2.0**-10), dtypes=EXACT_STEPS),
        sample("near-2^-20", base, beside(base, 2.0**-20), dtypes=EXACT_STEPS),
        sample("near-2^-40", base, beside(base, 2.0**-40), dtypes=("float64",)),
        sample("near-2^-49", base, beside(base, 2.0**-49), dtypes=("float64",)),
        sample("near-offset-3.7", base, beside(base, 2.0**-8) + 3.7, dtypes=EXACT_STEPS),
        sample("near-offset-100", base, beside(base, 2.0**-10) + 100, dtypes=EXACT_STEPS),
        sample("near-offset-1e4", base + 1e4, beside(base, 2.0**-8), dtypes=EXACT_STEPS),
        sample("near-log-probabilities", log_probabilities(rng), log_probabilities(rng) * 0.5),
        sample("near-wide", wide(rng), wide(np.random.default_rng(1)) * 0.001 + wide(rng)),
        sample("offsets", moderate(rng) + 1e4, moderate(rng) - 100),
        sample("dominated-alike", lead, lead + np.round(moderate(rng, 4))),
        sample("dominated-apart", lead, lead[:, ::-1] + 1),
        sample("dominated-near", lead, beside(lead, 2.0**-9), dtypes=EXACT_STEPS),
        sample("dominated-first", lead, moderate(rng, 4)),
        sample("dominated-second", moderate(rng, 4), lead),
        # The third class is far behind in both, behind leaders whose distance is rounded differently.
        sample(
            "dominated-by-different-classes",
            [[286.277471, -0.512413, -0.042181], [67.24133, -0.4625360071659088, -0.03661699965596199]],
            [[0.019693, 265.083097, -21.198161], [0.08983500301837921, 68.54486, 1.2913320064544678]],
            dtypes=EXACT_STEPS,
        ),
        sample("two-classes", [[0.25, -1.5], [40.0, 0.0], [3.0, 1.0]], [[0.5, 1.0], [0.0, 1.0], [3.0, 2.5]]),
        sample("near-ties", near_ties(rng), near_ties(rng), dtypes=EXACT_STEPS),
        sample("ties", ties(rng), ties(rng)),
        sample("saturated", saturated(rng), saturated(rng)),
        sample("equal-and-not", equal(), moderate(rng)),
        sample("minus-infinity-in-both", holes, holes[::-1][[2, 1, 0]] + np.round(moderate(rng))),
        sample("minus-infinity-in-p", fewer, np.where(np.isfinite(holes), 0.5, holes)),
        sample("finite-masks", with_mask, without, dtypes=WIDE_RANGE),
        sample("huge-offset", huge_offset(), huge_offset() * 0.75, dtypes=WIDE_RANGE),
        sample("other-finite-mask", other_mask, without, dtypes=("float64",)),
        sample("thousand", many, many + moderate(rng, 2, 1000), values_only=True),
        sample(
            "thousand-near",
            many,
            many + 2.0**-12 * moderate(rng, 2, 1000) + 100,
            values_only=True,
            dtypes=EXACT_STEPS,
        ),
        sample("q-lacks-dimensions", moderate(rng), moderate(rng)[0]),
        sample("p-lacks-dimensions", moderate(rng)[0], wide(rng)),
        sample("where", x, y, where=where),
        sample("where-broadcast", moderate(rng), wide(rng), where=np.arange(10) % 3 != 1),
        sample("axis-0", wide(rng, 5, 3), moderate(rng, 5, 3), {"axis": 0}),
        sample("axes-0-2", 4 * rng.normal(size=(2, 3, 4)), 4 * rng.normal(size=(2, 3, 4)), {"axis": (0, 2)}),
        sample("all-axes", moderate(rng, 3, 4), moderate(rng, 3, 4), {"axis": None}),
    ]


# Two distributions at the edge: p, q, and what else the case says.
_TWO, _ONE, _NONE = [[0.0, 0.0]], [[0.0, -INF]], [[-INF, -INF]]
PAIR_CASES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "both-lack-a-class": ([[0.0, -INF, 1.0]], [[1.0, -INF, 0.0]], {}),
    "p-lacks-a-class": (_ONE, _TWO, {}),
    "q-lacks-a-class": (_TWO, _ONE, {}),
    "nothing-in-common": ([[0.0, -INF]], [[-INF, 0.0]], {}),
    "p-is-empty": (_NONE, [[1.0, 0.0]], {}),
    "q-is-empty": ([[1.0, 0.0]], _NONE, {}),
    "both-are-empty": (_NONE, _NONE, {}),
    "nothing-allowed": ([[1.0, NAN]], [[NAN, 0.0]], {"where": [[False, False]]}),
    "masked-nan": ([[0.0, NAN, 1.0]], [[1.0, INF, 0.0]], {"where": [True, False, True]}),
    "nan-in-p": ([[0.0, NAN], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], {}),
    "nan-in-q": ([[0.0, 0.0], [0.0, 0.0]], [[0.0, NAN], [0.0, 0.0]], {}),
    "nan-beside-nothing": (_NONE, [[NAN, 0.0]], {}),
    "nan-where-q-lacks": ([[NAN, 0.0]], [[-INF, 0.0]], {}),
    "infinity-in-p": ([[0.0, INF, 1.0]], [[0.0, 0.0, 0.0]], {}),
    "infinity-in-q": ([[0.0, 0.0, 0.0]], [[0.0, INF, 1.0]], {}),
    "infinity-in-both": ([[0.0, INF, 1.0]], [[1.0, INF, 1.0]], {}),
    "infinities-apart": ([[INF, 0.0]], [[0.0, INF]], {}),
    "several-infinities": ([[INF, INF, 0.0, 0.0]], [[INF, INF, 0.0, -INF]], {}),
    "infinity-and-nan": ([[INF, 0.0]], [[0.0, NAN]], {}),
    "empty-axis": (np.zeros((2, 0)), np.zeros((2, 0)), {}),
    "no-rows": (np.zeros((0, 3)), np.zeros((0, 3)), {}),
    "0-d": (np.asarray(3.0), np.asarray(1.0), {"axis": None}),
    "one-class": ([[3.0]], [[-2.0]], {}),
    "equal": ([[1.0, -2.0, 40.0]], [[1.0, -2.0, 40.0]], {}),
    "equal-but-for-an-offset": ([[1.0, -2.0, 30.0]], [[5.0, 2.0, 34.0]], {}),
    "3e38": ([[HUGEST, -HUGEST, 0.0]], [[HUGEST, 0.0, -HUGEST]], {"dtypes": WIDE_RANGE}),
    "finite-mask-in-both": ([[1.0, 0.0, -HUGEST]], [[0.0, 1.0, -HUGEST]], {"dtypes": WIDE_RANGE}),
    "finite-mask-in-p": ([[1.0, 0.0, -HUGEST]], [[0.0, 1.0, 1.0]], {"dtypes": WIDE_RANGE}),
    "integers": (np.asarray([[1, 2, 3]], np.int32), np.asarray([[1, 0, 2]], np.int32), {"keep_dtype": True}),
    "uint8": (
        np.asarray([[250, 2, 255]], np.uint8),
        np.asarray([[255, 0, 250]], np.uint8),
        {"keep_dtype": True},
    ),
    "bool": (np.asarray([[True, False]]), np.asarray([[False, False]]), {"keep_dtype": True}),
    "70000-zeros": (np.zeros(70_000), np.zeros(70_000), {"dtypes": ("float16", "float32")}),
}


def pair_edges(oracle: Callable[..., Any], answers: Mapping[str, tuple[Any, Any]]) -> tuple[Edge, ...]:
    """An edge for each case: its value and its gradient by p (None: not part of it)."""
    if answers.keys() != PAIR_CASES.keys():
        raise ValueError(f"unanswered or unknown cases: {sorted(answers.keys() ^ PAIR_CASES.keys())}")
    edges = []
    for name, (value, slope) in answers.items():
        p, q, more = PAIR_CASES[name]
        arrays = {P: p, Q: q, **({"where": more["where"]} if "where" in more else {})}
        edges.append(
            made_edge(
                name,
                oracle,
                arrays,
                {"axis": None} if "axis" in more else {},
                value=value,
                gradient=slope,
                dtypes=more.get("dtypes", FLOAT_PAIR if more.get("keep_dtype") else HALVES_TOO),
                keep_dtype=more.get("keep_dtype", False),
            )
        )
    return tuple(edges)


def pair_errors(name: str) -> tuple[BadInput, ...]:
    """What is refused: the first array and the options as everywhere, the second array likewise."""
    p = np.ones((2, 3), dtype=np.float32)

    def second(id: str, value: Any, text: str = "") -> BadInput:
        return bad(name, f"q-{id}", (p, value), {}, TypeError, text or id, arg=Q)

    def shaped(id: str, p_shape: tuple[int, ...], q_shape: tuple[int, ...]) -> BadInput:
        arrays = tuple(np.ones(shape, dtype=np.float32) for shape in (p_shape, q_shape))
        return bad(
            name, id, arrays, {}, ValueError, "partner-shape", arg=Q, first=P, shape=p_shape, got=q_shape
        )

    return (
        *bad_first_arrays(name, P, [[1.0, 0.0], [0.0, 1.0]]),
        *bad_calls(name, f"2 positional arguments ({P}, {Q})", "axis, where", [1.0, 2.0], [2.0, 1.0]),
        *bad_axes(name, P, p),
        bad_scalar_axis(name, P, np.asarray(1.0, dtype=np.float32)),
        *bad_where(name, P, p),
        second("complex", p.astype(np.complex64)),
        second("none", None),
        second("string", "abc"),
        second("ragged-list", [[1.0, 2.0], [3.0]]),
        shaped("other-classes", (2, 3), (2, 4)),
        shaped("other-rows", (2, 3), (4, 3)),
        shaped("one-row", (2, 3), (1, 3)),
        shaped("one-class-against-many", (2, 3), (2, 1)),
        shaped("number", (2, 3), ()),
    )
