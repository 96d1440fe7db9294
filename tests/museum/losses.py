"""Cross-entropies of classes and of yes-or-no questions."""

from __future__ import annotations

import numpy as np

from ..specs._edges import COMPUTED
from .base import INF, Exhibit

_INDICES = "softmax_cross_entropy_with_integer_labels"
_DENSE = "softmax_cross_entropy"
_BINARY = "sigmoid_binary_cross_entropy"
_LABEL = np.asarray([0], np.int32)
_OF_INDICES = {
    "torch": "F.cross_entropy(x, y.long(), reduction='none')",
    "jax": "-jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], -1)[:, 0]",
    "optax": "optax.softmax_cross_entropy_with_integer_labels(x, y)",
    "tensorflow": "tf.nn.sparse_softmax_cross_entropy_with_logits(y, x)",
    "keras": "keras.ops.sparse_categorical_crossentropy(y, x, from_logits=True)",
}
_OF_DENSE = {
    "torch": "F.cross_entropy(x, y, reduction='none')",
    "optax": "optax.softmax_cross_entropy(x, y)",
    "tensorflow": "tf.nn.softmax_cross_entropy_with_logits(y, x)",
    "keras": "keras.ops.categorical_crossentropy(y, x, from_logits=True)",
}
_OF_BINARY = {
    "torch": "F.binary_cross_entropy_with_logits(x, y, reduction='none')",
    "optax": "optax.sigmoid_binary_cross_entropy(x, y)",
    "tensorflow": "tf.nn.sigmoid_cross_entropy_with_logits(y, x)",
    "keras": "keras.ops.binary_crossentropy(y, x, from_logits=True)",
}


def _gradient(peers: dict[str, str]) -> dict[str, str]:
    return {library: f"grad(lambda x: {call}, x)" for library, call in peers.items()}


def _bad_label(id: str, label: int) -> Exhibit:
    return Exhibit(
        f"C13-{id}",
        f"a label of {label} among 4 classes",
        _INDICES,
        {"logits": [[2.0, 1.0, 0.0, -1.0]], "labels": np.asarray([label])},
        ("google-deepmind/optax#1185",),
        raises=(
            ValueError,
            f"labels must be class indices from 0 to 3 (4 classes along axis 1), got {label}",
        ),
        peers=_OF_INDICES,
    )


def _offset(id: str, offset: float, others: int, stated: float) -> Exhibit:
    return Exhibit(
        f"{id}-{offset:g}",
        f"cross-entropy of logits around {offset:g}, the right one ahead by 1, float32",
        _INDICES,
        {"logits": [[offset, *[offset - 1] * others]], "labels": _LABEL},
        dtype="float32",
        gradient=COMPUTED,
        stated=[stated],
        peers=_OF_INDICES,
    )


def _labels_of(dtype: type[np.integer]) -> Exhibit:
    name = np.dtype(dtype).name
    return Exhibit(
        f"C17-{name}",
        f"{name} labels",
        _INDICES,
        {"logits": [[2.0, 1.0, 0.0]], "labels": np.asarray([0], dtype)},
        gradient=COMPUTED,
        peers={
            "torch": "F.cross_entropy(x, y, reduction='none')",
            "tensorflow": "tf.nn.sparse_softmax_cross_entropy_with_logits(y, x)",
        },
    )


_RNG = np.random.default_rng(20)
_LAYER = {"hidden": [[1.0, -0.5], [0.25, 2.0]], "weight": [[0.5, 1.0], [-1.5, 0.75], [1.0, -0.25]]}
_IN_CHUNKS = "F.linear_cross_entropy(x, y, z.long(), options=torch.nn.LinearCrossEntropyOptions())"

