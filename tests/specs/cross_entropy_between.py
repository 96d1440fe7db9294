"""What the matrix knows about cross_entropy_between."""

from __future__ import annotations

import numpy as np

from ..oracle import cross_entropy_between
from ..oracle.divergence_magnitudes import by_q, by_q_second, cross_entropy_by_p, cross_entropy_by_p_second
from ._divergences import pair_edges, pair_errors, pair_samples, with_underflow
from ._edges import COMPUTED, INF, NAN
from .base import Row, Sample, Spec

NAME = "cross_entropy_between"


def samples(rng: np.random.Generator) -> list[Sample]:
    return with_underflow(pair_samples(rng))


_LOG_2 = float(np.log(2))
_EDGES = {
    "both-lack-a-class": (COMPUTED, COMPUTED),
    "p-lacks-a-class": ([_LOG_2], [[0, 0]]),
    "q-lacks-a-class": ([INF], [[NAN, NAN]]),
    "nothing-in-common": ([INF], [[NAN, NAN]]),
    "p-is-empty": ([0], [[0, 0]]),
    "q-is-empty": ([INF], [[NAN, NAN]]),
    "both-are-empty": ([0], [[0, 0]]),
    "nothing-allowed": ([0], [[0, 0]]),
    "masked-nan": (COMPUTED, COMPUTED),
    "nan-in-p": ([NAN, _LOG_2], [[NAN, NAN], [0, 0]]),
    "nan-in-q": ([NAN, _LOG_2], [[NAN, NAN], [0, 0]]),
    "nan-beside-nothing": ([NAN], [[NAN, NAN]]),
    "nan-where-q-lacks": ([NAN], [[NAN, NAN]]),
    "infinity-in-p": ([float(np.log(3))], [[0, 0, 0]]),
    "infinity-in-q": ([INF], [[NAN, NAN, NAN]]),
    "infinity-in-both": ([0], [[0, 0, 0]]),
    "infinities-apart": ([INF], [[NAN, NAN]]),
    "several-infinities": ([_LOG_2], [[0, 0, 0, 0]]),
    "infinity-and-nan": ([NAN], [[NAN, NAN]]),
    "empty-axis": ([0, 0], np.zeros((2, 0))),
    "no-rows": (np.zeros(0), np.zeros((0, 3))),
    "0-d": (0, 0),
    "one-class": ([0], [[0]]),
    "equal": (COMPUTED, COMPUTED),
    "equal-but-for-an-offset": (COMPUTED, COMPUTED),
    "3e38": ([0], [[0, 0, 0]]),
    "finite-mask-in-both": (COMPUTED, COMPUTED),
    "finite-mask-in-p": (COMPUTED, COMPUTED),
    "integers": (COMPUTED, None),
    "uint8": (COMPUTED, None),
    "bool": (COMPUTED, None),
    "70000-zeros": (np.log(70_000), None),
}

SPEC = Spec(
    name=NAME,
    oracle=cross_entropy_between,
    tolerance=Row(
        value=4.9,  # 3.08
        gradient=8,
        second=4.7,  # 2.97 of the sum of absolute summands, torch's double backward, seed 189167588
        dagger=True,
    ),
    samples=samples,
    gradient_scale=cross_entropy_by_p,
    second_scale=cross_entropy_by_p_second,
    partner_scale=by_q,
    partner_second_scale=by_q_second,
    edges=pair_edges(cross_entropy_between, _EDGES),
    bad_inputs=pair_errors(NAME),
    laws=("shift_invariance", "permutation"),
)
