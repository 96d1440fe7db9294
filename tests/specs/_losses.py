"""Bad inputs and samples that losses share. The logits of every bad input are of shape (2, 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from uniflogits._core.operation import OPERATIONS

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
BINARY_LABELS = np.asarray([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=np.float32)
CLASS_LABELS = np.asarray([0, 2])


def bad_loss_options(
    operation: str, labels: np.ndarray, *, rows: bool, vectors: np.ndarray | None = None
) -> tuple[BadInput, ...]:
    """The options that losses share, those that the operation has; ``rows``: of a softmax loss.

    ``vectors``: of the classes, for an operation that takes them between the logits' place and the labels.
    """
    arrays = (LOGITS, labels) if vectors is None else (LOGITS, vectors, labels)

    def one(
        id: str, options: Mapping[str, Any], error: type[Exception], text: str, **fields: Any
    ) -> BadInput:
        return bad(operation, id, arrays, dict(options), error, text, **fields)

    def number(id: str, option: str, value: Any) -> BadInput:
        if isinstance(value, float):
            return one(id, {option: value}, ValueError, option.replace("_", "-"), got=repr(value))
        return one(id, {option: value}, TypeError, "number", option=option, got=type(value).__name__)

    found = [
        number("label-smoothing-negative", "label_smoothing", -0.1),
        number("label-smoothing-over-1", "label_smoothing", 1.5),
        number("label-smoothing-nan", "label_smoothing", NAN),
        number("label-smoothing-string", "label_smoothing", "0.1"),
        number("z-loss-negative", "z_loss", -1e-4),
        number("z-loss-nan", "z_loss", NAN),
        number("z-loss-infinite", "z_loss", float("inf")),
        number("z-loss-none", "z_loss", None),
        number("gamma-negative", "gamma", -0.5),
        number("gamma-nan", "gamma", NAN),
        number("gamma-infinite", "gamma", float("inf")),
        number("gamma-none", "gamma", None),
        number("gamma-string", "gamma", "2"),
        one("reduction-unknown", {"reduction": "avg"}, ValueError, "reduction", got="'avg'"),
        one("reduction-none", {"reduction": None}, ValueError, "reduction", got="None"),
        one(
            "weights-shape",
            {"weights": np.ones((3, 2), dtype=np.float32)},
            ValueError,
            "weights-shape",
            shape="(2,)" if rows else "(2, 3)",
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
        *_class_weights(one),
    ]
    return tuple(bad for bad in found if set(bad.options) <= set(OPERATIONS[operation].options))


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


def bad_element_weights(operation: str, option: str) -> tuple[BadInput, ...]:
    """What ``pos_weight`` or ``alpha`` must not be."""

    def one(id: str, value: np.ndarray, error: type[Exception], text: str, **fields: Any) -> BadInput:
        arrays = (LOGITS, BINARY_LABELS)
        id = f"{option.replace('_', '-')}-{id}"
        return bad(operation, id, arrays, {option: value}, error, text, option=option, **fields)

    shape = {"arg": "logits", "shape": "(2, 3)"}
    return (
        one("shape", np.ones(2, dtype=np.float32), ValueError, "broadcast", got="(2,)", **shape),
        one("complex", np.ones(3, dtype=np.complex64), TypeError, "real-dtype", dtype="complex64"),
    )


def bad_binary_labels(operation: str) -> tuple[BadInput, ...]:
    def one(id: str, labels: Any, error: type[Exception], text: str, **fields: Any) -> BadInput:
        fields = {"shape": "(2, 3)", **fields}
        needs_values = text == "labels-binary-range"
        return bad(operation, id, (LOGITS, labels), {}, error, text, needs_values=needs_values, **fields)

    twos = np.full((2, 3), 2, dtype=np.int32)
    complex_labels = np.ones((2, 3), dtype=np.complex64)
    return (
        bad(
            operation,
            "labels-column",
            (np.ones(2, dtype=np.float32), np.ones((2, 1), dtype=np.float32)),
            {},
            ValueError,
            "labels-shape",
            shape="(2,)",
            got="(2, 1)",
        ),
        one("labels-row", np.ones(3, dtype=np.float32), ValueError, "labels-shape", got="(3,)"),
        one("labels-minus-1", 2 * BINARY_LABELS - 1, ValueError, "labels-binary-range", got="-1.0"),
        one("labels-over-1", BINARY_LABELS * 1.5, ValueError, "labels-binary-range", got="1.5"),
        one("labels-integers-over-1", twos, ValueError, "labels-binary-range", got="2.0"),
        one("labels-complex", complex_labels, TypeError, "real-dtype", option="labels", dtype="complex64"),
        one("labels-none", None, TypeError, "none", arg="labels"),
    )


def bad_class_labels(operation: str) -> tuple[BadInput, ...]:
    """Of losses of class indices along one axis: ``labels``, ``axis`` and ``ignore_index``."""

    def one(
        id: str, labels: Any, options: dict[str, Any], error: type[Exception], text: str, **fields: Any
    ) -> BadInput:
        needs_values = text == "labels-range"
        return bad(operation, id, (LOGITS, labels), options, error, text, needs_values=needs_values, **fields)

    def axis(id: str, value: Any) -> BadInput:
        return one(id, CLASS_LABELS, {"axis": value}, TypeError, "single-axis-class", axis=value)

    def typed(id: str, labels: np.ndarray) -> BadInput:
        return one(id, labels, {}, TypeError, "labels-dtype", dtype=labels.dtype.name)

    def beyond(id: str, labels: np.ndarray, got: int) -> BadInput:
        return one(id, labels, {}, ValueError, "labels-range", last=2, classes=3, axis=1, got=got)

    def shaped(id: str, shape: tuple[int, ...], hint: str) -> BadInput:
        labels = np.zeros(shape, dtype=np.int32)
        return one(id, labels, {}, ValueError, "labels-rows", shape="(2,)", got=_shown(shape), hint=hint)

    def ignored(id: str, value: Any) -> BadInput:
        got = type(value).__name__
        return one(id, CLASS_LABELS, {"ignore_index": value}, TypeError, "ignore-index", got=got)

    out = {"axis": 2, "arg": "logits", "shape": "(2, 3)"}
    return (
        one("axis-2", CLASS_LABELS, {"axis": 2}, ValueError, "axis-out-of-range", **out),
        axis("axis-tuple", (0,)),
        axis("axis-none", None),
        axis("axis-float", 1.0),
        axis("axis-bool", True),
        typed("labels-float", np.zeros(2, dtype=np.float32)),
        typed("labels-bool", np.zeros(2, dtype=bool)),
        one("labels-none", None, {}, TypeError, "none", arg="labels"),
        beyond("labels-too-large", np.asarray([0, 3]), 3),
        beyond("labels-minus-1", np.asarray([-1, 0]), -1),
        beyond("labels-255", np.asarray([0, 255], np.uint8), 255),
        shaped("labels-column", (2, 1), "; squeeze the last axis away"),
        shaped("labels-one-hot", (2, 3), "; for one-hot or soft labels use softmax_cross_entropy"),
        shaped("labels-too-many", (3,), ""),
        bad(
            operation,
            "no-classes",
            (np.zeros((2, 0), dtype=np.float32), CLASS_LABELS),
            {},
            ValueError,
            shape="(2, 0)",
            axis=(1,),
        ),
        ignored("ignore-index-float", 1.0),
        ignored("ignore-index-bool", True),
        ignored("ignore-index-string", "none"),
    )


def _shown(shape: tuple[int, ...]) -> str:
    return str(tuple(shape))


def loss_underflow(options: Mapping[str, Any]) -> float:
    """What multiplies a probability that underflowed: weights up to 3, and 2 z |lse|, |lse| up to 100."""
    return 3 + 200 * options.get("z_loss", 0.0)


def focal_underflow(x: np.ndarray, gamma: float) -> float:
    """What multiplies an e^-|x| that underflowed: weights up to 3, gamma times a wrong answer's cost."""
    size = np.abs(x[np.isfinite(x)])
    lead = np.max(size, initial=0.0, where=size < 745)
    return 3.0 * (gamma + 1.0) * (gamma + 1.0 + float(lead))


def right_and_wrong(x: np.ndarray) -> np.ndarray:
    """Labels: the confident right class first, then a wrong one, and so on."""
    winners = np.argmax(x, axis=-1)
    return np.where(np.arange(len(x)) % 2 == 0, winners, (winners + 1) % x.shape[-1])


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
