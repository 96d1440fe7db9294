"""Bad inputs and samples that losses share. The logits of every bad input are of shape (2, 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._edges import NAN
from ._messages import bad
from ._regimes import (
    WIDE_RANGE,
    dominated,
    equal,
    huge_offset,
    log_probabilities,
    moderate,
    near_ties,
    saturated,
    ties,
    two_classes,
    wide,
)
from .base import BadInput, Sample

LOGITS = np.ones((2, 3), dtype=np.float32)


def bad_loss_options(operation: str, labels: np.ndarray, *, rows: bool) -> tuple[BadInput, ...]:
    """Options of every loss; ``rows``: of the softmax losses too."""

    def one(
        id: str, options: Mapping[str, Any], error: type[Exception], text: str, **fields: Any
    ) -> BadInput:
        return bad(operation, id, (LOGITS, labels), dict(options), error, text, **fields)

    def smoothing(id: str, value: Any, error: type[Exception] = ValueError) -> BadInput:
        options = {"label_smoothing": value}
        if error is ValueError:
            return one(id, options, error, "label-smoothing", got=repr(value))
        return one(id, options, error, "number", option="label_smoothing", got=type(value).__name__)

    shape = "(2,)" if rows else "(2, 3)"
    found = [
        smoothing("label-smoothing-negative", -0.1),
        smoothing("label-smoothing-over-1", 1.5),
        smoothing("label-smoothing-nan", NAN),
        smoothing("label-smoothing-string", "0.1", TypeError),
        one("reduction-unknown", {"reduction": "avg"}, ValueError, "reduction", got="'avg'"),
        one("reduction-none", {"reduction": None}, ValueError, "reduction", got="None"),
        one(
            "weights-shape",
            {"weights": np.ones((3, 2), dtype=np.float32)},
            ValueError,
            "weights-shape",
            shape=shape,
            got="(3, 2)",
        ),
        one(
            "weights-complex",
            {"weights": np.ones(2, dtype=np.complex64)},
            TypeError,
            "real-dtype",
            option="weights",
            dtype="complex64",
        ),
    ]
    if rows:
        found += [
            one("z-loss-negative", {"z_loss": -1e-4}, ValueError, "z-loss", got="-0.0001"),
            one("z-loss-nan", {"z_loss": NAN}, ValueError, "z-loss", got="nan"),
            one("z-loss-infinite", {"z_loss": float("inf")}, ValueError, "z-loss", got="inf"),
            one("z-loss-none", {"z_loss": None}, TypeError, "number", option="z_loss", got="NoneType"),
            *_class_weights(one),
        ]
    return tuple(found)


def _class_weights(one: Callable[..., BadInput]) -> list[BadInput]:
    def shaped(id: str, shape: tuple[int, ...]) -> BadInput:
        weights = np.ones(shape, dtype=np.float32)
        return one(
            id, {"class_weights": weights}, ValueError, "class-weights-shape", shape="(3,)", got=_shown(shape)
        )

    return [
        shaped("class-weights-length", (2,)),
        shaped("class-weights-matrix", (2, 3)),
        shaped("class-weights-number", ()),
        one(
            "class-weights-complex",
            {"class_weights": np.ones(3, dtype=np.complex64)},
            TypeError,
            "real-dtype",
            option="class_weights",
            dtype="complex64",
        ),
    ]


def _shown(shape: tuple[int, ...]) -> str:
    return str(tuple(shape))


def loss_underflow(options: Mapping[str, Any]) -> float:
    """What multiplies a probability that underflowed: weights up to 3, and 2 z |lse|, |lse| up to 100."""
    return 3 + 200 * options.get("z_loss", 0.0)


def softmax_loss_samples(
    rng: np.random.Generator, labels: Callable[[np.ndarray], np.ndarray]
) -> list[Sample]:
    """The regimes without any option; ``labels`` makes the labels that suit some logits."""
    regimes = [
        ("moderate", moderate(rng)),
        ("wide", wide(rng)),
        ("offset-up", moderate(rng, 2) + 1e4),
        ("offset-down", moderate(rng, 2) - 1e4),
        ("dominated", dominated(rng)),
        ("two-classes", two_classes()),
        ("near-ties", near_ties(rng)),
        ("ties", ties(rng)),
        ("saturated", saturated(rng)),
        ("all-equal", equal()),
        ("log-probabilities", log_probabilities(rng)),
    ]
    made = [Sample(id, {"logits": x, "labels": labels(x)}) for id, x in regimes]
    huge = huge_offset()
    made.append(Sample("huge-offset", {"logits": huge, "labels": labels(huge)}, dtypes=WIDE_RANGE))
    many = 4 * moderate(rng, 2, 1000)
    many[1, 700] = 40.0
    made.append(Sample("thousand-classes", {"logits": many, "labels": labels(many)}, values_only=True))
    return made