EXHIBITS = (
    Exhibit(
        "A8",
        "gradient of a cross-entropy whose right class of two is ahead by 17, float32",
        _INDICES,
        {"logits": [[17.0, 0.0]], "labels": _LABEL},
        ("tensorflow/tensorflow#126634",),
        dtype="float32",
        gradient=COMPUTED,
        shown="gradient",
        stated=[[-4.1399375e-8, 4.1399375e-8]],
        peers=_gradient(_OF_INDICES),
    ),
    Exhibit(
        "A9-cross-entropy",
        "cross-entropy over 70 000 equal logits in float16",
        _INDICES,
        {"logits": np.zeros((1, 70_000)), "labels": _LABEL},
        dtype="float16",
        stated=[11.156],
        peers=_OF_INDICES,
    ),
    *(
        Exhibit(
            f"C1-{name}",
            f"binary cross-entropy of a logit of {logit} with label {label:g}",
            _BINARY,
            {"logits": [logit], "labels": [label]},
            ("pytorch/pytorch#135359",),
            value=[value],
            gradient=[slope],
            peers=_OF_BINARY,
        )
        for name, logit, label, value, slope in (
            ("right-0", -INF, 0.0, 0, 0),
            ("right-1", INF, 1.0, 0, 0),
            ("wrong-1", -INF, 1.0, INF, -1),
            ("wrong-0", INF, 0.0, INF, 1),
        )
    ),
    Exhibit(
        "C3",
        "gradient of a binary cross-entropy of a confident right answer, float32",
        _BINARY,
        {"logits": [18.0], "labels": [1.0]},
        dtype="float32",
        gradient=COMPUTED,
        shown="gradient",
        stated=[-1.523e-8],
        peers=_gradient(_OF_BINARY),
    ),
    Exhibit(
        "C7",
        "dense cross-entropy with a class that does not exist and has no label",
        _DENSE,
        {"logits": [[0.0, 0.0, -INF]], "labels": [[0.5, 0.5, 0.0]]},
        ("google-deepmind/optax#896",),
        gradient=[[0, 0, 0]],
        stated=[float(np.log(2))],
        peers=_OF_DENSE,
    ),
    Exhibit(
        "C10",
        "mean over no example: every label is ignored",
        _INDICES,
        {"logits": [[1.0, 2.0], [3.0, 4.0]], "labels": np.asarray([-100, -100])},
        ("pytorch/pytorch#70348",),
        options={"ignore_index": -100, "reduction": "mean"},
        value=0,
        gradient=[[0, 0], [0, 0]],
        peers={
            "torch": "F.cross_entropy(x, y.long())",
            "keras": "keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)(y, x)",
        },
    ),
    Exhibit(
        "C12-indices",
        "mean with class weights, class indices",
        _INDICES,
        {"logits": [[1.0, 2.0], [3.0, 4.0]], "labels": np.asarray([0, 1]), "class_weights": [1.0, 3.0]},
        ("pytorch/pytorch#61309",),
        options={"reduction": "mean"},
        gradient=COMPUTED,
        stated=0.5632617,
        peers={"torch": "F.cross_entropy(x, y.long(), weight=z)"},
    ),
    Exhibit(
        "C12-dense",
        "mean with class weights, the same labels one-hot",
        _DENSE,
        {
            "logits": [[1.0, 2.0], [3.0, 4.0]],
            "labels": [[1.0, 0.0], [0.0, 1.0]],
            "class_weights": [1.0, 3.0],
        },
        ("pytorch/pytorch#61309",),
        options={"reduction": "mean"},
        gradient=COMPUTED,
        stated=0.5632617,
        peers={"torch": "F.cross_entropy(x, y, weight=z)"},
    ),
    _bad_label("too-large", 4),
    _bad_label("minus-1", -1),
    _bad_label("minus-100", -100),
    _labels_of(np.int32),
    _labels_of(np.uint8),
    Exhibit(
        "C20",
        "bfloat16 cross-entropy over 100 classes",
        _INDICES,
        {"logits": _RNG.normal(size=(4, 100)), "labels": _RNG.integers(0, 100, size=4)},
        ("google-deepmind/optax#1020",),
        dtype="bfloat16",
        gradient=COMPUTED,
        peers=_OF_INDICES,
    ),
    Exhibit(
        "C21-second",
        "second derivative of a cross-entropy that makes its own logits, a chunk at a time",
        "linear_cross_entropy",
        {**_LAYER, "labels": np.asarray([0, 2])},
        ("pytorch/pytorch#124480",),
        options={"reduction": "mean"},
        gradient=COMPUTED,
        second=True,
        shown="second",
        peers={"torch": f"second(lambda x: {_IN_CHUNKS}, x)"},
    ),
    Exhibit(
        "C21-ignored",
        "the mean of such a cross-entropy where every label is ignored",
        "linear_cross_entropy",
        {**_LAYER, "labels": np.asarray([-100, -100])},
        ("pytorch/pytorch#124480",),
        options={"ignore_index": -100, "reduction": "mean"},
        value=0,
        gradient=[[0, 0], [0, 0]],
        peers={"torch": _IN_CHUNKS},
    ),
    Exhibit(
        "C26",
        "z-loss as an option of the cross-entropy",
        _INDICES,
        {"logits": [[5.0, 2.0, 1.0]], "labels": _LABEL},
        options={"z_loss": 1e-3},
        gradient=COMPUTED,
        peers={"torch": "F.cross_entropy(x, y.long(), z_loss=1e-3)"},
    ),
    Exhibit(
        "C33",
        "softmax focal loss from logits, of a class far behind",
        "softmax_focal_loss",
        {"logits": [[0.0, 30.0], [2.0, 1.0]], "labels": np.asarray([0, 0])},
        ("pytorch/vision#8008",),
        gradient=COMPUTED,
        peers={
            "keras": "keras.losses.CategoricalFocalCrossentropy(from_logits=True, alpha=1.0, reduction=None)"
            "(keras.ops.one_hot(y, 2), x)",
        },
    ),
    *(_offset("S1", offset, 1, 0.313262) for offset in (1e4, 1e6, 1e7)),
    *(_offset("S1b", offset, 2, 0.5514447) for offset in (1e4, 1e6, 1e7)),
    Exhibit(
        "S2",
        "binary logits of shape (2, 1) against labels of shape (2,)",
        _BINARY,
        {"logits": [[1.0], [2.0]], "labels": [1.0, 0.0]},
        raises=(ValueError, "labels must have the shape of logits, (2, 1), got (2,)"),
        peers=_OF_BINARY,
    ),
    Exhibit(
        "S3",
        "class indices where dense labels belong",
        _DENSE,
        {"logits": [[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]], "labels": np.asarray([0, 2])},
        raises=(TypeError, "for class indices use softmax_cross_entropy_with_integer_labels"),
        peers={
            "optax": "optax.softmax_cross_entropy(x[:, :2], y)",
            "tensorflow": "tf.nn.softmax_cross_entropy_with_logits(tf.cast(y, x.dtype), x[:, :2])",
        },
    ),
)
