"""logsumexp and its relatives, logarithms of differences, logit, x log y."""

from __future__ import annotations

import numpy as np

from ..specs._edges import COMPUTED
from .base import INF, Exhibit

_AT_MINUS_INFINITY = ("pytorch/pytorch#31829", "pytorch/pytorch#49724", "jax-ml/jax#6811")

EXHIBITS = (
    Exhibit(
        "A1-logsumexp",
        "gradient of logsumexp where everything is -inf",
        "logsumexp",
        {"x": [-INF, -INF]},
        _AT_MINUS_INFINITY,
        value=-INF,
        gradient=[0, 0],
        shown="gradient",
        peers={
            "torch": "grad(lambda x: torch.logsumexp(x, -1), x)",
            "jax": "grad(jax.nn.logsumexp, x)",
            "tensorflow": "grad(tf.reduce_logsumexp, x)",
        },
    ),
    Exhibit(
        "A1-logaddexp",
        "gradient of logaddexp where both are -inf",
        "logaddexp",
        {"a": [-INF], "b": [-INF]},
        _AT_MINUS_INFINITY,
        value=[-INF],
        gradient=[0],
        shown="gradient",
        peers={
            "torch": "grad(lambda x: torch.logaddexp(x, y), x)",
            "jax": "grad(lambda x: jnp.logaddexp(x, y), x)",
            "tensorflow": "grad(lambda x: tf.experimental.numpy.logaddexp(x, y), x)",
        },
    ),
    Exhibit(
        "A1-cumulative-logsumexp",
        "gradient of a cumulative logsumexp where everything is -inf",
        "cumulative_logsumexp",
        {"x": [-INF, -INF]},
        _AT_MINUS_INFINITY,
        value=[-INF, -INF],
        gradient=[0, 0],
        shown="gradient",
        peers={
            "torch": "grad(lambda x: torch.logcumsumexp(x, -1), x)",
            "jax": "grad(jax.lax.cumlogsumexp, x)",
            "tensorflow": "grad(tf.math.cumulative_logsumexp, x)",
        },
    ),
    Exhibit(
        "A7",
        "logsumexp of one large and one small entry",
        "logsumexp",
        {"x": [0.0, -40.0]},
        ("scipy/scipy#18295", "jax-ml/jax#1205"),
        gradient=COMPUTED,
        stated=4.248354e-18,
        peers={
            "torch": "torch.logsumexp(x, -1)",
            "jax": "jax.nn.logsumexp(x)",
            "tensorflow": "tf.reduce_logsumexp(x)",
            "scipy": "special.logsumexp(x)",
        },
    ),
    Exhibit(
        "A9-logsumexp",
        "logsumexp of 70 000 zeros in float16",
        "logsumexp",
        {"x": np.zeros(70_000)},
        dtype="float16",
        stated=11.156,
        peers={
            "torch": "torch.logsumexp(x, -1)",
            "jax": "jax.nn.logsumexp(x)",
            "tensorflow": "tf.reduce_logsumexp(x)",
            "scipy": "special.logsumexp(x)",
        },
    ),
    Exhibit(
        "A19",
        "logsumexp with weights of both signs, a mask, and the sign of the sum",
        "logsumexp",
        {"x": [1.0, 2.0, 0.5], "weights": [1.0, -2.0, 9.0], "where": np.asarray([True, True, False])},
        ("pytorch/pytorch#32097", "jax-ml/jax#3487"),
        options={"return_sign": True},
        gradient=COMPUTED,
        peers={
            "torch": "torch.logsumexp(x, -1, weights=y)",
            "jax": "jax.nn.logsumexp(x, b=y, where=z)",
            "tensorflow": "tf.reduce_logsumexp(x, weights=y)",
            "scipy": "special.logsumexp(x, b=y)",
        },
    ),
    Exhibit(
        "B7-small",
        "log(1 - e^-x) and its gradient near 0",
        "log1mexp",
        {"x": [1e-9]},
        ("pytorch/pytorch#39242", "scipy/scipy#19021"),
        gradient=COMPUTED,
        stated=[-20.7232658],
        peers={
            "torch": "torch.log1p(-torch.exp(-x))",
            "jax": "jax.nn.log1mexp(x)",
            "tensorflow": "tf.math.log1p(-tf.exp(-x))",
        },
    ),
    Exhibit(
        "B7-large",
        "log(1 - e^-x) and its gradient where e^-x is far below rounding",
        "log1mexp",
        {"x": [50.0]},
        ("pytorch/pytorch#39242", "scipy/scipy#19021"),
        gradient=COMPUTED,
        stated=[-1.92874985e-22],
        peers={
            "torch": "torch.log(-torch.expm1(-x))",
            "jax": "jax.nn.log1mexp(x)",
            "tensorflow": "tf.math.log(-tf.math.expm1(-x))",
        },
    ),
    Exhibit(
        "B8",
        "logit of a probability that is given by its logarithm",
        "logit_from_log_prob",
        {"log_p": [-1e-10, -0.5, -50.0]},
        ("pytorch/pytorch#4007",),
        gradient=COMPUTED,
        peers={
            "torch": "torch.logit(torch.exp(x))",
            "jax": "jax.scipy.special.logit(jnp.exp(x))",
            "scipy": "special.logit(numpy.exp(x))",
        },
    ),
    Exhibit(
        "B9-float32",
        "logit of the float32 number after one half",
        "logit",
        {"p": [0.5 + 2.0**-24]},
        dtype="float32",
        gradient=COMPUTED,
        stated=[2.3841858e-7],
        peers={
            "torch": "torch.logit(x)",
            "jax": "jax.scipy.special.logit(x)",
            "scipy": "special.logit(x)",
        },
    ),
    Exhibit(
        "B9-float64",
        "logit of the float64 number after one half",
        "logit",
        {"p": [0.5 + 2.0**-53]},
        gradient=COMPUTED,
        stated=[4.4408921e-16],
        peers={
            "torch": "torch.logit(x)",
            "jax": "jax.scipy.special.logit(x)",
            "scipy": "special.logit(x)",
        },
    ),
    Exhibit(
        "D11",
        "gradient of x log y by x, at x = 0",
        "xlogy",
        {"x": [0.0], "y": [3.0]},
        ("pytorch/pytorch#80770",),
        value=[0],
        gradient=[float(np.log(3.0))],
        shown="gradient",
        peers={
            "torch": "grad(lambda x: torch.xlogy(x, y), x)",
            "jax": "grad(lambda x: jax.scipy.special.xlogy(x, y), x)",
            "tensorflow": "grad(lambda x: tf.math.xlogy(x, y), x)",
        },
    ),
)
