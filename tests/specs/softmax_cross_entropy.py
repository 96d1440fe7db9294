"""What the matrix knows about softmax_cross_entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..oracle import softmax_cross_entropy as oracle
from ..oracle.loss_magnitudes import dense_gradient, dense_second
from ._edges import COMPUTED, FLOAT_PAIR, HALVES_TOO, HUGE, HUGEST, INF, NAN, WIDE_RANGE, made_edge
from ._losses import LOGITS, bad_loss_options, loss_underflow, softmax_loss_samples
from ._messages import bad, bad_axes, bad_calls, bad_first_arrays, bad_scalar_axis, bad_where
from ._regimes import dominated, masked, missing, moderate, wide
from .base import BadInput, Edge, Row, Sample, Spec

NAME = "softmax_cross_entropy"


def samples(rng: np.random.Generator) -> list[Sample]:
    def soft(x: np.ndarray) -> np.ndarray:
        """Probabilities, one row of them one-hot at the leader."""
        y = rng.dirichlet(np.ones(x.shape[-1]), size=len(x))
        y[0] = np.arange(x.shape[-1]) == x[0].argmax()
        return y

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
    ahead = dominated(rng)
    blocks = 4 * rng.normal(size=(2, 3, 4))
    tall = wide(rng, 5, 3)
    on_allowed = np.where(where, soft(np.where(where, x, -INF)), 0.0)
    on_present = np.where(np.isfinite(holes), soft(holes), 0.0)
    return [
        *softmax_loss_samples(rng, soft),
        sample("one-hot-integers", ahead, np.eye(10, dtype=np.int64)[ahead.argmax(axis=-1)]),
        sample("one-hot-bool", moderate(rng), np.eye(10, dtype=bool)[[1, 5, 9]]),
        sample("labels-not-normalised", moderate(rng), rng.uniform(0, 2, size=(3, 10))),
        sample("minus-infinity", holes, on_present),
        sample("where", x, on_allowed, where=where),
        sample("axis-0", tall, soft(tall.T).T, {"axis": 0}),
        sample("axes-0-2", blocks, rng.uniform(0, 1, size=blocks.shape), {"axis": (0, 2)}),
        sample("all-axes", moderate(rng, 3, 4), rng.uniform(0, 1, size=(3, 4)), {"axis": None}),
        sample("weights-sum", ahead, soft(ahead), {"reduction": "sum"}, weights=weights),
        sample("class-weights", moderate(rng), soft(moderate(rng)), class_weights=class_weights),
        sample("mean", ahead, soft(ahead), {"reduction": "mean"}),
        sample(
            "mean-weights-class-weights",
            moderate(rng, 4),
            rng.uniform(0, 1, size=(4, 10)),
            {"reduction": "mean"},
            weights=weights,
            class_weights=class_weights,
        ),
        sample("label-smoothing", dominated(rng), soft(ahead), {"label_smoothing": 0.1}),
        sample("label-smoothing-missing", holes, on_present, {"label_smoothing": 0.25}),
        sample("z-loss", 5 + moderate(rng), soft(moderate(rng)), {"z_loss": 1e-3}),
        sample(
            "z-loss-smoothing-mean",
            wide(rng),
            soft(wide(rng)),
            {"z_loss": 0.1, "label_smoothing": 0.1, "reduction": "mean"},
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
_FIRST = [[1.0, 0.0], [1.0, 0.0]]
_LOG_2 = float(np.log(2))

_EDGES = (
    _edge("label-at-minus-infinity", [[0.0, -INF, 0.0]], [[0.0, 1.0, 0.0]], [INF], [[0.5, -1, 0.5]]),
    _edge("some-label-at-minus-infinity", [[0.0, -INF, 0.0]], [[0.5, 0.5, 0.0]], [INF], [[0, -0.5, 0.5]]),
    _edge("minus-infinity-without-label", [[0.0, -INF, 0.0]], [[1.0, 0.0, 0.0]]),
    _edge("no-mass", [[-INF, -INF]], [[0.5, 0.5]], [INF], [[0, 0]]),
    _edge("no-mass-no-label", [[-INF, -INF]], [[0.0, 0.0]], [0], [[0, 0]]),
    _edge("nothing-allowed", [[1.0, NAN]], [[1.0, 0.0]], [INF], [[0, 0]], where=[[False, False]]),
    _edge("masked-nan", [[0.0, NAN, 0.0]], [[0.5, 0.0, 0.5]], where=[[True, False, True]]),
    _edge("masked-infinity", [[0.0, INF, 0.0]], [[1.0, 0.0, 0.0]], where=[True, False, True]),
    # Its gradient is not part of this edge: the masked class counts as -inf there, yet has none.
    _edge("masked-label", [[0.0, 5.0, 0.0]], [[0.0, 1.0, 0.0]], [INF], None, where=[True, False, True]),
    _edge("no-label", [[1.0, 2.0]], [[0.0, 0.0]], [0], [[0, 0]]),
    _edge("labels-sum-to-2", [[0.0, 0.0]], [[1.0, 1.0]], [2 * _LOG_2], [[0, 0]]),
    _edge("nan", [[0.0, NAN], [0.0, 0.0]], _FIRST, [NAN, _LOG_2], [[NAN, NAN], [-0.5, 0.5]]),
    _edge("nan-without-label", [[0.0, NAN]], [[0.0, 0.0]], [NAN], [[NAN, NAN]]),
    _edge(
        "label-nan",
        [[0.0, 0.0], [0.0, 0.0]],
        [[NAN, 0.0], [1.0, 0.0]],
        [NAN, _LOG_2],
        [[NAN, NAN], [-0.5, 0.5]],
    ),
    _edge("infinity-is-right", [[0.0, INF, 1.0]], [[0.0, 1.0, 0.0]], [0], [[0, 0, 0]]),
    _edge("infinity-is-wrong", [[0.0, INF, 1.0]], [[1.0, 0.0, 0.0]], [INF], [[-1, 1, 0]]),
    _edge("several-infinities", [[INF, 0.0, INF]], [[0.5, 0.0, 0.5]], [_LOG_2], [[0, 0, 0]]),
    _edge("one-of-several-infinities", [[INF, 0.0, INF]], [[1.0, 0.0, 0.0]], [_LOG_2], [[-0.5, 0, 0.5]]),
    _edge("infinity-and-nan", [[INF, NAN]], [[1.0, 0.0]], [NAN], [[NAN, NAN]]),
    _edge("no-rows", np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros((0, 3))),
    _edge("no-rows-sum", np.zeros((0, 3)), np.zeros((0, 3)), 0, np.zeros((0, 3)), {"reduction": "sum"}),
    _edge("no-rows-mean", np.zeros((0, 3)), np.zeros((0, 3)), 0, np.zeros((0, 3)), {"reduction": "mean"}),
    _edge("0-d", np.asarray(3.0), np.asarray(1.0), 0, 0, {"axis": None}),
    _edge("one-class", [[3.0]], [[1.0]], [0], [[0]]),
    _edge("one-row", [0.0, 0.0, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0]),
    _edge("ties", [[1.0, 1.0, 1.0, 1.0]], [[0.0, 1.0, 0.0, 0.0]]),
    _edge("integers", np.asarray([[1, 2, 3]], np.int32), [[0.0, 0.5, 0.5]], gradient=None, keep_dtype=True),
    _edge("uint8", np.asarray([[1, 2, 3]], np.uint8), [[0.0, 0.5, 0.5]], gradient=None, keep_dtype=True),
    _edge("bool", np.asarray([[True, False]]), [[0.0, 1.0]], gradient=None, keep_dtype=True),
    _edge("1e30", [[HUGE, -HUGE]], [[0.5, 0.5]], [HUGE], [[0.5, -0.5]], dtypes=WIDE_RANGE),
    _edge("3e38", [[HUGEST, -HUGEST]], [[0.0, 1.0]], [2 * HUGEST], [[1, -1]], dtypes=("float64",)),
    _edge(
        "3e38-overflows", [[HUGEST, -HUGEST]], [[0.0, 1.0]], [INF], [[1, -1]], dtypes=("bfloat16", "float32")
    ),
    _edge("3e38-is-right", [[HUGEST, -HUGEST]], [[1.0, 0.0]], [0], [[0, 0]], dtypes=WIDE_RANGE),
    _edge(
        "70000-zeros",
        np.zeros((1, 70_000)),
        (np.arange(70_000) == 3).astype(float)[None],
        [np.log(70_000)],
        None,
        dtypes=("float16", "float32"),
    ),
    _edge("weight-0-holds-nan", _NAN_FIRST, _FIRST, [0, _LOG_2], [[0, 0], [-0.5, 0.5]], weights=[0.0, 1.0]),
    _edge(
        "weight-0-holds-nan-mean",
        _NAN_FIRST,
        _FIRST,
        gradient=[[0, 0], [-0.5, 0.5]],
        options={"reduction": "mean"},
        weights=[0.0, 2.0],
    ),
    _edge(
        "weight-0-beside-class-weight-nan",
        [[0.0, 0.0], [0.0, 0.0]],
        _FIRST,
        [0, NAN],
        [[0, 0], [NAN, NAN]],
        weights=[0.0, 1.0],
        class_weights=[1.0, NAN],
    ),
    _edge("weight-nan", [[0.0, 0.0], [0.0, 0.0]], _FIRST, [NAN, _LOG_2], None, weights=[NAN, 1.0]),
    _edge(
        "no-weight-mean", _NAN_FIRST, _FIRST, 0, [[0, 0], [0, 0]], {"reduction": "mean"}, weights=[0.0, 0.0]
    ),
    _edge(
        "no-class-weight-mean",
        [[0.0, 1.0], [2.0, 0.0]],
        _FIRST,
        0,
        [[0, 0], [0, 0]],
        {"reduction": "mean"},
        class_weights=[0.0, 1.0],
    ),
    # A row without any label has no class weight to average, and counts 1.
    _edge(
        "no-label-mean",
        [[0.0, 0.0], [1.0, 0.0]],
        [[1.0, 0.0], [0.0, 0.0]],
        options={"reduction": "mean"},
        class_weights=[3.0, 1.0],
    ),
    _edge(
        "class-weight-0-at-minus-infinity",
        [[0.0, -INF]],
        [[0.0, 1.0]],
        [0],
        [[0, 0]],
        class_weights=[1.0, 0.0],
    ),
    _edge(
        "smoothing-skips-minus-infinity",
        [[0.0, -INF, 0.0]],
        [[1.0, 0.0, 0.0]],
        options={"label_smoothing": 0.5},
    ),
    _edge(
        "smoothing-label-at-minus-infinity",
        [[0.0, -INF, 0.0]],
        [[0.0, 1.0, 0.0]],
        [INF],
        [[0.25, -0.5, 0.25]],
        {"label_smoothing": 0.5},
    ),
    _edge(
        "smoothing-no-mass-no-label", [[-INF, -INF]], [[0.0, 0.0]], [0], [[0, 0]], {"label_smoothing": 0.5}
    ),
    _edge("z-loss-no-mass-no-label", [[-INF, -INF]], [[0.0, 0.0]], [0], [[0, 0]], {"z_loss": 0.5}),
    _edge(
        "z-loss-minus-infinity",
        [[0.0, -INF, 0.0]],
        [[1.0, 0.0, 0.0]],
        options={"z_loss": 0.5},
        dtypes=FLOAT_PAIR,
    ),
)

_LABELS = np.full((2, 3), 1 / 3, dtype=np.float32)


def _bad_labels(id: str, labels: Any, error: type[Exception], text: str, **fields: Any) -> BadInput:
    return bad(NAME, id, (LOGITS, labels), {}, error, text, shape="(2, 3)", **fields)


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
    gradient_scale=dense_gradient,
    second_scale=dense_second,
    edges=_EDGES,
    bad_inputs=(
        *bad_first_arrays(NAME, "logits", [[1.0, 0.0], [0.0, 1.0]]),
        *bad_calls(
            NAME,
            "2 positional arguments (logits, labels)",
            "axis, where, weights, class_weights, label_smoothing, z_loss, reduction",
            [[1.0, 2.0]],
            [[1.0, 0.0]],
        ),
        *bad_axes(NAME, "logits", _LABELS),
        bad_scalar_axis(NAME, "logits", np.asarray(1.0, dtype=np.float32)),
        *bad_where(NAME, "logits", _LABELS),
        *bad_loss_options(NAME, _LABELS, rows=True),
        bad(
            NAME,
            "class-weights-of-two-axes",
            (LOGITS, _LABELS),
            {"class_weights": np.ones(6, dtype=np.float32), "axis": (0, 1)},
            ValueError,
            "class-weights-axes",
            axis=(0, 1),
        ),
        _bad_labels("labels-indices", np.asarray([0, 2]), TypeError, "labels-are-indices", got="(2,)"),
        _bad_labels(
            "labels-column", np.ones((2, 1), dtype=np.float32), ValueError, "labels-shape", got="(2, 1)"
        ),
        _bad_labels("labels-row", np.ones(3, dtype=np.float32), ValueError, "labels-shape", got="(3,)"),
        _bad_labels(
            "labels-complex",
            np.ones((2, 3), dtype=np.complex64),
            TypeError,
            "real-dtype",
            option="labels",
            dtype="complex64",
        ),
        _bad_labels("labels-none", None, TypeError, "none", arg="labels"),
        bad(
            NAME,
            "no-classes",
            (np.zeros((2, 0), dtype=np.float32), np.zeros((2, 0), dtype=np.float32)),
            {},
            ValueError,
            shape="(2, 0)",
            axis=(1,),
        ),
    ),
    laws=("shift_invariance", "permutation"),
)
