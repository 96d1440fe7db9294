"""What the matrix knows about total_variation."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..oracle import total_variation
from ..oracle.divergence_magnitudes import (
    variation_by_p,
    variation_by_p_second,
    variation_by_q,
    variation_by_q_second,
)
from ._divergences import pair_edges, pair_errors, pair_samples, with_underflow
from ._edges import COMPUTED, NAN
from .base import Row, Sample, Spec

NAME = "total_variation"


def samples(rng: np.random.Generator) -> list[Sample]:
    # Its rows share their mass equally on both sides: where p = q there is no second derivative.
    return [
        dataclasses.replace(sample, values_only=sample.values_only or sample.id == "huge-offset")
        for sample in with_underflow(pair_samples(rng))
    ]


_EDGES = {
    "both-lack-a-class": (COMPUTED, COMPUTED),
    "p-lacks-a-class": (COMPUTED, [[0, 0]]),
    "q-lacks-a-class": (COMPUTED, COMPUTED),
    "nothing-in-common": ([1], [[0, 0]]),
    "p-is-empty": ([0.5], [[0, 0]]),
    "q-is-empty": ([0.5], [[0, 0]]),
    "both-are-empty": ([0], [[0, 0]]),
    "nothing-allowed": ([0], [[0, 0]]),
    "masked-nan": (COMPUTED, COMPUTED),
    "nan-in-p": ([NAN, 0], [[NAN, NAN], [0, 0]]),
    "nan-in-q": ([NAN, 0], [[NAN, NAN], [0, 0]]),
    "nan-beside-nothing": ([NAN], [[NAN, NAN]]),
    "nan-where-q-lacks": ([NAN], [[NAN, NAN]]),
    "infinity-in-p": (COMPUTED, [[0, 0, 0]]),
    "infinity-in-q": (COMPUTED, COMPUTED),
    "infinity-in-both": ([0], [[0, 0, 0]]),
    "infinities-apart": ([1], [[0, 0]]),
    "several-infinities": ([0], [[0, 0, 0, 0]]),
    "infinity-and-nan": ([NAN], [[NAN, NAN]]),
    "empty-axis": ([0, 0], np.zeros((2, 0))),
    "no-rows": (np.zeros(0), np.zeros((0, 3))),
    "0-d": (0, 0),
    "one-class": ([0], [[0]]),
    "equal": ([0], [[0, 0, 0]]),
    "equal-but-for-an-offset": ([0], [[0, 0, 0]]),
    "3e38": ([0], [[0, 0, 0]]),
    "finite-mask-in-both": (COMPUTED, COMPUTED),
    "finite-mask-in-p": (COMPUTED, COMPUTED),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (0, None),
}

SPEC = Spec(
    name=NAME,
    oracle=total_variation,
    tolerance=Row(
        value=10,
        gradient=14,
        second=14,
        dagger=True,
    ),
    samples=samples,
    gradient_scale=variation_by_p,
    second_scale=variation_by_p_second,
    partner_scale=variation_by_q,
    partner_second_scale=variation_by_q_second,
    edges=pair_edges(total_variation, _EDGES),
    bad_inputs=pair_errors(NAME),
    laws=("shift_invariance", "permutation"),
)
