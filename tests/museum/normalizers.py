"""softmax and its relatives, sigmoid and its relatives."""

from __future__ import annotations

import numpy as np

from ..specs._edges import COMPUTED
from .base import INF, Exhibit

_ZEROS = np.zeros(70_000)
_RUNNING_SUMS = ("keras-team/keras#23425", "tensorflow/tensorflow#127246")

EXHIBITS = (
    Exhibit(
        "A4-softmax",
        "softmax of a row in which every class is masked",
        "softmax",
        {"logits": [-INF, -INF]},
        ("pytorch/pytorch#55056",),
        value=[0, 0],
        gradient=[0, 0],
        peers={
            "torch": "torch.softmax(x, -1)",
            "jax": "jax.nn.softmax(x)",
            "tensorflow": "tf.nn.softmax(x)",
            "scipy": "special.softmax(x)",
        },
    ),
    Exhibit(
        "A4-log-softmax",
        "log-softmax of a row in which every class is masked",
        "log_softmax",
        {"logits": [-INF, -INF]},
        ("pytorch/pytorch#55056",),
        value=[-INF, -INF],
        gradient=[0, 0],
        peers={
            "torch": "torch.log_softmax(x, -1)",
            "jax": "jax.nn.log_softmax(x)",
            "tensorflow": "tf.nn.log_softmax(x)",
            "scipy": "special.log_softmax(x)",
        },
    ),
    Exhibit(
        "A6-float32",
        "log-probability of a confident class, float32",
        "log_softmax",
        {"logits": [20.0, 0.0]},
        ("pytorch/pytorch#113708", "scipy/scipy#19521"),
        dtype="float32",
        gradient=COMPUTED,
        stated=[-2.06115362e-9, -20.0],
        peers={
            "torch": "torch.log_softmax(x, -1)",
            "jax": "jax.nn.log_softmax(x)",
            "tensorflow": "tf.nn.log_softmax(x)",
            "scipy": "special.log_softmax(x)",
        },
    ),
    Exhibit(
        "A6-float64",
        "log-probability of a confident class, float64",
        "log_softmax",
        {"logits": [40.0, 0.0]},
        ("pytorch/pytorch#113708", "scipy/scipy#19521"),
        gradient=COMPUTED,
        stated=[-4.24835426e-18, -40.0],
        peers={
            "torch": "torch.log_softmax(x, -1)",
            "jax": "jax.nn.log_softmax(x)",
            "tensorflow": "tf.nn.log_softmax(x)",
            "scipy": "special.log_softmax(x)",
        },
    ),
    Exhibit(
        "A9-softmax",
        "softmax of 70 000 equal logits in float16",
        "softmax",
        {"logits": _ZEROS},
        dtype="float16",
        peers={
            "torch": "torch.softmax(x, -1)",
            "jax": "jax.nn.softmax(x)",
            "tensorflow": "tf.nn.softmax(x)",
            "scipy": "special.softmax(x)",
        },
    ),
    Exhibit(
        "A12",
        "softmax over two axes together",
        "softmax",
        {"logits": [[[0.0, 1.0], [2.0, 3.0]], [[1.0, 1.0], [0.0, 4.0]]]},
        ("pytorch/pytorch#34874", "tensorflow/tensorflow#3101"),
        options={"axis": (1, 2)},
        gradient=COMPUTED,
        peers={
            "torch": "torch.softmax(x, (1, 2))",
            "jax": "jax.nn.softmax(x, (1, 2))",
            "tensorflow": "tf.nn.softmax(x, (1, 2))",
            "scipy": "special.softmax(x, (1, 2))",
        },
    ),
    Exhibit(
        "A14",
        "softmax of an array that its library differentiates through",
        "softmax",
        {"logits": [1.0, 2.0, 4.0]},
        gradient=COMPUTED,
        peers={"torch": "scipy.special.softmax(x.clone().requires_grad_())"},
    ),
    Exhibit(
        "E4x",
        "softmax of uint8 scores",
        "softmax",
        {"logits": np.asarray([1, 2, 3], np.uint8)},
        stated=[0.0900306, 0.2447285, 0.6652410],
        keep_dtype=True,
        peers={
            "torch": "torch.softmax(x, -1)",
            "jax": "jax.nn.softmax(x)",
            "tensorflow": "tf.nn.softmax(x)",
            "scipy": "special.softmax(x)",
        },
    ),
    Exhibit(
        "A21-value",
        "sparsemax of three classes of which two share the mass",
        "sparsemax",
        {"logits": [0.0, 0.5, 1.0]},
        _RUNNING_SUMS,
        stated=[0.0, 0.25, 0.75],
        peers={"keras": "keras.activations.sparsemax(x)"},
    ),
    Exhibit(
        "A21-gradient",
        "gradient of the sum of sparsemax, which is always 1",
        "sparsemax",
        {"logits": [0.0, 0.5, 1.0]},
        _RUNNING_SUMS,
        gradient=[0, 0, 0],
        shown="gradient",
        peers={"keras": "grad(keras.activations.sparsemax, x)"},
    ),
    Exhibit(
        "B1",
        "softplus(25), which is not 25",
        "softplus",
        {"x": [25.0]},
        ("pytorch/pytorch#31856",),
        gradient=COMPUTED,
        stated=[25.000000000013888],
        peers={
            "torch": "F.softplus(x)",
            "jax": "jax.nn.softplus(x)",
            "tensorflow": "tf.nn.softplus(x)",
        },
    ),
    Exhibit(
        "B5",
        "second derivative of log-sigmoid in both tails, float32",
        "log_sigmoid",
        {"x": [18.0, -18.0]},
        ("pytorch/pytorch#195530",),
        dtype="float32",
        gradient=COMPUTED,
        second=True,
        shown="second",
        stated=[-1.523e-8, -1.523e-8],
        peers={
            "torch": "second(F.logsigmoid, x)",
            "jax": "second(jax.nn.log_sigmoid, x)",
            "tensorflow": "second(tf.math.log_sigmoid, x)",
        },
    ),
    Exhibit(
        "C27",
        "soft-capping of logits",
        "softcap",
        {"logits": [-400.0, -3.0, 0.0, 40.0, 200.0]},
        options={"cap": 32.0},
        gradient=COMPUTED,
        peers={
            "torch": "32 * torch.tanh(x / 32)",
            "jax": "32 * jnp.tanh(x / 32)",
            "tensorflow": "32 * tf.tanh(x / 32)",
        },
    ),
)
