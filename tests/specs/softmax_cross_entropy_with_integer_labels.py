"""What the matrix knows about softmax_cross_entropy_with_integer_labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..oracle import softmax_cross_entropy_with_integer_labels as oracle
from ..oracle.loss_magnitudes import integer_gradient, integer_second
from ._edges import COMPUTED, FLOAT_PAIR, HALVES_TOO, HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._losses import (
    CLASS_LABELS,
    bad_class_labels,
    bad_loss_options,
    loss_underflow,
    right_and_wrong,
    softmax_loss_samples,
)
from ._messages import bad_calls, bad_first_arrays, bad_where
from ._regimes import dominated, masked, missing, moderate, wide
from .base import Edge, Row, Sample, Spec

NAME = "softmax_cross_entropy_with_integer_labels"


def samples(rng: np.random.Generator) -> list[Sample]:
    def sample(id: str, x: Any, labels: Any, options: dict[str, Any] | None = None, **arrays: Any) -> Sample:
        options = options or {}
        return Sample(
            id,
            {"logits": x, "labels": np.asarray(labels), **arrays},
            options,
            underflow=loss_underflow(options),
        )

    x, where = masked(rng)
    holes = missing(rng)
    weights = rng.uniform(0.1, 3, size=4)
    class_weights = rng.uniform(0.1, 3, size=10)
    some = [3, 0, 9, 0]
    ahead = dominated(rng)
    winners = ahead.argmax(axis=-1)
    return [
        *softmax_loss_samples(rng, right_and_wrong),
        sample("second-best-dominates", [[0.0, 40.0, 1.0], [30.0, 0.0, 60.0]], [0, 0]),
        sample("minus-infinity", holes, [5, 0, 4]),
        sample("where", x, [0, 2, 9], where=where),
        sample("axis-0", wide(rng, 5, 3), [4, 0, 2], {"axis": 0}),
        sample("axis-1-of-3", 4 * rng.normal(size=(2, 4, 3)), [[0, 1, 2], [3, 3, 0]], {"axis": 1}),
        sample("weights", ahead, winners, weights=weights),
        sample("scalar-weight-sum", moderate(rng), [1, 2, 3], {"reduction": "sum"}, weights=2.5),
        sample("class-weights", dominated(rng), some, class_weights=class_weights),
        sample("mean", ahead, winners, {"reduction": "mean"}),
        sample(
            "mean-weights-class-weights",
            moderate(rng, 4),
            some,
            {"reduction": "mean"},
            weights=weights,
            class_weights=class_weights,
        ),
        sample("ignore-index", moderate(rng, 4), [-1, 2, -1, 9], {"ignore_index": -1}),
        sample("ignore-index-mean", ahead, [*winners[:3], 7], {"ignore_index": 7, "reduction": "mean"}),
        sample("label-smoothing", dominated(rng), some, {"label_smoothing": 0.1}),
        sample("label-smoothing-missing", holes, [5, 0, 4], {"label_smoothing": 0.25}),
        sample(
            "label-smoothing-class-weights-mean",
            moderate(rng, 4),
            some,
            {"label_smoothing": 0.2, "reduction": "mean"},
            class_weights=class_weights,
        ),
        sample("z-loss", 5 + moderate(rng), [0, 1, 2], {"z_loss": 1e-3}),
        sample(
            "z-loss-smoothing-sum",
            wide(rng),
            [0, 1, 2],
            {"z_loss": 0.1, "label_smoothing": 0.1, "reduction": "sum"},
        ),
    ]


def _edge(
    id: str,
    logits: Any,
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
        {"logits": logits, "labels": labels, **arrays},
        options,
        value=value,
        gradient=gradient,
        dtypes=dtypes,
        keep_dtype=keep_dtype,
    )


_NAN_FIRST = [[NAN, 0.0], [0.0, 0.0]]

_EDGES = (
    _edge("label-at-minus-infinity", [[0.0, -INF, 0.0]], [1], [INF], [[0.5, -1, 0.5]]),
    _edge("minus-infinity-elsewhere", [[0.0, -INF, 0.0]], [0]),
    _edge("alone", [[-INF, 2.0]], [1], [0], [[0, 0]]),
    _edge("no-mass", [[-INF, -INF]], [0], [INF], [[0, 0]]),
    _edge("nothing-allowed", [[1.0, NAN]], [0], [INF], [[0, 0]], where=[[False, False]]),
    _edge("masked-nan", [[0.0, NAN, 0.0]], [0], where=[[True, False, True]]),
    _edge("masked-infinity", [[0.0, INF, 0.0]], [0], where=[True, False, True]),
    # Its gradient is not part of this edge: the masked class counts as -inf there, yet has none.
    _edge("masked-label", [[0.0, 5.0, 0.0]], [1], [INF], None, where=[True, False, True]),
    _edge("nan", [[0.0, NAN], [0.0, 0.0]], [0, 0], [NAN, np.log(2)], [[NAN, NAN], [-0.5, 0.5]]),
    _edge("infinity-is-right", [[0.0, INF, 1.0]], [1], [0], [[0, 0, 0]]),
    _edge("infinity-is-wrong", [[0.0, INF, 1.0]], [0], [INF], [[-1, 1, 0]]),
    _edge("several-infinities", [[INF, 0.0, INF]], [0], [np.log(2)], [[-0.5, 0, 0.5]]),
    _edge("infinity-and-nan", [[INF, NAN]], [0], [NAN], [[NAN, NAN]]),
    _edge("no-rows", np.zeros((0, 3)), [], np.zeros(0), np.zeros((0, 3))),
    _edge("no-rows-sum", np.zeros((0, 3)), [], 0, np.zeros((0, 3)), {"reduction": "sum"}),
    _edge("no-rows-mean", np.zeros((0, 3)), [], 0, np.zeros((0, 3)), {"reduction": "mean"}),
    _edge("one-class", [[3.0]], [0], [0], [[0]]),
    _edge("one-row", [0.0, 0.0, 0.0, 0.0], 2),
    _edge("ties", [[1.0, 1.0, 1.0, 1.0]], [2]),
    _edge("integers", np.asarray([[1, 2, 3]], np.int32), [2], gradient=None, keep_dtype=True),
    _edge("uint8", np.asarray([[1, 2, 3]], np.uint8), [0], gradient=None, keep_dtype=True),
    _edge("bool", np.asarray([[True, False]]), [1], gradient=None, keep_dtype=True),
    _edge("int8-labels-of-300-classes", np.zeros((1, 300)), np.asarray([5], np.int8), gradient=None),
    _edge("uint8-labels-of-300-classes", np.zeros((1, 300)), np.asarray([255], np.uint8), gradient=None),
    # In uint8, -100 would wrap to 156: that label is nobody's ignored one.
    _edge(
        "uint8-label-156",
        np.zeros((1, 200)),
        np.asarray([156], np.uint8),
        gradient=None,
        options={"ignore_index": -100},
    ),
    _edge(
        "1e30", [[HUGE, -HUGE], [HUGE, -HUGE]], [0, 1], [0, 2 * HUGE], [[0, 0], [1, -1]], dtypes=WIDE_RANGE
    ),
    _edge("3e38", [[HUGEST, -HUGEST]], [1], [2 * HUGEST], [[1, -1]], dtypes=("float64",)),
    _edge("3e38-overflows", [[HUGEST, -HUGEST]], [1], [INF], [[1, -1]], dtypes=("bfloat16", "float32")),
    _edge("3e38-is-right", [[HUGEST, -HUGEST]], [0], [0], [[0, 0]], dtypes=WIDE_RANGE),
    _edge("70000-zeros", np.zeros((1, 70_000)), [3], [np.log(70_000)], None, dtypes=("float16", "float32")),
    _edge(
        "weight-0-holds-nan", _NAN_FIRST, [0, 0], [0, np.log(2)], [[0, 0], [-0.5, 0.5]], weights=[0.0, 1.0]
    ),
    _edge(
        "weight-0-holds-nan-mean",
        _NAN_FIRST,
        [0, 0],
        gradient=[[0, 0], [-0.5, 0.5]],
        options={"reduction": "mean"},
        weights=[0.0, 2.0],
    ),
    _edge("weight-0-label-out-of-range", [[0.0, 0.0], [0.0, 0.0]], [7, 0], weights=[0.0, 1.0]),
    _edge("weight-nan", [[0.0, 0.0], [0.0, 0.0]], [0, 0], [NAN, np.log(2)], None, weights=[NAN, 1.0]),
    _edge("ignored-holds-nan", _NAN_FIRST, [-1, 0], options={"ignore_index": -1}),
    _edge("ignored-holds-nan-mean", _NAN_FIRST, [-1, 0], options={"ignore_index": -1, "reduction": "mean"}),
    _edge(
        "ignored-beside-class-weight-nan",
        [[0.0, 0.0], [0.0, 0.0]],
        [-1, 0],
        [0, NAN],
        [[0, 0], [NAN, NAN]],
        {"ignore_index": -1},
        class_weights=[1.0, NAN],
    ),
    _edge("ignored-is-a-class", [[0.0, 0.0], [0.0, 0.0]], [1, 0], options={"ignore_index": 1}),
    _edge(
        "all-ignored-mean",
        _NAN_FIRST,
        [-1, -1],
        0,
        [[0, 0], [0, 0]],
        {"ignore_index": -1, "reduction": "mean"},
    ),
    _edge(
        "all-ignored-sum", _NAN_FIRST, [-1, -1], 0, [[0, 0], [0, 0]], {"ignore_index": -1, "reduction": "sum"}
    ),
    _edge(
        "no-weight-mean", _NAN_FIRST, [0, 0], 0, [[0, 0], [0, 0]], {"reduction": "mean"}, weights=[0.0, 0.0]
    ),
    _edge(
        "no-class-weight-mean",
        [[0.0, 1.0], [2.0, 0.0]],
        [0, 0],
        0,
        [[0, 0], [0, 0]],
        {"reduction": "mean"},
        class_weights=[0.0, 1.0],
    ),
    _edge("class-weight-0-at-minus-infinity", [[0.0, -INF]], [1], [0], [[0, 0]], class_weights=[1.0, 0.0]),
    _edge("smoothing-skips-minus-infinity", [[0.0, -INF, 0.0]], [0], options={"label_smoothing": 0.5}),
    _edge(
        "smoothing-label-at-minus-infinity",
        [[0.0, -INF, 0.0]],
        [1],
        [INF],
        [[0.25, -0.5, 0.25]],
        {"label_smoothing": 0.5},
    ),
    _edge(
        "smoothing-1", [[1.0, 1.0, 1.0, 1.0]], [2], gradient=[[0, 0, 0, 0]], options={"label_smoothing": 1.0}
    ),
    _edge("smoothing-no-mass", [[-INF, -INF]], [0], [INF], [[0, 0]], {"label_smoothing": 0.5}),
    _edge("z-loss-no-mass", [[-INF, -INF]], [0], [INF], [[0, 0]], {"z_loss": 0.5}),
    _edge("z-loss-ignored", _NAN_FIRST, [-1, 0], options={"ignore_index": -1, "z_loss": 0.5}),
    _edge("z-loss-minus-infinity", [[0.0, -INF, 0.0]], [0], options={"z_loss": 0.5}, dtypes=FLOAT_PAIR),
)

SPEC = Spec(
    name=NAME,
    oracle=oracle,
    tolerance=Row(
        value=6,
        gradient=5,  # 8 and 10 are promised for p - one-hot and q sum t - t, 5 with a z-loss; 3.7
        second=14,
        dagger=True,
    ),
    samples=samples,
    gradient_scale=integer_gradient,
    second_scale=integer_second,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "logits", [0, 1]),
        *bad_calls(
            NAME,
            "2 positional arguments (logits, labels)",
            "axis, where, weights, class_weights, ignore_index, label_smoothing, z_loss, reduction",
            [[1.0, 2.0]],
            [0],
        ),
        *bad_where(NAME, "logits", CLASS_LABELS),
        *bad_loss_options(NAME, CLASS_LABELS, rows=True),
        *bad_class_labels(NAME),
    ),
    laws=("shift_invariance", "permutation"),
)
