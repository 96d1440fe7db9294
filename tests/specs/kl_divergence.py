"""What the matrix knows about kl_divergence."""

from __future__ import annotations

import numpy as np

from ..oracle import kl_divergence
from ..oracle.divergence_magnitudes import by_q, by_q_second, kl_by_p, kl_by_p_second
from ._divergences import pair_edges, pair_errors, pair_samples, with_underflow
from ._edges import COMPUTED, INF, NAN
from .base import Row, Sample, Spec

NAME = "kl_divergence"


def samples(rng: np.random.Generator) -> list[Sample]:
    return with_underflow(pair_samples(rng))


_LOG_2, _LOG_3 = (float(np.log(n)) for n in (2, 3))
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
    "nan-in-p": ([NAN, 0], [[NAN, NAN], [0, 0]]),
    "nan-in-q": ([NAN, 0], [[NAN, NAN], [0, 0]]),
    "nan-beside-nothing": ([NAN], [[NAN, NAN]]),
    "nan-where-q-lacks": ([NAN], [[NAN, NAN]]),
    "infinity-in-p": ([_LOG_3], [[0, 0, 0]]),
    "infinity-in-q": ([INF], [[NAN, NAN, NAN]]),
    "infinity-in-both": ([0], [[0, 0, 0]]),
    "infinities-apart": ([INF], [[NAN, NAN]]),
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
    oracle=kl_divergence,
    tolerance=Row(
        value=10,
        gradient=18,
        partner=8,
        second=5.2,  # 3.22 of the sum of absolute summands, float32 on JAX, seed 731904467
        dagger=True,
    ),
    samples=samples,
    gradient_scale=kl_by_p,
    second_scale=kl_by_p_second,
    partner_scale=by_q,
    partner_second_scale=by_q_second,
    edges=pair_edges(kl_divergence, _EDGES),
    bad_inputs=pair_errors(NAME),
    laws=("shift_invariance", "permutation"),
)
