"""What the matrix knows about linear_cross_entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..oracle import linear_cross_entropy as oracle
from ..oracle.linear import hidden_gradient, hidden_second, weight_gradient, weight_second
from ._edges import COMPUTED, FLOAT_PAIR, HALVES_TOO, HUGE, INF, NAN, WIDE_RANGE, made_edge
from ._losses import CLASS_LABELS, LOGITS, bad_loss_options, loss_underflow
from ._messages import bad, bad_calls, bad_first_arrays
from .base import BadInput, Edge, Row, Sample, Spec

NAME = "linear_cross_entropy"
CLASSES, WIDTH = 6, 5


def samples(rng: np.random.Generator) -> list[Sample]:
    # All calls without options have one weight: the self-check makes one call of their rows.
    vectors = rng.normal(size=(CLASSES, WIDTH))

    def hidden(*rows: int, size: float = 1.0) -> np.ndarray:
        return size * rng.normal(size=(*rows, WIDTH))

    def right(h: np.ndarray) -> np.ndarray:
        return np.argmax(h @ vectors.T, axis=-1)

    def sample(
        id: str,
        h: Any,
        labels: Any,
        options: dict[str, Any] | None = None,
        weight: Any = vectors,
        **arrays: Any,
    ) -> Sample:
        options = options or {}
        given = {"hidden": h, "weight": weight, "labels": np.asarray(labels), **arrays}
        # A probability that underflowed is multiplied by the vectors and hidden states, too.
        return Sample(id, given, options, underflow=300 * loss_underflow(options))

    some, ahead = hidden(4), hidden(4, size=8.0)
    weights, class_weights = rng.uniform(0.1, 3, size=4), rng.uniform(0.1, 3, size=CLASSES)
    bias = rng.normal(size=CLASSES)
    missing = np.where(np.arange(CLASSES) == 2, -INF, bias)
    labels = [3, 0, 5, 0]
    return [
        sample("moderate", some, labels),
        sample("small", hidden(4, size=2.0**-12), labels),
        sample("confident", ahead, right(ahead)),
        sample("confident-and-wrong", ahead, (right(ahead) + 1) % CLASSES),
        sample("saturated", hidden(4, size=40.0), labels),
        sample("all-equal", np.zeros((4, WIDTH)), labels),
        sample("one-example", hidden(), 4, {"chunk_size": 8}),
        sample("three-axes", hidden(2, 3), [[0, 1, 2], [3, 4, 5]], {"chunk_size": 4}),
        sample("one-feature", rng.normal(size=(3, 1)), [0, 1, 1], weight=rng.normal(size=(2, 1))),
        sample("chunks-of-1", some, labels, {"chunk_size": 1}),
        sample("chunks-of-3-mean", ahead, labels, {"chunk_size": 3, "reduction": "mean"}),
        sample("bias", some, labels, bias=bias),
        sample("logits-far-off", some, labels, weight=vectors + 100.0),
        sample("missing-class", some, labels, {"chunk_size": 3}, bias=missing),
        sample("weights", ahead, right(ahead), weights=weights),
        sample("scalar-weight-sum", some, labels, {"reduction": "sum"}, weights=2.5),
        sample("class-weights", some, labels, class_weights=class_weights),
        sample(
            "mean-weights-class-weights",
            some,
            labels,
            {"reduction": "mean", "chunk_size": 2},
            weights=weights,
            class_weights=class_weights,
        ),
        sample("ignore-index-mean", ahead, [*right(ahead)[:3], 7], {"ignore_index": 7, "reduction": "mean"}),
        sample("label-smoothing", ahead, labels, {"label_smoothing": 0.1}),
        sample("label-smoothing-missing", some, labels, {"label_smoothing": 0.25}, bias=missing),
        sample("z-loss", some, labels, {"z_loss": 1e-3}, bias=bias + 5),
        sample("softcap", ahead, labels, {"softcap": 5.0}, bias=bias),
        sample("softcap-mean", ahead, right(ahead), {"softcap": 30.0, "reduction": "mean"}),
        sample(
            "everything",
            some,
            [3, 0, 1, 5],
            {
                "ignore_index": 1,
                "label_smoothing": 0.2,
                "z_loss": 0.125,
                "softcap": 4.0,
                "reduction": "mean",
                "chunk_size": 3,
            },
            bias=bias,
            weights=weights,
            class_weights=class_weights,
        ),
    ]


def _edge(
    id: str,
    hidden: Any,
    weight: Any,
    labels: Any,
    value: Any = COMPUTED,
    gradient: Any = COMPUTED,
    options: dict[str, Any] | None = None,
    dtypes: tuple[str, ...] = HALVES_TOO,
    keep_dtype: bool = False,
    **arrays: Any,
) -> Edge:
    labels = np.asarray(labels, dtype=None if np.size(labels) else np.int64)
    return made_edge(
        id,
        oracle,
        {"hidden": hidden, "weight": weight, "labels": labels, **arrays},
        options,
        value=value,
        gradient=gradient,
        dtypes=dtypes,
        keep_dtype=keep_dtype,
    )


_LOG_2, _LOG_3 = np.log(2), np.log(3)
_TWO = [[1.0, 0.0], [0.0, 1.0]]  # logits are the hidden states
_THREE = [[1.0], [2.0], [4.0]]
_PLUS_MINUS = [[1.0], [-1.0]]
_NAN_FIRST = [[NAN, 0.0], [0.0, 0.0]]
_NONE = np.zeros((0, 2))

_EDGES = (
    _edge("label-missing", [[0.0]], _THREE, [1], [INF], [[0.5]], bias=[0.0, -INF, 0.0]),
    _edge("another-missing", [[0.5]], _THREE, [0], bias=[0.0, -INF, 0.0]),
    _edge("alone", [[0.5]], _THREE, [2], [0], [[0]], bias=[-INF, -INF, 0.0]),
    _edge("no-mass", [[0.5]], _THREE, [0], [INF], [[0]], bias=[-INF, -INF, -INF]),
    _edge(
        "missing-is-capped",
        [[0.0]],
        _THREE,
        [1],
        gradient=None,
        options={"softcap": 2.0},
        bias=[0.0, -INF, 0.0],
    ),
    _edge("one-class", [[3.0]], [[2.0]], [0], [0], [[0]]),
    _edge("no-features", np.zeros((2, 0)), np.zeros((3, 0)), [0, 2], [_LOG_3, _LOG_3], np.zeros((2, 0))),
    _edge("ties", [[2.0]], [[1.0], [1.0]], [1], [_LOG_2], [[0]]),
    _edge("nan", _NAN_FIRST, _TWO, [0, 0], [NAN, _LOG_2], [[NAN, NAN], [-0.5, 0.5]]),
    _edge(
        "nan-in-a-chunk-of-its-own",
        _NAN_FIRST,
        _TWO,
        [0, 0],
        [NAN, _LOG_2],
        [[NAN, NAN], [-0.5, 0.5]],
        {"chunk_size": 1},
    ),
    _edge("infinity-is-right", [[INF]], _PLUS_MINUS, [0], [0], [[0]]),
    _edge("infinity-is-wrong", [[INF]], _PLUS_MINUS, [1], [INF], [[2]]),
    _edge("several-infinities", [[INF]], [[1.0], [2.0], [-1.0]], [0], [_LOG_2], [[0.5]]),
    _edge("1e30", [[HUGE], [HUGE]], _PLUS_MINUS, [0, 1], [0, 2 * HUGE], [[0], [2]], dtypes=WIDE_RANGE),
    _edge("no-rows", _NONE, _TWO, [], np.zeros(0), _NONE),
    _edge("no-rows-sum", _NONE, _TWO, [], 0, _NONE, {"reduction": "sum"}),
    _edge("no-rows-mean", _NONE, _TWO, [], 0, _NONE, {"reduction": "mean", "chunk_size": 1}),
    _edge(
        "integers",
        np.asarray([[1, 2]], np.int32),
        np.asarray(_TWO, np.int32),
        [1],
        gradient=None,
        keep_dtype=True,
    ),
    _edge("bool", np.asarray([[True, False]]), np.asarray(_TWO, bool), [0], gradient=None, keep_dtype=True),
    _edge(
        "uint8-labels-of-300-classes", [[1.0]], np.zeros((300, 1)), np.asarray([255], np.uint8), gradient=None
    ),
    _edge("ignored-holds-nan", _NAN_FIRST, _TWO, [-1, 0], options={"ignore_index": -1}),
    _edge(
        "ignored-holds-nan-mean", _NAN_FIRST, _TWO, [-1, 0], options={"ignore_index": -1, "reduction": "mean"}
    ),
    _edge(
        "ignored-beside-class-weight-nan",
        [[0.0, 0.0], [0.0, 0.0]],
        _TWO,
        [-1, 0],
        [0, NAN],
        [[0, 0], [NAN, NAN]],
        {"ignore_index": -1},
        class_weights=[1.0, NAN],
    ),
    _edge(
        "all-ignored-mean",
        _NAN_FIRST,
        _TWO,
        [-1, -1],
        0,
        [[0, 0], [0, 0]],
        {"ignore_index": -1, "reduction": "mean"},
    ),
    _edge("weight-0-holds-nan", _NAN_FIRST, _TWO, [0, 0], weights=[0.0, 1.0]),
    _edge(
        "weight-0-holds-nan-mean", _NAN_FIRST, _TWO, [0, 0], options={"reduction": "mean"}, weights=[0.0, 2.0]
    ),
    _edge("weight-0-label-out-of-range", [[0.0, 0.0], [0.0, 0.0]], _TWO, [7, 0], weights=[0.0, 1.0]),
    _edge("weight-nan", [[0.0, 0.0], [0.0, 0.0]], _TWO, [0, 0], [NAN, _LOG_2], None, weights=[NAN, 1.0]),
    _edge(
        "no-class-weight-mean",
        [[0.0, 1.0], [2.0, 0.0]],
        _TWO,
        [0, 0],
        0,
        [[0, 0], [0, 0]],
        {"reduction": "mean"},
        class_weights=[0.0, 1.0],
    ),
    _edge(
        "smoothing-skips-missing",
        [[0.5]],
        _THREE,
        [0],
        options={"label_smoothing": 0.5},
        bias=[0.0, -INF, 0.0],
    ),
    _edge("z-loss-no-mass", [[0.5]], _THREE, [0], [INF], [[0]], {"z_loss": 0.5}, bias=[-INF, -INF, -INF]),
    _edge(
        "z-loss-missing",
        [[0.5]],
        _THREE,
        [0],
        options={"z_loss": 0.5},
        dtypes=FLOAT_PAIR,
        bias=[0.0, -INF, 0.0],
    ),
)

# LOGITS, of shape (2, 3), are the hidden states of bad calls.
_VECTORS = np.ones((3, 3), dtype=np.float32)


def _bad_inputs() -> tuple[BadInput, ...]:
    def one(
        id: str,
        error: type[Exception],
        text: str,
        weight: Any = _VECTORS,
        labels: Any = CLASS_LABELS,
        options: dict[str, Any] | None = None,
        **fields: Any,
    ) -> BadInput:
        needs_values = text == "labels-rows-range"
        arrays = (LOGITS, weight, labels)
        return bad(NAME, id, arrays, options or {}, error, text, needs_values=needs_values, **fields)

    def shaped(id: str, shape: tuple[int, ...], text: str = "vectors-shape") -> BadInput:
        weight = np.ones(shape, dtype=np.float32)
        return one(id, ValueError, text, weight, arg="hidden", shape="(2, 3)", got=shape)

    def option(id: str, name: str, value: Any, error: type[Exception], text: str, **fields: Any) -> BadInput:
        return one(id, error, text, options={name: value}, option=name, **fields)

    def of_labels(id: str, labels: Any, error: type[Exception], text: str, **fields: Any) -> BadInput:
        return one(id, error, text, labels=labels, shape="(2,)", **fields)

    complex_numbers = np.ones((3, 3), dtype=np.complex64)
    return (
        bad(
            NAME,
            "hidden-is-a-number",
            (np.asarray(1.0, dtype=np.float32), _VECTORS, np.asarray(0)),
            {},
            ValueError,
            "axis-out-of-range",
            axis=-1,
            arg="hidden",
            shape="()",
        ),
        shaped("weight-transposed", (3, 4)),
        shaped("weight-vector", (3,)),
        shaped("weight-three-axes", (1, 3, 3)),
        shaped("weight-no-rows", (0, 3), "vectors-none"),
        one("weight-complex", TypeError, "real-dtype", complex_numbers, option="weight", dtype="complex64"),
        one("weight-none", TypeError, "none", None, arg="weight"),
        one("weight-string", TypeError, "string", "abc", arg="weight"),
        of_labels("labels-float", np.zeros(2, dtype=np.float32), TypeError, "labels-dtype", dtype="float32"),
        of_labels("labels-bool", np.zeros(2, dtype=bool), TypeError, "labels-dtype", dtype="bool"),
        of_labels("labels-none", None, TypeError, "none", arg="labels"),
        of_labels("labels-too-large", np.asarray([0, 3]), ValueError, "labels-rows-range", got=3),
        of_labels("labels-minus-1", np.asarray([-1, 0]), ValueError, "labels-rows-range", got=-1),
        of_labels("labels-255", np.asarray([0, 255], np.uint8), ValueError, "labels-rows-range", got=255),
        of_labels(
            "labels-column",
            np.zeros((2, 1), np.int32),
            ValueError,
            "labels-of-hidden",
            got="(2, 1)",
            hint="; squeeze the last axis away",
        ),
        of_labels(
            "labels-one-hot",
            np.zeros((2, 3), np.int32),
            ValueError,
            "labels-of-hidden",
            got="(2, 3)",
            hint="",
        ),
        of_labels(
            "labels-too-many", np.zeros(3, np.int32), ValueError, "labels-of-hidden", got="(3,)", hint=""
        ),
        option(
            "bias-length", "bias", np.ones(2, np.float32), ValueError, "bias-shape", shape="(3,)", got="(2,)"
        ),
        option(
            "bias-number", "bias", np.ones((), np.float32), ValueError, "bias-shape", shape="(3,)", got="()"
        ),
        option("bias-complex", "bias", complex_numbers[0], TypeError, "real-dtype", dtype="complex64"),
        option("ignore-index-float", "ignore_index", 1.0, TypeError, "ignore-index", got="float"),
        option("softcap-0", "softcap", 0.0, ValueError, "softcap", got="0.0"),
        option("softcap-nan", "softcap", NAN, ValueError, "softcap", got="nan"),
        option("softcap-infinite", "softcap", INF, ValueError, "softcap", got="inf"),
        option("softcap-string", "softcap", "30", TypeError, "number", got="str"),
        option("chunk-size-0", "chunk_size", 0, ValueError, "chunk-size", got="0"),
        option("chunk-size-negative", "chunk_size", -4, ValueError, "chunk-size", got="-4"),
        option("chunk-size-float", "chunk_size", 2.0, TypeError, "chunk-size-class", got="float"),
        option("chunk-size-bool", "chunk_size", True, TypeError, "chunk-size-class", got="bool"),
    )


SPEC = Spec(
    name=NAME,
    oracle=oracle,
    tolerance=Row(
        value=6,
        gradient=7,  # 6.005, float64 on JAX, which adds up 256 000 products in few chains, seed 1843811966
        partner=6,
        second=10,
        dagger=True,
    ),
    samples=samples,
    gradient_scale=hidden_gradient,
    second_scale=hidden_second,
    partner_scale=weight_gradient,
    partner_second_scale=weight_second,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "hidden", [[1.0, 2.0]], [0, 0], masks=False),
        *bad_calls(
            NAME,
            "3 positional arguments (hidden, weight, labels)",
            "bias, weights, class_weights, ignore_index, label_smoothing, z_loss, softcap, reduction, "
            "chunk_size",
            [[1.0, 2.0]],
            [[1.0, 2.0]],
            [0],
        ),
        *bad_loss_options(NAME, CLASS_LABELS, rows=True, vectors=_VECTORS),
        *_bad_inputs(),
    ),
    laws=("order_of_rows", "order_of_classes", "common_vector"),
)
